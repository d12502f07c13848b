//! A person answers: on the page that the link opens, or by the code typed in elsewhere. What was shown is kept with the answer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Account, ServiceError, Services, batch::Batch};
use crate::{
    domain::{
        account::{AccountSettings, Locale},
        actor::Actor,
        audit::{AuditAction, AuditActor, AuditRecord},
        channel::ChannelKind,
        confirmation::{Channel, ConfirmationStatus, Happening, Proof},
        endpoint::{EmailAddress, PhoneNumber},
        engineer::Engineer,
        id::{AccountId, EngineerId},
        refusal::{Refusal, RefusalCode},
    },
    store::{Answer, Consent, Link, Tx, token_hash},
};

/// How many wrong codes burn a link.
pub const MAX_WRONG_CODES: i32 = 5;

/// What a page may show of a link that is, or was, good.
#[derive(Debug, Clone)]
pub struct LinkView {
    /// Who asks.
    pub account: AccountSettings,
    /// The channel.
    pub channel: ChannelKind,
    /// The endpoint, masked.
    pub endpoint_masked: String,
    /// When the link dies.
    pub expires_at: DateTime<Utc>,
    /// The person's language, else the account's.
    pub locale: Locale,
}

/// How a link stands, or what an answer led to.
#[derive(Debug, Clone)]
pub enum LinkState {
    /// It waits for an answer.
    Open(LinkView),
    /// The code was not the one of the message.
    WrongCode {
        /// What to show.
        view: LinkView,
        /// How many tries are left.
        tries_left: i32,
    },
    /// The channel is confirmed now.
    Confirmed(LinkView),
    /// It was confirmed before.
    AlreadyConfirmed(LinkView),
    /// The person does not want messages.
    Stopped(LinkView),
    /// Its lifetime ran out. Whoever holds it now learns no more from it than from one that never was.
    Expired,
    /// Too many wrong codes.
    Burnt(LinkView),
    /// There is no such link: wrong, replaced, or its endpoint was edited.
    Unknown,
}

/// What a person was shown when they answered: the consent record.
#[derive(Debug, Clone)]
pub struct Shown {
    /// In which language.
    pub locale: Locale,
    /// The sentences.
    pub text: String,
}

/// A code that was typed in elsewhere than on the page of its link.
struct ByCode<'a> {
    engineer: EngineerId,
    channel: ChannelKind,
    code: &'a str,
}

/// A link with what decides over it.
struct Standing {
    link: Link,
    view: LinkView,
    status: ConfirmationStatus,
}

/// The same, with its engineer locked.
struct Opened<'a> {
    batch: Batch<'a>,
    tx: Tx,
    standing: Standing,
}

