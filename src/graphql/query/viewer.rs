//! Who asks, and since when.

use async_graphql::{Context, Object};

use crate::graphql::{context, error::Result, object::viewer::Viewer};

/// Who asks, and since when.
#[derive(Default)]
pub(in crate::graphql) struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The caller: who they are and what they may do.
    async fn viewer(&self) -> Viewer {
        Viewer
    }

    /// The end of the event log, read before anything else of the request. A live stream with this as after, together with what
    /// the request read, misses no change.
    async fn live_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        context::live_cursor(ctx).map(|cursor| cursor.to_string())
    }
}
