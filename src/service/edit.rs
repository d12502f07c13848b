//! What a caller wants of a field, and how typed values become domain values.

use std::fmt;

use crate::{
    domain::{
        account::{AccountSettings, Locale},
        channel::ChannelKind,
        endpoint::{EmailAddress, EndpointError, PhoneNumber, RobotSecret, Webhook},
        engineer::MAX_NAME,
        refusal::{Refusal, RefusalCode},
        text::clean_text,
    },
    store::RobotEndpoint,
};

/// What a caller wants of a field.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Edit {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is cleared.
    Clear,
    /// It gets this value, as typed.
    Set(String),
}

impl From<Option<String>> for Edit {
    /// A value, or none.
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// Values are contact data and secrets, so they are left out.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Clear => "Clear",
            Self::Set(_) => "Set(***)",
        })
    }
}

/// The endpoint of one channel as a caller wants it.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointEdit {
    /// The channel. SMS and voice share the mobile.
    pub kind: ChannelKind,
    /// The number, address or webhook.
    pub value: Edit,
    /// The signing secret of a chat robot.
    pub secret: Edit,
}

/// Everything of an engineer that a person may edit.
#[derive(Clone, Default)]
pub struct EngineerEdits {
    /// What people call them.
    pub alias: Edit,
    /// The language of messages.
    pub locale: Edit,
    /// The mobile.
    pub mobile: Edit,
    /// The e-mail address.
    pub email: Edit,
    /// Endpoints by channel.
    pub endpoints: Vec<EndpointEdit>,
}

/// What a chat robot's endpoint becomes.
pub(super) enum RobotEdit {
    /// The robot is taken away.
    Clear,
    /// A new webhook, with the secret that goes with it; `Keep` keeps the present one.
    Set(Webhook, Option<Option<RobotSecret>>),
    /// Only the secret changes.
    Secret(Option<RobotSecret>),
}

/// The edits, judged. `None` stays, `Some(None)` is cleared.
#[derive(Default)]
pub(super) struct JudgedEdits {
    pub alias: Option<Option<String>>,
    pub locale: Option<Option<Locale>>,
    pub mobile: Option<Option<PhoneNumber>>,
    pub email: Option<Option<EmailAddress>>,
    pub robots: Vec<(ChannelKind, RobotEdit)>,
}

/// Judges all edits, so that the caller learns of everything wrong at once.
pub(super) fn judge(edits: &EngineerEdits, settings: &AccountSettings) -> Result<JudgedEdits, Vec<Refusal>> {
    let mut judge = Judge { settings, judged: JudgedEdits::default(), refusals: Vec::new() };
    judge.alias(&edits.alias);
    judge.locale(&edits.locale);
    judge.mobile(&edits.mobile, &["mobile"]);
    judge.email(&edits.email, &["email"]);
    for (place, endpoint) in edits.endpoints.iter().enumerate() {
        judge.endpoint(endpoint, &place.to_string());
    }
    if judge.refusals.is_empty() { Ok(judge.judged) } else { Err(judge.refusals) }
}

struct Judge<'a> {
    settings: &'a AccountSettings,
    judged: JudgedEdits,
    refusals: Vec<Refusal>,
}

