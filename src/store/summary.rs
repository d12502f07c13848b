//! Counts over the roll. Reachability here is [`Reachability::of`] in SQL; a test holds the two together.

use chrono::{DateTime, Utc};
use entity::{channel, engineer};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::{
    Rows, StoreError,
    engineer_list::{EngineerFilter, configured_channels, count_channels},
    row::Place,
};
use crate::domain::{
    channel::ChannelKind,
    confirmation::ConfirmationStatus,
    engineer::{DirectoryState, Reachability},
};

/// How many channels of a kind have a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelCount {
    /// The kind.
    pub kind: ChannelKind,
    /// The status.
    pub status: ConfirmationStatus,
    /// How many.
    pub count: u64,
}

/// Counts over the roll of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterCounts {
    /// Everyone.
    pub engineers: u64,
    /// By reachability, in the order of [`Reachability::ALL`].
    pub reachability: [u64; 3],
    /// By channel and status: every pair, zeros included.
    pub channels: Vec<ChannelCount>,
    /// PENDING channels whose link dies before the moment asked for.
    pub expiring_soon: u64,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// Counts the roll; `soon` bounds the links that die soon.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn count_roster(&self, soon: DateTime<Utc>) -> Result<RosterCounts, StoreError> {
        let engineers = self.count_engineers(&EngineerFilter::default()).await?;
        let mut reachability = [0; 3];
        for (count, wanted) in reachability.iter_mut().zip(Reachability::ALL).take(2) {
            let filter = EngineerFilter { reachability_in: Some(vec![wanted]), ..EngineerFilter::default() };
            *count = self.count_engineers(&filter).await?;
        }
        reachability[2] = engineers.saturating_sub(reachability[0] + reachability[1]);
        let channels = self.count_channels_by_status(engineers).await?;
        let expiring_soon = channel::Entity::find()
            .filter(self.channels_on_the_roll())
            .filter(channel::Column::Status.eq(ConfirmationStatus::Pending.name()))
            .filter(channel::Column::ExpiresAt.lt(soon))
            .count(self.db)
            .await?;
        Ok(RosterCounts { engineers, reachability, channels, expiring_soon })
    }

    async fn count_channels_by_status(&self, engineers: u64) -> Result<Vec<ChannelCount>, StoreError> {
        let rows: Vec<(String, String, i64)> = channel::Entity::find()
            .select_only()
            .columns([channel::Column::Kind, channel::Column::Status])
            .column_as(channel::Column::Kind.count(), "count")
            .filter(self.channels_on_the_roll())
            .filter(channel::Column::Status.ne(ConfirmationStatus::NotConfigured.name()))
            .group_by(channel::Column::Kind)
            .group_by(channel::Column::Status)
            .into_tuple()
            .all(self.db)
            .await?;
        let counted = rows.into_iter().map(|(kind, status, count)| read_count(&kind, &status, count));
        Ok(complete_channels(&counted.collect::<Result<Vec<_>, StoreError>>()?, engineers))
    }

    fn channels_on_the_roll(&self) -> Condition {
        let on_the_roll = engineer::Entity::find()
            .select_only()
            .column(engineer::Column::Id)
            .filter(engineer::Column::Account.eq(self.account.as_str()))
            .filter(engineer::Column::DeletedAt.is_null())
            .into_query();
        Condition::all()
            .add(channel::Column::Account.eq(self.account.as_str()))
            .add(channel::Column::EngineerId.in_subquery(on_the_roll))
    }
}

/// One row of a count by channel and status.
pub(super) fn read_count(kind: &str, status: &str, count: i64) -> Result<ChannelCount, StoreError> {
    let place = Place { table: "channel", id: &"counts" };
    Ok(ChannelCount {
        kind: place.name("kind", kind, ChannelKind::from_name)?,
        status: place.name("status", status, ConfirmationStatus::from_name)?,
        count: u64::try_from(count).unwrap_or(0),
    })
}

/// Every pair of channel and status: those that were counted, zeros, and how many of so many people lack the channel.
pub(super) fn complete_channels(counted: &[ChannelCount], engineers: u64) -> Vec<ChannelCount> {
    let count = |kind, status| {
        let found = counted.iter().find(|one| one.kind == kind && one.status == status);
        found.map_or(0, |one| one.count)
    };
    let lacking = |kind| {
        let configured: u64 = counted.iter().filter(|one| one.kind == kind).map(|one| one.count).sum();
        engineers.saturating_sub(configured)
    };
    let complete = |kind, status| {
        let count = if status == ConfirmationStatus::NotConfigured { lacking(kind) } else { count(kind, status) };
        ChannelCount { kind, status, count }
    };
    ChannelKind::ALL.into_iter().flat_map(|kind| ConfirmationStatus::ALL.map(|status| complete(kind, status))).collect()
}

/// The condition that the engineer at hand can be reached so.
pub(super) fn reachability_is(wanted: Reachability) -> Condition {
    let active = engineer::Column::DirectoryState.eq(DirectoryState::Active.name());
    let proved = || count_channels(&[ConfirmationStatus::Confirmed, ConfirmationStatus::NotRequired]);
    match wanted {
        Reachability::Reachable => {
            Condition::all().add(active).add(proved().gt(0)).add(proved().eq(configured_channels()))
        }
        Reachability::Partial => {
            Condition::all().add(active).add(proved().gt(0)).add(proved().lt(configured_channels()))
        }
        Reachability::Unreachable => {
            Condition::any().add(engineer::Column::DirectoryState.ne(DirectoryState::Active.name())).add(proved().eq(0))
        }
    }
}
