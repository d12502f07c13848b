//! One id type per thing, so that swapped arguments do not compile, and one public form for each.
//!
//! The public form is `kind:` and 32 hexadecimal digits. Clients treat it as opaque; the kind lets the server refuse an id of
//! the wrong thing. Keys are UUIDs of version 7 (RFC 9562), made from a time and random bytes that the caller brings.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::chance::Chance;

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a {kind}")]
pub struct InvalidId {
    /// What the id should have named.
    pub kind: &'static str,
}

/// The key of an account, as written in the configuration (`[accounts.demo]`): 1 to 64 of `a-z`, `0-9`, `-` and `_`,
/// beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The longest key, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with(['-', '_']);
        if fits { Ok(Self(text.into())) } else { Err(InvalidId { kind: "account" }) }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The kind that the public form begins with.
            pub const KIND: &'static str = $kind;

            /// A new id, ordered by `now`.
            pub fn generate(now: DateTime<Utc>, chance: &dyn Chance) -> Self {
                Self(new_uuid(now, chance))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", $kind, self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($kind, ":"))
                    .filter(|key| key.len() == 32)
                    .and_then(|key| Uuid::try_parse(key).ok())
                    .map(Self)
                    .ok_or(InvalidId { kind: $kind })
            }
        }
    };
}

id!(
    /// One person on the roll.
    EngineerId,
    "engineer"
);
id!(
    /// One request to confirm one channel at one endpoint: a *generation*.
    ChannelSubscriptionId,
    "channel-subscription"
);
id!(
    /// One run of a directory sync.
    DirectorySyncId,
    "directory-sync"
);
id!(
    /// One entry of the event log.
    EventId,
    "status-change"
);

id!(
    /// One API key.
    ApiKeyId,
    "api-key"
);

id!(
    /// One entry of the audit log.
    AuditEntryId,
    "audit-entry"
);

pub(super) fn new_uuid(now: DateTime<Utc>, chance: &dyn Chance) -> Uuid {
    let mut random = [0; 10];
    chance.fill(&mut random);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
