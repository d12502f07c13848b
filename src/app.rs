//! The assembler: configuration to adapters, adapters to use cases, use cases to router and workers. The only file that names
//! adapters.

mod backup;
mod commands;
mod data_lock;
mod database;
mod issue;
mod readiness;
mod rotation;
mod serve;
mod simulated_people;
mod structure;
mod token_door;
mod vitals;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    adapter::{
        directory::csv::CsvDirectory,
        keys::KeysError,
        provider::builtin::{BuiltinProvider, Transports},
        random::SystemChance,
        transport::{
            outbox::OutboxTransport,
            smtp::{Sender, SmtpSettingsError, SmtpTransport},
        },
        wakeup::in_process::InProcessWakeup,
    },
    auth::{Authenticator, IssueError, KeySet, Limiter, Tokens, WeakSecret},
    config::{AccountConfig, Config, DirectoryConfig, DirectorySourceConfig, ProviderKind, SmtpConfig},
    domain::{
        account::Locale,
        actor::{Actor, COMMAND_LINE, Credential, Role},
        chance::Chance,
        clock::{Clock, SystemClock},
        confirmation::LINK_LIFETIME,
        id::AccountId,
    },
    graphql::{self, Gate},
    live::{Live, LiveOptions},
    metrics::Metrics,
    port::{directory::DirectorySource, provider::ConfirmationProvider, transport::Transport, wakeup::Wakeup},
    service::{Account, Core, Directory, ServiceError, Services},
    store::{OnStatement, Store, StoreError, Trouble},
};

pub use self::{
    backup::{BackupReport, RestoreReport, back_up, begin_new_epochs, restore},
    commands::{SHOWN_OUTCOMES, SyncOrder, SyncReport, check_server, check_smtp, list_directory, list_token_keys},
    data_lock::{DataLock, DataLockError},
    issue::{IssuedToken, issue_token_offline},
    rotation::{Rotation, RotationWish, rotate_sealing_key},
    serve::{Listeners, ServeOptions, Server},
    structure::{count_pending_migrations, migrate},
};
use self::{token_door::TokenDoor, vitals::Vitals};
/// What the commands hand on and take back.
pub use crate::{
    auth::{EngineerClaim, JudgedKey, NewToken, parse_ttl},
    port::directory::Listing,
    service::{export_audit::AuditSpan, import::ImportReport},
    store::{Resealed, SyncOutcome, SyncState},
};

/// How long a command that runs on the machine itself may act.
const COMMAND_LIFETIME: chrono::Duration = chrono::Duration::hours(12);

/// What rollcall takes from outside besides the configuration. Tests bring others.
#[derive(Clone)]
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// Stands in for the configured provider of every account.
    pub provider: Option<Arc<dyn ConfirmationProvider>>,
    /// Told of each SQL statement.
    pub on_statement: Option<OnStatement>,
}

impl Outside {
    /// The machine's clock and randomness.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), chance: Arc::new(SystemChance), provider: None, on_statement: None }
    }
}

/// What to do about a database whose structure is not this version's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Bring it up to date.
    Apply,
    /// Bring an embedded SQLite database up to date, and refuse an outdated PostgreSQL.
    ApplyEmbedded,
    /// Refuse what is outdated: a command does not change what a running server works with.
    Require,
}

