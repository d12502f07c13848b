//! The configuration: one TOML file, `ROLLCALL_*` variables and flags, the later the stronger.
//!
//! Each section is one file. What a section may hold is said once, by its `…Section` struct: the keys, their defaults and their
//! meaning. The JSON schema of these structs is what the layers are checked against and what `docs/configuration.md` is made
//! from. A section is then resolved into its `…Config`: parsed, its secrets read. All problems are collected.

mod account;
mod auth;
mod confirm;
mod data;
mod database;
mod describe;
mod development;
mod directory;
mod environment;
mod findings;
mod keys;
mod layer;
mod limits;
mod load;
mod log;
mod metrics;
mod rate_limits;
mod retention;
mod secret;
mod server;
mod shape;
mod smtp;
mod sockets;
mod suggest;
mod trusted_proxies;
mod worker;

use std::collections::BTreeMap;

pub use self::{
    account::{AccountConfig, ProviderKind},
    auth::{
        AccountClaim, AuthConfig, ClaimsConfig, DEFAULT_CLAIMS, KeySetConfig, KeySetLocation, RoleMapping,
        TokenAlgorithm, TokenKeysConfig, is_https, is_loopback_http,
    },
    confirm::ConfirmConfig,
    data::DataConfig,
    database::{DatabaseConfig, DatabaseLocation},
    describe::documentation,
    development::DevelopmentConfig,
    directory::{DirectoryConfig, DirectorySourceConfig},
    environment::{CONFIG_FILE_VARIABLE, read_process_environment},
    findings::{ConfigError, Problem},
    keys::KeysConfig,
    limits::LimitsConfig,
    load::{DEMO_LAYER, Overrides, load},
    log::{LogConfig, LogFormat},
    metrics::MetricsConfig,
    rate_limits::RateLimitsConfig,
    secret::{Key, Secret},
    server::{AllowedOrigin, ServerConfig},
    smtp::{SmtpConfig, SmtpCredentials, SmtpTls},
    sockets::SocketsConfig,
    trusted_proxies::TrustedProxies,
    worker::WorkerConfig,
};
use crate::domain::{id::AccountId, retention::Retention};

/// The whole configuration: every layer merged, every value checked, every secret read.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where rollcall listens, and who may talk to it.
    pub server: ServerConfig,
    /// Where the confirm page is to be had.
    pub confirm: ConfirmConfig,
    /// Where the metrics are to be had.
    pub metrics: MetricsConfig,
    /// WebSockets and streams of server-sent events.
    pub sockets: SocketsConfig,
    /// Where rollcall keeps its files.
    pub data: DataConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// How access tokens are checked, and made.
    pub auth: AuthConfig,
    /// How much one operation may ask for.
    pub limits: LimitsConfig,
    /// The keys that seal what is stored.
    pub keys: KeysConfig,
    /// How often callers may ask.
    pub rate_limits: RateLimitsConfig,
    /// The mail server; without one, mail lands in the outbox.
    pub smtp: Option<SmtpConfig>,
    /// How long what is kept.
    pub retention: Retention,
    /// The background work.
    pub worker: WorkerConfig,
    /// Settings for development and demonstration.
    pub development: DevelopmentConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// The accounts by their key.
    pub accounts: BTreeMap<AccountId, AccountConfig>,
    printed: String,
}

impl Config {
    /// The configuration in effect, defaults included, as TOML. Secrets, and the password of the database URL, are `***`.
    pub fn print(&self) -> &str {
        &self.printed
    }

    /// The URL under which people reach the confirm page, without a slash at its end: the one given, else the server's where
    /// that is given, else the address on which the page is served.
    pub fn find_confirm_url(&self) -> String {
        let given = self.confirm.url.clone().or_else(|| self.server.public_url.clone());
        given.unwrap_or_else(|| server::default_public_url(self.confirm.listen.unwrap_or(self.server.listen)))
    }
}

/// A number of a section, as sizes in memory are counted.
fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
