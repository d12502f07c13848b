//! Deleting and restoring engineers.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{ids::GivenIds, part, refuse};
use crate::{
    domain::{id::EngineerId, refusal::Refusal},
    graphql::{
        context::Caller,
        error::Result,
        loader::Mates,
        node::id,
        object::{engineer::Engineer, outcome::EngineerOutcome, user_error::UserError},
    },
    service::{ServiceError, delete_engineers::ItemOutcome},
};

/// Deleting and restoring engineers.
#[derive(Default)]
pub(in crate::graphql) struct DeletionMutation;

/// Whom to delete.
#[derive(InputObject)]
pub(in crate::graphql) struct DeleteEngineersInput {
    /// Whom, at most 1,000.
    ids: Vec<ID>,
    /// Erase their data at once instead of after the time in which they can be restored. Only for an ADMIN.
    #[graphql(default = false)]
    erase_now: bool,
}

/// Whom to restore.
#[derive(InputObject)]
pub(in crate::graphql) struct RestoreEngineersInput {
    /// Whom, at most 1,000.
    ids: Vec<ID>,
}

/// What came of deleting.
#[derive(SimpleObject)]
pub(in crate::graphql) struct DeleteEngineersPayload {
    /// Who was deleted.
    deleted_engineer_ids: Vec<ID>,
    /// What was done to each id.
    outcomes: Vec<EngineerOutcome>,
    /// Why nothing was done at all. What concerns one id is in outcomes.
    user_errors: Vec<UserError>,
}

/// What came of restoring.
#[derive(SimpleObject)]
pub(in crate::graphql) struct RestoreEngineersPayload {
    /// Who was restored.
    engineers: Vec<Engineer>,
    /// What was done to each id.
    outcomes: Vec<EngineerOutcome>,
    /// Why nothing was done at all. What concerns one id is in outcomes.
    user_errors: Vec<UserError>,
}

#[Object]
impl DeletionMutation {
    /// Deletes engineers: they are hidden, and nothing is sent to them, at once. Their data is erased after the account's
    /// erase_after, 24 hours unless set otherwise; until then they can be restored.
    async fn delete_engineers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: DeleteEngineersInput,
    ) -> Result<DeleteEngineersPayload> {
        let caller = Caller::of(ctx)?;
        let ids: GivenIds = match GivenIds::read("ids", input.ids) {
            Ok(ids) => ids,
            Err(refusal) => return Ok(nothing_deleted(refuse(refusal, caller.locale))),
        };
        let done = caller.services.delete_engineers(caller.actor, &ids.keys(), input.erase_now).await;
        let (deleted, outcomes) = match report(caller, &ids, "engineer", done)? {
            Ok(report) => report,
            Err(user_errors) => return Ok(nothing_deleted(user_errors)),
        };
        let deleted_engineer_ids = deleted.into_iter().map(id).collect();
        Ok(DeleteEngineersPayload { deleted_engineer_ids, outcomes, user_errors: Vec::new() })
    }

    /// Brings deleted engineers back with all that they had, as long as they are not erased.
    async fn restore_engineers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: RestoreEngineersInput,
    ) -> Result<RestoreEngineersPayload> {
        let caller = Caller::of(ctx)?;
        let ids: GivenIds = match GivenIds::read("ids", input.ids) {
            Ok(ids) => ids,
            Err(refusal) => return Ok(nothing_restored(refuse(refusal, caller.locale))),
        };
        let done = caller.services.restore_engineers(caller.actor, &ids.keys()).await;
        let (restored, outcomes) = match report(caller, &ids, "deleted engineer", done)? {
            Ok(report) => report,
            Err(user_errors) => return Ok(nothing_restored(user_errors)),
        };
        let mut found = caller.store().rows(caller.account()).find_engineers(&restored).await?;
        let engineers = restored.iter().filter_map(|id| found.remove(id));
        let engineers = Mates::join(caller.services, caller.account(), engineers);
        Ok(RestoreEngineersPayload { engineers, outcomes, user_errors: Vec::new() })
    }
}

fn nothing_deleted(user_errors: Vec<UserError>) -> DeleteEngineersPayload {
    DeleteEngineersPayload { deleted_engineer_ids: Vec::new(), outcomes: Vec::new(), user_errors }
}

fn nothing_restored(user_errors: Vec<UserError>) -> RestoreEngineersPayload {
    RestoreEngineersPayload { engineers: Vec::new(), outcomes: Vec::new(), user_errors }
}

/// To whom it was done, and what was done to each id.
type Report = (Vec<EngineerId>, Vec<EngineerOutcome>);

fn report(
    caller: Caller<'_>,
    ids: &GivenIds,
    what: &str,
    done: Result<Vec<ItemOutcome>, ServiceError>,
) -> Result<Result<Report, Vec<UserError>>> {
    let items = match part(done, caller.locale)? {
        Ok(items) => items,
        Err(user_errors) => return Ok(Err(user_errors)),
    };
    let done = items.iter().filter(|item| item.refusal.is_none()).map(|item| item.engineer).collect();
    let mut refusals: HashMap<_, _> = items.into_iter().map(|item| (item.engineer, item.refusal)).collect();
    let outcomes = ids.iter().map(|given| {
        let refusal = given.key.and_then(|key| refusals.remove(&key)).unwrap_or_else(|| Some(Refusal::not_found(what)));
        let user_error = refusal.map(|refusal| UserError::new(ids.at(given, refusal), caller.locale));
        EngineerOutcome { engineer_id: given.id.clone(), user_error }
    });
    Ok(Ok((done, outcomes.collect())))
}
