//! Reading for many objects at once.
//!
//! Two ways, for two shapes. Objects of one list know their list-mates ([`Mates`], [`People`]): the first that needs something
//! reads it for all, so that the number of statements does not depend on the size of the page, nor on timing. Objects that are
//! asked for by id, here and there in a document, meet in a [`DataLoader`] of the operation.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::{
    dataloader::{DataLoader, Loader},
    runtime::{TokioSpawner, TokioTimer},
};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::{
    error::{Fault, Result},
    object::engineer::Engineer,
};
use crate::{
    domain::{
        channel::ChannelKind,
        confirmation::Channel,
        engineer,
        id::{AccountId, EngineerId},
        resend::EndpointGuard,
    },
    service::Services,
    store::CheckedChannels,
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
}

impl Mates {
    /// Engineers that were read together, in their order.
    pub fn join(
        services: &Services,
        account: &AccountId,
        engineers: impl IntoIterator<Item = engineer::Engineer>,
    ) -> Vec<Engineer> {
        let engineers: Vec<_> = engineers.into_iter().map(Arc::new).collect();
        let mates = Arc::new(Self {
            services: services.clone(),
            account: account.clone(),
            engineers: engineers.clone(),
            channels: OnceCell::new(),
            guards: OnceCell::new(),
        });
        engineers.into_iter().map(|engineer| Engineer::new(engineer, Arc::clone(&mates))).collect()
    }

    /// An engineer who was read alone.
    pub fn alone(services: &Services, account: &AccountId, engineer: engineer::Engineer) -> Engineer {
        let engineer = Arc::new(engineer);
        let mates = Self {
            services: services.clone(),
            account: account.clone(),
            engineers: vec![Arc::clone(&engineer)],
            channels: OnceCell::new(),
            guards: OnceCell::new(),
        };
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
        let ids: Vec<_> = self.engineers.iter().map(|engineer| engineer.id).collect();
        let mut all = CheckedChannels::default();
        for chunk in ids.chunks(CHUNK) {
            let some = rows.list_checked_channels(chunk, provider).await?;
            all.checked_at = all.checked_at.or(some.checked_at);
            all.channels.extend(some.channels);
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

/// Loads engineers by id.
pub(super) struct EngineerLoader {
    services: Services,
    account: AccountId,
}

impl Loader<EngineerId> for EngineerLoader {
    type Value = Engineer;
    type Error = Fault;

    async fn load(&self, ids: &[EngineerId]) -> Result<HashMap<EngineerId, Engineer>> {
        let found = self.services.store().rows(&self.account).find_engineers(ids).await?;
        let engineers = Mates::join(&self.services, &self.account, found.into_values());
        Ok(engineers.into_iter().map(|engineer| (engineer.key(), engineer)).collect())
    }
}

/// A loader for one operation of one caller. It caches nothing: it only gathers ids that are asked for together.
pub(super) fn new_engineer_loader(services: &Services, account: &AccountId) -> DataLoader<EngineerLoader> {
    let loader = EngineerLoader { services: services.clone(), account: account.clone() };
    DataLoader::new(loader, TokioSpawner::current(), TokioTimer::default()).max_batch_size(CHUNK)
}
