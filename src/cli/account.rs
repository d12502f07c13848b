//! Which account a command works in.

use std::str::FromStr as _;

use super::failure::Failure;
use crate::{config::Config, domain::id::AccountId};

/// Reads the key of an account from the command line.
pub(super) fn parse(text: &str) -> Result<AccountId, String> {
    AccountId::from_str(text).map_err(|_| {
        format!("must be 1 to {} of a-z, 0-9, - and _, and begin with a letter or digit", AccountId::MAX_LENGTH)
    })
}

/// The account that was named, or else the only one there is.
pub(super) fn choose(config: &Config, named: Option<&AccountId>) -> Result<AccountId, Failure> {
    require_some(config)?;
    let mut known = config.accounts.keys();
    match named {
        Some(account) if config.accounts.contains_key(account) => Ok(account.clone()),
        Some(account) => Err(Failure::new(describe_unknown(config, account))),
        None => match (known.next(), known.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => Err(Failure::usage(format!("there are several accounts: add --account and one of {}", list(config)))),
        },
    }
}

/// Refuses a configuration without accounts.
pub(super) fn require_some(config: &Config) -> Result<(), Failure> {
    if config.accounts.is_empty() {
        return Err(Failure::new(
            "no account is configured. Write one into rollcall.toml (see examples/rollcall.toml) or name the file with \
             --config; for a first look, run `rollcall serve --demo`",
        ));
    }
    Ok(())
}

/// Says that the account is not there, and which are.
pub(super) fn describe_unknown(config: &Config, account: &AccountId) -> String {
    format!("the configuration has no account {account}; it has {}", list(config))
}

fn list(config: &Config) -> String {
    config.accounts.keys().map(AccountId::as_str).collect::<Vec<_>>().join(", ")
}
