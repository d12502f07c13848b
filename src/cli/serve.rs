//! `rollcall serve`.

use std::{io, net::SocketAddr};

use chrono::Duration;
use clap::Args;
use tokio::{
    net::{TcpListener, TcpSocket},
    signal,
};

use super::{account, demo, failure::Failure, logging, open, settings::Settings, sync::describe_stop, welcome};
use crate::{
    app::{App, Listeners, Migrations, NewToken, Outside, ServeOptions, SyncOrder},
    config::{Config, TokenKeysConfig},
    domain::{actor::Role, id::AccountId},
};

/// How long the token lives that is printed at the start of a demonstration.
const TOKEN_LIFETIME: Duration = Duration::hours(8);

/// What the process ends with when it is told a second time to end.
const CUT_SHORT: i32 = 1;

/// How many connections may wait to be taken, as tokio and the standard library have it.
const BACKLOG: u32 = 1024;

/// Run the server
///
/// With --demo, the account demo is set up and its directory is synced before the server listens. A database in a file is brought
/// up to date by itself; PostgreSQL is with --migrate, and refused otherwise while it is outdated.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address and port to listen on, over the configuration's server.listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    listen: Option<SocketAddr>,
    /// With --demo: simulated people confirm, refuse and let links expire; links live 20 seconds
    #[arg(long)]
    simulate: bool,
    /// Bring a PostgreSQL database up to date first
    #[arg(long)]
    migrate: bool,
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and a port, such as 127.0.0.1:8080 or [::]:8080".to_owned())
}

impl Serve {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        if self.simulate && !settings.demo {
            return Err(Failure::usage("--simulate needs --demo: people are simulated in the demonstration only"));
        }
        let mut config = settings.load_for_server(self.listen, self.simulate)?;
        account::require_some(&config)?;
        if settings.demo && matches!(config.auth.keys, TokenKeysConfig::KeySet(_)) {
            let why = "the demonstration makes its tokens itself: start it without auth.jwks_url and auth.oidc_issuer";
            return Err(Failure::new(why));
        }
        logging::start(&config.log)?;
        // Taken before anything is changed; listened on only when all is ready.
        let sockets = Sockets::bind(&mut config)?;
        open::make_data_folder(&config)?;
        let lock = App::lock_data(&config.database.location)?;
        if settings.demo {
            demo::place_directory_file(&config)?;
        }
        let migrations = if self.migrate { Migrations::Apply } else { Migrations::ApplyEmbedded };
        let app = App::open(config, Outside::system(), migrations).await?;
        if let Some(lock) = &lock {
            app.take_over(lock).await?;
        }
        let shown = if settings.demo { Some(set_up_demo(&app).await?) } else { None };
        let mut stop = Stop::listen()?;
        let listeners = sockets.listen()?;
        let options = ServeOptions { demo: shown.as_ref().map(|demo| demo.account.clone()), simulate: self.simulate };
        let server = app.server(listeners, lock, options)?;
        welcome::print(server.app().config(), shown.as_ref(), self.simulate);
        let stopped = async move {
            stop.wait().await;
            tokio::spawn(stop.exit_at_once());
        };
        server.run(stopped).await?;
        Ok(())
    }
}

/// The addresses that were taken.
struct Sockets {
    main: Taken,
    confirm: Option<Taken>,
    metrics: Option<Taken>,
}

/// An address that was taken. Nobody can connect yet.
struct Taken {
    socket: TcpSocket,
    address: SocketAddr,
    /// How another address is chosen.
    setting: &'static str,
}

impl Sockets {
    /// Takes the addresses of the configuration, and writes those that were found for port 0 into it.
    fn bind(config: &mut Config) -> Result<Self, Failure> {
        let main = Taken::bind(config.server.listen, "--listen")?;
        config.server.listen = main.address;
        let bind = |address: &mut Option<SocketAddr>, setting| -> Result<Option<Taken>, Failure> {
            let Some(wanted) = *address else { return Ok(None) };
            let taken = Taken::bind(wanted, setting)?;
            *address = Some(taken.address);
            Ok(Some(taken))
        };
        let confirm = bind(&mut config.confirm.listen, "confirm.listen")?;
        let metrics = bind(&mut config.metrics.listen, "metrics.listen")?;
        Ok(Self { main, confirm, metrics })
    }

