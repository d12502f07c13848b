//! Reading for many objects at once.
//!
//! Two ways, for two shapes. Objects of one list know their list-mates ([`Mates`], [`People`]): the first that needs something
//! reads it for all, so that the number of statements does not depend on the size of the page, nor on timing. Objects that are
//! asked for by id, here and there in a document, meet in a [`DataLoader`] of the operation.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{
    dataloader::{DataLoader, Loader},
    runtime::{TokioSpawner, TokioTimer},
};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    error::{Fault, Result},
    object::{directory_sync::DirectorySync, engineer::Engineer, status_change::StatusChange},
};
use crate::{
    domain::{
        channel::ChannelKind,
        confirmation::Channel,
        engineer,
        event::{LoggedEvent, Position},
        id::{AccountId, DirectorySyncId, EngineerId, EventId},
        resend::EndpointGuard,
    },
    service::Services,
    store::{CheckedChannels, Keyset},
};

/// How many keys one statement takes, well below the least number of parameters that a database allows.
const CHUNK: usize = 500;

static NO_GUARD: EndpointGuard = EndpointGuard { opted_out_at: None, requests: Vec::new() };

/// Engineers that were read together, and what is read for all of them when one needs it.
pub(super) struct Mates {
    services: Services,
    account: AccountId,
    engineers: Vec<Arc<engineer::Engineer>>,
    channels: OnceCell<Result<CheckedChannels>>,
    guards: OnceCell<Result<HashMap<String, EndpointGuard>>>,
    /// By page. Each is the same page of everyone's history.
    histories: Mutex<HashMap<HistoryPage, Arc<OnceCell<Result<Histories>>>>>,
    history_lengths: OnceCell<Result<HashMap<EngineerId, u64>>>,
    epoch: Arc<OnceCell<Result<Uuid>>>,
}

type Histories = HashMap<EngineerId, Vec<LoggedEvent>>;

/// A page of a history: after, before, whether it is counted from the end, and how long it is.
type HistoryPage = (Option<Position>, Option<Position>, bool, u64);

impl Mates {
    /// Engineers that were read together, in their order.
    pub fn join(
        services: &Services,
        account: &AccountId,
        engineers: impl IntoIterator<Item = engineer::Engineer>,
    ) -> Vec<Engineer> {
        let engineers: Vec<_> = engineers.into_iter().map(Arc::new).collect();
        let mates = Arc::new(Self::new(services, account, engineers.clone()));
        engineers.into_iter().map(|engineer| Engineer::new(engineer, Arc::clone(&mates))).collect()
    }

    fn new(services: &Services, account: &AccountId, engineers: Vec<Arc<engineer::Engineer>>) -> Self {
        Self {
            services: services.clone(),
            account: account.clone(),
            engineers,
            channels: OnceCell::new(),
            guards: OnceCell::new(),
            histories: Mutex::default(),
            history_lengths: OnceCell::new(),
            epoch: Arc::default(),
        }
    }

    /// An engineer who was read alone.
    pub fn alone(services: &Services, account: &AccountId, engineer: engineer::Engineer) -> Engineer {
        let engineer = Arc::new(engineer);
        let mates = Self::new(services, account, vec![Arc::clone(&engineer)]);
        Engineer::new(engineer, Arc::new(mates))
    }

    /// The channels of one of them, in the order of [`ChannelKind::ALL`].
    pub async fn channels(&self, id: EngineerId) -> Result<&[Channel]> {
        let checked = self.checked().await?;
        Ok(checked.channels.get(&id).map(Vec::as_slice).unwrap_or_default())
    }

    /// When the provider's last complete listing began.
    pub async fn checked_at(&self) -> Result<Option<DateTime<Utc>>> {
        Ok(self.checked().await?.checked_at)
    }

    /// The guard of the endpoint of one of their channels.
    pub async fn guard(&self, engineer: &engineer::Engineer, kind: ChannelKind) -> Result<&EndpointGuard> {
        let Some(endpoint) = engineer.endpoint(kind) else { return Ok(&NO_GUARD) };
        let key = self.services.store().rows(&self.account).endpoint_key(endpoint);
        let guards = self.guards.get_or_init(|| self.read_guards()).await.as_ref().map_err(Clone::clone)?;
        Ok(guards.get(&key).unwrap_or(&NO_GUARD))
    }

    /// A page of the status changes of one of them, newest first.
    pub async fn history(&self, id: EngineerId, keyset: &Keyset<Position>) -> Result<Vec<LoggedEvent>> {
        let page = (keyset.after, keyset.before, keyset.from_end, keyset.limit);
        let cell = Arc::clone(self.histories().entry(page).or_default());
        let histories = cell.get_or_init(|| self.read_histories(keyset)).await.as_ref().map_err(Clone::clone)?;
        Ok(histories.get(&id).cloned().unwrap_or_default())
    }

    /// How many status changes one of them has.
    pub async fn history_length(&self, id: EngineerId) -> Result<u64> {
        let lengths = self.history_lengths.get_or_init(|| self.read_history_lengths()).await;
        Ok(lengths.as_ref().map_err(Clone::clone)?.get(&id).copied().unwrap_or(0))
    }

    /// The epoch of the event log, once one of them read it.
    pub const fn epoch(&self) -> &Arc<OnceCell<Result<Uuid>>> {
        &self.epoch
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.services.now()
    }

    async fn checked(&self) -> Result<&CheckedChannels> {
        self.channels.get_or_init(|| self.read_channels()).await.as_ref().map_err(Clone::clone)
    }

