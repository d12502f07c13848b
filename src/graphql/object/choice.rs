//! The enums of the schema, each the mirror of one of the domain or the store.

use async_graphql::{Enum, resolver_utils::EnumType};

use crate::{
    domain::{actor, api_key, channel, confirmation, engineer, refusal},
    store,
};

/// The value of that name in the API; `None` where there is none.
pub(in crate::graphql) fn from_name<T: EnumType>(name: &str) -> Option<T> {
    T::items().iter().find(|item| item.name == name).map(|item| item.value)
}

/// A way to reach an engineer.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "channel::ChannelKind")]
pub(in crate::graphql) enum ChannelKind {
    /// A text message to the mobile.
    Sms,
    /// A call to the mobile.
    Voice,
    /// A mail.
    Email,
    /// A WeCom group robot.
    Wecom,
    /// A DingTalk custom robot.
    Dingtalk,
    /// A Lark (Feishu) custom robot.
    Lark,
}

/// How far the confirmation of a channel got.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "confirmation::ConfirmationStatus")]
pub(in crate::graphql) enum ConfirmationStatus {
    /// There is no endpoint.
    NotConfigured,
    /// There is an endpoint, and nobody asked the person yet.
    Unsubscribed,
    /// The request waits to be handed to the provider.
    Requested,
    /// The message is out and can be answered until expiresAt.
    Pending,
    /// The person confirmed.
    Confirmed,
    /// Nobody answered in time.
    Expired,
    /// The person opted out, or the request is gone at the provider.
    Cancelled,
    /// The provider refused for good; see failureCode.
    Failed,
    /// A chat robot with an endpoint: it needs no confirmation.
    NotRequired,
}

/// Why a provider refused for good.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "confirmation::FailureCode")]
pub(in crate::graphql) enum FailureCode {
    /// The endpoint does not exist or takes no messages.
    EndpointRefused,
    /// The provider refuses the sender: credentials, permission or balance.
    SenderRefused,
    /// A quota of the provider is used up.
    QuotaExceeded,
}

/// Why a confirmation status changed.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "confirmation::StatusChangeCause")]
pub(in crate::graphql) enum StatusChangeCause {
    /// Someone subscribed the channel.
    Subscribed,
    /// The provider took the request.
    ProviderAccepted,
    /// The provider refused the request for good.
    ProviderRefused,
    /// The person confirmed on the page that the link opens.
    Link,
    /// The code was typed in elsewhere.
    Code,
    /// The confirmation sync found it so.
    Sync,
    /// The time to answer ran out.
    Expiry,
    /// Someone edited the endpoint.
    Edit,
    /// The person opted out.
    OptOut,
    /// A directory sync brought it.
    Directory,
    /// Someone cancelled the channel.
    Cancel,
}

/// Whether a person can be reached. Looks at the channels that have an endpoint and are not restricted.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "engineer::Reachability")]
pub(in crate::graphql) enum Reachability {
    /// All of them are usable.
    Reachable,
    /// Some of them are usable.
    Partial,
    /// None of them is, or there is none, or the person is not ACTIVE.
    Unreachable,
}

/// The kind of user that an engineer is in the directory.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "engineer::UserType")]
pub(in crate::graphql) enum UserType {
    /// An ordinary IAM user.
    IamUser,
    /// A federated user who becomes an IAM user.
    IamUserSso,
    /// A federated user without an IAM user. No directory lists them: they are added by hand.
    VirtualUserSso,
    /// A user of the IAM Identity Center.
    IdentityCenterUser,
    /// Someone of another directory.
    Other,
}

/// What the directory says of an engineer. People added by hand are ACTIVE.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "engineer::DirectoryState")]
pub(in crate::graphql) enum DirectoryState {
    /// Listed and let in.
    Active,
    /// Listed, and not let in.
    Disabled,
    /// No longer listed.
    Gone,
}

/// Why a channel cannot be subscribed now.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "engineer::NotSubscribableReason")]
pub(in crate::graphql) enum NotSubscribableReason {
    /// It is confirmed.
    AlreadyConfirmed,
    /// It has no endpoint.
    NoEndpoint,
    /// The account has no access to this channel.
    Restricted,
    /// A request is on its way.
    InProgress,
    /// Too many messages went to this endpoint; see nextRequestAt.
    RateLimited,
    /// Chat robots need no confirmation.
    NotNeeded,
    /// The engineer is not ACTIVE.
    EngineerInactive,
    /// The person behind the endpoint opted out; an operator can lift that.
    OptedOut,
}

/// A role of a caller.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "actor::Role")]
pub(in crate::graphql) enum Role {
    /// Sees the roll, contacts masked.
    Viewer,
    /// Runs the roll: sees contacts, edits, subscribes, syncs, deletes.
    Operator,
    /// May do everything, erasing and files included.
    Admin,
    /// Sees, edits, subscribes and confirms only themself.
    Engineer,
}

