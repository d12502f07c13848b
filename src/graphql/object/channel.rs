//! Channels.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::choice::{ChannelKind, ConfirmationStatus, FailureCode, NotSubscribableReason};
use crate::{
    domain::{
        account::Locale,
        channel::EndpointField,
        confirmation::{self, Confirmation},
        endpoint::{EmailAddress, PhoneNumber},
        engineer::{self, Circumstances},
    },
    graphql::{
        context::Caller,
        error::Result,
        loader::Mates,
        node::{ChannelId, id},
        scalar::DateTime,
    },
};

/// A way to reach one engineer.
#[derive(Clone)]
pub(in crate::graphql) struct Channel {
    channel: confirmation::Channel,
    engineer: Arc<engineer::Engineer>,
    mates: Arc<Mates>,
}

impl Channel {
    /// A channel, its engineer, and those who were read with them.
    pub fn new(channel: confirmation::Channel, engineer: Arc<engineer::Engineer>, mates: Arc<Mates>) -> Self {
        Self { channel, engineer, mates }
    }

    /// Whether a confirmation may be asked for now, or why not.
    pub async fn judge(&self) -> Result<Result<(), engineer::NotSubscribableReason>> {
        let around = Circumstances {
            engineer_active: self.engineer.is_active(),
            restricted: self.is_restricted(),
            guard: self.mates.guard(&self.engineer, self.channel.kind).await?,
            now: self.mates.now(),
        };
        Ok(self.channel.subscribable(around))
    }

    /// Whether the account lacks the access to the channel.
    const fn is_restricted(&self) -> bool {
        // Beta access does not exist yet, so no channel is a beta channel.
        false
    }
}

/// A way to reach one engineer, and how far its confirmation got.
#[Object]
impl Channel {
    /// The id: opaque, and never reused.
    pub async fn id(&self) -> ID {
        id(ChannelId { engineer: self.engineer.id, kind: self.channel.kind })
    }

    /// Which way.
    async fn kind(&self) -> ChannelKind {
        self.channel.kind.into()
    }

    /// How far the confirmation got.
    async fn status(&self) -> ConfirmationStatus {
        self.channel.status().into()
    }

    /// Whether a message may be sent by it.
    async fn usable(&self) -> bool {
        self.channel.usable(self.engineer.is_active(), self.is_restricted())
    }

    /// Whether the account lacks the access to it.
    async fn restricted(&self) -> bool {
        self.is_restricted()
    }

    /// Whether a confirmation may be asked for now.
    async fn subscribable(&self) -> Result<bool> {
        Ok(self.judge().await?.is_ok())
    }

