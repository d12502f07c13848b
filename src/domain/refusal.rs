//! Refusals: what a person can act on, as data.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

use super::{account::Locale, endpoint::Reason, engineer::NotSubscribableReason};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $en:literal, $zh:literal;)*) => {
        /// The code of a refusal, as in the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $variant,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the API and in stored rows.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The code of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }

            /// The sentence for a person; `{name}` stands for a parameter.
            const fn template(self, locale: Locale) -> &'static str {
                match (self, locale) {
                    $((Self::$variant, Locale::En) => $en, (Self::$variant, Locale::ZhCn) => $zh,)*
                }
            }
        }
    };
}

codes! {
    /// There is nothing with that id.
    NotFound = "NOT_FOUND", "There is no such {what}.", "没有此{what}。";
    /// Someone else edited in between.
    VersionConflict = "VERSION_CONFLICT",
        "Someone else changed this engineer meanwhile; the present version is {version}. Load it again and repeat your change.",
        "该人员已被他人修改,当前版本为 {version}。请重新加载后再修改。";
    /// Not a phone number.
    InvalidPhoneNumber = "INVALID_PHONE_NUMBER",
        "This is not a valid phone number ({reason}). Write it with the country code, such as +86 138 0013 8000.",
        "手机号码无效({reason})。请带国家码填写,例如 +86 138 0013 8000。";
    /// Not a mail address.
    InvalidEmailAddress = "INVALID_EMAIL_ADDRESS",
        "This is not a valid e-mail address ({reason}). It looks like name@example.com.",
        "邮箱地址无效({reason})。正确形式如 name@example.com。";
    /// Not a webhook of that chat robot.
    InvalidWebhook = "INVALID_WEBHOOK",
        "This is not a webhook of such a robot ({reason}). Copy the address from the robot's settings unchanged.",
        "不是有效的机器人 Webhook 地址({reason})。请从机器人设置中原样复制。";
    /// Not a value that the field takes.
    InvalidValue = "INVALID_VALUE", "The field does not take this value ({reason}).", "该字段不接受此值({reason})。";
    /// Longer than the field takes.
    TooLong = "TOO_LONG", "The value is too long; {limit} characters are allowed.", "内容过长,最多 {limit} 个字符。";
    /// It is there already.
    AlreadyExists = "ALREADY_EXISTS", "There is already such an entry.", "已存在相同的条目。";
    /// The channel is confirmed.
    AlreadyConfirmed = "ALREADY_CONFIRMED", "The channel is confirmed already.", "该渠道已确认。";
    /// The channel has no endpoint.
    NoEndpoint = "NO_ENDPOINT", "The channel has no endpoint; set one first.", "该渠道没有联系方式,请先填写。";
    /// Beta access is missing.
    Restricted = "RESTRICTED", "The account has no access to this channel yet.", "账号尚未开通该渠道。";
    /// A request is on its way.
    InProgress = "IN_PROGRESS", "A request is already on its way.", "请求正在处理中。";
    /// Too often.
    RateLimited = "RATE_LIMITED", "Too many messages to this endpoint; try again from {nextRequestAt} on.",
        "向该联系方式发送过于频繁,请在 {nextRequestAt} 之后重试。";
    /// Chat robots need no confirmation.
    NotNeeded = "NOT_NEEDED", "This channel needs no confirmation.", "该渠道无需确认。";
    /// The engineer is not ACTIVE.
    EngineerInactive = "ENGINEER_INACTIVE", "The engineer is not active in the directory.", "该人员在目录中不是有效状态。";
    /// The person opted out.
    OptedOut = "OPTED_OUT", "The person behind this endpoint does not want messages. An operator can lift that (liftOptOut).",
        "对方已拒绝接收消息,操作员可通过 liftOptOut 解除。";
    /// Not the code of the message.
    WrongCode = "WRONG_CODE", "The code is not the one in the message; {triesLeft} tries are left.",
        "验证码不正确,还可尝试 {triesLeft} 次。";
    /// The link's lifetime ran out.
    LinkExpired = "LINK_EXPIRED", "The message has expired; subscribe again.", "链接已过期,请重新订阅。";
    /// Too many wrong codes.
    TooManyTries = "TOO_MANY_TRIES", "Too many wrong codes; subscribe again.", "错误次数过多,请重新订阅。";
    /// Too many people would be gone.
    RemovalsNeedConfirmation = "REMOVALS_NEED_CONFIRMATION",
        "{gone} people would be gone; {changed}. Run again with confirmRemovals if that is right.",
        "将有 {gone} 人被标记为已移除,{changed};若确认无误,请使用 confirmRemovals 重新执行。";
    /// The directory did not answer.
    DirectoryUnavailable = "DIRECTORY_UNAVAILABLE", "The directory did not answer; {changed}.", "目录无响应,{changed}。";
    /// The directory cannot be read.
    DirectoryRefused = "DIRECTORY_REFUSED", "The directory cannot be read; {changed}.", "目录无法读取,{changed}。";
    /// The key of a mutation was used with another input.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
        "This idempotencyKey was used with another input within the last 24 hours; give a new one.",
        "该 idempotencyKey 在 24 小时内已用于其他输入,请换一个新的。";
    /// The caller may not do this.
    NotAllowed = "NOT_ALLOWED", "Your role does not allow this.", "您的角色无权执行此操作。";
}

