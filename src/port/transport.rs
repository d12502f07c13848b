//! What carries a message to an endpoint.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{channel::ChannelKind, id::AccountId};

/// A confirmation message, ready to be carried.
#[derive(Clone)]
pub struct Message {
    /// The account that sends.
    pub account: AccountId,
    /// The channel.
    pub channel: ChannelKind,
    /// An E.164 number or a mail address.
    pub endpoint: String,
    /// The subject; carriers without one leave it out.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML, for mail.
    pub html: String,
    /// The confirmation link in it.
    pub link: String,
    /// The confirmation code in it.
    pub code: String,
    /// Identifies the message, so that a repeated attempt is recognised.
    pub message_id: String,
    /// When it is sent.
    pub sent_at: DateTime<Utc>,
}

/// A message was not carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Trying again may help. The text is fit for an operator and holds no contact data.
    #[error("the transport did not answer: {0}")]
    Unavailable(String),
    /// The endpoint does not exist, or the transport will not carry to it.
    #[error("the transport refused the endpoint")]
    EndpointRefused,
    /// The transport refuses the sender: wrong credentials, sender not allowed.
    #[error("the transport refused the sender: {0}")]
    SenderRefused(String),
}

/// Carries messages.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Hands the message over.
    ///
    /// # Errors
    /// When it was not, or may not have been, handed over.
    async fn send(&self, message: &Message) -> Result<(), TransportError>;
}