/// Why rollcall cannot start, or a command cannot do its work. Every text is for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The token secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// A token that was asked for.
    #[error(transparent)]
    Token(#[from] IssueError),
    /// The SMTP settings.
    #[error(transparent)]
    Smtp(#[from] SmtpSettingsError),
    /// The database.
    #[error("{}", describe_store(.0))]
    Store(#[from] StoreError),
    /// A use case.
    #[error("{}", describe_service(.0))]
    Service(#[from] ServiceError),
    /// The data folder is another server's.
    #[error(transparent)]
    Locked(#[from] DataLockError),
    /// Something else that the text tells.
    #[error("{0}")]
    Other(String),
}

/// What a person is told: the database's own words are for the log.
fn describe_store(error: &StoreError) -> String {
    match error {
        StoreError::Database(_) if error.trouble() == Trouble::Unwritable => {
            "the database cannot be written to: its storage is full, or read-only".to_owned()
        }
        StoreError::Database(inner) => {
            tracing::debug!(error = %inner, "The database failed");
            "the database failed; --log debug tells more".to_owned()
        }
        StoreError::BadRow { .. } | StoreError::Unseal(_) | StoreError::LeaseLost | StoreError::Unusable(_) => {
            error.to_string()
        }
    }
}

fn describe_service(error: &ServiceError) -> String {
    match error {
        ServiceError::Refused(refusals) => {
            let sentences: Vec<_> = refusals.iter().map(|refusal| refusal.message(Locale::En)).collect();
            sentences.join("\n")
        }
        ServiceError::Store(error) => describe_store(error),
        ServiceError::Forbidden(_) | ServiceError::UnknownAccount => error.to_string(),
    }
}

/// rollcall, assembled.
pub struct App {
    /// The use cases.
    pub services: Services,
    /// The event logs as streams.
    pub live: Live,
    /// Makes and checks tokens for callers.
    pub authenticator: Arc<Authenticator>,
    /// Counts what callers ask.
    pub limiter: Arc<Limiter>,
    /// Makes tokens; absent where an identity provider does.
    tokens: Option<Arc<Tokens>>,
    /// The identity provider's keys, where it makes the tokens.
    key_set: Option<KeySet>,
    /// The way to the GraphQL schema.
    pub gate: Gate,
    wakeup: Arc<InProcessWakeup>,
    metrics: Metrics,
    drain: CancellationToken,
    vitals: Arc<Vitals>,
    config: Config,
    owner: String,
}

impl App {
    /// Opens the database and assembles everything. Nothing runs yet.
    ///
    /// # Errors
    /// When the keys, the database or an adapter's settings are not usable.
    pub async fn open(config: Config, outside: Outside, migrations: Migrations) -> Result<Self, AppError> {
        let Outside { clock, chance, provider, on_statement } = outside;
        let keys = database::open_keys(&config, chance.as_ref())?;
        let wakeup = Arc::new(InProcessWakeup::new());
        let store = database::open_store(&config, &keys, &wakeup, migrations, on_statement).await?;
        let provider = match provider {
            Some(provider) => provider,
            None => builtin_provider(&config, &store, &clock, &chance)?,
        };
        let accounts = assemble_accounts(&config, &provider);
        for id in accounts.keys() {
            let mut epoch = [0; 16];
            chance.fill(&mut epoch);
            store.ensure_account(id, uuid::Builder::from_random_bytes(epoch).into_uuid(), clock.now()).await?;
        }
        let door = TokenDoor::open(&config.auth, keys.token_secret(), &clock)?;
        let names = accounts.keys().cloned();
        let authenticator = Authenticator::new(door.verifier, store.clone(), names, Arc::clone(&clock));
        let limiter = Arc::new(Limiter::new(&config.rate_limits, Arc::clone(&clock)));
        let live = Live::new(store.clone(), LiveOptions::polling(config.worker.poll));
        let owner = new_owner(chance.as_ref());
        let services = Services::new(Core {
            store,
            clock,
            chance,
            accounts,
            link_lifetime: config.development.link_lifetime.unwrap_or(LINK_LIFETIME),
            retention: config.retention,
        });
        let authenticator = Arc::new(authenticator);
        let (tokens, key_set) = (door.tokens, door.key_set);
        let schema = graphql::build_schema(services.clone(), live.clone(), Arc::clone(&authenticator));
        let metrics = Metrics::new();
        let gate = Gate::new(schema, Arc::clone(&limiter), config.limits, metrics.clone());
        Ok(Self {
            services,
            live,
            authenticator,
            limiter,
            gate,
            tokens,
            key_set,
            wakeup,
            metrics,
            drain: CancellationToken::new(),
            vitals: Arc::default(),
            config,
            owner,
        })
    }

    /// The configuration that this was assembled from.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The name under which this process claims work.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What this process counts.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Cancelled when the server begins to end: it is not ready any more, takes no connections, and closes its sockets.
    pub const fn drain(&self) -> &CancellationToken {
        &self.drain
    }

    /// Runs the tail of the event logs until `shutdown`.
    pub fn run_live(&self, shutdown: CancellationToken) -> JoinHandle<()> {
        let tail = tokio::spawn(self.live.clone().run(self.wakeup.subscribe(), shutdown));
        self.vitals.watch("tail", &tail);
        tail
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When the token would not be accepted, or an identity provider makes the tokens.
    pub fn issue_token(&self, token: &NewToken) -> Result<String, AppError> {
        let tokens = self.tokens.as_ref().ok_or(IssueError::Elsewhere)?;
        Ok(tokens.issue(token, self.services.now())?)
    }

    /// An administrator, for commands that someone runs on the machine itself.
    pub fn local_admin(&self, account: &AccountId) -> Actor {
        Actor {
            account: account.clone(),
            subject: COMMAND_LINE.to_owned(),
            roles: vec![Role::Admin],
            engineer: None,
            expires_at: Some(self.services.now() + COMMAND_LIFETIME),
            credential: Credential::CommandLine,
        }
    }
}

fn builtin_provider(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    chance: &Arc<dyn Chance>,
) -> Result<Arc<dyn ConfirmationProvider>, AppError> {
    let outbox: Arc<dyn Transport> = Arc::new(OutboxTransport::new(store.clone()));
    let email = match &config.smtp {
        Some(smtp) => Arc::new(smtp_transport(smtp, &config.accounts)?),
        None => Arc::clone(&outbox),
    };
    Ok(Arc::new(BuiltinProvider {
        store: store.clone(),
        clock: Arc::clone(clock),
        chance: Arc::clone(chance),
        transports: Transports { email, phone: outbox },
        accounts: config.accounts.iter().map(|(id, account)| (id.clone(), account.settings.clone())).collect(),
        public_url: config.find_confirm_url(),
    }))
}

fn smtp_transport(
    smtp: &SmtpConfig,
    accounts: &BTreeMap<AccountId, AccountConfig>,
) -> Result<SmtpTransport, SmtpSettingsError> {
    let senders: HashMap<_, _> = accounts
        .iter()
        .map(|(id, account)| {
            let settings = &account.settings;
            let sender = Sender { from: settings.sender.clone(), reply_to: settings.reply_to.clone() };
            (id.clone(), sender)
        })
        .collect();
    SmtpTransport::new(smtp, senders)
}

fn directory_source(directory: &DirectoryConfig) -> Arc<dyn DirectorySource> {
    match &directory.source {
        DirectorySourceConfig::Csv { path } => Arc::new(CsvDirectory::new(path)),
    }
}

fn assemble_accounts(config: &Config, provider: &Arc<dyn ConfirmationProvider>) -> BTreeMap<AccountId, Account> {
    let assemble = |(id, account): (&AccountId, &AccountConfig)| {
        let directories = account
            .directories
            .iter()
            .map(|(name, directory)| {
                let source = directory_source(directory);
                (name.clone(), Directory { source, sync_every: directory.sync_every.map(to_delta) })
            })
            .collect();
        let provider = match account.provider {
            ProviderKind::Builtin => Arc::clone(provider),
        };
        (id.clone(), Account { settings: account.settings.clone(), provider, directories })
    };
    config.accounts.iter().map(assemble).collect()
}

/// A length of time as the rules count it. The configuration bounds it far below what does not fit.
fn to_delta(length: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(length).unwrap_or(chrono::TimeDelta::MAX)
}

/// A name that no other process has, so that leases tell processes apart.
fn new_owner(chance: &dyn Chance) -> String {
    let mut bytes = [0; 8];
    chance.fill(&mut bytes);
    format!("{}-{:016x}", std::process::id(), u64::from_be_bytes(bytes))
}

/// The schema in the schema definition language, as committed in `schema.graphql`.
pub fn sdl() -> String {
    graphql::sdl()
}
