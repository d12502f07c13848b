//! Loading: the layers are merged, checked and resolved, and every problem is reported.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{
    Config, ConfigError,
    account::AccountSection,
    auth::AuthSection,
    confirm::ConfirmSection,
    data::DataSection,
    database::DatabaseSection,
    development::DevelopmentSection,
    environment,
    findings::{self, Findings},
    keys::KeysSection,
    layer::{Layers, Origin},
    limits::LimitsSection,
    log::LogSection,
    metrics::MetricsSection,
    rate_limits::RateLimitsSection,
    retention::RetentionSection,
    server::ServerSection,
    shape::Section,
    smtp::SmtpSection,
    sockets::SocketsSection,
    worker::WorkerSection,
};

/// The settings of `serve --demo`, beneath the file: one account whose directory is a CSV file. Where the file is comes from
/// [`Overrides::extra`] when the server does not run beside the examples.
pub const DEMO_LAYER: &str = r#"
[server]
allowed_origins = ["http://localhost:*"]

[metrics]
enabled = false

[accounts.demo]
name = "Demo Operations Ltd"
sender = "Demo Operations Ltd <rollcall@demo.example>"
contact = "the demo's operations desk, ops@demo.example"
privacy_notice = "This is a demonstration: nobody real is asked, and nothing leaves this machine."
time_zone = "Asia/Shanghai"

[accounts.demo.directories.hr]
kind = "csv"
path = "examples/engineers.csv"
"#;

/// What the command line says, over everything else.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`: `server.listen`.
    pub listen: Option<SocketAddr>,
    /// `--data`: `data.dir`.
    pub data_dir: Option<PathBuf>,
    /// Other settings, in the form of the file. The two above win over them.
    pub extra: Table,
}

/// Everything that the file may hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sections {
    /// Where rollcall listens, and who may talk to it.
    server: ServerSection,
    /// Where the confirm page is to be had, which the links in messages lead to. It can have a listener of its own, so that
    /// nothing else of the server is ever reached from the Internet.
    confirm: ConfirmSection,
    /// Where the metrics are to be had: `/metrics`, for Prometheus and the like, and the health checks beside them. They hold no
    /// personal data, and names of accounts and directories.
    metrics: MetricsSection,
    /// WebSockets and streams of server-sent events: how many there may be, and how long they are waited for.
    sockets: SocketsSection,
    /// Where rollcall keeps its files.
    data: DataSection,
    /// The database: an SQLite file, or PostgreSQL.
    database: DatabaseSection,
    /// How access tokens (JWT) are checked: with a secret of rollcall's own (HS256), which also makes them, or with the public
    /// keys of an identity provider (`jwks_url` or `oidc_issuer`).
    auth: AuthSection,
    /// How much one GraphQL operation may ask for. What asks for more is refused before anything of it is run.
    limits: LimitsSection,
    /// The keys that seal what is stored. Each is 32 random bytes in Base64 (`openssl rand -base64 32`). All servers of one
    /// installation need the same; whoever loses them loses what they sealed.
    keys: KeysSection,
    /// How often a caller may ask, in each process. What is more is refused with `RATE_LIMITED`, which says when to try again. A rate
    /// of 0 is no limit.
    rate_limits: RateLimitsSection,
    /// The mail server that carries confirmation messages. Optional: without this section they land in the outbox, where nobody
    /// is reached.
    smtp: Option<SmtpSection>,
    /// How long what is kept, in days of 24 hours. What is older is taken away within the hour.
    retention: RetentionSection,
    /// The background work: how often it looks.
    worker: WorkerSection,
    /// Settings for development and demonstration only. The server prints at its start those that are set.
    development: DevelopmentSection,
    /// What is logged, and how. Logs never hold contact data.
    log: LogSection,
    /// An account: an organisation and its engineers. Its key is 1 to 64 of `a-z`, `0-9`, `-` and `_`, and begins with a letter
    /// or digit.
    #[schemars(extend("x-key" = "account"))]
    accounts: BTreeMap<String, AccountSection>,
}

