//! The commands, one file each. Only they print: what was asked for to standard output, what went wrong to standard error.

mod account;
mod audit;
mod backup;
mod check;
mod config;
mod demo;
mod export;
mod failure;
mod import;
mod keys;
mod logging;
mod migrate;
mod notices;
mod open;
mod outbox;
mod output;
mod restore;
mod schema;
mod serve;
mod settings;
mod sync;
mod token;
mod welcome;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use self::{failure::Failure, settings::Settings};

/// How long what still runs at the end of a command is waited for.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// Keeps the roll of an organisation's O&M engineers and the proof that each of them can be reached.
///
/// Start with `rollcall serve --demo`. The settings come from rollcall.toml in the working directory (or the file of --config),
/// from ROLLCALL_* variables and from flags, the later the stronger; `rollcall config docs` lists them.
///
/// All commands but `restore` work beside a running server. They end with 0 when all went well, with 1 when something failed, and with 2 when
/// the command line is wrong or, in `sync` and `import`, when a person has to look at the outcome.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Sync(sync::Sync),
    Import(import::Import),
    Export(export::Export),
    #[command(subcommand)]
    Check(check::Check),
    Token(token::Token),
    Outbox(outbox::Outbox),
    Backup(backup::Backup),
    Restore(restore::Restore),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Audit(audit::Audit),
    Schema(schema::Schema),
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Runs the command, and tells how the process ends.
pub fn run(arguments: Arguments) -> ExitCode {
    let Arguments { settings, command } = arguments;
    match dispatch(&settings, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(settings: &Settings, command: Command) -> Result<(), Failure> {
    match command {
        Command::Schema(command) => command.run(),
        Command::Config(command) => command.run(settings),
        Command::Token(command) => block_on(command.run(settings)),
        Command::Serve(command) => block_on(command.run(settings)),
        Command::Migrate(command) => block_on(command.run(settings)),
        Command::Sync(command) => block_on(command.run(settings)),
        Command::Import(command) => block_on(command.run(settings)),
        Command::Export(command) => block_on(command.run(settings)),
        Command::Check(command) => block_on(command.run(settings)),
        Command::Outbox(command) => block_on(command.run(settings)),
        Command::Backup(command) => block_on(command.run(settings)),
        Command::Restore(command) => block_on(command.run(settings)),
        Command::Keys(command) => block_on(command.run(settings)),
        Command::Audit(command) => block_on(command.run(settings)),
    }
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(command);
    // A blocking call that hangs is not waited for.
    runtime.shutdown_timeout(LEFTOVERS);
    ended
}
