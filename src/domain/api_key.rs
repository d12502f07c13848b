//! API keys: for programs and wall dashboards, which nobody signs in to.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{
    actor::Role,
    chance::Chance,
    id::{AccountId, ApiKeyId},
    named::named,
};

/// The longest label, in characters.
pub const MAX_LABEL: usize = 64;

/// What every key begins with, so that people, secret scanners and the server tell it from anything else.
const PREFIX: &str = "rck_";

/// How many random bytes a key holds.
const RANDOM: usize = 24;

/// A key as its holder sends it: `rck_` and 48 hexadecimal digits, 192 bits of randomness. It is shown once and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// A new key.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut random = [0; RANDOM];
        chance.fill(&mut random);
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{PREFIX}{digits}"))
    }

    /// Whether that is meant as a key and not as a token. A token of three parts begins with its header, never like this.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The key, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let fits = digits.len() == 2 * RANDOM && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The key in clear: for whoever just made it, and for its hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A key is a secret, so it is left out.
impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(***)")
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The account in which it is good.
    pub account: AccountId,
    /// What people call it: 1 to [`MAX_LABEL`] characters. Need not be unique.
    pub label: String,
    /// What its holders may do; never ENGINEER, since a key is nobody's.
    pub role: Role,
    /// The subject who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it dies by itself; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who revoked it, and when.
    pub revoked: Option<Revoked>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// That a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// When.
    pub at: DateTime<Utc>,
    /// The subject who did.
    pub by: String,
}

named! {
    /// Whether a key is good.
    pub enum ApiKeyState {
        /// It is good.
        Active = "ACTIVE",
        /// Its time is over.
        Expired = "EXPIRED",
        /// Someone revoked it.
        Revoked = "REVOKED",
    }
}

impl ApiKey {
    /// Whether the key is good now.
    pub fn state(&self, now: DateTime<Utc>) -> ApiKeyState {
        if self.revoked.is_some() {
            ApiKeyState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            ApiKeyState::Expired
        } else {
            ApiKeyState::Active
        }
    }
}