    /// Why no confirmation may be asked for now; null where it may.
    async fn not_subscribable_reason(&self) -> Option<Result<NotSubscribableReason>> {
        match self.judge().await {
            Ok(judged) => judged.err().map(|reason| Ok(reason.into())),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Where it ends, masked, such as "https://oapi.dingtalk.com/…a1b2"; null without an endpoint. A webhook is never shown in
    /// clear.
    async fn endpoint_masked(&self) -> Option<String> {
        match self.channel.kind.endpoint_field() {
            EndpointField::Mobile => self.engineer.mobile.as_ref().map(PhoneNumber::masked),
            EndpointField::Email => self.engineer.email.as_ref().map(EmailAddress::masked),
            EndpointField::Webhook => self.channel.robot.as_ref().map(|robot| robot.masked.clone()),
        }
    }

    /// Whether a signing secret is kept for it. The secret itself is never shown.
    async fn secret_set(&self) -> bool {
        self.channel.robot.as_ref().is_some_and(|robot| robot.secret_set)
    }

    /// When the present confirmation was asked for.
    async fn requested_at(&self) -> Option<DateTime> {
        self.channel.state.request().map(|request| DateTime(request.requested_at))
    }

    /// When the message can, or could, no longer be answered: 48 hours after it went out. Set while PENDING or EXPIRED.
    async fn expires_at(&self) -> Option<DateTime> {
        match self.channel.state {
            Confirmation::Pending { expires_at, .. } | Confirmation::Expired { expires_at, .. } => {
                Some(DateTime(expires_at))
            }
            Confirmation::NotConfigured
            | Confirmation::Unsubscribed
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Confirmed { .. }
            | Confirmation::Cancelled(_)
            | Confirmation::Failed { .. } => None,
        }
    }

    /// When the person confirmed. Set while CONFIRMED.
    async fn confirmed_at(&self) -> Option<DateTime> {
        match self.channel.state {
            Confirmation::Confirmed { at, .. } => Some(DateTime(at)),
            Confirmation::NotConfigured
            | Confirmation::Unsubscribed
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Pending { .. }
            | Confirmation::Expired { .. }
            | Confirmation::Cancelled(_)
            | Confirmation::Failed { .. } => None,
        }
    }

    /// As of when the status is known from the provider: its last complete sync. Null for channels that were never asked for.
    async fn checked_at(&self) -> Option<Result<DateTime>> {
        self.channel.state.request()?;
        self.mates.checked_at().await.map(|at| at.map(DateTime)).transpose()
    }

    /// When the resend limits allow the next request; while REQUESTED, when they let the present one go out. Null where that is now,
    /// and for channels that cannot be asked for.
    async fn next_request_at(&self) -> Option<Result<DateTime>> {
        self.engineer.endpoint(self.channel.kind)?;
        if let Confirmation::Requested(request) = self.channel.state {
            return (request.due_at > self.mates.now()).then_some(Ok(DateTime(request.due_at)));
        }
        match self.mates.guard(&self.engineer, self.channel.kind).await {
            Ok(guard) => {
                let now = self.mates.now();
                let next = guard.next_request_at(self.channel.kind, now);
                (next > now).then_some(Ok(DateTime(next)))
            }
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Why the provider refused. Set while FAILED.
    async fn failure_code(&self) -> Option<FailureCode> {
        self.failure().map(Into::into)
    }

    /// The same for a person, in the caller's language.
    async fn failure_message(&self, ctx: &Context<'_>) -> Option<Result<&'static str>> {
        let code = self.failure()?;
        Some(Caller::of(ctx).map(|caller| explain(code, caller.locale)))
    }
}

impl Channel {
    const fn failure(&self) -> Option<confirmation::FailureCode> {
        match self.channel.state {
            Confirmation::Failed { code, .. } => Some(code),
            Confirmation::NotConfigured
            | Confirmation::Unsubscribed
            | Confirmation::NotRequired
            | Confirmation::Requested(_)
            | Confirmation::Pending { .. }
            | Confirmation::Confirmed { .. }
            | Confirmation::Expired { .. }
            | Confirmation::Cancelled(_) => None,
        }
    }
}

/// What a failure means, for a person.
const fn explain(code: confirmation::FailureCode, locale: Locale) -> &'static str {
    use confirmation::FailureCode as Code;
    match (code, locale) {
        (Code::EndpointRefused, Locale::En) => {
            "The endpoint does not exist or takes no messages. Check it for typing errors."
        }
        (Code::EndpointRefused, Locale::ZhCn) => "该联系方式不存在或无法接收消息，请检查是否填写有误。",
        (Code::SenderRefused, Locale::En) => {
            "The provider refuses the sender. An administrator should check its credentials, permissions and balance."
        }
        (Code::SenderRefused, Locale::ZhCn) => "服务商拒绝了发送方，请管理员检查凭证、权限和余额。",
        (Code::QuotaExceeded, Locale::En) => "A quota of the provider is used up. Subscribe again when it is renewed.",
        (Code::QuotaExceeded, Locale::ZhCn) => "服务商的配额已用完，请在配额恢复后重新订阅。",
    }
}
