//! Webhooks of chat robots, and the secrets they sign with. Both are credentials.

use std::{fmt, ops::RangeInclusive};

use super::{EndpointError, Reason};
use crate::domain::channel::ChannelKind;

/// The address of a chat robot, one of an exact allow-list.
///
/// The server posts to this address, so nothing but the very form that the vendor hands out is taken. It is compared byte by
/// byte and never given to a URL parser: those strip tabs, turn `\` into `/` and map full-width letters, and so see another
/// host than a reader does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Webhook(String);

/// The form of a robot's key.
#[derive(Clone, Copy)]
enum KeyForm {
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// 64 hexadecimal digits.
    Hex64,
}

impl Webhook {
    /// Everything before the key, for each robot of the channel; empty for a channel without a webhook. From the vendors'
    /// guides to their custom robots.
    pub const fn prefixes(kind: ChannelKind) -> &'static [&'static str] {
        match kind {
            ChannelKind::Wecom => &["https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="],
            ChannelKind::Dingtalk => &["https://oapi.dingtalk.com/robot/send?access_token="],
            ChannelKind::Lark => {
                &["https://open.feishu.cn/open-apis/bot/v2/hook/", "https://open.larksuite.com/open-apis/bot/v2/hook/"]
            }
            ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Email => &[],
        }
    }

    /// Reads the webhook of a robot of that channel. Nothing is trimmed or mended.
    ///
    /// # Errors
    /// [`EndpointError::InvalidWebhook`] unless it is one of [`prefixes`](Self::prefixes) and a key of the channel's form.
    pub fn parse(kind: ChannelKind, raw: &str) -> Result<Self, EndpointError> {
        let form = KeyForm::of(kind).ok_or(EndpointError::InvalidWebhook(Reason::NoWebhook))?;
        let prefixes = Self::prefixes(kind);
        let key = prefixes.iter().find_map(|prefix| raw.strip_prefix(prefix));
        match key {
            Some(key) if form.fits(key) => Ok(Self(raw.to_owned())),
            Some(_) | None => Err(EndpointError::InvalidWebhook(explain(prefixes, raw))),
        }
    }

    /// The address in clear, for sealing and for sending.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address for those who may not see it, such as `https://oapi.dingtalk.com/…a1b2`: the host and the key's end.
    pub fn masked(&self) -> String {
        let host = self.0.split('/').nth(2).unwrap_or_default();
        let end = self.0.len().saturating_sub(4);
        format!("https://{host}/…{}", self.0.get(end..).unwrap_or_default())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.masked())
    }
}

impl KeyForm {
    const fn of(kind: ChannelKind) -> Option<Self> {
        match kind {
            ChannelKind::Wecom | ChannelKind::Lark => Some(Self::Uuid),
            ChannelKind::Dingtalk => Some(Self::Hex64),
            ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Email => None,
        }
    }

    fn fits(self, key: &str) -> bool {
        let is_hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
        match self {
            Self::Hex64 => is_hex(key, 64),
            Self::Uuid => {
                let lengths = [8, 4, 4, 4, 12];
                key.split('-').count() == lengths.len()
                    && key.split('-').zip(lengths).all(|(part, length)| is_hex(part, length))
            }
        }
    }
}

/// Says what is wrong with an address that was refused already.
fn explain(prefixes: &[&str], raw: &str) -> Reason {
    if raw.is_empty() {
        return Reason::Empty;
    }
    if raw.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\' || b == b'%') {
        return Reason::ForbiddenCharacter;
    }
    let Some(rest) = raw.strip_prefix("https://") else {
        return Reason::NotHttps;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let of_host = |prefix: &&&str| prefix.split('/').nth(2) == Some(authority);
    if authority.contains('@') {
        Reason::UserInfo
    } else if authority.contains(':') {
        Reason::Port
    } else if let Some(prefix) = prefixes.iter().find(of_host) {
        explain_tail(raw.strip_prefix(prefix), raw)
    } else {
        Reason::WrongHost
    }
}

fn explain_tail(key: Option<&str>, raw: &str) -> Reason {
    if raw.contains('#') {
        return Reason::Fragment;
    }
    match key {
        None => Reason::WrongPath,
        Some(key) if key.contains(['&', '?', ';']) => Reason::ExtraParameter,
        Some(_) => Reason::WrongKey,
    }
}

/// The secret that a robot's messages are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct RobotSecret(String);

impl RobotSecret {
    /// How many characters a secret has; DingTalk's have `SEC` before them. The upper bound is that of Huawei SMN's
    /// `sign_secret`.
    pub const LENGTH: RangeInclusive<usize> = 1..=256;

    /// Reads the secret of a robot of that channel. Nothing is trimmed: a space would make every signature wrong.
    ///
    /// # Errors
    /// [`EndpointError::InvalidValue`] if it is not printable ASCII, lacks DingTalk's `SEC`, or the channel's robots do not
    /// sign (WeCom); [`EndpointError::TooLong`] over the limit.
    pub fn parse(kind: ChannelKind, raw: &str) -> Result<Self, EndpointError> {
        let prefix = match kind {
            ChannelKind::Dingtalk => "SEC",
            ChannelKind::Lark => "",
            ChannelKind::Wecom | ChannelKind::Sms | ChannelKind::Voice | ChannelKind::Email => {
                return Err(EndpointError::InvalidValue(Reason::NoSecret));
            }
        };
        if raw.is_empty() {
            return Err(EndpointError::InvalidValue(Reason::Empty));
        }
        if !raw.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(EndpointError::InvalidValue(Reason::ForbiddenCharacter));
        }
        let body = raw.strip_prefix(prefix).ok_or(EndpointError::InvalidValue(Reason::WrongPrefix))?;
        if body.len() < *Self::LENGTH.start() {
            return Err(EndpointError::InvalidValue(Reason::TooShort));
        }
        if body.len() > *Self::LENGTH.end() {
            return Err(EndpointError::TooLong { max: prefix.len() + Self::LENGTH.end() });
        }
        Ok(Self(raw.to_owned()))
    }

    /// The secret in clear, for sealing and for signing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RobotSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RobotSecret([redacted])")
    }
}
