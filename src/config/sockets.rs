//! WebSockets and streams of server-sent events.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::to_usize;

/// WebSockets and streams of server-sent events: how many there may be, and how long they are waited for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SocketsSection {
    /// How many may be open on this server. Each takes a file handle: see the system's limit on open files. Of these, at most a
    /// quarter may be clients that have not said yet who they are, and 16 in any case.
    #[schemars(range(min = 1, max = 1_000_000))]
    per_server: u32,
    /// How many one subject may have open on this server: a user, or an API key.
    #[schemars(range(min = 1, max = 1_000_000))]
    per_subject: u32,
    /// How many operations one WebSocket may carry at once.
    #[schemars(range(min = 1, max = 10_000))]
    operations: u32,
    /// The largest message from a client, in bytes.
    #[schemars(range(min = 1024, max = 16_777_216))]
    max_message_bytes: u32,
    /// How long a client may take to send `connection_init`, in seconds.
    #[schemars(range(min = 1, max = 600))]
    init_timeout_seconds: u32,
    /// How often the server pings, in seconds.
    #[schemars(range(min = 1, max = 600))]
    ping_seconds: u32,
    /// How long what waits for a client may take to get away, in seconds. Then the connection is cut.
    #[schemars(range(min = 1, max = 600))]
    stall_timeout_seconds: u32,
}

impl Default for SocketsSection {
    fn default() -> Self {
        Self {
            per_server: 20_000,
            per_subject: 20,
            operations: 100,
            max_message_bytes: 64 * 1024,
            init_timeout_seconds: 10,
            ping_seconds: 15,
            stall_timeout_seconds: 45,
        }
    }
}

/// WebSockets and streams of server-sent events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketsConfig {
    /// How many may be open on this server.
    pub per_server: usize,
    /// How many one subject may have open on this server.
    pub per_subject: usize,
    /// How many operations one WebSocket may carry at once.
    pub operations: usize,
    /// The largest message from a client, in bytes.
    pub max_message: usize,
    /// How long a client may take to send `connection_init`.
    pub init_timeout: Duration,
    /// How often the server pings.
    pub ping_every: Duration,
    /// How long what waits for a client may take to get away.
    pub stall_timeout: Duration,
}

impl SocketsSection {
    pub(super) fn resolve(&self) -> SocketsConfig {
        let seconds = |number: u32| Duration::from_secs(number.into());
        SocketsConfig {
            per_server: to_usize(self.per_server),
            per_subject: to_usize(self.per_subject),
            operations: to_usize(self.operations),
            max_message: to_usize(self.max_message_bytes),
            init_timeout: seconds(self.init_timeout_seconds),
            ping_every: seconds(self.ping_seconds),
            stall_timeout: seconds(self.stall_timeout_seconds),
        }
    }
}
