//! `rollcall config`.

use clap::Subcommand;

use super::{account, failure::Failure, notices, output, settings::Settings};
use crate::config::{self, AccountClaim, AccountConfig, ClaimsConfig, Config, TokenKeysConfig};

/// Check, show or explain the configuration
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with the configuration
    Check,
    /// Print the configuration in effect as TOML, with secrets as ***
    Print,
    /// Print the reference of all settings as Markdown
    Docs,
}

impl ConfigCommand {
    pub(super) fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Check => check(&settings.load_for_server(None, false)?),
            Self::Print => output::print(settings.load_for_server(None, false)?.print()),
            Self::Docs => output::print(&config::documentation()),
        }
    }
}

fn check(config: &Config) -> Result<(), Failure> {
    account::require_some(config)?;
    let mut text = "The configuration is good.\n".to_owned();
    for (id, account) in &config.accounts {
        text.push_str(&describe(id.as_str(), account));
    }
    text.push_str(&format!("  Access tokens: {}\n", describe_tokens(config)));
    for notice in notices::list(config) {
        text.push_str(&format!("  Note: {notice}\n"));
    }
    output::print(&text)
}

fn describe(id: &str, account: &AccountConfig) -> String {
    let directories: Vec<_> = account.directories.keys().map(String::as_str).collect();
    let kind = if directories.len() == 1 { "directory" } else { "directories" };
    format!("  Account {id}: {}; {kind} {}\n", account.settings.name, directories.join(", "))
}

/// What tokens are checked with, and how their claims are read.
fn describe_tokens(config: &Config) -> String {
    let auth = &config.auth;
    let keys = match &auth.keys {
        TokenKeysConfig::Secrets { present, previous } => {
            let place = if present.is_some() { "of the configuration" } else { "in the data folder" };
            let also = if previous.is_some() { ", and still those of the previous one" } else { "" };
            format!("HS256 with the secret {place}{also}")
        }
        TokenKeysConfig::KeySet(key_set) => {
            let algorithms: Vec<_> = key_set.algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let (url, minutes) = (key_set.location.url(), key_set.refresh.as_secs() / 60);
            format!("{} with the keys at {url}, read again every {minutes} min", algorithms.join(", "))
        }
    };
    let account = match &auth.claims.account {
        AccountClaim::Fixed(account) => format!("account {account}"),
        AccountClaim::Named(claim) => format!("account from {claim}"),
    };
    let mapped = if auth.claims.role_mapping.is_some() { " by role_mapping" } else { "" };
    let ClaimsConfig { roles, engineer, .. } = &auth.claims;
    let (issuer, audience) = (&auth.issuer, &auth.audience);
    format!(
        "{keys}; issuer {issuer}, audience {audience}; {account}, roles from {roles}{mapped}, engineer from {engineer}"
    )
}
