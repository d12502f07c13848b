//! The audit log: who did what to whom, or was refused it. Entries hold no contact data: values are masked, and secrets are only
//! said to have changed.

mod facts;

use chrono::{DateTime, Utc};

use super::{
    actor::{Actor, COMMAND_LINE, Credential, Role},
    id::{ApiKeyId, AuditEntryId, DirectorySyncId, EngineerId},
    named::named,
    request::RequestContext,
};

pub use self::facts::{Facts, Portrait};

/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

named! {
    /// What was done, or tried: the mutation's name, or what is done elsewhere.
    pub enum AuditAction {
        /// `addEngineer`.
        AddEngineer = "ADD_ENGINEER",
        /// `updateEngineer`.
        UpdateEngineer = "UPDATE_ENGINEER",
        /// `deleteEngineers`.
        DeleteEngineers = "DELETE_ENGINEERS",
        /// `restoreEngineers`.
        RestoreEngineers = "RESTORE_ENGINEERS",
        /// `subscribeChannels`.
        SubscribeChannels = "SUBSCRIBE_CHANNELS",
        /// `cancelChannels`.
        CancelChannels = "CANCEL_CHANNELS",
        /// `confirmChannel`, and the code typed in on the page of a link.
        ConfirmChannel = "CONFIRM_CHANNEL",
        /// The person behind an endpoint wants no messages.
        OptOut = "OPT_OUT",
        /// `refreshConfirmations`.
        RefreshConfirmations = "REFRESH_CONFIRMATIONS",
        /// `syncEngineers`, `rollcall sync`, and a run by schedule.
        SyncEngineers = "SYNC_ENGINEERS",
        /// `createApiKey`.
        CreateApiKey = "CREATE_API_KEY",
        /// `revokeApiKeys`.
        RevokeApiKeys = "REVOKE_API_KEYS",
        /// `revealContact`.
        RevealContact = "REVEAL_CONTACT",
        /// A file of bulk edits.
        ImportEngineers = "IMPORT_ENGINEERS",
        /// The roll as a file.
        ExportEngineers = "EXPORT_ENGINEERS",
        /// The end of a deleted person's data.
        EraseEngineers = "ERASE_ENGINEERS",
        /// `rollcall token`.
        IssueToken = "ISSUE_TOKEN",
        /// `rollcall keys rotate`.
        RotateKeys = "ROTATE_KEYS",
        /// `rollcall audit export`.
        ExportAuditLog = "EXPORT_AUDIT_LOG",
    }
}

named! {
    /// What showed who did it.
    pub enum AuditActorKind {
        /// An access token.
        Token = "TOKEN",
        /// An API key.
        ApiKey = "API_KEY",
        /// A command on the machine itself.
        CommandLine = "COMMAND_LINE",
        /// A confirmation link.
        Link = "LINK",
        /// rollcall by itself: a schedule, the end of a time.
        System = "SYSTEM",
    }
}

named! {
    /// How it ended.
    pub enum AuditOutcome {
        /// It was done.
        Done = "DONE",
        /// It was refused, and nothing was done.
        Refused = "REFUSED",
    }
}

