//! Repeats steps: at once while there is work, else when woken or polled, with back-off after a failure, and to the end of the
//! present step on shutdown. A step that panics fails like any other.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    port::wakeup::{Waiter, Wakeup},
    service::ServiceError,
};

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// When a step is tried again after it found nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// After each commit of this process, and at each poll.
    OnWake,
    /// After that time.
    Every(Duration),
}

/// One loop's step. It runs twice without harm.
#[async_trait]
pub trait Step: Send + Sync {
    /// The loop's name, for logs.
    fn name(&self) -> &'static str;

    /// When to look again.
    fn pace(&self) -> Pace {
        Pace::OnWake
    }

    /// Does what is due now. Tells whether there may be more.
    ///
    /// # Errors
    /// When it should be tried again later.
    async fn run(&self) -> Result<bool, ServiceError>;
}

/// Repeats steps until it is told to stop.
pub struct Runner {
    /// Wakes loops.
    pub wakeup: Arc<dyn Wakeup>,
    /// The longest time between two looks of a loop that is woken.
    pub poll: Duration,
    /// Ends every loop after its present step.
    pub shutdown: CancellationToken,
}

impl Runner {
    /// Runs every loop; returns when all have ended.
    pub async fn run(self, steps: Vec<Arc<dyn Step>>) {
        let mut loops = JoinSet::new();
        for step in steps {
            loops.spawn(repeat(step, self.wakeup.subscribe(), self.poll, self.shutdown.clone()));
        }
        while loops.join_next().await.is_some() {}
    }
}

async fn repeat(step: Arc<dyn Step>, mut waiter: Box<dyn Waiter>, poll: Duration, shutdown: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        match attempt(step.as_ref()).await {
            Some(true) => pause = FIRST_PAUSE,
            Some(false) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = wait(step.pace(), waiter.as_mut(), poll) => {}
                    () = shutdown.cancelled() => {}
                }
            }
            None => {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.cancelled() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Runs a step once; `None` where it failed.
async fn attempt(step: &dyn Step) -> Option<bool> {
    match AssertUnwindSafe(step.run()).catch_unwind().await {
        Ok(Ok(more)) => Some(more),
        Ok(Err(error)) => {
            tracing::error!(worker = step.name(), %error, "A worker's step failed, and is tried again");
            None
        }
        Err(_) => {
            tracing::error!(worker = step.name(), "A worker's step panicked, and is tried again");
            None
        }
    }
}

async fn wait(pace: Pace, waiter: &mut dyn Waiter, poll: Duration) {
    match pace {
        Pace::OnWake => waiter.wait(poll).await,
        Pace::Every(period) => tokio::time::sleep(period).await,
    }
}
