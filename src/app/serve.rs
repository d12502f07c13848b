//! Running the server: bind, work, serve, and end in order.

use std::{future::Future, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{App, AppError, DataLock, simulated_people::SimulatedPeople, to_delta, token_door::RefreshTokenKeys};
use crate::{
    auth::NewToken,
    config::DatabaseLocation,
    domain::{actor::Role, id::AccountId},
    graphql,
    http::{DemoPages, HttpState, router},
    store::{SyncState, SyncWish},
    worker::{Runner, Step, loops},
};

/// How long a token of the demonstration's pages lives.
const DEMO_TOKEN: chrono::Duration = chrono::Duration::hours(1);

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Shows outbox and tokens of this account on the start page.
    pub demo: Option<AccountId>,
    /// Lets simulated people of the demonstration act.
    pub simulate: bool,
}

/// A server that is bound and has its data for itself, and does not serve yet.
pub struct Server {
    app: App,
    listener: TcpListener,
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

    /// Puts listener, lock and app together.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn server(
        self,
        listener: TcpListener,
        lock: Option<DataLock>,
        options: ServeOptions,
    ) -> Result<Server, AppError> {
        let bound = listener.local_addr().map_err(|error| AppError::Other(error.to_string()))?;
        Ok(Server { app: self, listener, bound, options, _lock: lock })
    }

    /// Syncs a directory here and now. Tells the run as it ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sync_now(&self, account: &AccountId, wish: SyncWish) -> Result<crate::store::SyncRun, AppError> {
        let queued = self.services.queue_directory_sync(account, wish).await?;
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

    /// Serves until `stop` is done, then ends: no new requests, workers finish their step, leases are given back.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), AppError> {
        let Self { app, listener, bound, options, _lock } = self;
        let shutdown = CancellationToken::new();
        let tail = app.run_live(shutdown.clone());
        let workers = tokio::spawn(app.runner(shutdown.clone()).run(app.steps(&options)));
        let state = app.http_state(bound, &options);
        let stopping = shutdown.clone();
        let served = axum::serve(listener, router(state).into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move {
                stop.await;
                stopping.cancel();
            })
            .into_future();
        tokio::select! {
            served = served => served.map_err(|error| AppError::Other(format!("the server failed: {error}")))?,
            // Open sockets would hold a graceful end back for ever.
            () = async { shutdown.cancelled().await; tokio::time::sleep(GRACE).await } => {}
        }
        shutdown.cancel();
        let _ = tokio::join!(workers, tail);
        app.services.store().release_leases(&app.owner, app.services.now()).await?;
        Ok(())
    }
}

/// How long open requests may take after the server was told to stop.
const GRACE: std::time::Duration = std::time::Duration::from_secs(3);

impl App {
    /// Repeats the workers' steps until `shutdown`.
    pub fn runner(&self, shutdown: CancellationToken) -> Runner {
        Runner { wakeup: self.wakeup.clone(), poll: self.config.worker.poll, shutdown }
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
        let schema = graphql::build_schema(self.services.clone(), self.live.clone(), Arc::clone(&self.authenticator));
        let server = &self.config.server;
        HttpState {
            services: self.services.clone(),
            gate: graphql::Gate::new(schema),
            authenticator: Arc::clone(&self.authenticator),
            live: self.live.clone(),
            public_url: server.find_public_url(bound),
            bound,
            allowed_origins: server.allowed_origins.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            max_body_bytes: server.max_body_bytes,
            max_import_bytes: server.max_import_bytes,
            demo: options.demo.clone().map(|account| self.demo_pages(account)),
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
