//! What a caller wants of a field, and how typed values become domain values.

use std::fmt;

use crate::{
    domain::{
        account::{AccountSettings, Locale},
        channel::ChannelKind,
        endpoint::{EmailAddress, EndpointError, PhoneNumber, Reason, RobotSecret, Webhook},
        engineer::MAX_NAME,
        refusal::{Refusal, RefusalCode},
        text::clean_text,
    },
    store::RobotEndpoint,
};

/// What a caller wants of a field.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Edit<T = String> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is cleared.
    Clear,
    /// It gets this value.
    Set(T),
}

impl<T> Edit<T> {
    /// The same with the value judged, where there is one.
    fn judge<U, E>(&self, judge: impl FnOnce(&T) -> Result<Option<U>, E>) -> Result<Edit<U>, E> {
        match self {
            Self::Keep => Ok(Edit::Keep),
            Self::Clear => Ok(Edit::Clear),
            Self::Set(value) => Ok(judge(value)?.map_or(Edit::Clear, Edit::Set)),
        }
    }

    /// Joins what two fields of the input want of one thing. False where they want different things.
    fn settle(self, other: &mut Self) -> bool
    where
        T: PartialEq,
    {
        if self == Self::Keep || self == *other {
            return true;
        }
        let free = *other == Self::Keep;
        if free {
            *other = self;
        }
        free
    }

    /// Does to a field what is wanted of it. Tells whether the field changed.
    pub(super) fn apply_to(self, field: &mut Option<T>) -> bool
    where
        T: PartialEq,
    {
        let wanted = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        };
        let changed = *field != wanted;
        *field = wanted;
        changed
    }
}

impl<T> From<Option<T>> for Edit<T> {
    /// A value, or none.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// Values are contact data and secrets, so they are left out.
impl<T> fmt::Debug for Edit<T> {
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

/// What is wanted of a chat robot's endpoint.
pub(super) struct RobotEdit {
    webhook: Edit<Webhook>,
    secret: Edit<RobotSecret>,
    /// Where it stands among the endpoints of the input.
    place: String,
}

impl RobotEdit {
    /// The endpoint that it leads to, given the one that is kept. Without a webhook there is no secret.
    pub fn of(self, kept: Option<RobotEndpoint>) -> Option<RobotEndpoint> {
        let (mut webhook, mut secret) = kept.map(|kept| (Some(kept.webhook), kept.secret)).unwrap_or_default();
        self.webhook.apply_to(&mut webhook);
        self.secret.apply_to(&mut secret);
        webhook.map(|webhook| RobotEndpoint { webhook, secret })
    }

    /// Refuses a secret for a robot that has no webhook, and gets none: it would sign nothing, and be lost.
    pub fn check(&self, has_webhook: bool) -> Result<(), Refusal> {
        let gets_webhook = match self.webhook {
            Edit::Keep => has_webhook,
            Edit::Clear => false,
            Edit::Set(_) => true,
        };
        if gets_webhook || !matches!(self.secret, Edit::Set(_)) {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::NoEndpoint).at(&["endpoints", &self.place, "value"]))
    }
}

/// The edits, judged.
#[derive(Default)]
pub(super) struct JudgedEdits {
    pub alias: Edit,
    pub locale: Edit<Locale>,
    pub mobile: Edit<PhoneNumber>,
    pub email: Edit<EmailAddress>,
    pub robots: Vec<(ChannelKind, RobotEdit)>,
}

impl JudgedEdits {
    /// Refuses what does not fit how the channels stand: `has_webhook` tells which robots have one.
    pub fn check(&self, has_webhook: impl Fn(ChannelKind) -> bool) -> Result<(), Vec<Refusal>> {
        let refused = self.robots.iter().filter_map(|(kind, robot)| robot.check(has_webhook(*kind)).err());
        let refused: Vec<_> = refused.collect();
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }
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
    /// Keeps a judged edit, or the refusal.
    fn keep<T>(&mut self, judged: Result<Edit<T>, EndpointError>, path: &[&str]) -> Edit<T> {
        judged.unwrap_or_else(|error| {
            self.refusals.push(refuse_endpoint(error).at(path));
            Edit::Keep
        })
    }

    fn refuse(&mut self, reason: Reason, path: &[&str]) {
        self.refusals.push(Refusal::new(RefusalCode::InvalidValue).because(reason).at(path));
    }

    fn alias(&mut self, edit: &Edit) {
        let judged = edit.judge(|text| clean_text(text, MAX_NAME).map(|alias| Some(alias).filter(|a| !a.is_empty())));
        self.judged.alias = self.keep(judged, &["alias"]);
    }

    fn locale(&mut self, edit: &Edit) {
        match edit.judge(|tag| Locale::from_tag(tag).map(Some).ok_or(())) {
            Ok(locale) => self.judged.locale = locale,
            Err(()) => self.refuse(Reason::UnknownLanguage, &["locale"]),
        }
    }

    fn mobile(&mut self, edit: &Edit, path: &[&str]) {
        let country = self.settings.default_country;
        let judged = edit.judge(|text| PhoneNumber::parse(text, country.as_str()).map(Some));
        let mobile = self.keep(judged, path);
        if !mobile.settle(&mut self.judged.mobile) {
            self.refuse(Reason::MobilesDiffer, path);
        }
    }

    fn email(&mut self, edit: &Edit, path: &[&str]) {
        let judged = edit.judge(|text| EmailAddress::parse(text).map(Some));
        let email = self.keep(judged, path);
        if !email.settle(&mut self.judged.email) {
            self.refuse(Reason::AddressesDiffer, path);
        }
    }

    fn endpoint(&mut self, edit: &EndpointEdit, place: &str) {
        let path = ["endpoints", place, "value"];
        match edit.kind {
            ChannelKind::Sms | ChannelKind::Voice => self.mobile(&edit.value, &path),
            ChannelKind::Email => self.email(&edit.value, &path),
            ChannelKind::Wecom | ChannelKind::Dingtalk | ChannelKind::Lark => return self.robot(edit, place),
        }
        if matches!(edit.secret, Edit::Set(_)) {
            self.refuse(Reason::NoSecret, &["endpoints", place, "secret"]);
        }
    }

    fn robot(&mut self, edit: &EndpointEdit, place: &str) {
        if self.judged.robots.iter().any(|(kind, _)| *kind == edit.kind) {
            return self.refuse(Reason::NamedTwice, &["endpoints", place, "kind"]);
        }
        let webhook = edit.value.judge(|text| Webhook::parse(edit.kind, text).map(Some));
        let secret = edit.secret.judge(|text| RobotSecret::parse(edit.kind, text).map(Some));
        let webhook = self.keep(webhook, &["endpoints", place, "value"]);
        let secret = self.keep(secret, &["endpoints", place, "secret"]);
        self.judged.robots.push((edit.kind, RobotEdit { webhook, secret, place: place.to_owned() }));
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
    Refusal::new(code).because(error.reason())
}
