//! `rollcall outbox`.

use chrono::SecondsFormat;
use clap::Args;
use serde::Serialize;

use super::{account, failure::Failure, open, output, settings::Settings};
use crate::domain::id::AccountId;

/// Print what people would have received
///
/// The outbox takes the messages that nothing carries. It is for demonstration and development only: links and codes stand in
/// it in clear.
#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// The account [default: the only one of the configuration]
    #[arg(long, value_parser = account::parse)]
    account: Option<AccountId>,
    /// One JSON object a line: channel, endpoint, link, code, sentAt
    #[arg(long)]
    json: bool,
    /// How many messages, the newest
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    limit: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    channel: &'a str,
    endpoint: &'a str,
    link: &'a str,
    code: &'a str,
    sent_at: String,
}

impl Outbox {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        let account = account::choose(&config, self.account.as_ref())?;
        let app = open::open(config).await?;
        let messages = app.services.list_outbox(&account, self.limit).await?;
        let lines: Vec<_> = messages
            .iter()
            .map(|message| Line {
                channel: message.channel.name(),
                endpoint: &message.endpoint,
                link: &message.link,
                code: &message.code,
                sent_at: message.sent_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            })
            .collect();
        output::print(&if self.json { write_json(&lines)? } else { write_table(&lines) })
    }
}

fn write_json(lines: &[Line<'_>]) -> Result<String, Failure> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

fn write_table(lines: &[Line<'_>]) -> String {
    if lines.is_empty() {
        return "The outbox is empty: nobody was asked yet.\n".to_owned();
    }
    let mut rows = vec![["SENT", "CHANNEL", "ENDPOINT", "CODE", "LINK"].map(str::to_owned)];
    rows.extend(
        lines
            .iter()
            .map(|line| [line.sent_at.as_str(), line.channel, line.endpoint, line.code, line.link].map(str::to_owned)),
    );
    output::columns(&rows)
}
