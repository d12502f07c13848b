//! One person on the roll, and what follows from how their channels stand.

use chrono::{DateTime, Utc};

use super::{
    account::Locale,
    channel::{ChannelKind, EndpointField},
    confirmation::{Channel, ConfirmationStatus},
    endpoint::{EmailAddress, PhoneNumber},
    id::EngineerId,
    named::named,
    resend::EndpointGuard,
};

named! {
    /// The kind of user that an engineer is in the directory. Names as in COC's "O&M Engineer Management".
    pub enum UserType {
        /// An ordinary IAM user.
        IamUser = "IAM_USER",
        /// A federated user who becomes an IAM user ("IAM user SSO").
        IamUserSso = "IAM_USER_SSO",
        /// A federated user without an IAM user ("virtual user SSO"). No directory lists them: they are added by hand.
        VirtualUserSso = "VIRTUAL_USER_SSO",
        /// A user of the IAM Identity Center.
        IdentityCenterUser = "IDENTITY_CENTER_USER",
        /// Someone of another directory.
        Other = "OTHER",
    }
}

named! {
    /// What the directory says of an engineer. People added by hand are ACTIVE.
    pub enum DirectoryState {
        /// Listed and let in.
        Active = "ACTIVE",
        /// Listed, and not let in.
        Disabled = "DISABLED",
        /// No longer listed.
        Gone = "GONE",
    }
}

/// Who a directory says that an engineer is: the directory's name and its own key of the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DirectoryIdentity {
    /// The name of the directory in the configuration.
    pub directory: String,
    /// The directory's key of the person.
    pub external_id: String,
}

/// Which fields were set once, by a directory or a person. A directory seeds only fields that never were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Touched {
    /// The alias.
    pub alias: bool,
    /// The mobile.
    pub mobile: bool,
    /// The e-mail address.
    pub email: bool,
}

/// One person on the roll of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engineer {
    /// The id.
    pub id: EngineerId,
    /// The user name in the directory, 1 to [`MAX_NAME`] characters.
    pub name: String,
    /// How people call them, up to [`MAX_NAME`] characters.
    pub alias: Option<String>,
    /// The kind of user.
    pub user_type: UserType,
    /// The identity provider of a federated user.
    pub identity_provider: Option<String>,
    /// Where they come from; `None` for people added by hand.
    pub identity: Option<DirectoryIdentity>,
    /// What the directory says of them.
    pub directory_state: DirectoryState,
    /// The language of the messages they get; `None` for the account's.
    pub locale: Option<Locale>,
    /// Where SMS and voice end.
    pub mobile: Option<PhoneNumber>,
    /// Where e-mail ends.
    pub email: Option<EmailAddress>,
    /// Which fields were set once.
    pub touched: Touched,
    /// Counts edits.
    pub version: i32,
    /// When they came onto the roll.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
    /// When a directory sync last saw them.
    pub synced_at: Option<DateTime<Utc>>,
    /// When they were deleted; they are hidden from then on.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// The most characters of a name or an alias.
pub const MAX_NAME: usize = 128;

impl Engineer {
    /// Someone who comes onto the roll at that moment: ACTIVE, without contact data, and from no directory.
    pub fn new(id: EngineerId, name: String, user_type: UserType, now: DateTime<Utc>) -> Self {
        Self {
            id,
            name,
            alias: None,
            user_type,
            identity_provider: None,
            identity: None,
            directory_state: DirectoryState::Active,
            locale: None,
            mobile: None,
            email: None,
            touched: Touched::default(),
            version: 0,
            created_at: now,
            updated_at: now,
            synced_at: None,
            deleted_at: None,
        }
    }

    /// Whether anything may be sent to them.
    pub fn is_active(&self) -> bool {
        self.directory_state == DirectoryState::Active && self.deleted_at.is_none()
    }

    /// The endpoint of a channel that needs confirmation, in its normal form.
    pub fn endpoint(&self, kind: ChannelKind) -> Option<&str> {
        match kind.endpoint_field() {
            EndpointField::Mobile => self.mobile.as_ref().map(PhoneNumber::as_str),
            EndpointField::Email => self.email.as_ref().map(EmailAddress::as_str),
            EndpointField::Webhook => None,
        }
    }
}

/// Why a channel cannot be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotSubscribableReason {
    /// It is confirmed.
    AlreadyConfirmed,
    /// It has no endpoint.
    NoEndpoint,
    /// The account lacks the beta access.
    Restricted,
    /// It is REQUESTED.
    InProgress,
    /// The resend limits say later.
    RateLimited,
    /// Chat robots need no confirmation.
    NotNeeded,
    /// The engineer is not ACTIVE.
    EngineerInactive,
    /// The person behind the endpoint opted out.
    OptedOut,
}

/// What besides the channel itself decides over it.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whether [`Engineer::is_active`].
    pub engineer_active: bool,
    /// Whether the account lacks the beta access to the channel.
    pub restricted: bool,
    /// The guard of the channel's endpoint.
    pub guard: &'a EndpointGuard,
    /// The present moment.
    pub now: DateTime<Utc>,
}

impl Channel {
    /// Whether a confirmation may be asked for now.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn subscribable(&self, around: Circumstances<'_>) -> Result<(), NotSubscribableReason> {
        use NotSubscribableReason as Reason;
        match self.status() {
            ConfirmationStatus::NotRequired => return Err(Reason::NotNeeded),
            ConfirmationStatus::NotConfigured if !self.kind.needs_confirmation() => return Err(Reason::NotNeeded),
            ConfirmationStatus::NotConfigured => return Err(Reason::NoEndpoint),
            ConfirmationStatus::Confirmed => return Err(Reason::AlreadyConfirmed),
            ConfirmationStatus::Requested => return Err(Reason::InProgress),
            ConfirmationStatus::Unsubscribed
            | ConfirmationStatus::Pending
            | ConfirmationStatus::Expired
            | ConfirmationStatus::Cancelled
            | ConfirmationStatus::Failed => {}
        }
        if !around.engineer_active {
            return Err(Reason::EngineerInactive);
        }
        if around.restricted {
            return Err(Reason::Restricted);
        }
        if around.guard.opted_out_at.is_some() {
            return Err(Reason::OptedOut);
        }
        if around.guard.next_request_at(self.kind, around.now) > around.now {
            return Err(Reason::RateLimited);
        }
        Ok(())
    }

    /// Whether a message may be sent by the channel.
    pub fn usable(&self, engineer_active: bool, restricted: bool) -> bool {
        let proved = matches!(self.status(), ConfirmationStatus::Confirmed | ConfirmationStatus::NotRequired);
        proved && engineer_active && !restricted
    }
}

named! {
    /// Whether a person can be reached.
    pub enum Reachability {
        /// Every configured, unrestricted channel is usable.
        Reachable = "REACHABLE",
        /// Some are.
        Partial = "PARTIAL",
        /// None is, or there is none, or the person is not ACTIVE.
        Unreachable = "UNREACHABLE",
    }
}

impl Reachability {
    /// Judges all channels of one engineer.
    pub fn of(channels: &[Channel], engineer_active: bool, restricted: impl Fn(ChannelKind) -> bool) -> Self {
        let counted = || {
            channels
                .iter()
                .filter(|channel| channel.status() != ConfirmationStatus::NotConfigured && !restricted(channel.kind))
        };
        let usable = counted().filter(|channel| channel.usable(engineer_active, false)).count();
        match (usable, counted().count()) {
            (0, _) => Self::Unreachable,
            (usable, all) if usable == all => Self::Reachable,
            _ => Self::Partial,
        }
    }
}
