//! What is logged, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::findings::Findings;

/// What is logged, and how. Logs never hold contact data.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LogSection {
    /// How a line is written: for people, or for machines.
    format: LogFormat,
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module such as
    /// `info,rollcall::worker=debug`.
    filter: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// How a line is written.
    pub format: LogFormat,
    /// What is logged, in the language of [`EnvFilter`]; it was parsed once and is valid.
    pub filter: String,
}

impl LogSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> LogConfig {
        if self.filter.trim().is_empty() || EnvFilter::builder().parse(&self.filter).is_err() {
            findings
                .refuse("log.filter", format!("\"{}\" is no filter such as info or info,rollcall=debug", self.filter));
        }
        LogConfig { format: self.format, filter: self.filter.clone() }
    }
}
