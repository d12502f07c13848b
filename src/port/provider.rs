//! Who asks people to confirm, and knows how far they got.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    account::Locale,
    channel::ChannelKind,
    confirmation::FailureCode,
    id::{AccountId, ChannelSubscriptionId, EngineerId},
};

/// The wish to have one channel confirmed at one endpoint. It is bound to its generation: asked twice, it is the same wish.
#[derive(Clone)]
pub struct ConfirmationRequest {
    /// The account that asks.
    pub account: AccountId,
    /// The person concerned.
    pub engineer: EngineerId,
    /// The person's name, for the salutation.
    pub name: String,
    /// The person's language, or `None` for the account's.
    pub locale: Option<Locale>,
    /// The channel to confirm.
    pub channel: ChannelKind,
    /// The generation.
    pub generation: ChannelSubscriptionId,
    /// Where the channel ends: an E.164 number or a mail address.
    pub endpoint: String,
    /// When the answer is due: 48 hours after the moment just before this call.
    pub expires_at: DateTime<Utc>,
}

/// The provider's word that it has asked the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The provider's own name of the request, needed to cancel it.
    pub reference: String,
    /// When the link dies, where the provider tells; `None` for as asked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// How a request stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderStatus {
    /// Nobody has answered. Providers do not tell expired from unanswered.
    Unconfirmed,
    /// The person confirmed.
    Confirmed,
    /// The person opted out.
    OptedOut,
}

/// One entry of a provider's listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSubscription {
    /// The provider's own name of the request.
    pub reference: String,
    /// How it stands.
    pub status: ProviderStatus,
}

/// A page of a provider's listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusPage {
    /// The entries.
    pub entries: Vec<ListedSubscription>,
    /// Where the next page begins; `None` at the end of the listing.
    pub next: Option<String>,
}

/// A provider did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Trying again may help, not before `retry_after` seconds if that is told. The text is fit for an operator and holds no secret.
    #[error("the provider did not answer: {message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// The wait that the provider asked for, in seconds.
        retry_after: Option<u64>,
    },
    /// It refused for good.
    #[error("the provider refused: {}", .0.name())]
    Refused(FailureCode),
}

/// Asks people to confirm their channels.
#[async_trait]
pub trait ConfirmationProvider: Send + Sync {
    /// The name stored with each request, so that a change of provider changes no status.
    fn name(&self) -> &'static str;

    /// What the provider already holds for that generation. Asked first after a crash, so that nobody is asked twice.
    ///
    /// # Errors
    /// When the provider cannot tell.
    async fn find(&self, request: &ConfirmationRequest) -> Result<Option<Accepted>, ProviderError>;

    /// Asks the person.
    ///
    /// # Errors
    /// When the person was not, or may not have been, asked.
    async fn request(&self, request: &ConfirmationRequest) -> Result<Accepted, ProviderError>;

    /// One page of everything that the provider holds for the account; the first where `page` is `None`.
    ///
    /// # Errors
    /// When the page cannot be read: the listing is then partial.
    async fn list(&self, account: &AccountId, page: Option<&str>) -> Result<StatusPage, ProviderError>;

    /// Forgets a request: by its reference, or by its generation alone where a crash came between the call and its record.
    /// Cancelling what is not there is a success.
    ///
    /// # Errors
    /// When the request may still be there.
    async fn cancel(
        &self,
        account: &AccountId,
        generation: ChannelSubscriptionId,
        reference: Option<&str>,
    ) -> Result<(), ProviderError>;
}
