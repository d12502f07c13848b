//! The requests to confirm: one row a generation.

use chrono::{DateTime, Utc};
use entity::{channel, channel_subscription, confirmation_link, outbox_message};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    UpdateMany,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use super::{Rows, StoreError, engineer::keys, queue::deleted_people, row::Place, seal::Seal, tx::ROWS_PER_INSERT};
use crate::domain::{
    channel::ChannelKind,
    confirmation::ConfirmationStatus,
    id::{ChannelSubscriptionId, EngineerId},
};

/// To be handed to the provider.
pub(super) const HAND_OVER: &str = "HAND_OVER";
/// With the provider, or done; nothing to do.
pub(super) const HELD: &str = "HELD";
/// To be cancelled at the provider.
pub(super) const CANCEL: &str = "CANCEL";
/// Cancelled, or never to be.
pub(super) const CLOSED: &str = "CLOSED";

/// One request to confirm one channel at one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The generation.
    pub id: ChannelSubscriptionId,
    /// Whose channel.
    pub engineer: EngineerId,
    /// Which channel.
    pub channel: ChannelKind,
    /// Who is asked to ask.
    pub provider: String,
    /// The provider's name of the request, once it was accepted.
    pub reference: Option<String>,
    /// The endpoint; `None` once nothing needs it.
    pub endpoint: Option<String>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it may be handed over.
    pub due_at: DateTime<Utc>,
    /// How often the present work was tried.
    pub attempts: i32,
    /// When it was retired.
    pub retired_at: Option<DateTime<Utc>>,
    /// When a complete listing first lacked it.
    pub missing_since: Option<DateTime<Utc>>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The request of a generation.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_subscription(&self, id: ChannelSubscriptionId) -> Result<Option<Subscription>, StoreError> {
        let row = channel_subscription::Entity::find_by_id(id.0)
            .filter(channel_subscription::Column::Account.eq(self.account.as_str()))
            .one(self.db)
            .await?;
        row.as_ref().map(|row| self.read_subscription(row)).transpose()
    }

    /// The requests that these references of a provider name, and that the provider was not made to forget yet.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_known_subscriptions(
        &self,
        provider: &str,
        references: &[String],
    ) -> Result<Vec<Subscription>, StoreError> {
        let rows = self
            .subscriptions_in(provider, &[HAND_OVER, HELD, CANCEL])
            .filter(channel_subscription::Column::Reference.is_in(references))
            .order_by_asc(channel_subscription::Column::Id)
            .all(self.db)
            .await?;
        rows.iter().map(|row| self.read_subscription(row)).collect()
    }

    /// The requests at a provider that a complete listing must have: those of PENDING and CONFIRMED channels that were asked for
    /// before `listing_began`. By reference; those of deleted people are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_expected_references(
        &self,
        provider: &str,
        listing_began: DateTime<Utc>,
    ) -> Result<Vec<(ChannelSubscriptionId, String, Option<DateTime<Utc>>)>, StoreError> {
        let rows: Vec<(Uuid, String, Option<DateTime<Utc>>)> = self
            .live_subscriptions(provider)
            .select_only()
            .columns([
                channel_subscription::Column::Id,
                channel_subscription::Column::Reference,
                channel_subscription::Column::MissingSince,
            ])
            .filter(channel_subscription::Column::Reference.is_not_null())
            .filter(channel_subscription::Column::RequestedAt.lt(listing_began))
            .filter(channel_subscription::Column::Id.in_subquery(self.generations_that_can_be_gone()))
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(rows.into_iter().map(|(id, reference, since)| (ChannelSubscriptionId(id), reference, since)).collect())
    }

    /// Whether a live request other than this one goes by the same reference: then it must not be cancelled.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shares_reference(&self, subscription: &Subscription) -> Result<bool, StoreError> {
        let Some(reference) = &subscription.reference else { return Ok(false) };
        let other = self
            .live_subscriptions(&subscription.provider)
            .filter(channel_subscription::Column::Reference.eq(reference.as_str()))
            .filter(channel_subscription::Column::Id.ne(subscription.id.0))
            .one(self.db)
            .await?;
        Ok(other.is_some())
    }

    fn claimed(&self, id: ChannelSubscriptionId, owner: &str) -> UpdateMany<channel_subscription::Entity> {
        channel_subscription::Entity::update_many()
            .filter(channel_subscription::Column::Account.eq(self.account.as_str()))
            .filter(channel_subscription::Column::Id.eq(id.0))
            .filter(channel_subscription::Column::ClaimedBy.eq(owner))
    }

    fn live_subscriptions(&self, provider: &str) -> sea_orm::Select<channel_subscription::Entity> {
        self.subscriptions_in(provider, &[HAND_OVER, HELD])
    }

    fn subscriptions_in(&self, provider: &str, phases: &[&str]) -> sea_orm::Select<channel_subscription::Entity> {
        channel_subscription::Entity::find()
            .filter(channel_subscription::Column::Account.eq(self.account.as_str()))
            .filter(channel_subscription::Column::Provider.eq(provider))
            .filter(channel_subscription::Column::Phase.is_in(phases.iter().copied()))
    }

    fn generations_that_can_be_gone(&self) -> SelectStatement {
        let statuses = [ConfirmationStatus::Pending.name(), ConfirmationStatus::Confirmed.name()];
        channel::Entity::find()
            .select_only()
            .column(channel::Column::Generation)
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .filter(channel::Column::Status.is_in(statuses))
            .filter(channel::Column::EngineerId.not_in_subquery(deleted_people()))
            .into_query()
    }

    fn subscription_row(
        &self,
        one: &Subscription,
        seal: &Seal,
    ) -> Result<channel_subscription::ActiveModel, StoreError> {
        let endpoint = one.endpoint.as_deref().unwrap_or_default();
        Ok(channel_subscription::ActiveModel {
            id: Set(one.id.0),
            account: Set(self.account.to_string()),
            engineer_id: Set(one.engineer.0),
            kind: Set(one.channel.name().to_owned()),
            provider: Set(one.provider.clone()),
            reference: Set(one.reference.clone()),
            endpoint_sealed: Set(Some(seal.seal(&sealing_identity(one.id), endpoint)?)),
            endpoint_key: Set(self.endpoint_key(endpoint)),
            requested_at: Set(one.requested_at),
            phase: Set(HAND_OVER.to_owned()),
            retired_at: Set(None),
            missing_since: Set(None),
            attempts: Set(0),
            next_attempt_at: Set(one.due_at),
            claimed_by: Set(None),
            claimed_until: Set(None),
        })
    }

    pub(super) fn read_subscription(&self, row: &channel_subscription::Model) -> Result<Subscription, StoreError> {
        let place = Place { table: "channel_subscription", id: &row.id };
        let id = ChannelSubscriptionId(row.id);
        let open = |sealed: &String| self.sealer.open(&sealing_identity(id), sealed);
        Ok(Subscription {
            id,
            engineer: EngineerId(row.engineer_id),
            channel: place.name("kind", &row.kind, ChannelKind::from_name)?,
            provider: row.provider.clone(),
            reference: row.reference.clone(),
            endpoint: row.endpoint_sealed.as_ref().map(open).transpose()?,
            requested_at: row.requested_at,
            due_at: row.next_attempt_at,
            attempts: row.attempts,
            retired_at: row.retired_at,
            missing_since: row.missing_since,
        })
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Adds requests: work for the provider.
    ///
    /// # Errors
    /// When sealing or the database fails.
    pub async fn insert_subscriptions(&self, subscriptions: &[Subscription]) -> Result<(), StoreError> {
        if subscriptions.is_empty() {
            return Ok(());
        }
        let seal = self.present_seal().await?;
        for chunk in subscriptions.chunks(ROWS_PER_INSERT) {
            let rows =
                chunk.iter().map(|one| self.subscription_row(one, &seal)).collect::<Result<Vec<_>, StoreError>>()?;
            channel_subscription::Entity::insert_many(rows).exec_without_returning(self.db).await?;
        }
        Ok(())
    }

    /// Notes since when complete listings lack these requests; `None` where they are there again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_missing_since(
        &self,
        ids: &[ChannelSubscriptionId],
        since: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        for chunk in ids.chunks(ROWS_PER_INSERT) {
            channel_subscription::Entity::update_many()
                .col_expr(channel_subscription::Column::MissingSince, Expr::value(since))
                .filter(channel_subscription::Column::Account.eq(self.account.as_str()))
                .filter(channel_subscription::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .exec(self.db)
                .await?;
        }
        Ok(())
    }

    /// Notes that the provider took the request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_subscription(&self, id: ChannelSubscriptionId, reference: &str) -> Result<(), StoreError> {
        self.update_subscriptions(
            &[id],
            channel_subscription::ActiveModel {
                phase: Set(HELD.to_owned()),
                reference: Set(Some(reference.to_owned())),
                claimed_by: Set(None),
                claimed_until: Set(None),
                ..Default::default()
            },
        )
        .await
    }

    /// Turns requests into cancel work.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire_subscriptions(
        &self,
        ids: &[ChannelSubscriptionId],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.update_subscriptions(
            ids,
            channel_subscription::ActiveModel {
                phase: Set(CANCEL.to_owned()),
                retired_at: Set(Some(now)),
                attempts: Set(0),
                next_attempt_at: Set(now),
                ..Default::default()
            },
        )
        .await
    }

    /// Closes requests: nothing is to be done any more, so nothing is kept that only work would need.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_subscriptions(&self, ids: &[ChannelSubscriptionId]) -> Result<(), StoreError> {
        self.update_subscriptions(
            ids,
            channel_subscription::ActiveModel {
                phase: Set(CLOSED.to_owned()),
                endpoint_sealed: Set(None),
                claimed_by: Set(None),
                claimed_until: Set(None),
                ..Default::default()
            },
        )
        .await
    }

    /// Puts claimed work back, to be tried again at `at`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_subscription(
        &self,
        id: ChannelSubscriptionId,
        attempts: i32,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.update_subscriptions(
            &[id],
            channel_subscription::ActiveModel {
                attempts: Set(attempts),
                next_attempt_at: Set(at),
                claimed_by: Set(None),
                claimed_until: Set(None),
                ..Default::default()
            },
        )
        .await
    }

    /// Prolongs the claim of `owner` on work that is still to be done. Tells whether they still had it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_claim(
        &self,
        id: ChannelSubscriptionId,
        owner: &str,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let kept = self
            .claimed(id, owner)
            .col_expr(channel_subscription::Column::ClaimedUntil, Expr::value(Some(until)))
            .filter(channel_subscription::Column::Phase.eq(HAND_OVER))
            .exec(self.db)
            .await?;
        Ok(kept.rows_affected > 0)
    }

    /// Gives a claim of `owner` back, so that what is due now need not wait for its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back_claim(&self, id: ChannelSubscriptionId, owner: &str) -> Result<(), StoreError> {
        self.claimed(id, owner)
            .col_expr(channel_subscription::Column::ClaimedBy, Expr::value(Option::<String>::None))
            .col_expr(channel_subscription::Column::ClaimedUntil, Expr::value(Option::<DateTime<Utc>>::None))
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Retires every request of these people, and removes the links and outbox messages that name them: part of erasing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire_all_of(&self, engineers: &[EngineerId], now: DateTime<Utc>) -> Result<(), StoreError> {
        use channel_subscription::Column;
        let of_them = || {
            channel_subscription::Entity::find()
                .filter(Column::Account.eq(self.account.as_str()))
                .filter(Column::EngineerId.is_in(keys(engineers)))
        };
        let rows: Vec<Uuid> = of_them().select_only().column(Column::Id).into_tuple().all(self.db).await?;
        outbox_message::Entity::delete_many()
            .filter(outbox_message::Column::Account.eq(self.account.as_str()))
            .filter(outbox_message::Column::MessageId.is_in(rows.iter().map(|id| id.simple().to_string())))
            .exec(self.db)
            .await?;
        confirmation_link::Entity::delete_many()
            .filter(confirmation_link::Column::Account.eq(self.account.as_str()))
            .filter(confirmation_link::Column::EngineerId.is_in(keys(engineers)))
            .exec(self.db)
            .await?;
        let live: Vec<Uuid> = of_them()
            .select_only()
            .column(Column::Id)
            .filter(Column::Phase.is_in([HAND_OVER, HELD]))
            .into_tuple()
            .all(self.db)
            .await?;
        self.retire_subscriptions(&live.into_iter().map(ChannelSubscriptionId).collect::<Vec<_>>(), now).await
    }

    async fn update_subscriptions(
        &self,
        ids: &[ChannelSubscriptionId],
        values: channel_subscription::ActiveModel,
    ) -> Result<(), StoreError> {
        for chunk in ids.chunks(ROWS_PER_INSERT) {
            channel_subscription::Entity::update_many()
                .set(values.clone())
                .filter(channel_subscription::Column::Account.eq(self.account.as_str()))
                .filter(channel_subscription::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .exec(self.db)
                .await?;
        }
        Ok(())
    }
}

pub(super) fn sealing_identity(id: ChannelSubscriptionId) -> String {
    format!("channel_subscription/{}/endpoint", id.0.simple())
}
