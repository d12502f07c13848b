//! `rollcall audit`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Subcommand};

use super::{account, failure::Failure, open, output, settings::Settings};
use crate::{app::AuditSpan, domain::id::AccountId};

/// Read the audit log
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Write the audit log to standard output, oldest first: one JSON object a line
    ///
    /// Who did what to whom, or was refused it, with what changed, the request and the client's address. Contact data in it is
    /// masked. That it was exported is in the log too.
    Export(Export),
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// Only entries of that moment or later: a day in UTC, such as 2026-11-24, or a moment, such as 2026-11-24T08:30:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    from: Option<DateTime<Utc>>,
    /// Only entries of before that moment
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<DateTime<Utc>>,
}

fn parse_moment(text: &str) -> Result<DateTime<Utc>, String> {
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
    let day = || text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    moment
        .or_else(|_| day())
        .map_err(|_| "must be a day such as 2026-11-24, or a moment such as 2026-11-24T08:30:00Z".to_owned())
}

impl Audit {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Export(command) => command.run(settings).await,
        }
    }
}

impl Export {
    async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let account = account::choose(&config, self.account.as_ref())?;
        let app = open::open(config).await?;
        let actor = app.local_admin(&account);
        let span = AuditSpan { from: self.from, until: self.until };
        let mut after = None;
        loop {
            let page = app.services.export_audit_page(&actor, span, after).await?;
            output::print(&page.lines)?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
