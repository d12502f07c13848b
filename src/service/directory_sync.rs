//! The directory sync: read the directory, plan, then apply in chunks.
//!
//! A run can stop anywhere and go on later: the plan is made afresh from what the roll holds by then, and what was applied is no
//! longer in it. One run at a time works on an account, under a lease whose fence every chunk checks.

use std::collections::HashSet;

use chrono::Duration;

use super::{Account, CHUNK, Core, ServiceError, Services, batch::Batch};
use crate::{
    domain::{
        account::Locale,
        event::Event,
        id::{AccountId, EngineerId},
        refusal::{Refusal, RefusalCode},
        roster::{Entry, RosterInput, RosterPlan, plan},
    },
    port::directory::{DirectoryError, Listing},
    store::{Fence, StoreError, SyncCounts, SyncRun, SyncState, Tx},
};

mod chunk;
mod judge;
mod messages;
mod outcome;

use self::{
    chunk::ChunkWork,
    judge::judge_listing,
    messages::count_messages,
    outcome::{outcome_of, outcome_of_problem, outcome_of_unfit},
};

/// How long the lease of a run lasts without a sign of life.
const LEASE: Duration = Duration::seconds(60);

/// How often a run gives a sign of life while it waits for the directory.
const SIGN_OF_LIFE: std::time::Duration = std::time::Duration::from_secs(15);

impl Services {
    /// Does the runs that wait, the oldest first, but for accounts that another process works on. Tells whether there was one. A run
    /// that fails holds up nobody else's.
    ///
    /// # Errors
    /// When the database failed in one of them. What the directory answers is no error here.
    pub async fn run_due_directory_sync(&self, owner: &str) -> Result<bool, ServiceError> {
        let (mut ran, mut failure) = (false, None);
        // A lease that ends while this looks must not let a younger run of its account pass an older one.
        let mut busy = HashSet::new();
        for (id, waiting) in self.core.store.queue().list_due_syncs().await? {
            if !self.core.accounts.contains_key(&id) || busy.contains(&id) {
                continue;
            }
            let lease = format!("directory-sync/{id}");
            let Some(fence) = self.core.store.take_lease(&lease, owner, self.now(), LEASE).await? else {
                busy.insert(id);
                continue;
            };
            let released = fence.clone();
            // What was read before the lease may be old: another process may have ended the run since.
            let present = self.core.store.rows(&id).find_sync(waiting.id).await?;
            let worked = match present.filter(|run| !run.state.has_ended()) {
                Some(run) => {
                    Run { services: self, core: &self.core, id, owner, lease, fence, run }.work().await.map(|()| true)
                }
                None => Ok(false),
            };
            self.core.store.release_lease(&released, self.now()).await?;
            match worked {
                Ok(done) => ran |= done,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(ran), Err)
    }
}

/// One run at work.
struct Run<'a> {
    services: &'a Services,
    core: &'a Core,
    id: AccountId,
    owner: &'a str,
    lease: String,
    fence: Fence,
    run: SyncRun,
}

