//! The flags that all commands share, and the configuration they lead to.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use toml::{Table, Value};

use super::{demo, failure::Failure};
use crate::config::{self, CONFIG_FILE_VARIABLE, Config, ConfigError, Overrides};

/// The file that is read where no other is named.
const DEFAULT_FILE: &str = "rollcall.toml";

/// What every variable begins with that says something of an account.
const ACCOUNT_VARIABLES: &str = "ROLLCALL_ACCOUNTS__";

/// What a command that does not serve logs unless told otherwise: it says itself how it ended.
const QUIET: &str = "error";

/// The flags that all commands share.
#[derive(Debug, Args)]
pub(super) struct Settings {
    /// The configuration file [default: rollcall.toml in the working directory, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = CONFIG_FILE_VARIABLE, hide_env_values = true)]
    config: Option<PathBuf>,
    /// The folder of the SQLite file and of generated keys [default: data.dir of the configuration, or else ./data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What is logged: a level, or levels by module such as info,rollcall::worker=debug [default: log.filter of the configuration]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// Put the demonstration beneath the configuration: the account demo with 25 invented engineers
    ///
    /// A file named with --config is read over it, rollcall.toml in the working directory is not. Other commands than serve
    /// need no --demo where there is neither a file nor a variable that names an account, and the data folder holds a
    /// demonstration (engineers.csv).
    #[arg(long, global = true)]
    pub(super) demo: bool,
}

/// What lies beneath the file.
#[derive(Debug, Clone, Copy, Default)]
struct Beneath {
    /// The demonstration.
    demo: bool,
    /// The demonstration with simulated people.
    simulate: bool,
    /// The log of a command.
    quiet: bool,
}

impl Beneath {
    fn table(self, directory_file: Option<&Path>) -> Result<Table, Failure> {
        let mut table = if self.demo { demo::layer(directory_file, self.simulate)? } else { Table::new() };
        if self.quiet {
            table.insert("log".to_owned(), Value::Table(single("filter", QUIET)));
        }
        Ok(table)
    }
}

impl Settings {
    /// The configuration of a server.
    pub(super) fn load_for_server(&self, listen: Option<SocketAddr>, simulate: bool) -> Result<Config, Failure> {
        let beneath = Beneath { demo: self.demo, simulate, quiet: false };
        if self.demo { self.load_demo(beneath, listen) } else { self.load(beneath, None, listen) }
    }

    /// The configuration of a command that works with what a server has.
    pub(super) fn load_for_command(&self) -> Result<Config, Failure> {
        let beneath = Beneath { quiet: true, ..Beneath::default() };
        let demo = Beneath { demo: true, ..beneath };
        if self.demo {
            return self.load_demo(demo, None);
        }
        if self.find_file().is_none() && !names_accounts() {
            let config = self.load_demo(demo, None)?;
            if demo::directory_file(&config).exists() {
                return Ok(config);
            }
        }
        self.load(beneath, None, None)
    }

    /// The file that is read, if there is one.
    pub(super) fn find_file(&self) -> Option<PathBuf> {
        let default = || (!self.demo && Path::new(DEFAULT_FILE).exists()).then(|| DEFAULT_FILE.into());
        self.config.clone().or_else(default)
    }

    /// The demonstration's directory is a file in the data folder, which only the layers above tell.
    fn load_demo(&self, beneath: Beneath, listen: Option<SocketAddr>) -> Result<Config, Failure> {
        let config = self.load(beneath, None, listen)?;
        self.load(beneath, Some(&demo::directory_file(&config)), listen)
    }

    fn load(
        &self,
        beneath: Beneath,
        directory_file: Option<&Path>,
        listen: Option<SocketAddr>,
    ) -> Result<Config, Failure> {
        let base = beneath.table(directory_file)?.to_string();
        let mut extra = Table::new();
        if let Some(filter) = &self.log {
            extra.insert("log".to_owned(), Value::Table(single("filter", filter)));
        }
        let overrides = Overrides { listen, data_dir: self.data.clone(), extra };
        config::load(Some(&base), self.find_file().as_deref(), config::read_process_environment(), overrides)
            .map_err(|error| refuse(&error))
    }
}

fn single(key: &str, value: &str) -> Table {
    Table::from_iter([(key.to_owned(), Value::String(value.to_owned()))])
}

/// Whether a variable says something of another account than the demonstration's.
fn names_accounts() -> bool {
    let of_demo = format!("{ACCOUNT_VARIABLES}{}__", demo::ACCOUNT.to_uppercase());
    config::read_process_environment()
        .iter()
        .any(|(name, _)| name.starts_with(ACCOUNT_VARIABLES) && !name.starts_with(&of_demo))
}

fn refuse(error: &ConfigError) -> Failure {
    let count = match error.problems.len() {
        1 => "a problem".to_owned(),
        count => format!("{count} problems"),
    };
    Failure::new(format!("the configuration has {count}:\n{error}"))
}
