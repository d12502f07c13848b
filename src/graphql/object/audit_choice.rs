//! The enums of the audit log, each the mirror of one of the domain.

use async_graphql::Enum;

use crate::domain::audit;

/// What was done, or tried: the name of the mutation, or what is done elsewhere.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::AuditAction")]
pub(in crate::graphql) enum AuditAction {
    /// addEngineer.
    AddEngineer,
    /// updateEngineer.
    UpdateEngineer,
    /// deleteEngineers.
    DeleteEngineers,
    /// restoreEngineers.
    RestoreEngineers,
    /// subscribeChannels.
    SubscribeChannels,
    /// cancelChannels.
    CancelChannels,
    /// confirmChannel, and the code typed in on the page of a link.
    ConfirmChannel,
    /// The person behind an endpoint wants no messages.
    OptOut,
    /// refreshConfirmations.
    RefreshConfirmations,
    /// syncEngineers, rollcall sync, and a run by schedule.
    SyncEngineers,
    /// createApiKey.
    CreateApiKey,
    /// revokeApiKeys.
    RevokeApiKeys,
    /// revealContact.
    RevealContact,
    /// A file of bulk edits.
    ImportEngineers,
    /// The roll as a file.
    ExportEngineers,
    /// The end of a deleted person's data.
    EraseEngineers,
    /// rollcall token.
    IssueToken,
    /// rollcall keys rotate.
    RotateKeys,
    /// rollcall audit export.
    ExportAuditLog,
}

/// What showed who did something.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::AuditActorKind")]
pub(in crate::graphql) enum AuditActorKind {
    /// An access token.
    Token,
    /// An API key.
    ApiKey,
    /// A command on the machine itself.
    CommandLine,
    /// A confirmation link.
    Link,
    /// rollcall by itself: a schedule, the end of a time.
    System,
}

/// How something ended.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::AuditOutcome")]
pub(in crate::graphql) enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused, and nothing was done.
    Refused,
}

/// The kind of thing that something was done to.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::AuditTargetKind")]
pub(in crate::graphql) enum AuditTargetKind {
    /// An engineer.
    Engineer,
    /// An API key.
    ApiKey,
    /// A run of a directory sync.
    DirectorySync,
}
