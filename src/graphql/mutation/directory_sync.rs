//! Running a directory sync.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{once::read_once, part};
use crate::{
    graphql::{
        context::Caller,
        error::Result,
        object::{directory_sync::DirectorySync, user_error::UserError},
    },
    service::sync_engineers::SyncEngineers,
};

/// Running a directory sync.
#[derive(Default)]
pub(in crate::graphql) struct DirectorySyncMutation;

/// A wish for a directory sync.
#[derive(InputObject)]
pub(in crate::graphql) struct SyncEngineersInput {
    /// The name of the directory; may be left out where the account has only one.
    directory: Option<String>,
    /// Make the plan alone, and change nobody.
    #[graphql(default = false)]
    dry_run: bool,
    /// Go on even where more than 20 % or 50 people would be gone.
    #[graphql(default = false)]
    confirm_removals: bool,
    /// Bring back people who were deleted from the roll and are still listed.
    #[graphql(default = false)]
    restore_deleted: bool,
    /// A text of the caller's own, such as a UUID: 1 to 255 characters. Sent again within 24 hours by the same caller, with the same
    /// input, the mutation is answered again and not done again.
    idempotency_key: Option<String>,
}

/// What came of asking for a directory sync.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SyncEngineersPayload {
    /// The run, which a worker begins at once; null where it was refused. How it ends is told by the run itself: follow it with
    /// directorySyncProgress.
    directory_sync: Option<DirectorySync>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl DirectorySyncMutation {
    /// Synchronizes engineers from a directory: plans who is added, updated, moved and gone, then applies it.
    async fn sync_engineers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which directory, and how.")] input: SyncEngineersInput,
    ) -> Result<SyncEngineersPayload> {
        let caller = Caller::of(ctx)?;
        let once = match read_once(ctx, caller, input.idempotency_key.as_deref())? {
            Ok(once) => once,
            Err(user_errors) => return Ok(SyncEngineersPayload { directory_sync: None, user_errors }),
        };
        let wish = SyncEngineers {
            directory: input.directory,
            dry_run: input.dry_run,
            confirm_removals: input.confirm_removals,
            restore_deleted: input.restore_deleted,
        };
        match part(caller.services.sync_engineers(caller.actor, wish, once.as_ref()).await, caller.locale)? {
            Ok(run) => {
                Ok(SyncEngineersPayload { directory_sync: Some(DirectorySync::new(run)), user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(SyncEngineersPayload { directory_sync: None, user_errors }),
        }
    }
}
