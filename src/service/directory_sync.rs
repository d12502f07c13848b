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
        channel::ChannelKind,
        confirmation::{Happening, Origin},
        engineer::{DirectoryState, Engineer, Touched},
        event::Event,
        id::{AccountId, EngineerId},
        refusal::{Refusal, RefusalCode},
        roster::{Entry, ListedPerson, RosterInput, RosterPlan, SyncReason, plan},
    },
    port::directory::{DirectoryError, Listing},
    store::{Fence, StoreError, SyncCounts, SyncOutcome, SyncRun, SyncState, Tx},
};

mod judge;
mod outcome;

use self::{
    judge::judge_listing,
    outcome::{outcome_of, outcome_of_problem},
};

/// How long the lease of a run lasts without a sign of life: longer than a directory may take to answer.
const LEASE: Duration = Duration::minutes(5);

impl Services {
    /// Does the oldest run that waits, if no other process works on its account. Tells whether there was one.
    ///
    /// # Errors
    /// When the database fails. What the directory answers is no error here.
    pub async fn run_due_directory_sync(&self, owner: &str) -> Result<bool, ServiceError> {
        for (id, run) in self.core.store.queue().list_due_syncs().await? {
            if !self.core.accounts.contains_key(&id) {
                continue;
            }
            let lease = format!("directory-sync/{id}");
            if let Some(fence) = self.core.store.take_lease(&lease, owner, self.now(), LEASE).await? {
                Run { services: self, core: &self.core, id, owner, lease, fence, run }.work().await?;
                return Ok(true);
            }
        }
        Ok(false)
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
        let listing = match directory.source.list_people().await {
            Ok(listing) if listing.people.is_empty() => {
                return self.fail(&DirectoryError::Refused("it lists nobody".to_owned())).await;
            }
            Ok(listing) => listing,
            Err(error) => return self.fail(&error).await,
        };
        self.run.unknown_fields.clone_from(&listing.unknown_fields);
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
        let messages = if account.settings.subscribe_on_sync { count_messages(plan) } else { 0 };
        self.run.counts = SyncCounts {
            total: to_count(plan.entries.len() + plan.unchanged + listing.problems.len()),
            done: to_count(plan.unchanged + outcomes.len()),
            unchanged: to_count(plan.unchanged),
            skipped: to_count(outcomes.len()),
            messages: to_count(messages),
            ..SyncCounts::default()
        };
        let mut tx = self.begin().await?;
        tx.rows().insert_sync_outcomes(self.run.id, 0, &outcomes).await?;
        self.commit(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn ask_for_confirmation(mut self, plan: &RosterPlan) -> Result<(), ServiceError> {
        let refusal = Refusal::new(RefusalCode::RemovalsNeedConfirmation).with("gone", plan.gone());
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

    /// Ends a run that changes nobody, with the plan as its outcome.
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
        tracing::warn!(account = %self.id, directory = self.run.wish.directory, %error, "A directory sync changed nobody");
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
        tracing::info!(account = %self.id, directory = self.run.wish.directory, counts = ?self.run.counts, "A directory sync is done");
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
        let mut chunk_work = ChunkWork {
            core: self.core,
            directory: &self.run.wish.directory,
            subscribe: account.settings.subscribe_on_sync,
            restore_deleted: self.run.wish.restore_deleted,
            batch: &mut batch,
            seeded: Vec::new(),
            added: Vec::new(),
            updated: Vec::new(),
            identities: Vec::new(),
        };
        let mut outcomes = Vec::with_capacity(chunk.len());
        let mut changed = 0;
        for entry in &chunk {
            let engineer = chunk_work.apply(entry);
            changed += i32::from(engineer.is_some());
            count(&mut self.run.counts, entry);
            self.run.counts.done += 1;
            outcomes.push(outcome_of(entry, engineer));
        }
        chunk_work.write(&tx).await?;
        if changed > 0 {
            batch.log(Event::RollChanged { sync: Some(self.run.id), count: changed });
        }
        batch.save(&mut tx).await?;
        tx.rows().insert_sync_outcomes(self.run.id, first_ordinal, &outcomes).await?;
        tx.rows().save_sync(&self.run).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Prolongs the lease, and begins a transaction that depends on it.
    async fn begin(&self) -> Result<Tx, ServiceError> {
        let held = self.core.store.take_lease(&self.lease, self.owner, self.services.now(), LEASE).await?;
        if held.as_ref() != Some(&self.fence) {
            return Err(StoreError::LeaseLost.into());
        }
        let tx = self.core.store.begin(&self.id).await?;
        tx.hold_lease(&self.fence).await?;
        Ok(tx)
    }

    async fn save(&self) -> Result<(), ServiceError> {
        let mut tx = self.begin().await?;
        self.commit(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn commit(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.rows().save_sync(&self.run).await?;
        tx.log(Event::SyncProgressed { sync: self.run.id }, self.services.now(), self.services.chance());
        Ok(())
    }

    async fn end(&mut self, tx: &mut Tx, state: SyncState) -> Result<(), StoreError> {
        self.run.state = state;
        self.run.finished_at = Some(self.services.now());
        self.commit(tx).await
    }
}

/// The people of one chunk, as the plan changes them.
struct ChunkWork<'a, 'b> {
    core: &'a Core,
    directory: &'a str,
    subscribe: bool,
    restore_deleted: bool,
    batch: &'a mut Batch<'b>,
    /// Endpoints that a channel got, to be asked for once their guards are locked.
    seeded: Vec<(EngineerId, ChannelKind, bool)>,
    added: Vec<EngineerId>,
    updated: Vec<EngineerId>,
    identities: Vec<(crate::domain::engineer::DirectoryIdentity, EngineerId)>,
}

impl ChunkWork<'_, '_> {
    /// Applies one entry to the locked people. `None` where the person changed since the plan so that it no longer fits.
    fn apply(&mut self, entry: &Entry) -> Option<EngineerId> {
        let id = match entry {
            Entry::Added(person) => self.add(person),
            Entry::Updated(id, person, _) => self.update(*id, person)?,
            Entry::Moved(id, person, _) => {
                let engineer = self.batch.engineers.get_mut(id).filter(|engineer| engineer.deleted_at.is_none())?;
                engineer.identity = entry.identity(self.directory);
                self.update(*id, person)?
            }
            Entry::Gone(id) => self.lose(*id)?,
            Entry::Skipped(..) => return None,
        };
        self.identities.extend(entry.identity(self.directory).map(|identity| (identity, id)));
        Some(id)
    }

    fn add(&mut self, person: &ListedPerson) -> EngineerId {
        let now = self.batch.now;
        let engineer = Engineer {
            id: EngineerId::generate(now, self.core.chance.as_ref()),
            name: person.name.clone(),
            alias: None,
            user_type: person.user_type,
            identity_provider: None,
            identity: Entry::Added(person.clone()).identity(self.directory),
            directory_state: DirectoryState::Active,
            locale: None,
            mobile: None,
            email: None,
            touched: Touched::default(),
            version: 0,
            created_at: now,
            updated_at: now,
            synced_at: Some(now),
            deleted_at: None,
        };
        let id = engineer.id;
        self.batch.add(engineer);
        self.added.push(id);
        self.take_over(id, person, true);
        id
    }

    fn update(&mut self, id: EngineerId, person: &ListedPerson) -> Option<EngineerId> {
        let restore = self.restore_deleted;
        let engineer = self.batch.engineers.get_mut(&id)?;
        if engineer.deleted_at.is_some() && !restore {
            return None;
        }
        engineer.deleted_at = None;
        self.updated.push(id);
        self.take_over(id, person, false);
        Some(id)
    }

    fn lose(&mut self, id: EngineerId) -> Option<EngineerId> {
        let now = self.batch.now;
        let engineer = self.batch.engineers.get_mut(&id)?;
        let ours = engineer.identity.as_ref().is_some_and(|identity| identity.directory == self.directory);
        if !ours || engineer.deleted_at.is_some() {
            return None;
        }
        engineer.directory_state = DirectoryState::Gone;
        engineer.updated_at = now;
        self.updated.push(id);
        Some(id)
    }

    /// Takes over what the directory owns, and seeds what nobody ever set.
    fn take_over(&mut self, id: EngineerId, person: &ListedPerson, new: bool) {
        let now = self.batch.now;
        let Some(engineer) = self.batch.engineers.get_mut(&id) else { return };
        engineer.name.clone_from(&person.name);
        engineer.user_type = person.user_type;
        engineer.directory_state = if person.active { DirectoryState::Active } else { DirectoryState::Disabled };
        if person.identity_provider.is_some() {
            engineer.identity_provider.clone_from(&person.identity_provider);
        }
        engineer.updated_at = now;
        if !engineer.touched.alias && person.alias.is_some() {
            engineer.alias.clone_from(&person.alias);
            engineer.touched.alias = true;
        }
        if !engineer.touched.mobile && person.mobile.is_some() {
            engineer.mobile.clone_from(&person.mobile);
            engineer.touched.mobile = true;
            self.seeded.push((id, ChannelKind::Sms, new));
            self.seeded.push((id, ChannelKind::Voice, new));
        }
        if !engineer.touched.email && person.email.is_some() {
            engineer.email.clone_from(&person.email);
            engineer.touched.email = true;
            self.seeded.push((id, ChannelKind::Email, new));
        }
    }

    async fn write(self, tx: &Tx) -> Result<(), StoreError> {
        if self.subscribe && !self.seeded.is_empty() {
            self.batch.lock_guards(tx).await?;
        }
        for (id, kind, new) in self.seeded {
            let request = if self.subscribe { self.batch.request_for_new_endpoint(id, kind) } else { None };
            let happening = Happening::EndpointSet { request, origin: Origin::Directory };
            // How a new person's channels stand is no change; a request is.
            let _ = if new && request.is_none() {
                self.batch.apply_unlogged(id, kind, happening)
            } else {
                self.batch.apply(id, kind, happening)
            };
        }
        let added: Vec<_> = self.added.iter().filter_map(|id| self.batch.engineers.get(id)).cloned().collect();
        tx.rows().insert_engineers(&added).await?;
        for engineer in self.updated.iter().filter_map(|id| self.batch.engineers.get(id)) {
            tx.rows().update_engineer(engineer).await?;
        }
        if self.restore_deleted {
            tx.rows().set_erase_at(&self.updated, None).await?;
        }
        tx.rows().save_identities(&self.identities).await
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

/// How many messages go out for what the plan seeds.
fn count_messages(plan: &RosterPlan) -> usize {
    let of = |person: &ListedPerson, mobile: bool, email: bool| {
        if !person.active {
            return 0;
        }
        2 * usize::from(mobile && person.mobile.is_some()) + usize::from(email && person.email.is_some())
    };
    plan.entries
        .iter()
        .map(|entry| match entry {
            Entry::Added(person) => of(person, true, true),
            Entry::Updated(_, person, reasons) | Entry::Moved(_, person, reasons) => {
                of(person, reasons.contains(&SyncReason::MobileSeeded), reasons.contains(&SyncReason::EmailSeeded))
            }
            Entry::Gone(_) | Entry::Skipped(..) => 0,
        })
        .sum()
}

fn to_count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What became of one entry.
type Outcome = SyncOutcome;
