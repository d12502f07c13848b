//! What the forms for channels are drawn from.

use async_graphql::{Context, Object, SimpleObject};

use super::choice::ChannelKind;
use crate::{
    domain::{
        account::Locale,
        channel,
        endpoint::{EmailAddress, RobotSecret, Webhook},
        wording::channel_label,
    },
    graphql::{context::Caller, error::Result},
};

/// The most characters of a phone number as people type it, with spaces and signs.
const TYPED_NUMBER: usize = 32;

/// The most characters of a webhook's key.
const WEBHOOK_KEY: usize = 64;

/// A kind of channel.
pub(in crate::graphql) struct ChannelKindInfo(pub channel::ChannelKind);

/// A field of the form for a channel.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ChannelField {
    /// The name of the field in EndpointInput: value or secret.
    name: &'static str,
    /// What to call it, in the caller's language.
    label: &'static str,
    /// How to fill it in, in the caller's language.
    hint: &'static str,
    /// The most characters that can be typed.
    max_length: i32,
    /// Whether what is typed must be hidden, and is never shown again.
    secret: bool,
}

/// A kind of channel, and what a form for it asks.
#[Object]
impl ChannelKindInfo {
    /// The kind.
    async fn kind(&self) -> ChannelKind {
        self.0.into()
    }

    /// What to call it within a sentence, in the caller's language.
    async fn label(&self, ctx: &Context<'_>) -> Result<&'static str> {
        Ok(channel_label(self.0, Caller::of(ctx)?.locale))
    }

    /// Whether the person must confirm it before it is used.
    async fn needs_confirmation(&self) -> bool {
        self.0.needs_confirmation()
    }

    /// Whether only some accounts have access to it.
    async fn beta(&self) -> bool {
        false
    }

    /// The fields of its form.
    async fn fields(&self, ctx: &Context<'_>) -> Result<Vec<ChannelField>> {
        Ok(fields(self.0, Caller::of(ctx)?.locale))
    }
}

fn fields(kind: channel::ChannelKind, locale: Locale) -> Vec<ChannelField> {
    use channel::ChannelKind as Kind;
    let value = |label, hint, max_length| ChannelField {
        name: "value",
        label,
        hint,
        max_length: int(max_length),
        secret: false,
    };
    match kind {
        Kind::Sms | Kind::Voice => vec![match locale {
            Locale::En => value("Mobile", "With the country code, such as +86 138 0013 8000.", TYPED_NUMBER),
            Locale::ZhCn => value("手机号码", "请带国家码填写，例如 +86 138 0013 8000。", TYPED_NUMBER),
        }],
        Kind::Email => vec![match locale {
            Locale::En => value("E-mail", "Such as name@example.com.", EmailAddress::MAX_LENGTH),
            Locale::ZhCn => value("邮箱", "例如 name@example.com。", EmailAddress::MAX_LENGTH),
        }],
        Kind::Wecom => vec![webhook(kind, locale)],
        Kind::Dingtalk => vec![webhook(kind, locale), secret(locale, "SEC".len())],
        Kind::Lark => vec![webhook(kind, locale), secret(locale, 0)],
    }
}

fn webhook(kind: channel::ChannelKind, locale: Locale) -> ChannelField {
    let prefix = Webhook::prefixes(kind).iter().map(|prefix| prefix.len()).max().unwrap_or(0);
    let (label, hint) = match locale {
        Locale::En => ("Webhook", "Copy the address from the robot's settings unchanged. It is never shown again."),
        Locale::ZhCn => ("Webhook 地址", "请从机器人设置中原样复制，保存后不再显示。"),
    };
    ChannelField { name: "value", label, hint, max_length: int(prefix + WEBHOOK_KEY), secret: true }
}

fn secret(locale: Locale, prefix: usize) -> ChannelField {
    let (label, hint) = match locale {
        Locale::En => ("Signing secret", "Only where the robot signs its messages. It is never shown again."),
        Locale::ZhCn => ("签名密钥", "仅在机器人启用签名校验时填写，保存后不再显示。"),
    };
    ChannelField { name: "secret", label, hint, max_length: int(prefix + RobotSecret::LENGTH.end()), secret: true }
}

fn int(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}