/// Something that a role allows over the whole roll.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "actor::Permission")]
pub(in crate::graphql) enum Permission {
    /// See the roll, its history and its syncs.
    ViewRoll,
    /// See contact data in clear, and search by it.
    ViewContacts,
    /// Add and edit engineers.
    EditEngineers,
    /// Subscribe and cancel channels, lift opt-outs, enter codes.
    SubscribeChannels,
    /// Run directory syncs and confirmation syncs.
    SyncDirectories,
    /// Delete and restore engineers.
    DeleteEngineers,
    /// Erase at once.
    EraseEngineers,
    /// Import and export the roll as files.
    ExchangeFiles,
    /// Create, list and revoke API keys.
    ManageApiKeys,
    /// Read the audit log.
    ViewAuditLog,
    /// Have contact data shown on the record: revealContact.
    RevealContacts,
}

/// Whether an API key is good.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "api_key::ApiKeyState")]
pub(in crate::graphql) enum ApiKeyState {
    /// It is good.
    Active,
    /// Its time is over.
    Expired,
    /// Someone revoked it.
    Revoked,
}

/// How far a directory sync got.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "store::SyncState")]
pub(in crate::graphql) enum DirectorySyncState {
    /// Waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// Done.
    Succeeded,
    /// So many people would be gone that a person must confirm it. Nobody was changed, save by a run that had been interrupted
    /// and went on; failureMessage tells how many.
    NeedsConfirmation,
    /// The directory could not be read. Nobody was changed, save by a run that had been interrupted and went on;
    /// failureMessage tells how many.
    Failed,
}

/// Why something happened, or did not, to one person in a directory sync.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum SyncReason {
    /// The name differs.
    NameChanged,
    /// The user type differs.
    UserTypeChanged,
    /// The identity provider differs.
    IdentityProviderChanged,
    /// The directory enabled or disabled the person.
    StateChanged,
    /// The person was GONE and is listed again.
    Revived,
    /// The person was deleted and comes back, as the run asked for.
    Restored,
    /// The alias was set for the first time.
    AliasSeeded,
    /// The mobile was set for the first time.
    MobileSeeded,
    /// The e-mail address was set for the first time.
    EmailSeeded,
    /// Found by the e-mail address in another directory.
    MatchedByEmail,
    /// Found by the name in another directory.
    MatchedByName,
    /// The person was deleted on the roll, and the run does not ask for deleted people.
    Deleted,
    /// The person moved to another directory, and is still listed there.
    MovedAway,
    /// The directory no longer lists the person.
    NotListed,
    /// The listed mobile is no phone number.
    InvalidPhoneNumber,
    /// The listed e-mail address is none.
    InvalidEmailAddress,
    /// The listed alias is too long or holds characters that are not allowed.
    InvalidAlias,
    /// The listed name is too long or holds characters that are not allowed.
    InvalidName,
    /// A field that every person needs is blank.
    MissingValue,
    /// The value is none of those that the field allows.
    InvalidValue,
    /// The row has more or fewer fields than the header.
    WrongFieldCount,
    /// The same external id stands in an earlier entry.
    Duplicate,
    /// The text is not valid in the file's encoding.
    InvalidEncoding,
}

/// By what the roll is ordered. Equal values are ordered by id.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "store::EngineerOrderField")]
pub(in crate::graphql) enum EngineerOrderField {
    /// By name, without regard to case.
    Name,
    /// By alias, without regard to case; people without one come first.
    Alias,
    /// By the last change.
    UpdatedAt,
    /// By when they came onto the roll.
    CreatedAt,
}

/// Which end comes first.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::graphql) enum OrderDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// Why something was refused.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "refusal::RefusalCode")]
pub(in crate::graphql) enum UserErrorCode {
    /// There is nothing with that id, or nothing that the caller may know of.
    NotFound,
    /// Someone else edited in between.
    VersionConflict,
    /// Not a phone number.
    InvalidPhoneNumber,
    /// Not an e-mail address.
    InvalidEmailAddress,
    /// Not a webhook of that chat robot.
    InvalidWebhook,
    /// Not a value that the field takes.
    InvalidValue,
    /// Longer than the field takes.
    TooLong,
    /// It is there already.
    AlreadyExists,
    /// The channel is confirmed.
    AlreadyConfirmed,
    /// The channel has no endpoint.
    NoEndpoint,
    /// The account has no access to this channel.
    Restricted,
    /// A request is on its way.
    InProgress,
    /// Too often; the parameter nextRequestAt says when it is allowed again.
    RateLimited,
    /// Chat robots need no confirmation.
    NotNeeded,
    /// The engineer is not ACTIVE.
    EngineerInactive,
    /// The person behind the endpoint opted out; an operator can lift that.
    OptedOut,
    /// Not the code of the message.
    WrongCode,
    /// The time to answer ran out.
    LinkExpired,
    /// Too many wrong codes.
    TooManyTries,
    /// Too many people would be gone; run again with confirmRemovals if that is right.
    RemovalsNeedConfirmation,
    /// The directory did not answer.
    DirectoryUnavailable,
    /// The directory cannot be read.
    DirectoryRefused,
    /// The idempotencyKey was used with another input within the last 24 hours.
    IdempotencyKeyReused,
    /// The caller's role does not allow it.
    NotAllowed,
}