impl Run<'_> {
    async fn work(mut self) -> Result<(), ServiceError> {
        let account = self.services.account(&self.id)?;
        self.run.state = SyncState::Running;
        self.run.started_at = self.run.started_at.or_else(|| Some(self.services.now()));
        self.save().await?;
        let Some(directory) = account.directories.get(&self.run.wish.directory) else {
            let error = DirectoryError::Refused("the configuration no longer has it".to_owned());
            return self.fail(&error).await;
        };
        let listing = match self.listen(directory.source.list_people()).await? {
            Ok(listing) if listing.people.is_empty() => {
                return self.fail(&DirectoryError::Refused("it lists nobody".to_owned())).await;
            }
            Ok(listing) => listing,
            Err(error) => return self.fail(&error).await,
        };
        // Stored as text, which takes no NUL, and shown line by line.
        let clean = |field: &String| field.chars().filter(|c| !c.is_control()).collect();
        self.run.unknown_fields = listing.unknown_fields.iter().map(clean).collect();
        let plan = self.plan(account, &listing).await?;
        if self.run.counts.total == 0 {
            self.note_plan(account, &plan, &listing).await?;
        }
        if plan.needs_confirmation() && !self.run.wish.confirm_removals {
            return self.ask_for_confirmation(&plan).await;
        }
        if self.run.wish.dry_run {
            return self.finish_dry_run(&plan).await;
        }
        self.apply(account, plan).await
    }

    /// Waits for the directory, and keeps the lease meanwhile.
    async fn listen<T>(&self, answer: impl Future<Output = T>) -> Result<T, ServiceError> {
        tokio::pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return Ok(answer),
                () = tokio::time::sleep(SIGN_OF_LIFE) => self.keep_lease().await?,
            }
        }
    }

    async fn plan(&self, account: &Account, listing: &Listing) -> Result<RosterPlan, StoreError> {
        let directory = self.run.wish.directory.as_str();
        let rows = self.core.store.rows(&self.id);
        let known = rows.list_roster().await?;
        let remembered = rows.list_identities(directory).await?;
        let unreadable: HashSet<_> =
            listing.problems.iter().filter_map(|problem| problem.external_id.clone()).collect();
        Ok(plan(RosterInput {
            directory,
            known: &known,
            remembered: &remembered,
            listed: judge_listing(listing, &account.settings),
            unreadable: &unreadable,
            all_readable: listing.problems.iter().all(|problem| problem.external_id.is_some()),
            restore_deleted: self.run.wish.restore_deleted,
        }))
    }

    /// Writes what the plan counts, and whom it leaves out: once, also where the run stops and goes on later.
    async fn note_plan(&mut self, account: &Account, plan: &RosterPlan, listing: &Listing) -> Result<(), ServiceError> {
        let skipped = plan.entries.iter().filter(|entry| matches!(entry, Entry::Skipped(..)));
        let mut outcomes: Vec<_> = listing.problems.iter().map(outcome_of_problem).collect();
        outcomes.extend(skipped.map(|entry| outcome_of(entry, None)));
        // Whoever stays as they are because of a fault has an outcome, and is counted by it alone.
        let faulty = plan.entries.iter().filter(|entry| stays_for_a_fault(entry)).count();
        let unchanged = plan.unchanged.saturating_sub(faulty);
        let messages = if account.settings.subscribe_on_sync {
            count_messages(&self.core.store, &self.id, plan).await?
        } else {
            0
        };
        self.run.counts = SyncCounts {
            total: to_count(plan.entries.len() + unchanged + listing.problems.len()),
            done: to_count(unchanged + outcomes.len()),
            unchanged: to_count(unchanged),
            skipped: to_count(outcomes.len()),
            messages: to_count(messages),
            ..SyncCounts::default()
        };
        let mut tx = self.begin().await?;
        let first = tx.rows().count_sync_outcomes(self.run.id).await?;
        tx.rows().insert_sync_outcomes(self.run.id, usize::try_from(first).unwrap_or(usize::MAX), &outcomes).await?;
        self.note(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn ask_for_confirmation(mut self, plan: &RosterPlan) -> Result<(), ServiceError> {
        // Of a run that goes on, those who are gone already are counted too.
        let gone = self.run.counts.gone.saturating_add(to_count(plan.gone()));
        let refusal = Refusal::new(RefusalCode::RemovalsNeedConfirmation);
        let refusal = refusal.with("gone", gone).with("changed", self.run.counts.applied());
        self.run.failure_code = Some(refusal.code.name().to_owned());
        self.run.failure_message = Some(refusal.message(Locale::En));
        tracing::warn!(
            account = %self.id, directory = self.run.wish.directory, gone = plan.gone(),
            "A directory sync stopped: so many people would be gone that a person must confirm it"
        );
        self.finish_with_plan(plan, SyncState::NeedsConfirmation).await
    }

    async fn finish_dry_run(self, plan: &RosterPlan) -> Result<(), ServiceError> {
        self.finish_with_plan(plan, SyncState::Succeeded).await
    }

    /// Ends a run that changes nobody any more, with the plan as its outcome.
    async fn finish_with_plan(mut self, plan: &RosterPlan, state: SyncState) -> Result<(), ServiceError> {
        let changes: Vec<_> = plan.entries.iter().filter(|entry| !matches!(entry, Entry::Skipped(..))).collect();
        let outcomes: Vec<_> = changes.iter().map(|entry| outcome_of(entry, None)).collect();
        for entry in changes {
            count(&mut self.run.counts, entry);
        }
        let mut tx = self.begin().await?;
        let first = tx.rows().count_sync_outcomes(self.run.id).await?;
        tx.rows().insert_sync_outcomes(self.run.id, usize::try_from(first).unwrap_or(usize::MAX), &outcomes).await?;
        self.end(&mut tx, state).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn fail(mut self, error: &DirectoryError) -> Result<(), ServiceError> {
        let code = match error {
            DirectoryError::Unavailable(_) => RefusalCode::DirectoryUnavailable,
            DirectoryError::Refused(_) => RefusalCode::DirectoryRefused,
        };
        tracing::warn!(
            account = %self.id, directory = self.run.wish.directory, changed = self.run.counts.applied(), %error,
            "A directory sync failed"
        );
        self.run.failure_code = Some(code.name().to_owned());
        self.run.failure_message = Some(error.to_string());
        let mut tx = self.begin().await?;
        self.end(&mut tx, SyncState::Failed).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn apply(mut self, account: &Account, plan: RosterPlan) -> Result<(), ServiceError> {
        let rows = self.core.store.rows(&self.id);
        let mut ordinal = usize::try_from(rows.count_sync_outcomes(self.run.id).await?).unwrap_or(usize::MAX);
        let mut entries: Vec<_> =
            plan.entries.into_iter().filter(|entry| !matches!(entry, Entry::Skipped(..))).collect();
        // A run that goes on reads the directory again, which may have changed meanwhile.
        self.run.counts.total = self.run.counts.done.saturating_add(to_count(entries.len()));
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(CHUNK));
            let chunk = std::mem::replace(&mut entries, rest);
            let length = chunk.len();
            self.apply_chunk(account, chunk, ordinal).await?;
            ordinal += length;
        }
        let now = self.services.now();
        let mut tx = self.begin().await?;
        tx.rows().set_synced_at(&self.run.wish.directory, now).await?;
        self.end(&mut tx, SyncState::Succeeded).await?;
        tx.commit().await?;
        let SyncCounts { added, updated, moved, gone, unchanged, skipped, .. } = self.run.counts;
        tracing::info!(
            account = %self.id, directory = self.run.wish.directory,
            added, updated, moved, gone, unchanged, skipped, "A directory sync is done"
        );
        Ok(())
    }

    async fn apply_chunk(
        &mut self,
        account: &Account,
        chunk: Vec<Entry>,
        first_ordinal: usize,
    ) -> Result<(), ServiceError> {
        let mut tx = self.begin().await?;
        let now = self.services.now();
        let ids: Vec<_> = chunk.iter().filter_map(known_engineer).collect();
        let mut batch = Batch::lock(self.core, account, &tx, &ids, now).await?;
        let subscribe = account.settings.subscribe_on_sync;
        let mut chunk_work = ChunkWork::new(self.core, &self.run.wish, subscribe, &mut batch);
        let mut outcomes = Vec::with_capacity(chunk.len());
        let mut changed = 0;
        for entry in &chunk {
            match chunk_work.apply(entry) {
                Some(engineer) => {
                    changed += 1;
                    count(&mut self.run.counts, entry);
                    outcomes.push(outcome_of(entry, Some(engineer)));
                }
                None => {
                    self.run.counts.skipped += 1;
                    outcomes.push(outcome_of_unfit(entry));
                }
            }
            self.run.counts.done += 1;
        }
        chunk_work.write(&tx).await?;
        if changed > 0 {
            batch.log(Event::RollChanged { sync: Some(self.run.id), count: changed });
        }
        batch.save(&mut tx).await?;
        tx.rows().insert_sync_outcomes(self.run.id, first_ordinal, &outcomes).await?;
        self.note(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn keep_lease(&self) -> Result<(), StoreError> {
        let held = self.core.store.take_lease(&self.lease, self.owner, self.services.now(), LEASE).await?;
        if held.as_ref() == Some(&self.fence) { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// Prolongs the lease, and begins a transaction that depends on it.
    async fn begin(&self) -> Result<Tx, ServiceError> {
        self.keep_lease().await?;
        let tx = self.core.store.begin(&self.id).await?;
        tx.hold_lease(&self.fence).await?;
        Ok(tx)
    }

    async fn save(&self) -> Result<(), ServiceError> {
        let mut tx = self.begin().await?;
        self.note(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.rows().save_sync(&self.run).await?;
        tx.log(Event::SyncProgressed { sync: self.run.id }, self.services.now(), self.services.chance());
        Ok(())
    }

    async fn end(&mut self, tx: &mut Tx, state: SyncState) -> Result<(), StoreError> {
        self.run.state = state;
        self.run.finished_at = Some(self.services.now());
        self.note(tx).await
    }
}

const fn known_engineer(entry: &Entry) -> Option<EngineerId> {
    match entry {
        Entry::Updated(id, ..) | Entry::Moved(id, ..) | Entry::Gone(id) => Some(*id),
        Entry::Added(_) | Entry::Skipped(..) => None,
    }
}

const fn count(counts: &mut SyncCounts, entry: &Entry) {
    match entry {
        Entry::Added(_) => counts.added += 1,
        Entry::Updated(..) => counts.updated += 1,
        Entry::Moved(..) => counts.moved += 1,
        Entry::Gone(_) => counts.gone += 1,
        Entry::Skipped(..) => counts.skipped += 1,
    }
}

/// Whether the person is as they were, and has an entry only to tell of a value that was left out.
fn stays_for_a_fault(entry: &Entry) -> bool {
    matches!(entry, Entry::Skipped(person, reason) if person.faults.contains(reason))
}

fn to_count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
