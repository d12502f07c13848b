//! `rollcall sync`.

use std::fmt::Write as _;

use clap::Args;

use super::{account, failure::Failure, open, output, settings::Settings};
use crate::{
    app::{SyncOrder, SyncOutcome, SyncReport, SyncState},
    config::Config,
    domain::id::AccountId,
};

/// Read a directory and bring the roll up to date with it
///
/// Ends with 2 where so many people would be gone that a person must confirm it, or where the directory could not be read.
#[derive(Debug, Args)]
pub(super) struct Sync {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// The directory [default: the only one of the account]
    #[arg(long, value_name = "NAME")]
    directory: Option<String>,
    /// Only make the plan; nobody is changed
    #[arg(long)]
    dry_run: bool,
    /// Go on, however many people are gone from the directory
    #[arg(long)]
    confirm_removals: bool,
    /// Bring people back who were deleted from the roll
    #[arg(long)]
    restore_deleted: bool,
}

impl Sync {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let account = account::choose(&config, self.account.as_ref())?;
        let order = SyncOrder {
            directory: choose_directory(&config, &account, self.directory.as_deref())?,
            dry_run: self.dry_run,
            confirm_removals: self.confirm_removals,
            restore_deleted: self.restore_deleted,
        };
        let app = open::open(config).await?;
        let report = app.sync_directory(&account, order).await?;
        output::print(&describe(&report))?;
        describe_stop(&report).map_or(Ok(()), |why| Err(Failure::look(why)))
    }
}

/// Why a run stopped, and what to do; `None` where it did its work.
pub(super) fn describe_stop(report: &SyncReport) -> Option<String> {
    let counts = &report.run.counts;
    // A run that an earlier process began has changed people before.
    let changed = match counts.applied() {
        0 => "nobody was changed".to_owned(),
        1 => "1 person was changed before it stopped".to_owned(),
        count => format!("{count} people were changed before it stopped"),
    };
    match report.run.state {
        SyncState::Queued | SyncState::Running | SyncState::Succeeded => None,
        SyncState::NeedsConfirmation => Some(format!(
            "{} people would be gone: {changed}; if that is right, run `rollcall sync` with --confirm-removals",
            counts.gone
        )),
        SyncState::Failed => {
            let why = report.run.failure_message.as_deref().unwrap_or("the directory cannot be read");
            Some(format!("{changed}: {why}"))
        }
    }
}

/// The directory that was named, or else the only one there is.
pub(super) fn choose_directory(config: &Config, account: &AccountId, named: Option<&str>) -> Result<String, Failure> {
    let known: Vec<&str> = match config.accounts.get(account) {
        Some(account) => account.directories.keys().map(String::as_str).collect(),
        None => Vec::new(),
    };
    match (named, known.as_slice()) {
        (Some(name), known) if known.contains(&name) => Ok(name.to_owned()),
        (Some(name), known) => {
            Err(Failure::new(format!("account {account} has no directory {name}; it has {}", known.join(", "))))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, known) => {
            let known = known.join(", ");
            Err(Failure::usage(format!(
                "account {account} has several directories: add --directory and one of {known}"
            )))
        }
    }
}

/// What the run did, for a person.
fn describe(report: &SyncReport) -> String {
    let run = &report.run;
    let counts = &run.counts;
    let what = if run.wish.dry_run { "The plan for directory" } else { "Directory" };
    let mut text = format!(
        "{what} {}: {}\n  added {}, updated {}, moved {}, gone {}, unchanged {}, left out {}\n  messages that ask to confirm: {}\n",
        run.wish.directory,
        run.state.name(),
        counts.added,
        counts.updated,
        counts.moved,
        counts.gone,
        counts.unchanged,
        counts.skipped,
        counts.messages,
    );
    if !run.unknown_fields.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  columns passed over: {}", run.unknown_fields.join(", "));
    }
    // Who comes onto the roll without a fault is counted, not named.
    let is_told = |outcome: &&SyncOutcome| outcome.outcome != "ADDED" || !outcome.reasons.is_empty();
    for outcome in report.outcomes.iter().filter(is_told) {
        let line = outcome.line.map(|line| format!("line {line}")).unwrap_or_default();
        let person = outcome.external_id.as_deref().unwrap_or_default();
        let engineer = outcome.engineer.filter(|_| person.is_empty()).map(|id| id.to_string()).unwrap_or_default();
        let place: Vec<_> = [line.as_str(), person, &engineer].into_iter().filter(|part| !part.is_empty()).collect();
        let _ = writeln!(text, "  {}: {} ({})", place.join(", "), outcome.outcome, outcome.reasons.join(", "));
    }
    text
}
