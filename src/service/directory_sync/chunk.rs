//! The people of one chunk: what the plan changes on them, and what follows for their channels.

use super::{Batch, Core};
use crate::{
    domain::{
        channel::ChannelKind,
        confirmation::{Happening, Origin},
        engineer::{DirectoryIdentity, DirectoryState, Engineer},
        id::EngineerId,
        roster::{Entry, ListedPerson},
    },
    store::{StoreError, SyncWish, Tx},
};

/// The people of one chunk, as the plan changes them.
pub(super) struct ChunkWork<'a, 'b> {
    core: &'a Core,
    directory: &'a str,
    subscribe: bool,
    restore_deleted: bool,
    batch: &'a mut Batch<'b>,
    /// Endpoints that a channel got, to be asked for once their guards are locked.
    seeded: Vec<(EngineerId, ChannelKind, bool)>,
    added: Vec<EngineerId>,
    updated: Vec<EngineerId>,
    identities: Vec<(DirectoryIdentity, EngineerId)>,
}

impl<'a, 'b> ChunkWork<'a, 'b> {
    /// No work yet, on a batch that holds the people of the chunk who are on the roll.
    pub fn new(core: &'a Core, wish: &'a SyncWish, subscribe: bool, batch: &'a mut Batch<'b>) -> Self {
        Self {
            core,
            directory: &wish.directory,
            subscribe,
            restore_deleted: wish.restore_deleted,
            batch,
            seeded: Vec::new(),
            added: Vec::new(),
            updated: Vec::new(),
            identities: Vec::new(),
        }
    }

    /// Applies one entry to the locked people. `None` where the person was deleted since the plan, so that it no longer fits.
    pub fn apply(&mut self, entry: &Entry) -> Option<EngineerId> {
        let id = match entry {
            Entry::Added(person) => self.add(person),
            Entry::Updated(id, person, _) => self.update(*id, person)?,
            Entry::Moved(id, person, _) => {
                let id = self.update(*id, person)?;
                if let Some(engineer) = self.batch.engineers.get_mut(&id) {
                    engineer.identity = entry.identity(self.directory);
                }
                id
            }
            Entry::Gone(id) => self.lose(*id)?,
            Entry::Skipped(..) => return None,
        };
        self.identities.extend(entry.identity(self.directory).map(|identity| (identity, id)));
        Some(id)
    }

    fn add(&mut self, person: &ListedPerson) -> EngineerId {
        let now = self.batch.now;
        let id = EngineerId::generate(now, self.core.chance.as_ref());
        let mut engineer = Engineer::new(id, person.name.clone(), person.user_type, now);
        engineer.identity = Entry::Added(person.clone()).identity(self.directory);
        engineer.synced_at = Some(now);
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

    /// Writes the people, and lets their channels follow. The rest is the batch's.
    pub async fn write(self, tx: &Tx) -> Result<(), StoreError> {
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