    /// Lets people connect.
    fn listen(self) -> Result<Listeners, Failure> {
        Ok(Listeners {
            main: self.main.listen()?,
            confirm: self.confirm.map(Taken::listen).transpose()?,
            metrics: self.metrics.map(Taken::listen).transpose()?,
        })
    }
}

impl Taken {
    fn bind(address: SocketAddr, setting: &'static str) -> Result<Self, Failure> {
        let socket = bind(address).map_err(|error| describe_taken(address, setting, &error))?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, setting })
    }

    fn listen(self) -> Result<TcpListener, Failure> {
        let Self { socket, address, setting } = self;
        socket.listen(BACKLOG).map_err(|error| describe_taken(address, setting, &error))
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As tokio's listener does: else a restart would wait until old connections are forgotten. On Windows it means another thing.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn describe_taken(address: SocketAddr, setting: &str, error: &io::Error) -> Failure {
    let port = address.port();
    let other = SocketAddr::new(address.ip(), port.checked_add(1).unwrap_or(0));
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => format!("port {port} is taken: another program listens on {address}. Stop it, or"),
        io::ErrorKind::PermissionDenied => format!("this user may not listen on port {port} ({address}):"),
        io::ErrorKind::AddrNotAvailable => format!("this machine has no address {}:", address.ip()),
        _ => format!("{address} cannot be listened on ({error}):"),
    };
    let other = if error.kind() == io::ErrorKind::AddrInUse { other.to_string() } else { "127.0.0.1:8080".to_owned() };
    let example =
        if setting.starts_with("--") { format!("{setting} {other}") } else { format!("{setting} = \"{other}\"") };
    Failure::new(format!("{why} choose another with {setting}, such as {example}"))
}

/// What is told of a demonstration.
pub(super) struct DemoStart {
    /// The account.
    pub(super) account: AccountId,
    /// A token for the role ADMIN.
    pub(super) token: String,
    /// How many people the directory lists.
    pub(super) people: i32,
    /// Why the directory was not synced.
    pub(super) problem: Option<String>,
}

/// Syncs the demonstration's directory and makes a token.
async fn set_up_demo(app: &App) -> Result<DemoStart, Failure> {
    let account = demo::account()?;
    let order = SyncOrder {
        directory: demo::DIRECTORY.to_owned(),
        dry_run: false,
        confirm_removals: false,
        restore_deleted: false,
    };
    let report = app.sync_directory(&account, order).await?;
    let counts = &report.run.counts;
    let people = counts.total - counts.skipped - counts.gone;
    let problem = describe_stop(&report);
    let token = app.issue_token(&NewToken {
        subject: demo::ACCOUNT.to_owned(),
        account: account.clone(),
        roles: vec![Role::Admin],
        engineer: None,
        expires_at: app.services.now() + TOKEN_LIFETIME,
    })?;
    Ok(DemoStart { account, token, people, problem })
}

/// The signals that end a server.
struct Stop {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Stop {
    /// Catches the signals from now on.
    fn listen() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
        })
    }

    /// Waits for the next.
    #[cfg(unix)]
    async fn wait(&mut self) {
        tokio::select! {
            // An error would mean that it cannot be caught, and then it ends the process by itself.
            Ok(()) = signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the next.
    #[cfg(not(unix))]
    async fn wait(&mut self) {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for the next, and ends the process without waiting for anything: whoever asks twice means it. What was under way
    /// is done again after the next start, as after a crash.
    async fn exit_at_once(mut self) {
        self.wait().await;
        std::process::exit(CUT_SHORT);
    }
}
