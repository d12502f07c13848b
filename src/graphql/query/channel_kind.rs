//! The kinds of channels.

use async_graphql::Object;

use crate::{domain::channel::ChannelKind, graphql::object::channel_kind::ChannelKindInfo};

/// The kinds of channels.
#[derive(Default)]
pub(in crate::graphql) struct ChannelKindQuery;

#[Object]
impl ChannelKindQuery {
    /// The kinds of channels, in the order in which they are shown.
    async fn channel_kinds(&self) -> Vec<ChannelKindInfo> {
        ChannelKind::ALL.into_iter().map(ChannelKindInfo).collect()
    }
}
