//! Repeats steps: at once while there is work, else when woken or polled, with back-off after a failure, and to the end of the
//! present step on shutdown. A step that panics fails like any other.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    metrics::{Metrics, Place},
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
    /// What is counted.
    pub metrics: Metrics,
}

impl Runner {
    /// Runs every loop; returns when all have ended.
    pub async fn run(self, steps: Vec<Arc<dyn Step>>) {
        let mut loops = JoinSet::new();
        for step in steps {
            self.metrics.expect_worker(step.name());
            let waiter = self.wakeup.subscribe();
            let repeated =
                Repeated { step, poll: self.poll, shutdown: self.shutdown.clone(), metrics: self.metrics.clone() };
            loops.spawn(repeated.run(waiter));
        }
        while loops.join_next().await.is_some() {}
    }
}

/// One loop.
struct Repeated {
    step: Arc<dyn Step>,
    poll: Duration,
    shutdown: CancellationToken,
    metrics: Metrics,
}

impl Repeated {
    async fn run(self, mut waiter: Box<dyn Waiter>) {
        let mut pause = FIRST_PAUSE;
        while !self.shutdown.is_cancelled() {
            match self.attempt().await {
                Some(true) => pause = FIRST_PAUSE,
                Some(false) => {
                    pause = FIRST_PAUSE;
                    tokio::select! {
                        () = wait(self.step.pace(), waiter.as_mut(), self.poll) => {}
                        () = self.shutdown.cancelled() => {}
                    }
                }
                None => {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.shutdown.cancelled() => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Runs the step once; `None` where it failed.
    async fn attempt(&self) -> Option<bool> {
        let worker = self.step.name();
        match AssertUnwindSafe(self.step.run()).catch_unwind().await {
            Ok(Ok(more)) => return Some(more),
            Ok(Err(error)) => tracing::error!(worker, %error, "A worker's step failed, and is tried again"),
            Err(_) => {
                tracing::error!(worker, "A worker's step panicked, and is tried again");
                self.metrics.count_panic(Place::Worker);
            }
        }
        self.metrics.count_failure(worker);
        None
    }
}

async fn wait(pace: Pace, waiter: &mut dyn Waiter, poll: Duration) {
    match pace {
        Pace::OnWake => waiter.wait(poll).await,
        Pace::Every(period) => tokio::time::sleep(period).await,
    }
}
