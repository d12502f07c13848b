//! Where the results of one live query go: to an operation of a WebSocket, or to a stream of server-sent events.

use async_trait::async_trait;
use axum::body::Bytes;

use super::result::Failure;

/// What became of a result that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is on its way.
    Taken,
    /// There is no room now. Nothing of it was taken.
    Full,
    /// Nobody wants results any more.
    Gone,
}

/// Nobody wants results any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

/// How a live query ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is nothing more to come.
    Complete,
    /// It failed.
    Failed(Failure),
}

/// Takes the results of one live query.
#[async_trait]
pub(super) trait Sink: Send + Sync + 'static {
    /// Hands a result on, as JSON, if there is room for it. Never waits.
    fn offer(&self, result: &Bytes) -> Offer;

    /// Waits until there is room.
    async fn ready(&self) -> Result<(), Gone>;

    /// Tells that nothing more comes.
    fn end(&self, ending: &Ending);
}