named! {
    /// What something was done to.
    pub enum AuditTargetKind {
        /// An engineer.
        Engineer = "ENGINEER",
        /// An API key.
        ApiKey = "API_KEY",
        /// A run of a directory sync.
        DirectorySync = "DIRECTORY_SYNC",
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActor {
    /// What showed who they are.
    pub kind: AuditActorKind,
    /// The token's subject, or the API key's id; a word for the others.
    pub subject: String,
    /// Their roles at that moment.
    pub roles: Vec<Role>,
}

impl AuditActor {
    /// A person whom their confirmation link shows.
    pub fn link() -> Self {
        Self { kind: AuditActorKind::Link, subject: "link".to_owned(), roles: Vec::new() }
    }

    /// Someone who runs a command on the machine itself.
    pub fn command_line() -> Self {
        let kind = AuditActorKind::CommandLine;
        Self { kind, subject: COMMAND_LINE.to_owned(), roles: vec![Role::Admin] }
    }

    /// rollcall by itself.
    pub fn system() -> Self {
        Self { kind: AuditActorKind::System, subject: "rollcall".to_owned(), roles: Vec::new() }
    }
}

impl From<&Actor> for AuditActor {
    fn from(actor: &Actor) -> Self {
        let kind = match actor.credential {
            Credential::Token => AuditActorKind::Token,
            Credential::ApiKey(_) => AuditActorKind::ApiKey,
            Credential::CommandLine => AuditActorKind::CommandLine,
        };
        Self { kind, subject: actor.subject.clone(), roles: actor.roles.clone() }
    }
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTarget {
    /// The kind of thing.
    pub kind: AuditTargetKind,
    /// Its id, as the API shows it.
    pub id: String,
}

impl From<EngineerId> for AuditTarget {
    fn from(id: EngineerId) -> Self {
        Self { kind: AuditTargetKind::Engineer, id: id.to_string() }
    }
}

impl From<ApiKeyId> for AuditTarget {
    fn from(id: ApiKeyId) -> Self {
        Self { kind: AuditTargetKind::ApiKey, id: id.to_string() }
    }
}

impl From<DirectorySyncId> for AuditTarget {
    fn from(id: DirectorySyncId) -> Self {
        Self { kind: AuditTargetKind::DirectorySync, id: id.to_string() }
    }
}

/// What the audit log is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who.
    pub actor: AuditActor,
    /// From where; `None` for what came by no request.
    pub request: Option<RequestContext>,
    /// What.
    pub action: AuditAction,
    /// To what; `None` where it was done to no single thing.
    pub target: Option<AuditTarget>,
    /// The code of the refusal; `None` where it was done.
    pub refused: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What changed, as it was.
    pub before: Facts,
    /// The same as it is now, and what else there is to say.
    pub after: Facts,
}

impl AuditRecord {
    /// Something done, to no single thing.
    pub fn new(actor: AuditActor, action: AuditAction, now: DateTime<Utc>) -> Self {
        Self {
            occurred_at: now,
            actor,
            request: None,
            action,
            target: None,
            refused: None,
            reason: None,
            before: Facts::default(),
            after: Facts::default(),
        }
    }

    /// The same, done to this.
    #[must_use]
    pub fn on(&self, target: impl Into<AuditTarget>) -> Self {
        Self { target: Some(target.into()), ..self.clone() }
    }

    /// The same, done to what may be one thing.
    #[must_use]
    pub fn on_only<T: Into<AuditTarget> + Copy>(&self, targets: &[T]) -> Self {
        match targets {
            [only] => self.on(*only),
            several => self.with("count", several.len().to_string()),
        }
    }

    /// The same, refused with this code.
    #[must_use]
    pub fn refused(&self, code: &str) -> Self {
        Self { refused: Some(code.to_owned()), ..self.clone() }
    }

    /// The same with the words of whoever does it for why.
    #[must_use]
    pub fn because(&self, reason: Option<&str>) -> Self {
        Self { reason: reason.map(str::to_owned), ..self.clone() }
    }

    /// The same with what changed.
    #[must_use]
    pub fn changed(&self, (before, after): (Facts, Facts)) -> Self {
        let mut record = self.clone();
        record.before.0.extend(before.0);
        record.after.0.extend(after.0);
        record
    }

    /// The same with one thing more to say of how it is now.
    #[must_use]
    pub fn with(&self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let mut record = self.clone();
        record.after.set(name, value);
        record
    }

    /// How it ended.
    pub const fn outcome(&self) -> AuditOutcome {
        if self.refused.is_some() { AuditOutcome::Refused } else { AuditOutcome::Done }
    }
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The id.
    pub id: AuditEntryId,
    /// Its place in the log: grows with each entry, with gaps.
    pub number: i64,
    /// What it says.
    pub record: AuditRecord,
}
