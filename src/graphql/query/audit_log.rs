//! The audit log.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use crate::{
    domain::{actor::Permission, request::RequestId},
    graphql::{
        connection::{Connection, PageArgs},
        context::Caller,
        error::{Fault, Result},
        object::{
            audit_choice::{AuditAction, AuditOutcome},
            audit_entry::AuditEntries,
        },
        scalar::DateTime,
    },
    store,
};

/// The audit log.
#[derive(Default)]
pub(in crate::graphql) struct AuditLogQuery;

/// Which entries of the audit log are wanted. All that is given must hold; an empty list matches none.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct AuditFilter {
    /// Of these actions.
    action_in: Option<Vec<AuditAction>>,
    /// Done, or refused.
    outcome: Option<AuditOutcome>,
    /// By whoever has this subject.
    actor_subject: Option<String>,
    /// Done to what has this id.
    target_id: Option<ID>,
    /// Of this request.
    request_id: Option<String>,
    /// At that moment or later.
    from: Option<DateTime>,
    /// Before that moment.
    until: Option<DateTime>,
}

impl AuditFilter {
    fn judge(self) -> Result<store::AuditFilter> {
        let is_storable = |text: &str| !text.contains('\0');
        let texts = [self.actor_subject.as_deref(), self.target_id.as_ref().map(|id| id.as_str())];
        if !texts.into_iter().flatten().all(is_storable) {
            return Err(Fault::bad_input("actorSubject and targetId hold no NUL."));
        }
        let request = match self.request_id.as_deref().map(Uuid::try_parse) {
            Some(Ok(id)) => Some(RequestId(id)),
            Some(Err(_)) => return Err(Fault::bad_input("requestId is not the id of a request.")),
            None => None,
        };
        Ok(store::AuditFilter {
            actions: self.action_in.map(|actions| actions.into_iter().map(Into::into).collect()),
            outcome: self.outcome.map(Into::into),
            actor_subject: self.actor_subject,
            target_id: self.target_id.map(|ID(id)| id),
            request,
            from: self.from.map(|DateTime(from)| from),
            until: self.until.map(|DateTime(until)| until),
        })
    }
}

#[Object]
impl AuditLogQuery {
    /// What was done and what was refused, by whom, newest first. Only for an ADMIN.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries; all where it is left out.")] filter: Option<AuditFilter>,
    ) -> Result<Connection<AuditEntries>> {
        let caller = Caller::of(ctx)?;
        caller.actor.require(Permission::ViewAuditLog)?;
        let filter = filter.unwrap_or_default().judge()?;
        Connection::load(AuditEntries(filter), &PageArgs { first, after, last, before }, caller).await
    }
}
