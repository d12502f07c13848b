//! Asking for a directory sync, and asking for it by schedule.

use chrono::Duration;

use super::{ServiceError, Services};
use crate::{
    domain::{
        actor::{Actor, Permission},
        audit::{AuditAction, AuditActor, AuditRecord},
        event::Event,
        id::{AccountId, DirectorySyncId},
        once::Once,
        refusal::{Refusal, RefusalCode},
    },
    store::{SyncCounts, SyncRun, SyncState, SyncWish, Tx},
};

/// How long one process keeps to the schedule before another may take over.
const LEASE: Duration = Duration::seconds(30);

/// What a caller wants.
#[derive(Debug, Clone, Default)]
pub struct SyncEngineers {
    /// Which directory; `None` where the account has only one.
    pub directory: Option<String>,
    /// Make the plan, change nobody.
    pub dry_run: bool,
    /// Many may be gone.
    pub confirm_removals: bool,
    /// Deleted people come back.
    pub restore_deleted: bool,
}

impl Services {
    /// Queues a run; a worker does it at once. Under a key one run is queued.
    ///
    /// # Errors
    /// When the directory is unknown, the caller may not, or the database fails.
    pub async fn sync_engineers(
        &self,
        actor: &Actor,
        input: SyncEngineers,
        once: Option<&Once>,
    ) -> Result<SyncRun, ServiceError> {
        let record = self.record_of(actor, AuditAction::SyncEngineers);
        self.attempt(actor, &record, Box::pin(self.sync_recorded(actor, input, once, &record))).await
    }

    async fn sync_recorded(
        &self,
        actor: &Actor,
        input: SyncEngineers,
        once: Option<&Once>,
        record: &AuditRecord,
    ) -> Result<SyncRun, ServiceError> {
        if !actor.may(Permission::SyncDirectories) {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let account = self.account(&actor.account)?;
        let mut known = account.directories.keys();
        let directory = match input.directory {
            Some(name) => known.find(|known| **known == name).cloned(),
            None => known.next().filter(|_| known.next().is_none()).cloned(),
        };
        let Some(directory) = directory else {
            return Err(Refusal::not_found("directory").at(&["directory"]).into());
        };
        let wish = SyncWish {
            directory,
            dry_run: input.dry_run,
            confirm_removals: input.confirm_removals,
            restore_deleted: input.restore_deleted,
            requested_by: Some(actor.subject.clone()),
        };
        let run = self.new_run(wish);
        let tx = self.core.store.begin(&actor.account).await?;
        if let Some(queued) = self.claim_once(&tx, actor, once, &run.id.to_string()).await? {
            drop(tx);
            let queued = queued.parse().map_err(|_| Refusal::not_found("directorySync"))?;
            let found = self.core.store.rows(&actor.account).find_sync(queued).await?;
            return found.ok_or_else(|| Refusal::not_found("directorySync").into());
        }
        self.queue_run(tx, run, record).await
    }

    /// Queues a run for whoever may.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_directory_sync(
        &self,
        account: &AccountId,
        wish: SyncWish,
        by: AuditActor,
    ) -> Result<SyncRun, ServiceError> {
        let run = self.new_run(wish);
        let tx = self.core.store.begin(account).await?;
        self.queue_run(tx, run, &self.record_of(by, AuditAction::SyncEngineers)).await
    }

    fn new_run(&self, wish: SyncWish) -> SyncRun {
        let now = self.now();
        SyncRun {
            id: DirectorySyncId::generate(now, self.chance()),
            wish,
            state: SyncState::Queued,
            counts: SyncCounts::default(),
            failure_code: None,
            failure_message: None,
            unknown_fields: Vec::new(),
            created_at: now,
            started_at: None,
            finished_at: None,
        }
    }

    async fn queue_run(&self, mut tx: Tx, run: SyncRun, record: &AuditRecord) -> Result<SyncRun, ServiceError> {
        tx.rows().save_sync(&run).await?;
        tx.record(describe(record, &run), self.chance());
        tx.log(Event::SyncProgressed { sync: run.id }, run.created_at, self.chance());
        tx.commit().await?;
        Ok(run)
    }

    /// Queues the runs that are due by schedule, in one process at a time. Tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_directory_syncs(&self, owner: &str) -> Result<usize, ServiceError> {
        let lease = self.core.store.take_lease("directory-sync-schedule", owner, self.now(), LEASE).await?;
        if lease.is_none() {
            return Ok(0);
        }
        let mut queued = 0;
        for (id, account) in &self.core.accounts {
            for (name, directory) in &account.directories {
                let Some(every) = directory.sync_every else { continue };
                let last = self.core.store.rows(id).find_last_sync(name).await?;
                if last.is_some_and(|run| !run.state.has_ended() || run.created_at + every > self.now()) {
                    continue;
                }
                let wish = SyncWish {
                    directory: name.clone(),
                    dry_run: false,
                    confirm_removals: false,
                    restore_deleted: false,
                    requested_by: None,
                };
                self.queue_directory_sync(id, wish, AuditActor::system()).await?;
                queued += 1;
            }
        }
        Ok(queued)
    }
}

fn describe(record: &AuditRecord, run: &SyncRun) -> AuditRecord {
    let SyncWish { directory, dry_run, confirm_removals, restore_deleted, requested_by: _ } = &run.wish;
    let flags = [("dryRun", dry_run), ("confirmRemovals", confirm_removals), ("restoreDeleted", restore_deleted)];
    let record = record.on(run.id).with("directory", directory.as_str());
    flags.into_iter().filter(|(_, set)| **set).fold(record, |record, (name, _)| record.with(name, "true"))
}