/// What kept the server from doing what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// The path of the input field concerned, outermost first; empty where it is none.
    pub field: Vec<String>,
    /// What fills the sentence: names and values, never contact data.
    pub params: Vec<(Cow<'static, str>, String)>,
}

impl Refusal {
    /// A refusal without field and parameters.
    pub const fn new(code: RefusalCode) -> Self {
        Self { code, field: Vec::new(), params: Vec::new() }
    }

    /// There is no such thing, or none that the caller may know of.
    pub fn not_found(what: &str) -> Self {
        Self::new(RefusalCode::NotFound).with("what", what)
    }

    /// The same with what exactly is wrong.
    #[must_use]
    pub fn because(self, reason: Reason) -> Self {
        self.with("reason", reason.name())
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.params.push((name.into(), value.to_string()));
        self
    }

    /// The same with a moment as parameter, as RFC 3339 in UTC.
    #[must_use]
    pub fn with_time(self, name: &'static str, at: DateTime<Utc>) -> Self {
        self.with(name, at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// The same at an input field.
    #[must_use]
    pub fn at(mut self, path: &[&str]) -> Self {
        self.field = path.iter().map(|&part| part.to_owned()).collect();
        self
    }

    /// The sentence for a person.
    pub fn message(&self, locale: Locale) -> String {
        self.params.iter().fold(self.code.template(locale).to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &say(name, value, locale))
        })
    }
}

/// A parameter's value as a person reads it.
fn say<'a>(name: &str, value: &'a str, locale: Locale) -> Cow<'a, str> {
    match (name, value, locale) {
        ("reason", code, _) => Reason::from_name(code).map_or(value, |reason| reason.words(locale)).into(),
        ("what", "engineer", Locale::ZhCn) => "人员".into(),
        ("what", "deleted engineer", Locale::ZhCn) => "已删除人员".into(),
        ("what", "directory", Locale::ZhCn) => "目录".into(),
        ("what", "API key", Locale::ZhCn) => "API 密钥".into(),
        // A directory sync that goes on after a break has changed people before it stops.
        ("changed", "0", Locale::En) => "nobody was changed".into(),
        ("changed", "0", Locale::ZhCn) => "未做任何更改".into(),
        ("changed", "1", Locale::En) => "1 person was changed before it stopped".into(),
        ("changed", count, Locale::En) => format!("{count} people were changed before it stopped").into(),
        ("changed", count, Locale::ZhCn) => format!("停止前已更改 {count} 人").into(),
        (_, _, Locale::En | Locale::ZhCn) => value.into(),
    }
}

impl From<NotSubscribableReason> for RefusalCode {
    fn from(reason: NotSubscribableReason) -> Self {
        match reason {
            NotSubscribableReason::AlreadyConfirmed => Self::AlreadyConfirmed,
            NotSubscribableReason::NoEndpoint => Self::NoEndpoint,
            NotSubscribableReason::Restricted => Self::Restricted,
            NotSubscribableReason::InProgress => Self::InProgress,
            NotSubscribableReason::RateLimited => Self::RateLimited,
            NotSubscribableReason::NotNeeded => Self::NotNeeded,
            NotSubscribableReason::EngineerInactive => Self::EngineerInactive,
            NotSubscribableReason::OptedOut => Self::OptedOut,
        }
    }
}
