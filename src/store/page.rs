//! Reads that a page of a list makes for all its entries at once, so that the number of statements does not grow with the page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{channel, confirmation_sync};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SimpleExpr,
};

use super::{Rows, StoreError, channel::read_channel, engineer::keys};
use crate::domain::{channel::ChannelKind, confirmation::Channel, id::EngineerId};

/// The channels of several engineers, and as of when they are known.
#[derive(Debug, Clone, Default)]
pub struct CheckedChannels {
    /// All channels of each engineer, in the order of [`ChannelKind::ALL`].
    pub channels: HashMap<EngineerId, Vec<Channel>>,
    /// When the provider's last complete listing began. `None` also where no engineer has a channel.
    pub checked_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct CheckedRow {
    #[sea_orm(nested)]
    channel: channel::Model,
    checked_at: Option<DateTime<Utc>>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// All channels of these engineers and when that provider was last listed completely, in one statement.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_checked_channels(
        &self,
        ids: &[EngineerId],
        provider: &str,
    ) -> Result<CheckedChannels, StoreError> {
        let checked_at = confirmation_sync::Entity::find()
            .select_only()
            .column(confirmation_sync::Column::CompletedAt)
            .filter(confirmation_sync::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_sync::Column::Provider.eq(provider))
            .into_query();
        let rows = channel::Entity::find()
            .column_as(SimpleExpr::SubQuery(None, Box::new(checked_at.into())), "checked_at")
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .filter(channel::Column::EngineerId.is_in(keys(ids)))
            .into_model::<CheckedRow>()
            .all(self.db)
            .await?;
        let empty = || ChannelKind::ALL.map(Channel::empty).to_vec();
        let mut channels: HashMap<_, _> = ids.iter().map(|id| (*id, empty())).collect();
        for row in &rows {
            let channel = read_channel(&row.channel)?;
            let place = channels
                .get_mut(&EngineerId(row.channel.engineer_id))
                .and_then(|of_one| of_one.iter_mut().find(|other| other.kind == channel.kind));
            if let Some(place) = place {
                *place = channel;
            }
        }
        Ok(CheckedChannels { channels, checked_at: rows.first().and_then(|row| row.checked_at) })
    }
}
