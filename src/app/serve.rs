//! Running the server: bind, work, serve, and end in order.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{
    App, AppError, DataLock, readiness::ServerReadiness, simulated_people::SimulatedPeople, to_delta,
    token_door::RefreshTokenKeys,
};
use crate::{
    auth::NewToken,
    config::DatabaseLocation,
    domain::{actor::Role, audit::AuditActor, id::AccountId},
    graphql::Gate,
    http::{self, DemoPages, Groups, HttpState, Sessions, confirm_router, metrics_router},
    metrics::Scrape,
    store::{SyncState, SyncWish},
    worker::{Runner, Step, loops},
};

/// How long a token of the demonstration's pages lives.
const DEMO_TOKEN: chrono::Duration = chrono::Duration::hours(1);

/// How long the doors and the workers may take to end after the server was told to stop.
const ENDING: Duration = Duration::from_secs(12);

/// How long giving back leases and claims may take. Without it others wait until they end by themselves.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Shows outbox and tokens of this account on the start page.
    pub demo: Option<AccountId>,
    /// Lets simulated people of the demonstration act.
    pub simulate: bool,
}

/// Where the server listens.
pub struct Listeners {
    /// Everything, but for what has a listener of its own.
    pub main: TcpListener,
    /// The confirm page.
    pub confirm: Option<TcpListener>,
    /// The metrics.
    pub metrics: Option<TcpListener>,
}

/// A server that is bound and has its data for itself, and does not serve yet.
pub struct Server {
    app: App,
    listeners: Listeners,
    bound: SocketAddr,
    options: ServeOptions,
    _lock: Option<DataLock>,
}

impl App {
    /// Takes the data for this process alone, where the database is a file.
    ///
    /// # Errors
    /// When another server has it.
    pub fn lock_data(location: &DatabaseLocation) -> Result<Option<DataLock>, AppError> {
        match location {
            DatabaseLocation::Sqlite(path) => Ok(Some(DataLock::take(path)?)),
            DatabaseLocation::Postgres(_) => Ok(None),
        }
    }

    /// Ends what a killed server left claimed. Who holds the lock knows that nobody else serves from the file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&self, _lock: &DataLock) -> Result<(), AppError> {
        Ok(self.services.store().end_all_leases(self.services.now()).await?)
    }

    /// Puts listeners, lock and app together.
    ///
    /// # Errors
    /// When the main listener has no address.
    pub fn server(
        self,
        listeners: Listeners,
        lock: Option<DataLock>,
        options: ServeOptions,
    ) -> Result<Server, AppError> {
        let bound = listeners.main.local_addr().map_err(|error| AppError::Other(error.to_string()))?;
        Ok(Server { app: self, listeners, bound, options, _lock: lock })
    }

    /// Syncs a directory here and now. Tells the run as it ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync_now(&self, account: &AccountId, wish: SyncWish) -> Result<crate::store::SyncRun, AppError> {
        let by = AuditActor::from(&self.local_admin(account));
        let queued = self.services.queue_directory_sync(account, wish, by).await?;
        loop {
            let ran = self.services.run_due_directory_sync(&self.owner).await?;
            let found = self.services.store().rows(account).find_sync(queued.id).await?;
            match found {
                Some(run) if run.state.has_ended() => return Ok(run),
                Some(run) if !ran && run.state == SyncState::Queued => {
                    // A server works on another run of the account; it will come to this one.
                    tokio::time::sleep(self.config.worker.poll).await;
                }
                Some(_) => tokio::time::sleep(self.config.worker.poll / 10).await,
                None => return Err(AppError::Other("the run is no longer there".to_owned())),
            }
        }
    }
}

impl Server {
    /// The address that the server is bound to.
    pub const fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// The app.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop` is done, then ends in order: it is not ready any more, takes no connections, ends what is open,
    /// lets the workers finish their steps, and gives leases and claims back. It ends within 14 s, whatever hangs.
    ///
    /// # Errors
    /// When it broke down before it was told to stop.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), AppError> {
        let Self { app, listeners, bound, options, _lock } = self;
        let drain = app.drain.clone();
        // What is needed to the end: the tail for the sockets, the metrics for whoever watches the ending.
        let last = CancellationToken::new();
        let tail = app.run_live(last.clone());
        let workers = app.run_workers(drain.clone(), &options);
        let state = Arc::new(app.http_state(bound, &options));
        if let Some(listener) = listeners.metrics {
            let scrape = Scrape::new(app.metrics.clone(), app.services.clone());
            tokio::spawn(http::serve(listener, metrics_router(scrape, &state.readiness), last.clone()));
        }
        let mut doors = JoinSet::new();
        if let Some(listener) = listeners.confirm {
            doors.spawn(http::serve(listener, confirm_router(Arc::clone(&state)), drain.clone()));
        }
        doors.spawn(http::serve_main(listeners.main, state));

