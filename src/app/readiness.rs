//! Whether the server can work: what its readiness depends on.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{structure, vitals::Vitals};
use crate::{
    http::{Check, Readiness, Standing},
    service::Services,
    store::{StoreError, Trouble},
};

/// How long the database may take to answer before the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long what the database said is told again, so that probes cost little however many come.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// How often it is tried whether the storage takes writes.
const WRITE_EVERY: TimeDelta = TimeDelta::seconds(10);

/// How many periods of the confirmation sync may pass without a complete one before the server warns.
const PERIODS: i32 = 3;

/// What a server's readiness depends on.
pub(super) struct ServerReadiness {
    pub services: Services,
    pub drain: CancellationToken,
    pub vitals: Arc<Vitals>,
    /// The period of the confirmation sync.
    pub sync_every: TimeDelta,
    /// When the process began to serve.
    pub since: DateTime<Utc>,
    pub known: Mutex<Known>,
}

/// What was found out, and when.
#[derive(Default)]
pub(super) struct Known {
    database: Option<(DateTime<Utc>, Vec<Check>)>,
    storage: Option<(DateTime<Utc>, Check)>,
}

#[async_trait]
impl Readiness for ServerReadiness {
    async fn check(&self) -> Vec<Check> {
        let draining = if self.drain.is_cancelled() { Standing::Bad("the server is ending") } else { Standing::Good };
        let mut checks = vec![Check::new("drain", draining)];
        for (name, runs) in self.vitals.list() {
            let standing = if runs { Standing::Good } else { Standing::Bad("it ended though the server runs") };
            checks.push(Check::new(name, standing));
        }
        checks.extend(self.check_database().await);
        checks
    }
}

impl ServerReadiness {
    async fn check_database(&self) -> Vec<Check> {
        let mut known = self.known.lock().await;
        let now = self.services.now();
        if let Some((at, checks)) = &known.database
            && is_fresh(*at, now, FRESH)
        {
            return checks.clone();
        }
        let mut checks = match timeout(PATIENCE, self.ask_database(now)).await {
            Ok(Ok(checks)) => checks,
            Ok(Err(error)) => {
                warn!(%error, "Not ready: {error}");
                vec![Check::new("database", Standing::Bad("it does not answer"))]
            }
            Err(_) => {
                warn!("Not ready: the database takes more than {} s", PATIENCE.as_secs());
                vec![Check::new("database", Standing::Bad("it does not answer"))]
            }
        };
        if checks.iter().all(|check| !check.standing.is_bad()) {
            checks.push(self.check_storage(&mut known.storage, now).await);
        }
        known.database = Some((now, checks.clone()));
        checks
    }

    async fn ask_database(&self, now: DateTime<Utc>) -> Result<Vec<Check>, StoreError> {
        let found = structure::compare(self.services.store()).await?;
        let up_to_date = if found.pending.is_empty() {
            Standing::Good
        } else {
            Standing::Bad("the database lacks changes of its structure: run `rollcall migrate`")
        };
        let structure = Check::new("migrations", up_to_date)
            .with("pending", found.pending.len())
            .with("newer", found.unknown.len());
        let mut checks = vec![Check::new("database", Standing::Good), structure];
        if found.pending.is_empty() {
            checks.push(self.check_sync(now).await?);
        }
        Ok(checks)
    }

    /// How old the confirmations of the account are that was synced the longest ago. What was never synced, or not since the
    /// start, is waited for from the start.
    async fn check_sync(&self, now: DateTime<Utc>) -> Result<Check, StoreError> {
        let syncs = self.services.list_confirmation_syncs().await?;
        let everyone = syncs.len() >= self.services.accounts().count();
        let oldest = syncs.into_iter().map(|(_, span)| span.began).min().filter(|_| everyone);
        let waited = now - oldest.unwrap_or(self.since).max(self.since);
        let standing = if waited > self.sync_every * PERIODS {
            Standing::Doubtful("there was no complete confirmation sync for more than three periods")
        } else {
            Standing::Good
        };
        let age = oldest.map(|oldest| (now - oldest).num_seconds().max(0));
        Ok(Check::new("confirmationSync", standing).with("ageSeconds", age))
    }

    /// A write now and then shows whether the storage takes any. Only a plain no counts: a writer may have to wait its turn.
    async fn check_storage(&self, storage: &mut Option<(DateTime<Utc>, Check)>, now: DateTime<Utc>) -> Check {
        if let Some((at, check)) = storage.as_ref()
            && is_fresh(*at, now, WRITE_EVERY)
        {
            return check.clone();
        }
        let refused = match timeout(PATIENCE, self.services.store().try_writing(now)).await {
            Ok(Ok(())) | Err(_) => false,
            Ok(Err(error)) => {
                warn!(%error, "The storage could not be written to: {error}");
                error.trouble() == Trouble::Unwritable
            }
        };
        let standing =
            if refused { Standing::Doubtful("it takes no writes: full, or read-only") } else { Standing::Good };
        let check = Check::new("storage", standing);
        *storage = Some((now, check.clone()));
        check
    }
}

/// A moment that lies ahead is of a clock that was set back.
fn is_fresh(at: DateTime<Utc>, now: DateTime<Utc>, length: TimeDelta) -> bool {
    (TimeDelta::zero()..length).contains(&(now - at))
}
