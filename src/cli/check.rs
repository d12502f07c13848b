//! `rollcall check`.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::{account, failure::Failure, notices, open, output, settings::Settings, sync::choose_directory};
use crate::{
    app,
    config::{Config, DirectorySourceConfig, ProviderKind, TokenKeysConfig},
    domain::id::AccountId,
};

/// How many entries that cannot be taken are listed.
const SHOWN_PROBLEMS: usize = 20;

/// Try whether what rollcall works with can be reached; nothing is changed and nothing is sent
#[derive(Debug, Subcommand)]
pub(super) enum Check {
    /// Read the directories of an account
    Directory(Directory),
    /// Try what carries the confirmation messages of an account
    Provider(Provider),
    /// Read the keys with which the identity provider's tokens are checked
    Tokens,
    /// Ask the server that runs with this configuration on this machine whether it is ready; containers are probed so
    Server,
}

#[derive(Debug, Args)]
pub(super) struct Directory {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// The directory [default: all of the account]
    #[arg(long, value_name = "NAME")]
    directory: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Provider {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
}

impl Check {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        match self {
            Self::Directory(command) => command.run(&config).await,
            Self::Provider(command) => command.run(&config).await,
            Self::Tokens => check_tokens(&config).await,
            Self::Server => check_server(&config).await,
        }
    }
}

impl Directory {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let account = account::choose(config, self.account.as_ref())?;
        let only = self.directory.map(|name| choose_directory(config, &account, Some(&name))).transpose()?;
        let mut failed = Vec::new();
        for (name, directory) in config.accounts.get(&account).into_iter().flat_map(|account| &account.directories) {
            if only.as_ref().is_some_and(|only| only != name) {
                continue;
            }
            let DirectorySourceConfig::Csv { path } = &directory.source;
            output::print(&format!("Directory {name} of account {account}: the CSV file {}\n", path.display()))?;
            match app::list_directory(directory).await {
                Ok(listing) => output::print(&describe(&listing))?,
                Err(error) => {
                    output::print("  does not work\n")?;
                    failed.push(format!("directory {name}: {error}"));
                }
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\n"))) }
    }
}

fn describe(listing: &app::Listing) -> String {
    let disabled = listing.people.iter().filter(|person| !person.active).count();
    // Writing to a String cannot fail.
    let mut text = format!("  works: {} people, {disabled} of them disabled\n", listing.people.len());
    if !listing.unknown_fields.is_empty() {
        let _ = writeln!(text, "  columns passed over: {}", listing.unknown_fields.join(", "));
    }
    for problem in listing.problems.iter().take(SHOWN_PROBLEMS) {
        let line = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let field = problem.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
        let _ = writeln!(text, "  {line}{}{field}", problem.code.name());
    }
    let more = listing.problems.len().saturating_sub(SHOWN_PROBLEMS);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more that cannot be taken");
    }
    text
}

impl Provider {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let account = account::choose(config, self.account.as_ref())?;
        let Some(settings) = config.accounts.get(&account) else { return Ok(()) };
        let mut text = match settings.provider {
            ProviderKind::Builtin => {
                format!("Account {account} asks by messages of rollcall's own (provider builtin)\n")
            }
        };
        let checked = app::check_smtp(config).await;
        let server = config.smtp.as_ref().map(|smtp| format!("{} port {}", smtp.host, smtp.port)).unwrap_or_default();
        text.push_str(&match &checked {
            Ok(true) => format!("  E-mail works: the mail server {server} takes us; nothing was sent\n"),
            Ok(false) => "  E-mail lands in the outbox\n".to_owned(),
            Err(_) => format!("  E-mail does not work: {server}\n"),
        });
        text.push_str("  SMS and voice messages land in the outbox\n");
        for notice in notices::list(config) {
            let _ = writeln!(text, "  Note: {notice}");
        }
        output::print(&text)?;
        checked.map(|_| ()).map_err(|error| Failure::new(format!("the mail server {server}: {error}")))
    }
}

async fn check_tokens(config: &Config) -> Result<(), Failure> {
    let TokenKeysConfig::KeySet(key_set) = &config.auth.keys else {
        return output::print("Access tokens are rollcall's own, checked with its secret: there is nothing to reach\n");
    };
    output::print(&format!("Access tokens are checked with the keys at {}\n", key_set.location.url()))?;
    let keys = app::list_token_keys(config).await?.unwrap_or_default();
    let mut usable = 0;
    for key in &keys {
        let name = key.kid.as_ref().map_or_else(|| "without a name".to_owned(), |kid| format!("{kid:?}"));
        match key.judged {
            Ok(algorithm) => {
                usable += 1;
                output::print(&format!("  key {name}: {}\n", algorithm.name()))?;
            }
            Err(why) => output::print(&format!("  key {name} is passed over: {why}\n"))?,
        }
    }
    if usable == 0 { Err(Failure::new("none of the keys could check a token")) } else { Ok(()) }
}

async fn check_server(config: &Config) -> Result<(), Failure> {
    let health = app::check_server(config).await?;
    let mut text = format!("The server at {} is {}\n", config.server.listen, health.status);
    for trouble in health.list_troubles() {
        let _ = writeln!(text, "  {trouble}");
    }
    output::print(&text)
}
