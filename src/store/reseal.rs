//! Changing the sealing key beside running servers.
//!
//! The database names the key that is sealed with, and who seals reads that name in the transaction that writes, so that it cannot
//! change before the commit. Once another key is named, nothing more is sealed with the old one, whoever still works with it in
//! memory; what lies sealed with it is opened and sealed anew, some people at a time.

use entity::{channel, channel_subscription, installation};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{Rows, Store, StoreError, channel as robots, row::Place, seal::Seal, subscription as requests};
use crate::domain::{
    channel::ChannelKind,
    id::{ChannelSubscriptionId, EngineerId},
};

/// The fact of the installation that names the sealing key.
pub(super) const SEALING_KEY: &str = "sealing_key";

/// What was done to some people's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that are sealed with the present key now.
    pub done: usize,
    /// Values that could not be opened, and stay as they are.
    pub stuck: usize,
}

impl Store {
    /// The id of the key that is sealed with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn present_sealing_key(&self) -> Result<String, StoreError> {
        self.remember(SEALING_KEY, &self.sealer().first_key()).await
    }

    /// Seals with the key of that id from now on. Transactions that seal are waited for; those that come later use it.
    ///
    /// # Errors
    /// When this process does not have the key, or the database fails.
    pub async fn change_sealing_key(&self, id: &str) -> Result<(), StoreError> {
        self.sealer().seal_with(id)?;
        installation::Entity::update_many()
            .col_expr(installation::Column::Value, Expr::value(id))
            .filter(installation::Column::Name.eq(SEALING_KEY))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// How many rows hold something that is sealed with another key than that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_sealed_otherwise(&self, id: &str) -> Result<u64, StoreError> {
        let channels = channel::Entity::find().filter(channel_is_sealed_otherwise(id)).count(self.reader()).await?;
        let requests = channel_subscription::Entity::find().filter(request_is_sealed_otherwise(id));
        Ok(channels + requests.count(self.reader()).await?)
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// People who have something sealed with another key than that, ordered by id after one, `limit` at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sealed_otherwise(
        &self,
        key: &str,
        after: Option<EngineerId>,
        limit: u64,
    ) -> Result<Vec<EngineerId>, StoreError> {
        let robots = {
            use channel::Column;
            let query = channel::Entity::find()
                .select_only()
                .column(Column::EngineerId)
                .distinct()
                .filter(Column::Account.eq(self.account.as_str()))
                .filter(channel_is_sealed_otherwise(key))
                .order_by_asc(Column::EngineerId)
                .limit(limit);
            match after {
                Some(after) => query.filter(Column::EngineerId.gt(after.0)),
                None => query,
            }
        };
        let requests = {
            use channel_subscription::Column;
            let query = channel_subscription::Entity::find()
                .select_only()
                .column(Column::EngineerId)
                .distinct()
                .filter(Column::Account.eq(self.account.as_str()))
                .filter(request_is_sealed_otherwise(key))
                .order_by_asc(Column::EngineerId)
                .limit(limit);
            match after {
                Some(after) => query.filter(Column::EngineerId.gt(after.0)),
                None => query,
            }
        };
        let mut found: Vec<Uuid> = robots.into_tuple().all(self.db).await?;
        found.extend(requests.into_tuple::<Uuid>().all(self.db).await?);
        found.sort_unstable();
        found.dedup();
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(EngineerId).collect())
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// What seals in this transaction: with the key that the database names, to the commit.
    pub(super) async fn present_seal(&self) -> Result<Seal, StoreError> {
        let row = installation::Entity::find_by_id(SEALING_KEY.to_owned()).lock_shared().one(self.db).await?;
        self.sealer.seal_with(&row.map_or_else(|| self.sealer.first_key(), |row| row.value))
    }

    /// Seals everything of these people anew that is sealed with another key than the present one. They must be locked.
    ///
    /// # Errors
    /// When the present key is not at hand, or the database fails.
    pub async fn reseal(&self, engineers: &[EngineerId]) -> Result<Resealed, StoreError> {
        let seal = self.present_seal().await?;
        let ids: Vec<_> = engineers.iter().map(|id| id.0).collect();
        let mut resealed = Resealed::default();
        self.reseal_robots(&seal, &ids, &mut resealed).await?;
        self.reseal_requests(&seal, &ids, &mut resealed).await?;
        Ok(resealed)
    }

    async fn reseal_robots(&self, seal: &Seal, ids: &[Uuid], resealed: &mut Resealed) -> Result<(), StoreError> {
        use channel::Column;
        let rows = channel::Entity::find()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::EngineerId.is_in(ids.iter().copied()))
            .filter(channel_is_sealed_otherwise(seal.id()))
            .all(self.db)
            .await?;
        for row in rows {
            let place = Place { table: "channel", id: &row.engineer_id };
            let kind = place.name("kind", &row.kind, ChannelKind::from_name)?;
            let identity = |what| robots::sealing_identity(EngineerId(row.engineer_id), kind, what);
            let again = |what, value: Option<&String>| value.map(|value| self.seal_again(seal, &identity(what), value));
            let webhook = again("webhook", row.webhook_sealed.as_ref()).transpose();
            let secret = again("secret", row.secret_sealed.as_ref()).transpose();
            let (Ok(webhook), Ok(secret)) = (webhook, secret) else {
                tracing::error!(engineer.id = %row.engineer_id, "A chat robot's endpoint cannot be opened");
                resealed.stuck += 1;
                continue;
            };
            channel::Entity::update_many()
                .col_expr(Column::WebhookSealed, Expr::value(webhook))
                .col_expr(Column::SecretSealed, Expr::value(secret))
                .filter(Column::Account.eq(self.account.as_str()))
                .filter(Column::EngineerId.eq(row.engineer_id))
                .filter(Column::Kind.eq(row.kind.as_str()))
                .exec(self.db)
                .await?;
            resealed.done += 1;
        }
        Ok(())
    }

    async fn reseal_requests(&self, seal: &Seal, ids: &[Uuid], resealed: &mut Resealed) -> Result<(), StoreError> {
        use channel_subscription::Column;
        let rows = channel_subscription::Entity::find()
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::EngineerId.is_in(ids.iter().copied()))
            .filter(request_is_sealed_otherwise(seal.id()))
            .order_by_asc(Column::Id)
            .all(self.db)
            .await?;
        for row in rows {
            let Some(sealed) = &row.endpoint_sealed else { continue };
            let Ok(again) = self.seal_again(seal, &requests::sealing_identity(ChannelSubscriptionId(row.id)), sealed)
            else {
                tracing::error!(channel.subscription.id = %row.id, "A request's endpoint cannot be opened");
                resealed.stuck += 1;
                continue;
            };
            // A worker may close a request of someone who was erased, and whom nobody can lock any more.
            channel_subscription::Entity::update_many()
                .col_expr(Column::EndpointSealed, Expr::value(Some(again)))
                .filter(Column::Account.eq(self.account.as_str()))
                .filter(Column::Id.eq(row.id))
                .filter(Column::EndpointSealed.eq(sealed.as_str()))
                .exec(self.db)
                .await?;
            resealed.done += 1;
        }
        Ok(())
    }

    fn seal_again(&self, seal: &Seal, identity: &str, sealed: &str) -> Result<String, StoreError> {
        seal.seal(identity, &self.sealer.open(identity, sealed)?)
    }
}

fn channel_is_sealed_otherwise(id: &str) -> Condition {
    use channel::Column;
    Condition::any()
        .add(is_sealed_otherwise(Column::WebhookSealed, id))
        .add(is_sealed_otherwise(Column::SecretSealed, id))
}

fn request_is_sealed_otherwise(id: &str) -> Condition {
    Condition::all().add(is_sealed_otherwise(channel_subscription::Column::EndpointSealed, id))
}

/// Null is not like anything, and so it is not unlike either.
fn is_sealed_otherwise<C: ColumnTrait>(column: C, id: &str) -> SimpleExpr {
    column.not_like(format!("{id}:%"))
}