impl Services {
    /// How a link stands. Changes nothing, and reads the same however it stands: the time tells nobody whether there was such a
    /// link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_link(&self, token: &str) -> Result<LinkState, ServiceError> {
        let found = self.find_link(token).await?;
        let (account, person) = match &found {
            Some((account, link)) => (*account, link.engineer),
            // There is nobody of that id in any account.
            None => match self.accounts().next() {
                Some(account) => (account, EngineerId(Uuid::nil())),
                None => return Ok(LinkState::Unknown),
            },
        };
        let rows = self.core.store.rows(&account.settings.id);
        let engineer = rows.find_engineer(person).await?;
        let channels = rows.list_channels_of(person).await?;
        let Some((account, link)) = found else { return Ok(LinkState::Unknown) };
        let channel = channels.iter().find(|channel| channel.kind == link.channel);
        let standing = Standing::of(account, engineer.as_ref(), channel, link);
        Ok(standing.map_or(LinkState::Unknown, |standing| standing.state(self.now())))
    }

    /// Answers a link with the code of the message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_link(&self, token: &str, code: &str, shown: &Shown) -> Result<LinkState, ServiceError> {
        let Some(mut opened) = self.lock_link(token).await? else { return Ok(LinkState::Unknown) };
        let engineer = opened.standing.link.engineer;
        let record = self.record_of(AuditActor::link(), AuditAction::ConfirmChannel).on(engineer);
        opened.audit(&record);
        match opened.state() {
            LinkState::Open(_) => {
                let state = self.try_code(opened, code, Proof::Link, shown).await?;
                if let LinkState::WrongCode { view, .. } | LinkState::Burnt(view) = &state {
                    let record = record.with("channel", view.channel.name()).refused(RefusalCode::WrongCode.name());
                    self.record_refusal(&view.account.id, record).await;
                }
                Ok(state)
            }
            state @ (LinkState::WrongCode { .. }
            | LinkState::Confirmed(_)
            | LinkState::AlreadyConfirmed(_)
            | LinkState::Stopped(_)
            | LinkState::Expired
            | LinkState::Burnt(_)
            | LinkState::Unknown) => Ok(state),
        }
    }

    /// Answers a link with "not me" or "stop": the channel is cancelled, and nobody asks the endpoint again until an operator
    /// lifts that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_link(&self, token: &str, shown: &Shown) -> Result<LinkState, ServiceError> {
        let Some(mut opened) = self.lock_link(token).await? else { return Ok(LinkState::Unknown) };
        let Link { generation, engineer, channel, .. } = opened.standing.link;
        match opened.state() {
            LinkState::Open(_) | LinkState::AlreadyConfirmed(_) | LinkState::Burnt(_) => {}
            state @ (LinkState::WrongCode { .. }
            | LinkState::Confirmed(_)
            | LinkState::Stopped(_)
            | LinkState::Expired
            | LinkState::Unknown) => return Ok(state),
        }
        opened.audit(&self.record_of(AuditActor::link(), AuditAction::OptOut));
        opened.settle_acceptance();
        if opened.batch.apply(engineer, channel, Happening::OptedOut { generation }).is_err() {
            return Ok(opened.state());
        }
        opened.batch.lock_guards(&opened.tx).await?;
        let now = opened.batch.now;
        if let Some(guard) = opened.batch.guard(engineer, channel) {
            guard.opted_out_at = Some(now);
        }
        let view = opened.standing.view.clone();
        opened.commit(Answer::OptedOut, Proof::Link, shown).await?;
        tracing::info!(engineer.id = %engineer, channel = channel.name(), "A person opted out by link");
        Ok(LinkState::Stopped(view))
    }

    /// Confirms a channel by the code that its person reads out or types in.
    ///
    /// # Errors
    /// When the code is refused, the caller may not, or the database fails.
    pub async fn confirm_channel(
        &self,
        actor: &Actor,
        engineer: EngineerId,
        channel: ChannelKind,
        code: &str,
    ) -> Result<Engineer, ServiceError> {
        let record = self.record_of(actor, AuditAction::ConfirmChannel).on(engineer);
        let wish = ByCode { engineer, channel, code };
        let refused = record.with("channel", channel.name());
        self.attempt(actor, &refused, Box::pin(self.confirm_recorded(actor, wish, &record))).await
    }

    async fn confirm_recorded(
        &self,
        actor: &Actor,
        ByCode { engineer, channel, code }: ByCode<'_>,
        record: &AuditRecord,
    ) -> Result<Engineer, ServiceError> {
        if !actor.can_subscribe(engineer) {
            let code = if actor.can_view(engineer) { RefusalCode::NotAllowed } else { RefusalCode::NotFound };
            return Err(Refusal::new(code).with("what", "engineer").at(&["engineerId"]).into());
        }
        let mut opened = self.lock_channel(&actor.account, engineer, channel).await?;
        opened.audit(record);
        let locale = opened.standing.view.locale;
        let shown = Shown { locale, text: format!("The code was typed in by {}.", actor.subject) };
        let state = match opened.state() {
            LinkState::Open(_) => self.try_code(opened, code, Proof::Code, &shown).await?,
            state @ (LinkState::WrongCode { .. }
            | LinkState::Confirmed(_)
            | LinkState::AlreadyConfirmed(_)
            | LinkState::Stopped(_)
            | LinkState::Expired
            | LinkState::Burnt(_)
            | LinkState::Unknown) => state,
        };
        let refusal = match state {
            LinkState::Confirmed(_) => {
                let found = self.core.store.rows(&actor.account).find_engineer(engineer).await?;
                return found.ok_or_else(|| Refusal::not_found("engineer").at(&["engineerId"]).into());
            }
            LinkState::WrongCode { tries_left, .. } => {
                Refusal::new(RefusalCode::WrongCode).with("triesLeft", tries_left).at(&["code"])
            }
            LinkState::AlreadyConfirmed(_) => Refusal::new(RefusalCode::AlreadyConfirmed).at(&["channel"]),
            LinkState::Burnt(_) => Refusal::new(RefusalCode::TooManyTries).at(&["code"]),
            LinkState::Stopped(_) => Refusal::new(RefusalCode::OptedOut).at(&["channel"]),
            LinkState::Open(_) | LinkState::Expired | LinkState::Unknown => {
                Refusal::new(RefusalCode::LinkExpired).at(&["channel"])
            }
        };
        Err(refusal.into())
    }

    async fn find_link(&self, token: &str) -> Result<Option<(&Account, Link)>, ServiceError> {
        let found = self.core.store.find_link_by_token(&token_hash(token)).await?;
        Ok(found.and_then(|(id, link)| Some((self.core.accounts.get(&id)?, link))))
    }

    /// Finds the link of a token and locks its engineer; `None` where the page must say that there is no such link.
    async fn lock_link(&self, token: &str) -> Result<Option<Opened<'_>>, ServiceError> {
        match self.find_link(token).await? {
            Some((account, link)) => self.lock_generation(account, link).await,
            None => Ok(None),
        }
    }

    async fn lock_generation<'a>(
        &'a self,
        account: &'a Account,
        link: Link,
    ) -> Result<Option<Opened<'a>>, ServiceError> {
        let tx = self.core.store.begin(&account.settings.id).await?;
        let batch = Batch::lock(&self.core, account, &tx, &[link.engineer], self.now()).await?;
        let Some(link) = tx.rows().lock_link(link.generation).await? else { return Ok(None) };
        let engineer = batch.engineers.get(&link.engineer);
        let standing = Standing::of(account, engineer, batch.channel(link.engineer, link.channel), link);
        Ok(standing.map(|standing| Opened { batch, tx, standing }))
    }

    async fn lock_channel(
        &self,
        account: &AccountId,
        engineer: EngineerId,
        kind: ChannelKind,
    ) -> Result<Opened<'_>, ServiceError> {
        let rows = self.core.store.rows(account);
        if rows.find_engineer(engineer).await?.is_none() {
            return Err(Refusal::not_found("engineer").at(&["engineerId"]).into());
        }
        let channels = rows.list_channels_of(engineer).await?;
        let channel = channels.iter().find(|channel| channel.kind == kind);
        let status = channel.map_or(ConfirmationStatus::NotConfigured, Channel::status);
        let refusal = match status {
            ConfirmationStatus::NotConfigured if kind.needs_confirmation() => RefusalCode::NoEndpoint,
            ConfirmationStatus::NotConfigured | ConfirmationStatus::NotRequired => RefusalCode::NotNeeded,
            ConfirmationStatus::Requested => RefusalCode::InProgress,
            ConfirmationStatus::Confirmed => RefusalCode::AlreadyConfirmed,
            ConfirmationStatus::Cancelled => RefusalCode::OptedOut,
            ConfirmationStatus::Unsubscribed
            | ConfirmationStatus::Pending
            | ConfirmationStatus::Expired
            | ConfirmationStatus::Failed => RefusalCode::LinkExpired,
        };
        let refused = || ServiceError::from(Refusal::new(refusal).at(&["channel"]));
        let request = channel.and_then(|channel| channel.state.request()).ok_or_else(refused)?;
        let link = rows.find_link(request.generation).await?.ok_or_else(refused)?;
        if !matches!(status, ConfirmationStatus::Pending | ConfirmationStatus::Requested) {
            return Err(refused());
        }
        self.lock_generation(self.account(account)?, link).await?.ok_or_else(refused)
    }

    async fn try_code(
        &self,
        mut opened: Opened<'_>,
        code: &str,
        proof: Proof,
        shown: &Shown,
    ) -> Result<LinkState, ServiceError> {
        let Link { generation, engineer, channel, .. } = opened.standing.link;
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).map(narrow_digit).collect();
        let bound_to = generation.0.simple().to_string();
        let matches = self.core.store.sealer().code_matches(&bound_to, &typed, &opened.standing.link.code_hash);
        if !matches {
            return opened.count_wrong_code().await;
        }
        opened.settle_acceptance();
        let at = opened.batch.now;
        if opened.batch.apply(engineer, channel, Happening::Confirmed { generation, proof, at }).is_err() {
            return Ok(opened.state());
        }
        let view = opened.standing.view.clone();
        opened.commit(Answer::Confirmed, proof, shown).await?;
        tracing::info!(engineer.id = %engineer, channel = channel.name(), "A person confirmed a channel");
        Ok(LinkState::Confirmed(view))
    }
}

