//! The hint that there is something new to look at. It carries nothing: whoever is woken reads the rows.

use std::time::Duration;

use async_trait::async_trait;

/// Wakes whoever waits. A hint may be lost, so everyone polls behind it.
pub trait Wakeup: Send + Sync {
    /// Wakes everyone who subscribed: those who wait now, and those who are busy at their next wait.
    fn wake(&self);

    /// A place to wait at. It does not tell of hints from before: look at the rows first, then wait.
    fn subscribe(&self) -> Box<dyn Waiter>;
}

/// One subscriber of the hints.
#[async_trait]
pub trait Waiter: Send {
    /// Waits for a hint, `longest` at most. A hint that came since the last wait ended ends this one at once, however many there
    /// were. Dropping the future before it is done loses no hint.
    async fn wait(&mut self, longest: Duration);
}
