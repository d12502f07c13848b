//! What a scrape is answered with.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    registry::Registry,
};
use tokio::{sync::Mutex, time::timeout};
use tracing::warn;

use super::{Metrics, roll};
use crate::service::Services;

/// How long what the database said is told again, so that many scrapers cost no more than one.
const FRESH: TimeDelta = TimeDelta::seconds(10);

/// How long the database may take. A scraper waits 10 s, as Prometheus has it by default.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers scrapes.
pub struct Scrape {
    metrics: Metrics,
    services: Services,
    /// What the database said, and when. Held while it is asked, so that it is asked once at a time.
    measured: Mutex<Option<(DateTime<Utc>, String)>>,
}

impl Scrape {
    /// Tells what was counted, and what the database says.
    pub fn new(metrics: Metrics, services: Services) -> Self {
        Self { metrics, services, measured: Mutex::default() }
    }

    /// Everything, as OpenMetrics text. What the database says may be 10 s old; where it does not answer it is left out, and
    /// `rollcall_database_up` is 0.
    pub async fn render(&self) -> String {
        let mut text = write(&self.metrics.inner.registry);
        text.push_str(&self.measure().await);
        // Writing to a String cannot fail.
        let _ = encode_eof(&mut text);
        text
    }

    async fn measure(&self) -> String {
        let mut measured = self.measured.lock().await;
        let now = self.services.now();
        if let Some((at, text)) = measured.as_ref()
            && (TimeDelta::zero()..FRESH).contains(&(now - *at))
        {
            return text.clone();
        }
        let found = match timeout(PATIENCE, self.services.measure()).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(error)) => {
                warn!(%error, "The database could not be measured: {error}");
                None
            }
            Err(_) => {
                warn!("The database could not be measured within {} s", PATIENCE.as_secs());
                None
            }
        };
        let text = write(&roll::describe(found.as_ref(), now));
        *measured = Some((now, text.clone()));
        text
    }
}

fn write(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode_registry(&mut text, registry);
    text
}
