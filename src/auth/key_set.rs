//! The public keys of an identity provider as they are known here: read again now and then, kept through an outage.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tracing::{debug, error, info, warn};

use super::verification_key::{UnusableKey, VerificationKey};
use crate::{
    config::{KeySetConfig, TokenAlgorithm},
    domain::clock::Clock,
    port::token_keys::{PublishedKey, TokenKeySource, TokenKeysError},
};

/// The least time between two fetches, whatever tokens ask for.
pub const COOL_DOWN: Duration = Duration::from_secs(30);

/// How long the last good keys hold while no good ones come.
pub const LONGEST_OUTAGE: Duration = Duration::from_secs(24 * 3600);

/// No key can check the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// There are no keys at all, so nothing can be said of the token.
    Unavailable,
    /// There are keys, and none is the one.
    Unknown,
}

/// The keys, shared by all who check tokens. Cheap to clone.
#[derive(Clone)]
pub struct KeySet {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn TokenKeySource>,
    algorithms: Vec<TokenAlgorithm>,
    refresh: Duration,
    clock: Arc<dyn Clock>,
    good: RwLock<Option<Arc<GoodKeys>>>,
    /// When the last fetch began, by the clock's uptime. Held while one is under way.
    last_begun: tokio::sync::Mutex<Option<Duration>>,
}

/// The last keys that were good.
struct GoodKeys {
    keys: Vec<VerificationKey>,
    /// By the clock's uptime.
    fetched_at: Duration,
}

impl KeySet {
    /// No keys yet.
    pub fn new(source: Arc<dyn TokenKeySource>, config: &KeySetConfig, clock: Arc<dyn Clock>) -> Self {
        let (algorithms, refresh) = (config.algorithms.clone(), config.refresh);
        let (good, last_begun) = (RwLock::default(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { source, algorithms, refresh, clock, good, last_begun }) }
    }

    /// Reads the keys if their time has come, or if there are none. Errors are logged, and the keys stay as they are.
    pub async fn refresh_if_due(&self) {
        let age = self.inner.good().map(|good| self.inner.age(&good));
        if age.is_none_or(|age| age >= self.inner.refresh) {
            self.fetch_unless_just_tried().await;
        }
    }

    /// The key that a token names, for the algorithm that it names. A name that is not known has the keys read again, which all who
    /// wait for it share.
    pub(super) async fn find(&self, kid: Option<&str>, algorithm: TokenAlgorithm) -> Result<VerificationKey, NoKey> {
        let found = self.inner.look_up(kid, algorithm);
        let may_be_new = match &found {
            Err(NoKey::Unavailable) => true,
            Err(NoKey::Unknown) => kid.is_some(),
            Ok(_) => false,
        };
        if !may_be_new {
            return found;
        }
        self.fetch_unless_just_tried().await;
        self.inner.look_up(kid, algorithm)
    }

    /// The fetch is a task of its own: a caller who hangs up would else end it for all who wait, and the next may begin only after
    /// the cool-down.
    async fn fetch_unless_just_tried(&self) {
        let inner = Arc::clone(&self.inner);
        let fetch = tokio::spawn(async move {
            let mut last_begun = inner.last_begun.lock().await;
            let now = inner.clock.uptime();
            if last_begun.is_none_or(|begun| now.saturating_sub(begun) >= COOL_DOWN) {
                *last_begun = Some(now);
                inner.fetch().await;
            }
        });
        // A panic in it was reported by then, and left the keys as they were.
        drop(fetch.await);
    }
}

impl Inner {
    /// The last good keys, unless they are too old.
    fn good(&self) -> Option<Arc<GoodKeys>> {
        let good = self.good.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        (self.age(&good) < LONGEST_OUTAGE).then_some(good)
    }

    fn age(&self, good: &GoodKeys) -> Duration {
        self.clock.uptime().saturating_sub(good.fetched_at)
    }

    /// A token that names no key is checked by the only one that fits, if there is only one.
    fn look_up(&self, kid: Option<&str>, algorithm: TokenAlgorithm) -> Result<VerificationKey, NoKey> {
        let good = self.good().ok_or(NoKey::Unavailable)?;
        let named = |key: &&VerificationKey| kid.is_none() || key.kid.as_deref() == kid;
        let mut fitting = good.keys.iter().filter(|key| key.algorithm == algorithm).filter(named);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None | Some(_), _) => Err(NoKey::Unknown),
        }
    }

    async fn fetch(&self) {
        let before = self.good();
        match self.source.fetch().await {
            Ok(published) => {
                let mut keys = Vec::new();
                for key in &published {
                    match VerificationKey::judge(key, &self.algorithms) {
                        Ok(key) => keys.push(key),
                        Err(why) => debug!(kid = key.kid, "Passed over a key of the identity provider: {why}"),
                    }
                }
                if keys.is_empty() {
                    self.tell_failure(before.as_deref(), &"it publishes no key that could check a token");
                } else {
                    self.take(before.as_deref(), keys);
                }
            }
            Err(why) => self.tell_failure(before.as_deref(), &why),
        }
    }

    fn take(&self, before: Option<&GoodKeys>, keys: Vec<VerificationKey>) {
        let names = |keys: &[VerificationKey]| keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>();
        let count = keys.len();
        if before.is_none_or(|before| names(&before.keys) != names(&keys)) {
            info!(keys = count, "Took {count} keys of the identity provider");
        }
        let good = GoodKeys { keys, fetched_at: self.clock.uptime() };
        *self.good.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(good));
    }

    fn tell_failure(&self, before: Option<&GoodKeys>, why: &dyn std::fmt::Display) {
        match before.map(|good| self.age(good).as_secs() / 60) {
            Some(minutes) => {
                warn!(error = %why, "The keys of the identity provider cannot be read, and those of {minutes} minutes ago hold: {why}");
            }
            None => {
                error!(error = %why, "There are no keys of the identity provider, so that no token can be checked: {why}");
            }
        }
    }
}

/// What a source publishes, judged: each key with its name and algorithm, or why it is of no use.
///
/// # Errors
/// When the source cannot be read.
pub async fn try_key_source(
    source: &dyn TokenKeySource,
    config: &KeySetConfig,
) -> Result<Vec<JudgedKey>, TokenKeysError> {
    let published = source.fetch().await?;
    let judge = |key: &PublishedKey| JudgedKey {
        kid: key.kid.clone(),
        judged: VerificationKey::judge(key, &config.algorithms).map(|key| key.algorithm),
    };
    Ok(published.iter().map(judge).collect())
}

/// A published key, and what it checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedKey {
    /// Its name.
    pub kid: Option<String>,
    /// What it checks, or why nothing.
    pub judged: Result<TokenAlgorithm, UnusableKey>,
}
