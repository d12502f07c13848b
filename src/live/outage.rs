//! A database that does not answer is told of once, and asked again ever more slowly.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::store::{StoreError, Trouble};

const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Whoever follows is to catch up within seconds after an outage.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Whether the database fails at one thing, so that the log says it once per outage.
pub(super) struct Outage {
    what: &'static str,
    lasts: AtomicBool,
}

impl Outage {
    pub(super) const fn new(what: &'static str) -> Self {
        Self { what, lasts: AtomicBool::new(false) }
    }

    pub(super) fn begin(&self, error: &StoreError) {
        if !self.lasts.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "{}, trying again", self.what);
        }
    }

    pub(super) fn end(&self) {
        if self.lasts.swap(false, Ordering::Relaxed) {
            tracing::info!("The outage is over: {}", self.what);
        }
    }
}

/// How long to wait before asking again: twice as long each time, from 100 ms up to two seconds.
#[derive(Debug)]
pub struct BackOff {
    delay: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self::new()
    }
}

impl BackOff {
    /// At the first delay.
    pub const fn new() -> Self {
        Self { delay: FIRST_DELAY }
    }

    /// How long to wait this time.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.delay;
        self.delay = (delay * 2).min(LONGEST_DELAY);
        delay
    }
}

/// Whether trying again may help. Bad data stays bad.
pub(super) fn may_pass(error: &StoreError) -> bool {
    match error.trouble() {
        Trouble::Unavailable | Trouble::Unwritable => true,
        Trouble::Fault => false,
    }
}
