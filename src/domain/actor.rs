//! Who asks, and what they may do.

use chrono::{DateTime, Utc};

use super::{
    id::{AccountId, ApiKeyId, EngineerId},
    named::named,
};

named! {
    /// A role of a caller.
    pub enum Role {
        /// Sees the roll, contacts masked.
        Viewer = "VIEWER",
        /// Runs the roll: sees contacts, edits, subscribes, syncs.
        Operator = "OPERATOR",
        /// May do everything, erasing and bulk files included.
        Admin = "ADMIN",
        /// Sees, edits, subscribes and confirms only themself.
        Engineer = "ENGINEER",
    }
}

impl Role {
    /// What the role allows over the whole roll.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Viewer => &[Permission::ViewRoll],
            Self::Operator => &[
                Permission::ViewRoll,
                Permission::ViewContacts,
                Permission::EditEngineers,
                Permission::SubscribeChannels,
                Permission::SyncDirectories,
                Permission::DeleteEngineers,
            ],
            Self::Admin => &Permission::ALL,
            Self::Engineer => &[],
        }
    }
}

/// Something that a role allows over the whole roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
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
    /// Have contact data shown on the record.
    RevealContacts,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 11] = [
        Self::ViewRoll,
        Self::ViewContacts,
        Self::EditEngineers,
        Self::SubscribeChannels,
        Self::SyncDirectories,
        Self::DeleteEngineers,
        Self::EraseEngineers,
        Self::ExchangeFiles,
        Self::ManageApiKeys,
        Self::ViewAuditLog,
        Self::RevealContacts,
    ];
}

/// What showed who the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An access token.
    Token,
    /// That API key.
    ApiKey(ApiKeyId),
    /// They run commands on the machine itself.
    CommandLine,
}

/// The subject of whoever runs commands on the machine itself.
pub const COMMAND_LINE: &str = "command line";

/// A caller whose token or key was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account that the caller works in; they never see another.
    pub account: AccountId,
    /// The token's subject. For a key its id: labels are not unique, and may look like anyone's name.
    pub subject: String,
    /// The caller's roles.
    pub roles: Vec<Role>,
    /// Who the caller is, for the role ENGINEER.
    pub engineer: Option<EngineerId>,
    /// When the token or key dies; `None` for a key that does not by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// What showed who they are.
    pub credential: Credential,
}

/// How much of the roll a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Everyone.
    WholeRoll,
    /// Only that engineer: themself.
    Only(EngineerId),
    /// Nobody.
    Nobody,
}

/// The caller may not do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the caller's roles do not allow this")]
pub struct Forbidden;

impl Actor {
    /// Whether one of the caller's roles allows it over the whole roll.
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| role.permissions().contains(&permission))
    }

    /// The same, as a check.
    ///
    /// # Errors
    /// When no role allows it.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.may(permission) { Ok(()) } else { Err(Forbidden) }
    }

    /// Whether the caller is that engineer, in the role ENGINEER.
    pub fn is_engineer(&self, id: EngineerId) -> bool {
        self.roles.contains(&Role::Engineer) && self.engineer == Some(id)
    }

    /// How much of the roll the caller sees.
    pub fn sight(&self) -> Sight {
        match self.engineer {
            _ if self.may(Permission::ViewRoll) => Sight::WholeRoll,
            Some(id) if self.is_engineer(id) => Sight::Only(id),
            Some(_) | None => Sight::Nobody,
        }
    }

    /// Whether the caller may know of that engineer.
    pub fn can_view(&self, id: EngineerId) -> bool {
        self.may(Permission::ViewRoll) || self.is_engineer(id)
    }

    /// Whether the caller sees that engineer's contact data in clear.
    pub fn can_view_contacts(&self, id: EngineerId) -> bool {
        self.may(Permission::ViewContacts) || self.is_engineer(id)
    }

    /// Whether the caller may edit that engineer.
    pub fn can_edit(&self, id: EngineerId) -> bool {
        self.may(Permission::EditEngineers) || self.is_engineer(id)
    }

    /// Whether the caller may subscribe, cancel and confirm that engineer's channels.
    pub fn can_subscribe(&self, id: EngineerId) -> bool {
        self.may(Permission::SubscribeChannels) || self.is_engineer(id)
    }

    /// Whether the time of the token or key is not over.
    pub fn is_current(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}