        let failed = tokio::select! {
            () = stop => false,
            Some(_) = doors.join_next() => true,
        };
        info!("The server is ending");
        drain.cancel();
        end(doors, workers, &app.gate).await;
        last.cancel();
        let _ = timeout(GIVING_BACK, tail).await;
        app.give_back().await;
        info!("The server has ended");
        if failed { Err(AppError::Other("the server failed".to_owned())) } else { Ok(()) }
    }
}

/// Waits for doors, for mutations that nobody else waits for any more, and for workers. What takes too long is cut off: every step
/// can be done again.
async fn end(mut doors: JoinSet<()>, workers: JoinHandle<()>, gate: &Gate) {
    let deadline = Instant::now() + ENDING;
    let all = async { while doors.join_next().await.is_some() {} };
    wait(all, deadline, "Connections that did not end in time are cut off").await;
    let late = "Mutations that did not end in time are cut off; the database undoes them";
    wait(gate.wait_for_mutations(), deadline, late).await;
    let cut_off = workers.abort_handle();
    wait(workers, deadline, "A worker's step that did not end in time is cut off; it will be done again").await;
    // What has ended is not touched by it.
    cut_off.abort();
}

async fn wait(ending: impl Future, deadline: Instant, late: &str) {
    if timeout_at(deadline, ending).await.is_err() {
        warn!("{late}");
    }
}

impl App {
    /// Gives leases and claims back, so that other processes need not wait for their end.
    async fn give_back(&self) {
        let (store, now) = (self.services.store(), self.services.now());
        match timeout(GIVING_BACK, store.release_leases(&self.owner, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "Leases were not given back; they end by themselves: {error}"),
            Err(_) => warn!("Leases were not given back in time; they end by themselves"),
        }
    }

    /// Runs the workers until `shutdown`, and then to the end of their present steps.
    pub fn run_workers(&self, shutdown: CancellationToken, options: &ServeOptions) -> JoinHandle<()> {
        let workers = tokio::spawn(self.runner(shutdown).run(self.steps(options)));
        self.vitals.watch("workers", &workers);
        workers
    }
}

impl App {
    /// Repeats the workers' steps until `shutdown`.
    pub fn runner(&self, shutdown: CancellationToken) -> Runner {
        Runner { wakeup: self.wakeup.clone(), poll: self.config.worker.poll, shutdown, metrics: self.metrics.clone() }
    }

    /// The workers' steps.
    pub fn steps(&self, options: &ServeOptions) -> Vec<Arc<dyn Step>> {
        let every = to_delta(self.config.worker.confirmation_sync);
        let mut steps = loops(&self.services, &self.owner, every);
        if let Some(keys) = &self.key_set {
            steps.push(Arc::new(RefreshTokenKeys(keys.clone())));
        }
        if let Some(account) = options.demo.as_ref().filter(|_| options.simulate) {
            steps.push(Arc::new(SimulatedPeople::new(self.services.clone(), self.local_admin(account))));
        }
        steps
    }

    /// What the router needs.
    pub fn http_state(&self, bound: SocketAddr, options: &ServeOptions) -> HttpState {
        let server = &self.config.server;
        HttpState {
            services: self.services.clone(),
            groups: Groups::new(self.gate.clone(), self.live.clone(), self.services.clock(), self.metrics.clone()),
            gate: self.gate.clone(),
            sessions: Sessions::new(self.config.sockets),
            sockets: self.config.sockets,
            tasks: TaskTracker::new(),
            authenticator: Arc::clone(&self.authenticator),
            limiter: Arc::clone(&self.limiter),
            live: self.live.clone(),
            public_url: server.find_public_url(bound),
            confirm_url: self.config.find_confirm_url(),
            confirm_apart: self.config.confirm.listen.is_some(),
            bound,
            allowed_origins: server.allowed_origins.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            max_body_bytes: server.max_body_bytes,
            max_import_bytes: server.max_import_bytes,
            spool_folder: self.config.data.dir.clone(),
            body_timeout: server.body_timeout,
            demo: options.demo.clone().map(|account| self.demo_pages(account)),
            metrics: self.metrics.clone(),
            readiness: Arc::new(self.readiness()),
            drain: self.drain.clone(),
        }
    }

    fn readiness(&self) -> ServerReadiness {
        ServerReadiness {
            services: self.services.clone(),
            drain: self.drain.clone(),
            vitals: Arc::clone(&self.vitals),
            sync_every: to_delta(self.config.worker.confirmation_sync),
            since: self.services.now(),
            known: tokio::sync::Mutex::default(),
        }
    }

    fn demo_pages(&self, account: AccountId) -> DemoPages {
        let (tokens, services, of) = (self.tokens.clone(), self.services.clone(), account.clone());
        let issue_token = move || {
            let now = services.now();
            let token = NewToken {
                subject: "demo".to_owned(),
                account: of.clone(),
                roles: vec![Role::Admin],
                engineer: None,
                expires_at: now + DEMO_TOKEN,
            };
            tokens.as_ref()?.issue(&token, now).ok()
        };
        DemoPages { issue_token: Arc::new(issue_token), account }
    }
}
