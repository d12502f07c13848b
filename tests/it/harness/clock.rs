//! A clock that is moved by hand.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use rollcall::domain::clock::Clock;

/// Shows one moment until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<DateTime<Utc>>>);

impl TestClock {
    /// A clock that shows a Wednesday in January, long past: what reads the machine's clock shows itself.
    pub fn new() -> Self {
        Self::at("2025-01-15T08:09:10Z".parse().expect("a moment"))
    }

    /// A clock that shows that moment.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().expect("the clock") += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("the clock")
    }

    fn uptime(&self) -> std::time::Duration {
        (self.now() - DateTime::UNIX_EPOCH).to_std().expect("a moment after 1970")
    }
}
