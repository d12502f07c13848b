//! What the commands need beside the use cases.

use super::{App, AppError, directory_source, smtp_transport};
use crate::{
    adapter::{
        jwks::{JwksSource, TIMEOUT},
        own_server::{self, ServerHealth},
    },
    auth::{JudgedKey, try_key_source},
    config::{Config, DirectoryConfig, TokenKeysConfig},
    domain::{actor::COMMAND_LINE, id::AccountId},
    port::directory::{DirectoryError, Listing},
    store::{Keyset, SyncOutcome, SyncRun, SyncWish},
};

/// How many outcomes of a run a command looks at. The others are in the API.
pub const SHOWN_OUTCOMES: u64 = 1_000;

/// A directory sync that a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOrder {
    /// The name of the directory, one of the account's.
    pub directory: String,
    /// Make the plan, change nobody.
    pub dry_run: bool,
    /// Go on, however many are gone.
    pub confirm_removals: bool,
    /// Deleted people come back.
    pub restore_deleted: bool,
}

/// How a directory sync ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncReport {
    /// The run, with its counts.
    pub run: SyncRun,
    /// What the run did to whom, and why; the first [`SHOWN_OUTCOMES`] of it.
    pub outcomes: Vec<SyncOutcome>,
}

impl App {
    /// Syncs a directory to the end, here or in a server that is faster.
    ///
    /// # Errors
    /// When the database fails. That the directory cannot be read is no error here.
    pub async fn sync_directory(&self, account: &AccountId, order: SyncOrder) -> Result<SyncReport, AppError> {
        let wish = SyncWish {
            directory: order.directory,
            dry_run: order.dry_run,
            confirm_removals: order.confirm_removals,
            restore_deleted: order.restore_deleted,
            requested_by: Some(COMMAND_LINE.to_owned()),
        };
        let ended = self.sync_now(account, wish).await;
        // Else the next run of the account, in whatever process, would wait for the lease's end.
        self.services.store().release_leases(&self.owner, self.services.now()).await?;
        let run = ended?;
        let keyset = Keyset { after: None, before: None, from_end: false, limit: SHOWN_OUTCOMES };
        let outcomes = self.services.store().rows(account).list_sync_outcomes(run.id, &keyset).await?;
        Ok(SyncReport { run, outcomes: outcomes.into_iter().map(|(_, outcome)| outcome).collect() })
    }
}

/// Reads a directory as a sync would, and changes nobody. It needs no database.
///
/// # Errors
/// When the directory cannot be read.
pub async fn list_directory(directory: &DirectoryConfig) -> Result<Listing, DirectoryError> {
    directory_source(directory).list_people().await
}

/// Connects to the mail server and signs in, as for a mail. Nothing is sent. Tells whether there is a mail server at all.
///
/// # Errors
/// When the settings are not usable, or the server does not take us.
pub async fn check_smtp(config: &Config) -> Result<bool, AppError> {
    let Some(smtp) = &config.smtp else { return Ok(false) };
    let checked = smtp_transport(smtp, &config.accounts)?.check().await;
    checked.map(|()| true).map_err(|error| AppError::Other(error.to_string()))
}

/// Reads the keys of the identity provider as a server would: each with what it checks, or why nothing. `None` where tokens are
/// checked with a secret.
///
/// # Errors
/// When the keys cannot be had.
pub async fn list_token_keys(config: &Config) -> Result<Option<Vec<JudgedKey>>, AppError> {
    let TokenKeysConfig::KeySet(key_set) = &config.auth.keys else { return Ok(None) };
    let source = JwksSource::new(key_set, TIMEOUT).map_err(AppError::Other)?;
    let keys = try_key_source(&source, key_set).await.map_err(|error| AppError::Other(error.to_string()))?;
    Ok(Some(keys))
}

/// Asks the server of this configuration, on this machine, whether it is ready. It needs no database.
///
/// # Errors
/// When it does not answer, or cannot serve.
pub async fn check_server(config: &Config) -> Result<ServerHealth, AppError> {
    own_server::ask_server(config.server.listen).await.map_err(AppError::Other)
}