    async fn read_channels(&self) -> Result<CheckedChannels> {
        let provider = self.services.account(&self.account)?.provider.name();
        let rows = self.services.store().rows(&self.account);
        let mut all = CheckedChannels::default();
        for chunk in self.ids().chunks(CHUNK) {
            let some = rows.list_checked_channels(chunk, provider).await?;
            all.checked_at = all.checked_at.or(some.checked_at);
            all.channels.extend(some.channels);
        }
        Ok(all)
    }

    fn histories(&self) -> MutexGuard<'_, HashMap<HistoryPage, Arc<OnceCell<Result<Histories>>>>> {
        // No code that holds the lock can leave the map half changed.
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ids(&self) -> Vec<EngineerId> {
        self.engineers.iter().map(|engineer| engineer.id).collect()
    }

    async fn read_histories(&self, keyset: &Keyset<Position>) -> Result<Histories> {
        let rows = self.services.store().rows(&self.account);
        let mut all = HashMap::new();
        for chunk in self.ids().chunks(CHUNK) {
            all.extend(rows.list_histories(chunk, keyset).await?);
        }
        Ok(all)
    }

    async fn read_history_lengths(&self) -> Result<HashMap<EngineerId, u64>> {
        let rows = self.services.store().rows(&self.account);
        let mut all = HashMap::new();
        for chunk in self.ids().chunks(CHUNK) {
            all.extend(rows.count_histories(chunk).await?);
        }
        Ok(all)
    }

    async fn read_guards(&self) -> Result<HashMap<String, EndpointGuard>> {
        let rows = self.services.store().rows(&self.account);
        let endpoints = self.engineers.iter().flat_map(|engineer| {
            [ChannelKind::Sms, ChannelKind::Email].into_iter().filter_map(|kind| engineer.endpoint(kind))
        });
        let keys: Vec<_> = endpoints.map(|endpoint| rows.endpoint_key(endpoint)).collect();
        let mut all = HashMap::new();
        for chunk in keys.chunks(CHUNK) {
            all.extend(rows.find_guards(chunk).await?);
        }
        Ok(all)
    }
}

/// Engineers whom the entries of a list name, read together when the first is needed.
pub(super) struct People {
    services: Services,
    account: AccountId,
    ids: Vec<EngineerId>,
    found: OnceCell<Result<BTreeMap<EngineerId, Engineer>>>,
}

impl People {
    /// These engineers; ids may come more than once.
    pub fn named(services: &Services, account: &AccountId, ids: impl IntoIterator<Item = EngineerId>) -> Arc<Self> {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Arc::new(Self { services: services.clone(), account: account.clone(), ids, found: OnceCell::new() })
    }

    /// An engineer who was read already.
    pub fn known(services: &Services, account: &AccountId, engineer: Engineer) -> Arc<Self> {
        let ids = vec![engineer.key()];
        let found = OnceCell::new_with(Some(Ok([(engineer.key(), engineer)].into())));
        Arc::new(Self { services: services.clone(), account: account.clone(), ids, found })
    }

    /// One of them, as they are now; `None` once deleted.
    pub async fn find(&self, id: EngineerId) -> Result<Option<Engineer>> {
        let found = self.found.get_or_init(|| self.read()).await.as_ref().map_err(Clone::clone)?;
        Ok(found.get(&id).cloned())
    }

    async fn read(&self) -> Result<BTreeMap<EngineerId, Engineer>> {
        let rows = self.services.store().rows(&self.account);
        let mut all = Vec::new();
        for chunk in self.ids.chunks(CHUNK) {
            all.extend(rows.find_engineers(chunk).await?.into_values());
        }
        let engineers = Mates::join(&self.services, &self.account, all);
        Ok(engineers.into_iter().map(|engineer| (engineer.key(), engineer)).collect())
    }
}

/// Loads objects by id.
pub(super) struct NodeLoader {
    services: Services,
    account: AccountId,
}

impl Loader<EngineerId> for NodeLoader {
    type Value = Engineer;
    type Error = Fault;

    async fn load(&self, ids: &[EngineerId]) -> Result<HashMap<EngineerId, Engineer>> {
        let found = self.services.store().rows(&self.account).find_engineers(ids).await?;
        let engineers = Mates::join(&self.services, &self.account, found.into_values());
        Ok(engineers.into_iter().map(|engineer| (engineer.key(), engineer)).collect())
    }
}

impl Loader<EventId> for NodeLoader {
    type Value = StatusChange;
    type Error = Fault;

    async fn load(&self, ids: &[EventId]) -> Result<HashMap<EventId, StatusChange>> {
        let found = self.services.store().rows(&self.account).find_status_changes(ids).await?;
        let people = found.iter().filter_map(|logged| logged.event.engineer());
        let people = People::named(&self.services, &self.account, people);
        let epoch = Arc::default();
        let show = |logged: LoggedEvent| {
            let id = logged.id;
            StatusChange::of_list(logged, Arc::clone(&people), &epoch).map(|change| (id, change))
        };
        Ok(found.into_iter().filter_map(show).collect())
    }
}

impl Loader<DirectorySyncId> for NodeLoader {
    type Value = DirectorySync;
    type Error = Fault;

    async fn load(&self, ids: &[DirectorySyncId]) -> Result<HashMap<DirectorySyncId, DirectorySync>> {
        let found = self.services.store().rows(&self.account).find_syncs(ids).await?;
        Ok(found.into_iter().map(|run| (run.id, DirectorySync::new(run))).collect())
    }
}

/// A loader for one operation of one caller. It caches nothing: it only gathers ids that are asked for together.
pub(super) fn new_node_loader(services: &Services, account: &AccountId) -> DataLoader<NodeLoader> {
    let loader = NodeLoader { services: services.clone(), account: account.clone() };
    DataLoader::new(loader, TokioSpawner::current(), TokioTimer::default()).max_batch_size(CHUNK)
}
