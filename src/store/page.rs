//! Reads that a page of a list makes for all its entries at once, so that the number of statements does not grow with the page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{channel, confirmation_sync, event};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, Iterable, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Expr, Order, Query, SelectStatement, SimpleExpr, WindowStatement},
};
use uuid::Uuid;

use super::{
    Keyset, Rows, StoreError,
    channel::read_channel,
    engineer::keys,
    event::{STATUS_CHANGED, read_event},
};
use crate::domain::{
    channel::ChannelKind,
    confirmation::Channel,
    event::{LoggedEvent, Position},
    id::EngineerId,
};

/// The name of the row number in [`Rows::list_histories`].
const RANK: &str = "rank_of_one";

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

    /// The same page of each of these engineers' status changes, newest first, in one statement. Engineers without any are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_histories(
        &self,
        engineers: &[EngineerId],
        keyset: &Keyset<Position>,
    ) -> Result<HashMap<EngineerId, Vec<LoggedEvent>>, StoreError> {
        let mut query = Query::select();
        query
            .columns(event::Column::iter())
            .from_subquery(self.ranked_history(engineers, keyset), "ranked")
            .and_where(Expr::col(RANK).lte(keyset.limit))
            .order_by(event::Column::Position, Order::Desc);
        let statement = self.db.get_database_backend().build(&query);
        let rows = event::Model::find_by_statement(statement).all(self.db).await?;
        let mut histories: HashMap<_, Vec<_>> = HashMap::new();
        for row in &rows {
            let logged = read_event(row)?;
            if let Some(engineer) = logged.event.engineer() {
                histories.entry(engineer).or_default().push(logged);
            }
        }
        Ok(histories)
    }

    /// The status changes of these engineers, each numbered among those of its engineer from the page's end on.
    fn ranked_history(&self, engineers: &[EngineerId], keyset: &Keyset<Position>) -> SelectStatement {
        let direction = if keyset.from_end { Order::Asc } else { Order::Desc };
        let mut window = WindowStatement::partition_by(event::Column::EngineerId);
        window.order_by(event::Column::Position, direction);
        let mut query = Query::select();
        query
            .columns(event::Column::iter())
            .expr_window_as(Expr::cust("ROW_NUMBER()"), window, RANK)
            .from(event::Entity)
            .and_where(Expr::col(event::Column::Account).eq(self.account.as_str()))
            .and_where(Expr::col(event::Column::Kind).eq(STATUS_CHANGED))
            .and_where(Expr::col(event::Column::EngineerId).is_in(keys(engineers)));
        // Newest first: what comes after a cursor is older.
        if let Some(after) = keyset.after {
            query.and_where(Expr::col(event::Column::Position).lt(after.0));
        }
        if let Some(before) = keyset.before {
            query.and_where(Expr::col(event::Column::Position).gt(before.0));
        }
        query
    }

    /// How many status changes each of these engineers has; those without any are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_histories(&self, engineers: &[EngineerId]) -> Result<HashMap<EngineerId, u64>, StoreError> {
        let rows: Vec<(Uuid, i64)> = event::Entity::find()
            .select_only()
            .column(event::Column::EngineerId)
            .column_as(event::Column::Position.count(), "count")
            .filter(event::Column::Account.eq(self.account.as_str()))
            .filter(event::Column::Kind.eq(STATUS_CHANGED))
            .filter(event::Column::EngineerId.is_in(keys(engineers)))
            .group_by(event::Column::EngineerId)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(rows.into_iter().map(|(id, count)| (EngineerId(id), u64::try_from(count).unwrap_or(0))).collect())
    }
}
