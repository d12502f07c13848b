//! Counts over the roll.

use std::sync::Arc;

use async_graphql::{ID, Object, SimpleObject};
use chrono::Duration;

use super::choice::{ChannelKind, ConfirmationStatus, Reachability};
use crate::{
    domain::{engineer, id::AccountId},
    graphql::{error::Result, node::roster_summary_id, scalar::int},
    service::Services,
    store::RosterCounts,
};

/// How long before its end a message counts as expiring soon.
const SOON: Duration = Duration::hours(6);

/// Counts over the roll of an account.
#[derive(Clone)]
pub(in crate::graphql) struct RosterSummary {
    account: AccountId,
    counts: Arc<RosterCounts>,
}

/// How many engineers can be reached so.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ReachabilityCount {
    /// How.
    reachability: Reachability,
    /// How many engineers.
    count: i32,
}

/// How many channels of a kind have a status.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ChannelStatusCount {
    /// The kind.
    channel: ChannelKind,
    /// The status.
    status: ConfirmationStatus,
    /// How many channels.
    count: i32,
}

impl RosterSummary {
    /// Counts the roll as it is now.
    pub async fn count(services: &Services, account: &AccountId) -> Result<Self> {
        let counts = services.store().rows(account).count_roster(services.now() + SOON).await?;
        Ok(Self { account: account.clone(), counts: Arc::new(counts) })
    }
}

/// Counts over the roll. Deleted people are not counted.
#[Object]
impl RosterSummary {
    /// The id: opaque; each account has one summary.
    pub async fn id(&self) -> ID {
        roster_summary_id(&self.account)
    }

    /// How many engineers there are.
    async fn engineers(&self) -> i32 {
        int(self.counts.engineers)
    }

    /// How many of them can be reached how: one entry for each value, zeros included.
    async fn by_reachability(&self) -> Vec<ReachabilityCount> {
        let entry = |(reachability, count): (engineer::Reachability, u64)| ReachabilityCount {
            reachability: reachability.into(),
            count: int(count),
        };
        engineer::Reachability::ALL.into_iter().zip(self.counts.reachability).map(entry).collect()
    }

    /// How many channels have which status: one entry for each channel and status, zeros included.
    async fn by_channel_and_status(&self) -> Vec<ChannelStatusCount> {
        let entry = |count: &crate::store::ChannelCount| ChannelStatusCount {
            channel: count.kind.into(),
            status: count.status.into(),
            count: int(count.count),
        };
        self.counts.channels.iter().map(entry).collect()
    }

    /// How many PENDING channels expire within 6 hours unless the person answers.
    async fn expiring_soon(&self) -> i32 {
        int(self.counts.expiring_soon)
    }
}
