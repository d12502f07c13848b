//! Wakes within one process.

use std::{future, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time};

use crate::port::wakeup::{Waiter, Wakeup};

/// Wakes the loops of this process. It never loses a hint: each subscriber compares the version of a watched value with the one
/// that it saw last, so a hint between two waits is found by the second.
#[derive(Debug)]
pub struct InProcessWakeup {
    hints: watch::Sender<()>,
}

impl InProcessWakeup {
    /// Nobody has subscribed yet.
    pub fn new() -> Self {
        Self { hints: watch::Sender::new(()) }
    }
}

impl Default for InProcessWakeup {
    fn default() -> Self {
        Self::new()
    }
}

impl Wakeup for InProcessWakeup {
    fn wake(&self) {
        self.hints.send_replace(());
    }

    fn subscribe(&self) -> Box<dyn Waiter> {
        Box::new(InProcessWaiter { hints: self.hints.subscribe() })
    }
}

struct InProcessWaiter {
    hints: watch::Receiver<()>,
}

#[async_trait]
impl Waiter for InProcessWaiter {
    async fn wait(&mut self, longest: Duration) {
        let hint = async {
            if self.hints.changed().await.is_err() {
                // Nobody is left who could wake: what remains is the poll, not a loop without a pause.
                future::pending::<()>().await;
            }
        };
        // Both ends mean the same to the caller: look again.
        let _ = time::timeout(longest, hint).await;
    }
}
