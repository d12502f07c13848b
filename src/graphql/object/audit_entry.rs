//! The audit log.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{ID, Object, SimpleObject};

use super::{
    audit_choice::{AuditAction, AuditActorKind, AuditOutcome, AuditTargetKind},
    choice::Role,
};
use crate::{
    domain::audit,
    graphql::{connection::Listing, context::Caller, error::Result, node::id, scalar::DateTime},
    store::{AuditFilter, Keyset},
};

/// One entry of the audit log.
#[derive(Clone)]
pub(in crate::graphql) struct AuditEntry(Arc<audit::AuditEntry>);

impl AuditEntry {
    /// An entry as it is stored.
    pub fn new(entry: audit::AuditEntry) -> Self {
        Self(Arc::new(entry))
    }
}

/// Who did it.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AuditActor {
    /// What showed who they are.
    kind: AuditActorKind,
    /// The subject of their token, or the id of their API key; a word for what is neither.
    subject: String,
    /// Their roles at that moment.
    roles: Vec<Role>,
}

/// Something that changed.
#[derive(SimpleObject)]
pub(in crate::graphql) struct AuditChange {
    /// What: a field such as mobile, or a channel such as SMS.
    field: String,
    /// How it was, masked; null where it was not there.
    before: Option<String>,
    /// How it is since, masked; null where it is not there.
    after: Option<String>,
}

/// One entry of the audit log: something that was done, or refused. Contact data is masked in it, and secrets are only said to be set.
#[Object]
impl AuditEntry {
    /// The id: opaque, and never reused.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        DateTime(self.0.record.occurred_at)
    }

    /// Who.
    async fn actor(&self) -> AuditActor {
        let actor = &self.0.record.actor;
        let roles = actor.roles.iter().map(|role| (*role).into()).collect();
        AuditActor { kind: actor.kind.into(), subject: actor.subject.clone(), roles }
    }

    /// What.
    async fn action(&self) -> AuditAction {
        self.0.record.action.into()
    }

    /// The kind of thing that it was done to; null where it was done to no single thing.
    async fn target_kind(&self) -> Option<AuditTargetKind> {
        self.0.record.target.as_ref().map(|target| target.kind.into())
    }

    /// The id of what it was done to, which may be gone since; null where it was done to no single thing.
    async fn target_id(&self) -> Option<ID> {
        self.0.record.target.as_ref().map(|target| id(&target.id))
    }

    /// How it ended.
    async fn outcome(&self) -> AuditOutcome {
        self.0.record.outcome().into()
    }

    /// The code of the refusal: one of UserErrorCode, FORBIDDEN, or BAD_FILE. Null where it was done.
    async fn error_code(&self) -> Option<&str> {
        self.0.record.refused.as_deref()
    }

    /// Why, in the words of whoever did it; null where none were asked for, and once the person concerned is erased.
    async fn reason(&self) -> Option<&str> {
        self.0.record.reason.as_deref()
    }

    /// What changed, and what else there is to say, by field. Empty once the person concerned is erased.
    async fn changes(&self) -> Vec<AuditChange> {
        let (before, after) = (&self.0.record.before.0, &self.0.record.after.0);
        let fields: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let change = |field: &String| AuditChange {
            field: field.clone(),
            before: before.get(field).cloned(),
            after: after.get(field).cloned(),
        };
        fields.into_iter().map(change).collect()
    }

    /// The request, or the socket, by which it came, as in the header x-request-id and in the server's log; null for what came by none.
    async fn request_id(&self) -> Option<String> {
        self.0.record.request.map(|request| request.request_id.to_string())
    }

    /// The client's address; null for what came by no request.
    async fn client_address(&self) -> Option<String> {
        self.0.record.request.map(|request| request.address.to_string())
    }
}

/// The entries of the audit log that are wanted, newest first.
pub(in crate::graphql) struct AuditEntries(pub AuditFilter);

impl Listing for AuditEntries {
    type Row = audit::AuditEntry;
    type Node = AuditEntry;
    type Place = i64;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<i64>) -> Result<Vec<Self::Row>> {
        Ok(caller.store().rows(caller.account()).list_audit_entries(&self.0, keyset).await?)
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        Ok(caller.store().rows(caller.account()).count_audit_entries(&self.0).await?)
    }

    fn place_of(&self, row: &Self::Row) -> i64 {
        row.number
    }

    fn show(&self, _caller: Caller<'_>, rows: Vec<Self::Row>) -> Vec<AuditEntry> {
        rows.into_iter().map(AuditEntry::new).collect()
    }

    fn write_place(&self, place: &i64) -> String {
        format!("audit|{place}")
    }

    fn read_place(&self, text: &str) -> Option<i64> {
        text.strip_prefix("audit|")?.parse().ok()
    }
}