impl Standing {
    /// `None` where the link is of no use any more: the person is deleted, or the channel has another request by now.
    fn of(account: &Account, engineer: Option<&Engineer>, channel: Option<&Channel>, link: Link) -> Option<Self> {
        let engineer = engineer.filter(|engineer| engineer.deleted_at.is_none())?;
        let channel = channel?;
        let request = channel.state.request()?;
        let view = view_of(account, engineer, &link);
        (request.generation == link.generation).then_some(Self { link, view, status: channel.status() })
    }

    fn state(&self, now: DateTime<Utc>) -> LinkState {
        let view = self.view.clone();
        match self.status {
            ConfirmationStatus::Confirmed => LinkState::AlreadyConfirmed(view),
            ConfirmationStatus::Cancelled => LinkState::Stopped(view),
            // The message is out a moment before its acceptance is recorded, so REQUESTED can be answered too.
            ConfirmationStatus::Pending | ConfirmationStatus::Requested => {
                if now >= self.link.expires_at {
                    LinkState::Expired
                } else if self.link.wrong_codes >= MAX_WRONG_CODES {
                    LinkState::Burnt(view)
                } else {
                    LinkState::Open(view)
                }
            }
            ConfirmationStatus::Expired => LinkState::Expired,
            ConfirmationStatus::NotConfigured
            | ConfirmationStatus::Unsubscribed
            | ConfirmationStatus::NotRequired
            | ConfirmationStatus::Failed => LinkState::Unknown,
        }
    }
}

