//! The built-in provider: rollcall itself sends a link and a code, and knows who answered.
//!
//! Only hashes of link and code are stored, and they are committed before the message leaves. A generation whose message left is
//! never asked again; one whose message may have left gets a new link, which makes the old one useless.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::message::{MessageInput, compose};
use crate::{
    domain::{
        account::AccountSettings,
        chance::Chance,
        channel::ChannelKind,
        clock::Clock,
        confirmation::FailureCode,
        id::{AccountId, ChannelSubscriptionId},
    },
    port::{
        provider::{
            Accepted, ConfirmationProvider, ConfirmationRequest, ListedSubscription, ProviderError, ProviderStatus,
            StatusPage,
        },
        transport::{Message, Transport, TransportError},
    },
    store::{Answer, Link, Store, StoreError, token_hash},
};

/// How many links one page of the listing holds.
const PAGE: u64 = 500;

/// What carries the messages of each channel.
#[derive(Clone)]
pub struct Transports {
    /// Carries e-mail.
    pub email: Arc<dyn Transport>,
    /// Carries SMS and voice.
    pub phone: Arc<dyn Transport>,
}

/// Asks people by messages of rollcall's own.
pub struct BuiltinProvider {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// What carries the messages.
    pub transports: Transports,
    /// The accounts that ask.
    pub accounts: BTreeMap<AccountId, AccountSettings>,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
}

#[async_trait]
impl ConfirmationProvider for BuiltinProvider {
    fn name(&self) -> &'static str {
        "builtin"
    }

    async fn find(&self, request: &ConfirmationRequest) -> Result<Option<Accepted>, ProviderError> {
        let link = self.store.rows(&request.account).find_link(request.generation).await.map_err(database)?;
        let sent = link.filter(|link| link.sent_at.is_some() && link.token_hash.is_some());
        Ok(sent.map(|link| Accepted { reference: reference(request.generation), expires_at: Some(link.expires_at) }))
    }

    async fn request(&self, request: &ConfirmationRequest) -> Result<Accepted, ProviderError> {
        let (token, code) = (self.new_token(), self.new_code());
        let generation = request.generation.0.simple().to_string();
        let mut link = Link {
            generation: request.generation,
            engineer: request.engineer,
            channel: request.channel,
            token_hash: Some(token_hash(&token)),
            code_hash: self.store.sealer().code_hash(&generation, &code),
            wrong_codes: 0,
            expires_at: request.expires_at,
            sent_at: None,
            answer: None,
        };
        self.save(&request.account, &link).await?;
        let message = self.write(request, &format!("{}/c/{token}", self.public_url), &code, generation)?;
        self.transport(request.channel).send(&message).await.map_err(refuse)?;
        link.sent_at = Some(message.sent_at);
        self.note_sent(&request.account, &link).await?;
        Ok(Accepted { reference: reference(request.generation), expires_at: None })
    }

    async fn list(&self, account: &AccountId, page: Option<&str>) -> Result<StatusPage, ProviderError> {
        let after = page.map(str::parse).transpose().map_err(|_| unavailable("the page is unknown"))?;
        let links = self.store.rows(account).list_links(after, PAGE).await.map_err(database)?;
        let full = u64::try_from(links.len()).is_ok_and(|count| count == PAGE);
        let next = links.last().filter(|_| full).map(|link| reference(link.generation));
        let entries = links
            .into_iter()
            .map(|link| ListedSubscription {
                reference: reference(link.generation),
                status: match link.answer {
                    None => ProviderStatus::Unconfirmed,
                    Some(Answer::Confirmed) => ProviderStatus::Confirmed,
                    Some(Answer::OptedOut) => ProviderStatus::OptedOut,
                },
            })
            .collect();
        Ok(StatusPage { entries, next })
    }

    async fn cancel(
        &self,
        account: &AccountId,
        generation: ChannelSubscriptionId,
        _reference: Option<&str>,
    ) -> Result<(), ProviderError> {
        let tx = self.store.begin(account).await.map_err(database)?;
        tx.rows().kill_link(generation).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(())
    }
}

impl BuiltinProvider {
    /// 128 bits, as 22 characters of base64url.
    fn new_token(&self) -> String {
        let mut bytes = [0; 16];
        self.chance.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Six digits, each number as likely as any other to one in 10^13.
    fn new_code(&self) -> String {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000)
    }

    fn transport(&self, channel: ChannelKind) -> &dyn Transport {
        match channel {
            ChannelKind::Email => self.transports.email.as_ref(),
            ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => {
                self.transports.phone.as_ref()
            }
        }
    }

    async fn save(&self, account: &AccountId, link: &Link) -> Result<(), ProviderError> {
        let tx = self.store.begin(account).await.map_err(database)?;
        tx.rows().save_link(link).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(())
    }

    /// Notes that the message left. Wrong codes that were typed meanwhile stay counted.
    async fn note_sent(&self, account: &AccountId, sent: &Link) -> Result<(), ProviderError> {
        let tx = self.store.begin(account).await.map_err(database)?;
        if let Some(link) = tx.rows().lock_link(sent.generation).await.map_err(database)? {
            tx.rows().save_link(&Link { sent_at: sent.sent_at, ..link }).await.map_err(database)?;
        }
        tx.commit().await.map_err(database)?;
        Ok(())
    }

    fn write(
        &self,
        request: &ConfirmationRequest,
        link: &str,
        code: &str,
        message_id: String,
    ) -> Result<Message, ProviderError> {
        let account =
            self.accounts.get(&request.account).ok_or_else(|| unavailable("the account is not configured"))?;
        let text = compose(&MessageInput {
            organisation: &account.name,
            name: &request.name,
            channel: request.channel,
            link,
            code,
            expires_at: request.expires_at,
            time_zone: account.time_zone,
            contact: &account.contact,
            privacy_notice: account.privacy_notice.as_deref(),
            locale: request.locale.unwrap_or(account.locale),
        });
        Ok(Message {
            account: request.account.clone(),
            channel: request.channel,
            endpoint: request.endpoint.clone(),
            subject: text.subject,
            text: text.text,
            html: text.html,
            link: link.to_owned(),
            code: code.to_owned(),
            message_id,
            sent_at: self.clock.now(),
        })
    }
}

fn reference(generation: ChannelSubscriptionId) -> String {
    generation.to_string()
}

fn unavailable(message: &str) -> ProviderError {
    ProviderError::Unavailable { message: message.to_owned(), retry_after: None }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn database(error: StoreError) -> ProviderError {
    tracing::error!(%error, "The built-in provider's table failed");
    unavailable("the database failed")
}

fn refuse(error: TransportError) -> ProviderError {
    match error {
        TransportError::Unavailable(message) => ProviderError::Unavailable { message, retry_after: None },
        TransportError::EndpointRefused => ProviderError::Refused(FailureCode::EndpointRefused),
        TransportError::SenderRefused(message) => {
            tracing::error!(error = message, "The transport refuses the sender");
            ProviderError::Refused(FailureCode::SenderRefused)
        }
    }
}
