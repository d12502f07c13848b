//! A request from outside: what logs and records call it, and where it came from.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{chance::Chance, id::new_uuid};

/// The name of one HTTP request, or of one WebSocket with all its operations: a UUID of version 7. It stands in the log, in the
/// answer's header `x-request-id`, and in whatever is recorded of the request. Always the server's own: what a caller may choose
/// names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub Uuid);

impl RequestId {
    /// A new one, ordered by `now`.
    pub fn generate(now: DateTime<Utc>, chance: &dyn Chance) -> Self {
        Self(new_uuid(now, chance))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// What is known of a request before anything of it is read. Every handler finds it in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestContext {
    /// Its name.
    pub request_id: RequestId,
    /// The client's address: the peer's, or the one that a trusted proxy vouches for. An IPv4 address is never written as IPv6.
    /// Personal data: it is kept with what was done, and is in no log.
    pub address: IpAddr,
}
