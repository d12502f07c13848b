//! Running an operation with an end: in time, or because something broke down.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use async_graphql::Response;
use futures_util::{
    FutureExt, StreamExt,
    stream::{BoxStream, Stream},
};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::error::{ErrorCode, Fault};
use crate::metrics::{Metrics, Place};

/// Runs operations.
#[derive(Clone)]
pub(super) struct Runner {
    /// How long an operation may take.
    most: Duration,
    mutations: TaskTracker,
    metrics: Metrics,
}

impl Runner {
    /// Runs no operation for longer than `most` before it is answered.
    pub fn new(most: Duration, metrics: Metrics) -> Self {
        Self { most, mutations: TaskTracker::new(), metrics }
    }

    /// Waits until no mutation runs any more.
    pub async fn wait_for_mutations(&self) {
        self.mutations.close();
        self.mutations.wait().await;
    }

    /// Runs a query. When its time is over, what it was at is dropped: it changes nothing.
    pub async fn run_query(&self, query: impl Future<Output = Response>) -> Response {
        match timeout(self.most, AssertUnwindSafe(query).catch_unwind()).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => self.answer_panic(),
            Err(_) => unavailable(format!("The query took longer than {} and was given up.", self.describe())),
        }
    }

    /// Runs a mutation in a task of its own, so that it comes to its end whether or not someone still waits for it.
    pub async fn run_mutation(&self, mutation: impl Future<Output = Response> + Send + 'static) -> Response {
        let caught = AssertUnwindSafe(mutation).catch_unwind().in_current_span();
        match timeout(self.most, self.mutations.spawn(caught)).await {
            Ok(Ok(Ok(response))) => response,
            // A task is cancelled only where the process ends.
            Ok(Ok(Err(_)) | Err(_)) => self.answer_panic(),
            Err(_) => unavailable(format!(
                "The mutation takes longer than {}. It goes on: look at what it changes before sending it again.",
                self.describe()
            )),
        }
    }

    /// Ends a live stream with an error where something panics.
    pub fn run_stream(&self, responses: impl Stream<Item = Response> + Send + 'static) -> BoxStream<'static, Response> {
        let this = self.clone();
        let caught = AssertUnwindSafe(responses).catch_unwind();
        caught.map(move |response| response.unwrap_or_else(|_| this.answer_panic())).boxed()
    }

    /// A resolver panicked. Where is in the log, by the hook that `cli` sets; what it said may hold anything, and is passed on to nobody.
    fn answer_panic(&self) -> Response {
        self.metrics.count_panic(Place::Resolver);
        Response::from_errors(vec![Fault::internal().into_server_error()])
    }

    fn describe(&self) -> String {
        format!("{} s", self.most.as_secs_f64())
    }
}

fn unavailable(message: String) -> Response {
    Response::from_errors(vec![Fault::new(ErrorCode::Unavailable, message).into_server_error()])
}
