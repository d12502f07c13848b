//! `rollcall config`.

use clap::Subcommand;

use super::{account, failure::Failure, notices, output, settings::Settings};
use crate::config::{self, AccountConfig, Config};

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
    for notice in notices::list(config, &config.server.find_public_url(config.server.listen)) {
        text.push_str(&format!("  Note: {notice}\n"));
    }
    output::print(&text)
}

fn describe(id: &str, account: &AccountConfig) -> String {
    let directories: Vec<_> = account.directories.keys().map(String::as_str).collect();
    let kind = if directories.len() == 1 { "directory" } else { "directories" };
    format!("  Account {id}: {}; {kind} {}\n", account.settings.name, directories.join(", "))
}
