//! The outbox: a table instead of a carrier, for demonstration and development. What is in it stands there in clear.

use async_trait::async_trait;

use crate::{
    port::transport::{Message, Transport, TransportError},
    store::{OutboxMessage, Store},
};

/// Keeps messages in a table.
pub struct OutboxTransport {
    store: Store,
}

impl OutboxTransport {
    /// An outbox in this database.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Transport for OutboxTransport {
    async fn send(&self, message: &Message) -> Result<(), TransportError> {
        let unavailable = |_| TransportError::Unavailable("the database failed".to_owned());
        let tx = self.store.begin(&message.account).await.map_err(unavailable)?;
        let kept = OutboxMessage {
            message_id: message.message_id.clone(),
            channel: message.channel,
            endpoint: message.endpoint.clone(),
            subject: message.subject.clone(),
            text: message.text.clone(),
            link: message.link.clone(),
            code: message.code.clone(),
            sent_at: message.sent_at,
        };
        tx.rows().save_outbox_message(&kept).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        Ok(())
    }
}
