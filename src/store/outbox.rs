//! What the outbox transport would have sent. For demonstration and development: links and codes stand in it in clear.

use chrono::{DateTime, Utc};
use entity::outbox_message;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};

use super::{Rows, StoreError, row::Place};
use crate::domain::channel::ChannelKind;

/// A message that nobody carried.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Names the message.
    pub message_id: String,
    /// The channel.
    pub channel: ChannelKind,
    /// The endpoint.
    pub endpoint: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The link in it.
    pub link: String,
    /// The code in it.
    pub code: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The newest messages, oldest of them first, `limit` at most.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_outbox(&self, limit: u64) -> Result<Vec<OutboxMessage>, StoreError> {
        let mut rows = outbox_message::Entity::find()
            .filter(outbox_message::Column::Account.eq(self.account.as_str()))
            .order_by_desc(outbox_message::Column::SentAt)
            .order_by_desc(outbox_message::Column::MessageId)
            .limit(limit)
            .all(self.db)
            .await?;
        rows.reverse();
        rows.into_iter()
            .map(|row| {
                let place = Place { table: "outbox_message", id: &row.message_id };
                Ok(OutboxMessage {
                    channel: place.name("channel", &row.channel, ChannelKind::from_name)?,
                    message_id: row.message_id.clone(),
                    endpoint: row.endpoint,
                    subject: row.subject,
                    text: row.text,
                    link: row.link,
                    code: row.code,
                    sent_at: row.sent_at,
                })
            })
            .collect()
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Puts a message into the outbox; the same message again replaces it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_outbox_message(&self, message: &OutboxMessage) -> Result<(), StoreError> {
        use outbox_message::Column;
        let row = outbox_message::ActiveModel {
            message_id: Set(message.message_id.clone()),
            account: Set(self.account.to_string()),
            channel: Set(message.channel.name().to_owned()),
            endpoint: Set(message.endpoint.clone()),
            subject: Set(message.subject.clone()),
            text: Set(message.text.clone()),
            link: Set(message.link.clone()),
            code: Set(message.code.clone()),
            sent_at: Set(message.sent_at),
        };
        let mut on_conflict = OnConflict::column(Column::MessageId);
        on_conflict.update_columns([Column::Text, Column::Link, Column::Code, Column::SentAt]);
        outbox_message::Entity::insert(row).on_conflict(on_conflict).exec_without_returning(self.db).await?;
        Ok(())
    }

    /// Takes a message out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_outbox_message(&self, message_id: &str) -> Result<(), StoreError> {
        outbox_message::Entity::delete_many()
            .filter(outbox_message::Column::Account.eq(self.account.as_str()))
            .filter(outbox_message::Column::MessageId.eq(message_id))
            .exec(self.db)
            .await?;
        Ok(())
    }
}
