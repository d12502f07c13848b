//! What a process counts, in the form of OpenMetrics, which Prometheus scrapes.
//!
//! [`Metrics`] is the handle that the other rooms count with; counting is an atomic addition, or a look-up in a small map where
//! there are labels. Labels are names that rollcall itself gives: accounts, channels, fields of the schema, routes, codes. No
//! label is ever what a client sent, and none says anything of a person.

mod labels;
mod roll;
mod scrape;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use self::labels::{Answered, Closed, Failed, Panicked, Ran, Timed};

pub use self::{
    labels::{OperationKind, Place},
    scrape::Scrape,
};

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;

/// What this process counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    sockets: Sockets,
    live: Live,
    operations: Family<Ran, Counter>,
    durations: Family<Timed, Histogram, fn() -> Histogram>,
    requests: Family<Answered, Counter>,
    panics: Family<Panicked, Counter>,
    failures: Family<Failed, Counter>,
}

#[derive(Default)]
struct Sockets {
    open: Gauge,
    opened: Counter,
    closed: Family<Closed, Counter>,
}

#[derive(Default)]
struct Live {
    streams: Gauge,
    groups: Gauge,
    results: Counter,
    replays: Counter,
}

/// Counts in a gauge for as long as it lives.
pub struct Counted(Gauge);

impl Counted {
    fn in_gauge(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counted")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing was counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("rollcall");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        let sockets = Sockets::default();
        sockets.register(&mut registry);
        let live = Live::default();
        live.register(&mut registry);
        let operations = Family::default();
        registry.register("operations", "GraphQL operations by root field and code", operations.clone());
        let durations: Family<Timed, Histogram, fn() -> Histogram> = Family::new_with_constructor(new_histogram);
        registry.register_with_unit(
            "operation_duration",
            "How long queries and mutations took",
            Unit::Seconds,
            durations.clone(),
        );
        let requests = Family::default();
        registry.register("http_requests", "HTTP requests by route and status", requests.clone());
        let panics: Family<Panicked, Counter> = Family::default();
        registry.register("panics", "Panics that were caught, by place", panics.clone());
        // Told from the start, so that the first one is seen as an increase.
        for place in Place::ALL {
            drop(panics.get_or_create(&Panicked { place: place.name() }));
        }
        let failures = Family::default();
        registry.register("worker_failures", "Steps of workers that failed and are tried again", failures.clone());
        Self { inner: Arc::new(Inner { registry, sockets, live, operations, durations, requests, panics, failures }) }
    }

    /// A socket was opened; it counts as open as long as what is returned lives.
    #[must_use]
    pub fn open_socket(&self) -> Counted {
        self.inner.sockets.opened.inc();
        Counted::in_gauge(&self.inner.sockets.open)
    }

    /// The server closed a socket with that code.
    pub fn count_closed_socket(&self, code: u16) {
        self.inner.sockets.closed.get_or_create(&Closed { code }).inc();
    }

    /// A distinct live query begins to be executed; it counts as long as what is returned lives.
    #[must_use]
    pub fn begin_group(&self) -> Counted {
        Counted::in_gauge(&self.inner.live.groups)
    }

    /// A result goes to so many live streams.
    pub fn count_results(&self, streams: usize) {
        self.inner.live.results.inc_by(streams as u64);
    }

    /// A live stream that is behind reads the log by itself.
    pub fn count_replay(&self) {
        self.inner.live.replays.inc();
    }

    /// A live stream begins, over whatever transport; it counts as long as what is returned lives.
    #[must_use]
    pub fn begin_stream(&self) -> Counted {
        Counted::in_gauge(&self.inner.live.streams)
    }

    /// An operation was answered. `field` is its root field as the schema names it, `several` where there are several, `none`
    /// where it was refused before that was known. `code` is that of its first error, `OK` without one.
    pub fn count_operation(&self, kind: OperationKind, field: &str, code: &'static str) {
        let ran = Ran { kind: kind.name(), field: field.to_owned(), code };
        self.inner.operations.get_or_create(&ran).inc();
    }

    /// An operation took that long.
    pub fn time_operation(&self, kind: OperationKind, took: Duration) {
        self.inner.durations.get_or_create(&Timed { kind: kind.name() }).observe(took.as_secs_f64());
    }

    /// A request over HTTP was answered. `route` is the route that matched, never the path.
    pub fn count_request(&self, method: &str, route: &str, status: u16) {
        self.inner.requests.get_or_create(&Answered::of(method, route, status)).inc();
    }

    /// A panic was caught.
    pub fn count_panic(&self, place: Place) {
        self.inner.panics.get_or_create(&Panicked { place: place.name() }).inc();
    }

    /// There is a worker of that name; its failures are told from now on, 0 at first.
    pub fn expect_worker(&self, worker: &'static str) {
        drop(self.inner.failures.get_or_create(&Failed { worker }));
    }

    /// A step of a worker failed.
    pub fn count_failure(&self, worker: &'static str) {
        self.inner.failures.get_or_create(&Failed { worker }).inc();
    }
}

impl Sockets {
    fn register(&self, registry: &mut Registry) {
        registry.register("sockets", "WebSockets that are open", self.open.clone());
        registry.register("sockets_opened", "WebSockets that were opened", self.opened.clone());
        registry.register("sockets_closed", "WebSockets that the server closed, by close code", self.closed.clone());
    }
}

impl Live {
    fn register(&self, registry: &mut Registry) {
        registry.register("live_streams", "Live streams that run", self.streams.clone());
        registry.register("live_groups", "Distinct live queries that are executed", self.groups.clone());
        registry.register("live_results", "Results that went to live streams at once", self.results.clone());
        registry.register("live_replays", "Times that a live stream read the log to catch up", self.replays.clone());
    }
}

/// From 1 ms, doubling, to 8 s.
fn new_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}
