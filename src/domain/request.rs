//! A request from outside: what logs and records call it, and where it came from.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{chance::Chance, id::new_uuid, named::named};

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

named! {
    /// The door through which a call came in.
    pub enum Door {
        /// A request over HTTP that is answered once.
        Http = "HTTP",
        /// An operation on a WebSocket.
        WebSocket = "WEBSOCKET",
        /// A stream of events over HTTP.
        Sse = "SSE",
        /// A command on the machine itself.
        CommandLine = "COMMAND_LINE",
        /// The page that a confirmation link opens.
        ConfirmPage = "CONFIRM_PAGE",
    }
}

/// How a call came in; what is not known is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Via {
    /// The door.
    pub door: Option<Door>,
    /// The HTTP request; on a WebSocket, the one that opened it.
    pub request: Option<RequestContext>,
}

impl Via {
    /// As part of that request.
    pub const fn request(door: Door, request: RequestContext) -> Self {
        Self { door: Some(door), request: Some(request) }
    }

    /// By a command on the machine itself.
    pub const COMMAND_LINE: Self = Self { door: Some(Door::CommandLine), request: None };
}
