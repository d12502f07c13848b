//! How often a caller may ask: one table for all transports, in the memory of the process.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    config::RateLimitsConfig,
    domain::{
        actor::Actor,
        clock::Clock,
        rate::{Buckets, Rate},
    },
};

/// How many callers of each kind are remembered at most, in about 3 MiB each.
pub const REMEMBERED: usize = 100_000;

/// The bits of an IPv6 address that name a subscriber's network; the rest is theirs to choose.
const NETWORK: u128 = !0 << 64;

/// The caller asks too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests")]
pub struct TooMany {
    /// How long to wait. Never zero.
    pub retry_after: Duration,
}

impl TooMany {
    /// How long to wait, in milliseconds, rounded up.
    pub fn retry_after_millis(&self) -> u64 {
        u64::try_from(self.retry_after.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
    }

    /// The same in seconds, as the header `retry-after` has it (RFC 9110, section 10.2.3).
    pub fn retry_after_seconds(&self) -> u64 {
        self.retry_after_millis().div_ceil(1000)
    }
}

/// Counts what callers ask.
pub struct Limiter {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
    hasher: RandomState,
}

/// What is absent has no limit.
struct Tables {
    subjects: Option<Buckets>,
    mutations: Option<Buckets>,
    accounts: Option<Buckets>,
    addresses: Option<Buckets>,
    links: Option<Buckets>,
}

impl Limiter {
    /// Limits as the configuration has it, by the clock's uptime.
    pub fn new(config: &RateLimitsConfig, clock: Arc<dyn Clock>) -> Self {
        let table = |rate: Option<Rate>| rate.map(|rate| Buckets::new(rate, REMEMBERED));
        let tables = Tables {
            subjects: table(config.subject),
            mutations: table(config.mutations),
            accounts: table(config.account),
            addresses: table(config.bad_tokens),
            links: table(config.wrong_links),
        };
        Self { tables: Mutex::new(tables), clock, hasher: RandomState::new() }
    }

    /// Counts an operation of whatever kind.
    ///
    /// # Errors
    /// When the subject, or the account, asks too often. Then it counts for neither.
    pub fn admit_operation(&self, actor: &Actor) -> Result<(), TooMany> {
        let (account, subject) = (self.hash(&actor.account), self.hash(&(&actor.account, &actor.subject)));
        self.admit(|tables| [(&mut tables.subjects, subject), (&mut tables.accounts, account)])
    }

    /// Counts an operation that changes something, besides.
    ///
    /// # Errors
    /// When the subject changes too much.
    pub fn admit_mutation(&self, actor: &Actor) -> Result<(), TooMany> {
        let subject = self.hash(&(&actor.account, &actor.subject));
        self.admit(|tables| [(&mut tables.mutations, subject)])
    }

    /// Counts a bad token.
    ///
    /// # Errors
    /// When too many came from that address.
    pub fn admit_bad_token(&self, address: IpAddr) -> Result<(), TooMany> {
        let address = self.hash(&name_network(address));
        self.admit(|tables| [(&mut tables.addresses, address)])
    }

    /// Whether an address may open another confirmation link, of which nobody knows yet where it leads.
    ///
    /// # Errors
    /// When too many of those that it opened lead nowhere.
    pub fn check_links(&self, address: IpAddr) -> Result<(), TooMany> {
        let (address, now) = (self.hash(&name_network(address)), self.clock.uptime());
        let retry_after = self.tables().links.as_mut().map(|links| links.find_wait(address, now)).unwrap_or_default();
        if retry_after.is_zero() { Ok(()) } else { Err(TooMany { retry_after }) }
    }

    /// Counts a confirmation link that leads nowhere.
    pub fn count_wrong_link(&self, address: IpAddr) {
        let (address, now) = (self.hash(&name_network(address)), self.clock.uptime());
        if let Some(links) = &mut self.tables().links {
            links.take(address, now);
        }
    }

    /// Takes one of each, or none of any.
    fn admit<const N: usize>(
        &self,
        choose: impl FnOnce(&mut Tables) -> [(&mut Option<Buckets>, u64); N],
    ) -> Result<(), TooMany> {
        let now = self.clock.uptime();
        let mut tables = self.tables();
        let mut chosen = choose(&mut tables);
        let waits = chosen
            .iter_mut()
            .map(|(buckets, key)| buckets.as_mut().map_or(Duration::ZERO, |buckets| buckets.find_wait(*key, now)));
        let retry_after = waits.max().unwrap_or_default();
        if !retry_after.is_zero() {
            return Err(TooMany { retry_after });
        }
        for (buckets, key) in &mut chosen {
            if let Some(buckets) = buckets {
                buckets.take(*key, now);
            }
        }
        Ok(())
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic while it was held leaves counts, and nothing that could be half done.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, key: &impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }
}

/// What stands for a subscriber: an IPv4 address, or the network of an IPv6 address.
const fn name_network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK)),
    }
}
