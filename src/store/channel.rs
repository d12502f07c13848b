//! The channels of the engineers.

use std::collections::HashMap;

use entity::channel;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};

use super::{Rows, StoreError, engineer::keys, row::Place, tx::ROWS_PER_INSERT};
use crate::domain::{
    channel::ChannelKind,
    confirmation::{Channel, Confirmation, ConfirmationStatus, FailureCode, Request, Robot},
    endpoint::{RobotSecret, Webhook},
    id::{ChannelSubscriptionId, EngineerId},
};

/// A chat robot's endpoint as a person set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotEndpoint {
    /// The webhook.
    pub webhook: Webhook,
    /// The signing secret; `None` where the robot has none.
    pub secret: Option<RobotSecret>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// All channels of these engineers, in the order of [`ChannelKind::ALL`].
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_channels(&self, ids: &[EngineerId]) -> Result<HashMap<EngineerId, Vec<Channel>>, StoreError> {
        let rows = channel::Entity::find()
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .filter(channel::Column::EngineerId.is_in(keys(ids)))
            .all(self.db)
            .await?;
        let empty = || ChannelKind::ALL.map(Channel::empty).to_vec();
        let mut channels: HashMap<_, _> = ids.iter().map(|id| (*id, empty())).collect();
        for row in &rows {
            let channel = read_channel(row)?;
            let place = channels
                .get_mut(&EngineerId(row.engineer_id))
                .and_then(|of_one| of_one.iter_mut().find(|other| other.kind == channel.kind));
            if let Some(place) = place {
                *place = channel;
            }
        }
        Ok(channels)
    }

    /// All channels of one engineer.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_channels_of(&self, id: EngineerId) -> Result<Vec<Channel>, StoreError> {
        Ok(self.list_channels(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// The webhook of a chat robot, opened. For comparing a new value with the one that is kept, and for sending.
    ///
    /// # Errors
    /// When the database fails, or the value cannot be opened.
    pub async fn open_robot(
        &self,
        engineer: EngineerId,
        kind: ChannelKind,
    ) -> Result<Option<(String, Option<String>)>, StoreError> {
        let row = channel::Entity::find_by_id((engineer.0, kind.name().to_owned()))
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .one(self.db)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let open = |what: &str, sealed: &String| self.sealer.open(&sealing_identity(engineer, kind, what), sealed);
        let webhook = row.webhook_sealed.as_ref().map(|sealed| open("webhook", sealed)).transpose()?;
        let secret = row.secret_sealed.as_ref().map(|sealed| open("secret", sealed)).transpose()?;
        Ok(webhook.map(|webhook| (webhook, secret)))
    }

    fn channel_row(&self, engineer: EngineerId, channel: &Channel) -> channel::ActiveModel {
        let request = channel.state.request();
        let (expires_at, confirmed_at, failure) = match channel.state {
            Confirmation::Pending { expires_at, .. } | Confirmation::Expired { expires_at, .. } => {
                (Some(expires_at), None, None)
            }
            Confirmation::Confirmed { at, .. } => (None, Some(at), None),
            Confirmation::Failed { code, .. } => (None, None, Some(code)),
            Confirmation::NotConfigured
            | Confirmation::Unsubscribed
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Cancelled(_) => (None, None, None),
        };
        channel::ActiveModel {
            engineer_id: Set(engineer.0),
            kind: Set(channel.kind.name().to_owned()),
            account: Set(self.account.to_string()),
            status: Set(channel.status().name().to_owned()),
            generation: Set(request.map(|request| request.generation.0)),
            requested_at: Set(request.map(|request| request.requested_at)),
            due_at: Set(request.map(|request| request.due_at)),
            expires_at: Set(expires_at),
            confirmed_at: Set(confirmed_at),
            failure_code: Set(failure.map(|code| code.name().to_owned())),
            webhook_sealed: NotSet,
            webhook_masked: NotSet,
            secret_sealed: NotSet,
        }
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Writes how channels stand. What is sealed of a chat robot stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_channels(&self, channels: &[(EngineerId, &Channel)]) -> Result<(), StoreError> {
        use channel::Column;
        for chunk in channels.chunks(ROWS_PER_INSERT) {
            let rows = chunk.iter().map(|(engineer, channel)| self.channel_row(*engineer, channel));
            let mut on_conflict = OnConflict::columns([Column::EngineerId, Column::Kind]);
            on_conflict.update_columns([
                Column::Status,
                Column::Generation,
                Column::RequestedAt,
                Column::DueAt,
                Column::ExpiresAt,
                Column::ConfirmedAt,
                Column::FailureCode,
            ]);
            channel::Entity::insert_many(rows).on_conflict(on_conflict).exec_without_returning(self.db).await?;
        }
        Ok(())
    }

    /// Seals and writes a chat robot's endpoint, or takes it away.
    ///
    /// # Errors
    /// When sealing or the database fails.
    pub async fn save_robot(
        &self,
        engineer: EngineerId,
        kind: ChannelKind,
        robot: Option<&RobotEndpoint>,
    ) -> Result<(), StoreError> {
        let (webhook, secret) = match robot {
            Some(robot) => self.seal_robot(engineer, kind, robot).await?,
            None => (None, None),
        };
        let row = channel::ActiveModel {
            webhook_sealed: Set(webhook),
            webhook_masked: Set(robot.map(|robot| robot.webhook.masked())),
            secret_sealed: Set(secret),
            ..Default::default()
        };
        channel::Entity::update_many()
            .set(row)
            .filter(channel::Column::Account.eq(self.account.as_str()))
            .filter(channel::Column::EngineerId.eq(engineer.0))
            .filter(channel::Column::Kind.eq(kind.name()))
            .exec(self.db)
            .await?;
        Ok(())
    }

    async fn seal_robot(
        &self,
        engineer: EngineerId,
        kind: ChannelKind,
        robot: &RobotEndpoint,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        let present = self.present_seal().await?;
        let seal = |what: &str, value: &str| present.seal(&sealing_identity(engineer, kind, what), value);
        let webhook = seal("webhook", robot.webhook.as_str())?;
        let secret = robot.secret.as_ref().map(|secret| seal("secret", secret.as_str())).transpose()?;
        Ok((Some(webhook), secret))
    }
}

pub(super) fn sealing_identity(engineer: EngineerId, kind: ChannelKind, what: &str) -> String {
    format!("channel/{}/{}/{what}", engineer.0.simple(), kind.name())
}

pub(super) fn read_channel(row: &channel::Model) -> Result<Channel, StoreError> {
    let id = format!("{}/{}", row.engineer_id, row.kind);
    let place = Place { table: "channel", id: &id };
    let request = || -> Result<Request, StoreError> {
        Ok(Request {
            generation: ChannelSubscriptionId(place.need("generation", row.generation)?),
            requested_at: place.need("requested_at", row.requested_at)?,
            due_at: place.need("due_at", row.due_at)?,
        })
    };
    let expires_at = || place.need("expires_at", row.expires_at);
    let state = match place.name("status", &row.status, ConfirmationStatus::from_name)? {
        ConfirmationStatus::NotConfigured => Confirmation::NotConfigured,
        ConfirmationStatus::Unsubscribed => Confirmation::Unsubscribed,
        ConfirmationStatus::NotRequired => Confirmation::NotRequired,
        ConfirmationStatus::Requested => Confirmation::Requested(request()?),
        ConfirmationStatus::Pending => Confirmation::Pending { request: request()?, expires_at: expires_at()? },
        ConfirmationStatus::Confirmed => {
            Confirmation::Confirmed { request: request()?, at: place.need("confirmed_at", row.confirmed_at)? }
        }
        ConfirmationStatus::Expired => Confirmation::Expired { request: request()?, expires_at: expires_at()? },
        ConfirmationStatus::Cancelled => Confirmation::Cancelled(request()?),
        ConfirmationStatus::Failed => Confirmation::Failed {
            request: request()?,
            code: place.need("failure_code", row.failure_code.as_deref().and_then(FailureCode::from_name))?,
        },
    };
    let robot = row.webhook_masked.clone().map(|masked| Robot { masked, secret_set: row.secret_sealed.is_some() });
    Ok(Channel { kind: place.name("kind", &row.kind, ChannelKind::from_name)?, state, robot })
}
