//! `rollcall import`.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{account, failure::Failure, open, output, settings::Settings};
use crate::{
    app::ImportReport,
    config::Config,
    domain::{id::AccountId, table::MAX_FILE_BYTES},
};

/// Apply a CSV file of bulk edits: aliases, mobiles, e-mail addresses, chat robots
///
/// The first line names the columns: id, or directory and external_id, or name; and of alias, mobile, email, wecom, dingtalk,
/// dingtalk_secret, lark and lark_secret those to change. A blank cell keeps what is there, a cell - clears it. A changed mobile
/// or e-mail address asks its owner to confirm it. Rows that cannot be taken are left out and listed; the command then ends
/// with 2.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file; - is standard input
    file: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
}

impl Import {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let account = account::choose(&config, self.account.as_ref())?;
        let copy = copy(&self.file, &config)?;
        let app = open::open(config).await?;
        let imported = app.services.import_file(&app.local_admin(&account), copy, self.dry_run).await;
        let report = imported.map_err(|error| Failure::new(format!("{}: {error}", self.file.display())))?;
        output::print(&describe(&report))?;
        match report.refused.len() + report.refused_more {
            0 => Ok(()),
            1 => Err(Failure::look("1 row was refused")),
            count => Err(Failure::look(format!("{count} times a row was refused"))),
        }
    }
}

/// The file as it is now, as a file without a name in the data folder: an import reads more than once, which standard input does
/// not allow, and somebody may save the file meanwhile. One byte more than an import takes is enough for it to be refused.
fn copy(file: &Path, config: &Config) -> Result<File, Failure> {
    let unreadable = |error| Failure::new(format!("{} cannot be read: {error}", file.display()));
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).map_err(unreadable)?)
    };
    open::make_data_folder(config)?;
    let folder = &config.data.dir;
    let unkept = |error| Failure::new(format!("the file cannot be copied into {}: {error}", folder.display()));
    let mut copy = tempfile::tempfile_in(folder).map_err(unkept)?;
    io::copy(&mut source.take(MAX_FILE_BYTES + 1), &mut copy).map_err(unkept)?;
    Ok(copy)
}

fn describe(report: &ImportReport) -> String {
    let done = if report.dry_run { "The plan; nothing was changed." } else { "The file was imported." };
    let mut text = format!(
        "{done}\n  rows {}, people changed {}, people unchanged {}\n  messages that ask to confirm: {}\n",
        report.rows, report.changed, report.unchanged, report.messages,
    );
    if !report.unknown_columns.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  columns passed over: {}", report.unknown_columns.join(", "));
    }
    for problem in &report.refused {
        let column = problem.column.as_ref().map(|column| format!(", {column}")).unwrap_or_default();
        let _ = writeln!(text, "  line {}{column}: {} ({})", problem.line, problem.message, problem.code);
    }
    if report.refused_more > 0 {
        let _ = writeln!(text, "  and {} more", report.refused_more);
    }
    text
}
