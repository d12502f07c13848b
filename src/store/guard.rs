//! The guards of the endpoints: recent requests and opt-outs.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::endpoint_guard;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

use super::{Rows, StoreError, row::Place, tx::ROWS_PER_INSERT};
use crate::domain::{
    channel::ChannelKind,
    resend::{EndpointGuard, GuardedRequest},
};

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The key of an endpoint in this account.
    pub fn endpoint_key(&self, endpoint: &str) -> String {
        self.sealer.endpoint_key(self.account, endpoint)
    }

    /// The guards of these endpoint keys; a missing one guards nothing.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_guards(&self, keys: &[String]) -> Result<HashMap<String, EndpointGuard>, StoreError> {
        let rows = endpoint_guard::Entity::find()
            .filter(endpoint_guard::Column::Account.eq(self.account.as_str()))
            .filter(endpoint_guard::Column::EndpointKey.is_in(keys))
            .all(self.db)
            .await?;
        rows.iter().map(|row| Ok((row.endpoint_key.clone(), read_guard(row)?))).collect()
    }

    fn guard_row(&self, key: &str, guard: &EndpointGuard) -> endpoint_guard::ActiveModel {
        endpoint_guard::ActiveModel {
            account: Set(self.account.to_string()),
            endpoint_key: Set(key.to_owned()),
            opted_out_at: Set(guard.opted_out_at),
            requests: Set(write_requests(&guard.requests)),
        }
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Locks the guards of these endpoint keys to the end of the transaction, and makes those that are missing. Locks are taken in
    /// the order of the keys.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn lock_guards(&self, keys: &[String]) -> Result<BTreeMap<String, EndpointGuard>, StoreError> {
        let mut keys: Vec<_> = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        loop {
            self.make_guards(&keys).await?;
            let rows = endpoint_guard::Entity::find()
                .filter(endpoint_guard::Column::Account.eq(self.account.as_str()))
                .filter(endpoint_guard::Column::EndpointKey.is_in(&keys))
                .order_by_asc(endpoint_guard::Column::EndpointKey)
                .lock_exclusive()
                .all(self.db)
                .await?;
            // One that was there a moment ago may have been pruned since.
            if rows.len() >= keys.len() {
                return rows.iter().map(|row| Ok((row.endpoint_key.clone(), read_guard(row)?))).collect();
            }
        }
    }

    /// Makes those guards that are missing.
    async fn make_guards(&self, keys: &[String]) -> Result<(), StoreError> {
        for chunk in keys.chunks(ROWS_PER_INSERT) {
            let rows = chunk.iter().map(|key| self.guard_row(key, &EndpointGuard::default()));
            endpoint_guard::Entity::insert_many(rows)
                .on_conflict(guard_conflict().do_nothing().to_owned())
                .exec_without_returning(self.db)
                .await?;
        }
        Ok(())
    }

    /// Writes guards that were locked before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_guards(&self, guards: &BTreeMap<String, EndpointGuard>) -> Result<(), StoreError> {
        let rows: Vec<_> = guards.iter().map(|(key, guard)| self.guard_row(key, guard)).collect();
        for chunk in rows.chunks(ROWS_PER_INSERT) {
            let mut on_conflict = guard_conflict();
            on_conflict.update_columns([endpoint_guard::Column::OptedOutAt, endpoint_guard::Column::Requests]);
            endpoint_guard::Entity::insert_many(chunk.to_vec())
                .on_conflict(on_conflict)
                .exec_without_returning(self.db)
                .await?;
        }
        Ok(())
    }
}

fn guard_conflict() -> OnConflict {
    OnConflict::columns([endpoint_guard::Column::Account, endpoint_guard::Column::EndpointKey])
}

/// The requests as text: `SMS@1764000000000 EMAIL@…`, milliseconds since 1970 in UTC.
fn write_requests(requests: &[GuardedRequest]) -> String {
    let one = |request: &GuardedRequest| format!("{}@{}", request.channel.name(), request.at.timestamp_millis());
    requests.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn read_requests(text: &str) -> Option<Vec<GuardedRequest>> {
    let one = |word: &str| {
        let (channel, at) = word.split_once('@')?;
        let at = DateTime::<Utc>::from_timestamp_millis(at.parse().ok()?)?;
        Some(GuardedRequest { channel: ChannelKind::from_name(channel)?, at })
    };
    text.split_ascii_whitespace().map(one).collect()
}

pub(super) fn read_guard(row: &endpoint_guard::Model) -> Result<EndpointGuard, StoreError> {
    let place = Place { table: "endpoint_guard", id: &row.endpoint_key };
    let requests = place.need("requests", read_requests(&row.requests))?;
    Ok(EndpointGuard { opted_out_at: row.opted_out_at, requests })
}
