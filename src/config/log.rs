//! What is logged, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::{findings::Findings, suggest::find_nearest};

/// What a level can be called.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What the filter would look like.
const EXAMPLE: &str = "write levels such as info or info,rollcall::worker=debug";

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
        if let Err(problem) = judge(&self.filter) {
            findings.refuse("log.filter", problem);
        }
        LogConfig { format: self.format, filter: self.filter.clone() }
    }
}

/// Says what is wrong with a filter. The library takes every word that is no level for the name of a module that says everything, and
/// so would take `inof`, and log nothing.
fn judge(filter: &str) -> Result<(), String> {
    if filter.trim().is_empty() {
        return Err(format!("must not be blank; {EXAMPLE}"));
    }
    // A filter by spans and their fields may hold commas of its own, and is the library's matter.
    if !filter.contains(['[', '{']) {
        filter.split(',').try_for_each(judge_directive)?;
    }
    EnvFilter::builder().parse(filter).map(|_| ()).map_err(|_| format!("\"{filter}\" is no filter; {EXAMPLE}"))
}

fn judge_directive(directive: &str) -> Result<(), String> {
    let Some((module, level)) = directive.split_once('=') else {
        return judge_level(directive);
    };
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    if !module.split("::").all(is_part) {
        return Err(format!("\"{module}\" in \"{directive}\" is no module; {EXAMPLE}"));
    }
    let library = module.split("::").next().unwrap_or_default();
    let ours = env!("CARGO_PKG_NAME");
    if library != ours && find_nearest(library, [ours]).is_some() {
        return Err(format!("there is no module \"{library}\"; did you mean \"{ours}\"?"));
    }
    judge_level(level)
}

fn judge_level(level: &str) -> Result<(), String> {
    if LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let hint = find_nearest(level, LEVELS).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
    Err(format!("\"{level}\" is no level: they are {}{hint}", LEVELS.join(", ")))
}