impl Judge<'_> {
    fn keep<T>(&mut self, result: Result<T, EndpointError>, path: &[&str]) -> Option<T> {
        result.map_err(|error| self.refusals.push(refuse_endpoint(error).at(path))).ok()
    }

    fn alias(&mut self, edit: &Edit) {
        match edit {
            Edit::Keep => {}
            Edit::Clear => self.judged.alias = Some(None),
            Edit::Set(text) => {
                let alias = self.keep(clean_text(text, MAX_NAME), &["alias"]);
                self.judged.alias = alias.map(|alias| Some(alias).filter(|alias| !alias.is_empty()));
            }
        }
    }

    fn locale(&mut self, edit: &Edit) {
        match edit {
            Edit::Keep => {}
            Edit::Clear => self.judged.locale = Some(None),
            Edit::Set(tag) => match Locale::from_tag(tag) {
                Some(locale) => self.judged.locale = Some(Some(locale)),
                None => self.refuse(RefusalCode::InvalidValue, "en, zh-CN", &["locale"]),
            },
        }
    }

    fn mobile(&mut self, edit: &Edit, path: &[&str]) {
        let country = self.settings.default_country;
        let mobile = match edit {
            Edit::Keep => return,
            Edit::Clear => None,
            Edit::Set(text) => match self.keep(PhoneNumber::parse(text, country.as_str()), path) {
                Some(mobile) => Some(mobile),
                None => return,
            },
        };
        if self.judged.mobile.as_ref().is_some_and(|other| *other != mobile) {
            return self.refuse(RefusalCode::InvalidValue, "SMS and VOICE share one mobile", path);
        }
        self.judged.mobile = Some(mobile);
    }

    fn email(&mut self, edit: &Edit, path: &[&str]) {
        let email = match edit {
            Edit::Keep => return,
            Edit::Clear => None,
            Edit::Set(text) => match self.keep(EmailAddress::parse(text), path) {
                Some(email) => Some(email),
                None => return,
            },
        };
        if self.judged.email.as_ref().is_some_and(|other| *other != email) {
            return self.refuse(RefusalCode::InvalidValue, "two different e-mail addresses", path);
        }
        self.judged.email = Some(email);
    }

    fn endpoint(&mut self, edit: &EndpointEdit, place: &str) {
        let path = ["endpoints", place, "value"];
        match edit.kind {
            ChannelKind::Sms | ChannelKind::Voice => self.mobile(&edit.value, &path),
            ChannelKind::Email => self.email(&edit.value, &path),
            ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => return self.robot(edit, place),
        }
        if matches!(edit.secret, Edit::Set(_)) {
            self.refuse(RefusalCode::InvalidValue, "only chat robots have a secret", &["endpoints", place, "secret"]);
        }
    }

    fn robot(&mut self, edit: &EndpointEdit, place: &str) {
        let secret = match &edit.secret {
            Edit::Keep => None,
            Edit::Clear => Some(None),
            Edit::Set(text) => match self.keep(RobotSecret::parse(edit.kind, text), &["endpoints", place, "secret"]) {
                Some(secret) => Some(Some(secret)),
                None => return,
            },
        };
        let robot = match &edit.value {
            Edit::Clear => RobotEdit::Clear,
            Edit::Set(text) => match self.keep(Webhook::parse(edit.kind, text), &["endpoints", place, "value"]) {
                Some(webhook) => RobotEdit::Set(webhook, secret),
                None => return,
            },
            Edit::Keep => match secret {
                Some(secret) => RobotEdit::Secret(secret),
                None => return,
            },
        };
        if self.judged.robots.iter().any(|(kind, _)| *kind == edit.kind) {
            return self.refuse(RefusalCode::InvalidValue, "the channel is named twice", &["endpoints", place, "kind"]);
        }
        self.judged.robots.push((edit.kind, robot));
    }

    fn refuse(&mut self, code: RefusalCode, reason: &str, path: &[&str]) {
        self.refusals.push(Refusal::new(code).with("reason", reason).at(path));
    }
}

/// A refused endpoint or text as a refusal.
pub(super) fn refuse_endpoint(error: EndpointError) -> Refusal {
    let code = match error {
        EndpointError::InvalidPhoneNumber(_) => RefusalCode::InvalidPhoneNumber,
        EndpointError::InvalidEmailAddress(_) => RefusalCode::InvalidEmailAddress,
        EndpointError::InvalidWebhook(_) => RefusalCode::InvalidWebhook,
        EndpointError::InvalidValue(_) => RefusalCode::InvalidValue,
        EndpointError::TooLong { max } => return Refusal::new(RefusalCode::TooLong).with("limit", max),
    };
    Refusal::new(code).with("reason", error.reason().name())
}

/// The robot endpoint that an edit leads to, given the one that is kept.
pub(super) fn edited_robot(edit: RobotEdit, kept: Option<(Webhook, Option<RobotSecret>)>) -> Option<RobotEndpoint> {
    match (edit, kept) {
        (RobotEdit::Clear, _) | (RobotEdit::Secret(_), None) => None,
        (RobotEdit::Set(webhook, secret), kept) => {
            let secret = secret.unwrap_or_else(|| kept.and_then(|(_, secret)| secret));
            Some(RobotEndpoint { webhook, secret })
        }
        (RobotEdit::Secret(secret), Some((webhook, _))) => Some(RobotEndpoint { webhook, secret }),
    }
}
