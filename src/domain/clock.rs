//! The time, brought in from outside.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment in UTC, to the millisecond. It can jump, when someone sets the machine's clock.
    fn now(&self) -> DateTime<Utc>;

    /// How long it is since some moment before the clock was first asked. It never goes back and never jumps: for intervals.
    fn uptime(&self) -> Duration;
}

/// The machine's clock: the one place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The moment from which [`SystemClock::uptime`] counts.
static FIRST_ASKED: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }

    fn uptime(&self) -> Duration {
        FIRST_ASKED.elapsed()
    }
}