/// Loads the configuration from its layers, the later the stronger: `base` (TOML text, such as [`DEMO_LAYER`]), the file, the
/// variables (those that begin with `ROLLCALL_`), the overrides. Secret files are read.
///
/// # Errors
/// With every problem found in any layer: unreadable files, unknown keys and variables, values of the wrong kind, missing ones,
/// and those that a section refuses.
pub fn load(
    base: Option<&str>,
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: Overrides,
) -> Result<Config, ConfigError> {
    let shape = Section::of::<Sections>();
    let mut layers = Layers::new(&shape);
    if let Some(text) = base {
        add_text(&mut layers, &Origin::Base, text);
    }
    if let Some(file) = file {
        match fs::read_to_string(file) {
            Ok(text) => add_text(&mut layers, &Origin::File(file.to_owned()), &text),
            Err(error) => {
                let place = file.display().to_string();
                layers.findings.refuse_at(&place.clone(), place, findings::describe_unreadable(file, &error));
            }
        }
    }
    let variables = environment::read(&shape, env, &layers.table, &mut layers.findings);
    layers.add(&Origin::Environment, variables);
    let flags = read_overrides(overrides, &mut layers.findings);
    layers.add(&Origin::Flags, flags);
    layers.require();
    resolve(layers.table, layers.findings)
}

fn add_text(layers: &mut Layers<'_>, origin: &Origin, text: &str) {
    match text.parse::<Table>() {
        Ok(table) => layers.add(origin, table),
        Err(error) => {
            // The parser's own display quotes the line, which may hold a secret.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let place = origin.place(&format!("line {line}, column {column}"));
            layers.findings.refuse_at(&place.clone(), place, format!("is not valid TOML: {}", error.message()));
        }
    }
}

fn read_overrides(overrides: Overrides, findings: &mut Findings) -> Table {
    let Overrides { listen, data_dir, extra: mut table } = overrides;
    if let Some(listen) = listen {
        set(&mut table, "server", "listen", listen.to_string());
    }
    match data_dir.map(|dir| dir.into_os_string().into_string()) {
        Some(Ok(dir)) => set(&mut table, "data", "dir", dir),
        Some(Err(_)) => findings.refuse_at("data.dir", Origin::Flags.place("data.dir"), "must be a path in UTF-8"),
        None => {}
    }
    table
}

fn set(table: &mut Table, section: &str, key: &str, value: String) {
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = entry {
        inner.insert(key.to_owned(), Value::String(value));
    }
}

fn resolve(table: Table, mut findings: Findings) -> Result<Config, ConfigError> {
    let sections = table.try_into::<Sections>();
    // The shape was checked key by key, so this can fail only where shape and types disagree: the parser's words are not for people.
    let problem = "does not fit what `rollcall config docs` describes";
    let sections = findings.accept("the configuration", sections.map_err(|_| problem));
    let config = sections.and_then(|sections| sections.resolve(&mut findings));
    findings.finish(config)
}

impl Sections {
    fn resolve(mut self, findings: &mut Findings) -> Option<Config> {
        let server = self.server.resolve(findings);
        let confirm = self.confirm.resolve(findings);
        let metrics = self.metrics.resolve(findings);
        let sockets = self.sockets.resolve();
        let data = self.data.resolve(findings);
        let database = self.database.resolve(&data, findings);
        let auth = self.auth.resolve(findings);
        let limits = self.limits.resolve();
        let keys = self.keys.resolve(findings);
        let rate_limits = self.rate_limits.resolve();
        let smtp = self.smtp.as_mut().map(|smtp| smtp.resolve(findings));
        let retention = self.retention.resolve(findings);
        let worker = self.worker.resolve();
        let development = self.development.resolve();
        let log = self.log.resolve(findings);
        let accounts = self.accounts.iter().filter_map(|(key, account)| account.resolve(key, findings));
        let accounts: BTreeMap<_, _> = accounts.map(|account| (account.settings.id.clone(), account)).collect();
        if let Some(auth) = &auth {
            auth.check_accounts(&accounts, findings);
        }
        let printed = toml::to_string(&self).map_err(|_| "cannot be written as TOML");
        let printed = findings.accept("the configuration", printed)?;
        Some(Config {
            server: server?,
            confirm,
            metrics: metrics?,
            sockets,
            data,
            database: database?,
            auth: auth?,
            limits,
            keys,
            rate_limits,
            smtp,
            retention,
            worker,
            development,
            log,
            accounts,
            printed,
        })
    }
}
