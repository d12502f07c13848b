//! What a token says.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::token::TokenFault;
use crate::domain::{
    actor::Role,
    engineer::DirectoryIdentity,
    id::{AccountId, EngineerId},
};

/// The longest subject, in characters.
pub const MAX_SUBJECT: usize = 255;

/// The latest moment that is written as a time of a token: the end of the year 9999, in seconds since 1970.
const LATEST_SECONDS: f64 = 253_402_300_799.0;

/// The text names no engineer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an engineer, or a directory and its key of the person, such as staff:10017")]
pub struct InvalidEngineerClaim;

/// Which engineer the holder of a token is.
///
/// In a token it is the public id, or `directory:externalId`. What reads as an id is an id, also where a directory is named
/// `engineer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineerClaim {
    /// By id.
    Id(EngineerId),
    /// By what a directory calls them.
    Identity(DirectoryIdentity),
}

impl FromStr for EngineerClaim {
    type Err = InvalidEngineerClaim;

    fn from_str(text: &str) -> Result<Self, InvalidEngineerClaim> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let (directory, external_id) = text.split_once(':').ok_or(InvalidEngineerClaim)?;
        Self::of_directory(directory, external_id)
    }
}

impl EngineerClaim {
    /// The person whom that directory calls so.
    ///
    /// # Errors
    /// When one of the two is blank or holds control characters.
    pub fn of_directory(directory: &str, external_id: &str) -> Result<Self, InvalidEngineerClaim> {
        let blank = directory.trim().is_empty() || external_id.trim().is_empty();
        // PostgreSQL takes no NUL in a text, and no directory has control characters in its keys.
        if blank || directory.chars().chain(external_id.chars()).any(char::is_control) {
            return Err(InvalidEngineerClaim);
        }
        Ok(Self::Identity(DirectoryIdentity { directory: directory.to_owned(), external_id: external_id.to_owned() }))
    }
}

impl fmt::Display for EngineerClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Identity(identity) => write!(f, "{}:{}", identity.directory, identity.external_id),
        }
    }
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom the token was made for: 1 to [`MAX_SUBJECT`] characters, not blank, none a control character.
    pub subject: String,
    /// The account. Whether there is such an account is not known here.
    pub account: AccountId,
    /// The roles, each once. Never empty.
    pub roles: Vec<Role>,
    /// Who the holder is. There exactly where ENGINEER is among the roles.
    pub engineer: Option<EngineerClaim>,
    /// The time `exp`.
    pub expires_at: DateTime<Utc>,
}

/// Whether a text can be the subject of a token.
pub(super) fn is_subject(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_SUBJECT && !text.chars().any(char::is_control)
}

/// The claims of a token whose signature was checked, by name. A claim that is `null` has the wrong form.
pub(super) struct Payload(pub(super) Map<String, Value>);

impl Payload {
    /// A text.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, TokenFault> {
        self.get(name)?.as_str().ok_or(TokenFault::BadClaim(name))
    }

    /// A time: seconds since 1970, whole or not (RFC 7519, section 2, "NumericDate").
    pub(super) fn time(&self, name: &'static str) -> Result<DateTime<Utc>, TokenFault> {
        let seconds = self.get(name)?.as_f64().filter(|seconds| (0.0..=LATEST_SECONDS).contains(seconds));
        #[expect(clippy::cast_possible_truncation, reason = "within the bounds only part of a millisecond is cut off")]
        let millis = seconds.map(|seconds| (seconds * 1000.0) as i64);
        millis.and_then(DateTime::from_timestamp_millis).ok_or(TokenFault::BadClaim(name))
    }

    /// The same, of a claim that need not be there.
    pub(super) fn time_if_present(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, TokenFault> {
        if self.0.contains_key(name) { self.time(name).map(Some) } else { Ok(None) }
    }

    /// Whether `aud` is that audience, or a list that has it (RFC 7519, section 4.1.3).
    pub(super) fn is_for(&self, audience: &str) -> Result<bool, TokenFault> {
        match self.get("aud")? {
            Value::String(one) => Ok(one == audience),
            Value::Array(several) if several.iter().all(Value::is_string) => {
                Ok(several.iter().any(|one| one.as_str() == Some(audience)))
            }
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                Err(TokenFault::BadClaim("aud"))
            }
        }
    }

    /// What stands behind the name of a claim, or behind a path into one: `realm_access.roles`. A name with dots in it is found
    /// too, at any place of the path.
    pub(super) fn find(&self, path: &str) -> Option<&Value> {
        find(&self.0, path)
    }

    fn get(&self, name: &'static str) -> Result<&Value, TokenFault> {
        self.0.get(name).ok_or(TokenFault::MissingClaim(name))
    }
}

fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let inner = claims.get(path.get(..at)?)?.as_object()?;
        find(inner, path.get(at + 1..)?)
    })
}
