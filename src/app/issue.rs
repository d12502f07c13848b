//! Making a token by a command.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{AppError, Migrations, database::open_as_it_is, structure};
use crate::{
    adapter::{
        keys::{FileKeys, open_token_secret},
        random::SystemChance,
    },
    auth::{IssueError, NewToken, Tokens},
    config::{Config, DatabaseLocation, TokenKeysConfig},
    domain::{
        actor::Role,
        audit::{AuditAction, AuditActor, AuditRecord},
    },
};

/// A token that was made.
#[derive(Clone)]
pub struct IssuedToken {
    /// The token.
    pub text: String,
    /// Whether it is in the audit log; not before the first start, when there is none.
    pub recorded: bool,
}

/// Makes a token beside a running server, or with no more than the data folder at hand before the first start. Where there is a
/// database, the audit log tells of the token before anyone has it.
///
/// # Errors
/// When the secret is not usable, the token would not be accepted, or it cannot be recorded.
pub async fn issue_token_offline(
    config: &Config,
    token: &NewToken,
    now: DateTime<Utc>,
) -> Result<IssuedToken, AppError> {
    if matches!(config.auth.keys, TokenKeysConfig::KeySet(_)) {
        return Err(IssueError::Elsewhere.into());
    }
    let secret = open_token_secret(&config.data.dir, &config.auth, &SystemChance)?;
    let text = Tokens::new(&secret, &config.auth)?.issue(token, now)?;
    let recorded = match &config.database.location {
        DatabaseLocation::Sqlite(file) if !file.exists() => false,
        DatabaseLocation::Sqlite(_) | DatabaseLocation::Postgres(_) => {
            record(config, token, now).await?;
            true
        }
    };
    Ok(IssuedToken { text, recorded })
}

async fn record(config: &Config, token: &NewToken, now: DateTime<Utc>) -> Result<(), AppError> {
    // Opening would make keys that are lost, or never were here.
    if let Err(error) = FileKeys::expect_kept(&config.data.dir, &config.keys) {
        return Err(match config.database.location {
            DatabaseLocation::Sqlite(_) => error.into(),
            DatabaseLocation::Postgres(_) => AppError::Other(
                "the audit log cannot be told of a token without the keys of the data folder: start a server with it once, or run \
                 this where the keys are"
                    .to_owned(),
            ),
        });
    }
    let store = open_as_it_is(config).await?;
    structure::prepare(&store, Migrations::Require).await?;
    let roles: Vec<_> = token.roles.iter().copied().map(Role::name).collect();
    let mut record = AuditRecord::new(AuditActor::command_line(), AuditAction::IssueToken, now)
        .with("subject", token.subject.as_str())
        .with("roles", roles.join(" "))
        .with("expiresAt", token.expires_at.to_rfc3339_opts(SecondsFormat::Millis, true));
    if let Some(engineer) = &token.engineer {
        record = record.with("engineer", engineer.to_string());
    }
    let mut tx = store.begin(&token.account).await?;
    tx.record(record, &SystemChance);
    tx.commit().await?;
    Ok(())
}