impl Opened<'_> {
    fn state(&self) -> LinkState {
        self.standing.state(self.batch.now)
    }

    /// Has the audit log told of what comes of the answer.
    fn audit(&mut self, record: &AuditRecord) {
        self.batch.audit(record.clone());
        self.batch.tell_of(self.standing.link.engineer);
    }

    /// An answer proves that the message is out, also where its acceptance is not recorded yet.
    fn settle_acceptance(&mut self) {
        let Link { generation, engineer, channel, expires_at, .. } = self.standing.link;
        let _ = self.batch.apply(engineer, channel, Happening::Accepted { generation, expires_at });
    }

    async fn count_wrong_code(mut self) -> Result<LinkState, ServiceError> {
        self.standing.link.wrong_codes += 1;
        self.tx.rows().save_link(&self.standing.link).await?;
        let tries_left = MAX_WRONG_CODES - self.standing.link.wrong_codes;
        self.tx.commit().await?;
        Ok(if tries_left > 0 {
            LinkState::WrongCode { view: self.standing.view, tries_left }
        } else {
            LinkState::Burnt(self.standing.view)
        })
    }

    async fn commit(mut self, answer: Answer, via: Proof, shown: &Shown) -> Result<(), ServiceError> {
        let shown = serde_json::json!({ "locale": shown.locale.tag(), "text": shown.text }).to_string();
        let consent = Consent { answer, via, shown, at: self.batch.now };
        self.tx.rows().answer_link(self.standing.link.generation, consent).await?;
        self.batch.save(&mut self.tx).await?;
        self.tx.commit().await?;
        Ok(())
    }
}

fn view_of(account: &Account, engineer: &Engineer, link: &Link) -> LinkView {
    let endpoint_masked = match link.channel {
        ChannelKind::Sms | ChannelKind::Voice => engineer.mobile.as_ref().map(PhoneNumber::masked),
        ChannelKind::Email => engineer.email.as_ref().map(EmailAddress::masked),
        ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => None,
    };
    LinkView {
        account: account.settings.clone(),
        channel: link.channel,
        endpoint_masked: endpoint_masked.unwrap_or_default(),
        expires_at: link.expires_at,
        locale: engineer.locale.unwrap_or(account.settings.locale),
    }
}

/// Full-width digits, as Chinese input methods type them, are digits too.
fn narrow_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        other => other,
    }
}
