//! The log, on standard error.

use std::{
    io::{self, IsTerminal as _},
    panic::{self, PanicHookInfo},
};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::failure::Failure;
use crate::config::{LogConfig, LogFormat};

/// What others tell that is of use only to who looks for it; the configured filter comes after it, and so can ask for it.
const QUIET: &str = "sea_orm_migration=warn";

/// Whatever the filter says: libraries print whole messages below INFO, with tokens, addresses and codes in them.
fn is_ours_or_no_detail(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("rollcall") || *metadata.level() <= Level::INFO
}

/// Begins to log as the configuration says.
pub(super) fn start(config: &LogConfig) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.filter))?;
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match config.format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let log = tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(is_ours_or_no_detail));
    log.try_init().map_err(|error| Failure::new(format!("the log cannot be started: {error}")))?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Says where something panicked, in the span of the request that it was at. What it said may hold anything, and is told nowhere.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(panic.location = location, "Something panicked at {location}");
}
