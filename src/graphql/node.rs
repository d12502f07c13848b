//! Objects that have an id, and finding them by it.

use std::{collections::HashMap, fmt, str::FromStr};

use async_graphql::{Context, ID, Interface};

use super::{
    context::{Caller, loader},
    error::Result,
    object::{
        api_key::ApiKey, audit_entry::AuditEntry, channel::Channel, directory_sync::DirectorySync, engineer::Engineer,
        roster_summary::RosterSummary, status_change::StatusChange,
    },
};
use crate::domain::{
    actor::Permission,
    channel::ChannelKind,
    id::{AccountId, ApiKeyId, AuditEntryId, DirectorySyncId, EngineerId, EventId, InvalidId},
};

/// Anything that has an id. Ids are opaque, carry their type, are the same wherever the object is met, and are never reused.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "The id: opaque, and never reused."))]
pub(super) enum Node {
    Engineer(Engineer),
    Channel(Channel),
    StatusChange(StatusChange),
    RosterSummary(RosterSummary),
    DirectorySync(DirectorySync),
    ApiKey(ApiKey),
    AuditEntry(AuditEntry),
}

/// An id of the API, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GlobalId {
    Engineer(EngineerId),
    Channel(ChannelId),
    StatusChange(EventId),
    RosterSummary(AccountId),
    DirectorySync(DirectorySyncId),
    ApiKey(ApiKeyId),
    AuditEntry(AuditEntryId),
}

/// The id of a channel: its engineer's key and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChannelId {
    pub engineer: EngineerId,
    pub kind: ChannelKind,
}

const CHANNEL: &str = "channel:";
const ROSTER_SUMMARY: &str = "roster-summary:";

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CHANNEL}{}.{}", self.engineer.0.simple(), self.kind.name())
    }
}

impl FromStr for ChannelId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let read = || {
            let (key, kind) = text.strip_prefix(CHANNEL)?.split_once('.')?;
            let engineer = format!("{}:{key}", EngineerId::KIND).parse().ok()?;
            Some(Self { engineer, kind: ChannelKind::from_name(kind)? })
        };
        read().ok_or(InvalidId { kind: "channel" })
    }
}

/// The id of an account's roster summary.
pub(super) fn roster_summary_id(account: &AccountId) -> ID {
    ID(format!("{ROSTER_SUMMARY}{account}"))
}

/// The id of anything, as the API shows it.
pub(super) fn id(key: impl fmt::Display) -> ID {
    ID(key.to_string())
}

impl GlobalId {
    /// Reads an id; `None` for what is none.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(account) = text.strip_prefix(ROSTER_SUMMARY) {
            return account.parse().ok().map(Self::RosterSummary);
        }
        let engineer = || text.parse().ok().map(Self::Engineer);
        let channel = || text.parse().ok().map(Self::Channel);
        let change = || text.parse().ok().map(Self::StatusChange);
        let sync = || text.parse().ok().map(Self::DirectorySync);
        let api_key = || text.parse().ok().map(Self::ApiKey);
        let audit_entry = || text.parse().ok().map(Self::AuditEntry);
        engineer().or_else(channel).or_else(change).or_else(sync).or_else(api_key).or_else(audit_entry)
    }
}

/// An engineer whom the caller may know of.
pub(super) async fn find_engineer(ctx: &Context<'_>, id: EngineerId) -> Result<Option<Engineer>> {
    if !Caller::of(ctx)?.actor.can_view(id) {
        return Ok(None);
    }
    loader(ctx)?.load_one(id).await
}

/// A directory sync that the caller may know of.
pub(super) async fn find_sync(caller: Caller<'_>, id: DirectorySyncId) -> Result<Option<DirectorySync>> {
    if !caller.views_roll() {
        return Ok(None);
    }
    Ok(caller.store().rows(caller.account()).find_sync(id).await?.map(DirectorySync::new))
}

/// Those of the API keys that the caller may know of.
async fn find_api_keys(caller: Caller<'_>, ids: &[ApiKeyId]) -> Result<HashMap<ApiKeyId, ApiKey>> {
    if ids.is_empty() || !caller.actor.may(Permission::ManageApiKeys) {
        return Ok(HashMap::new());
    }
    let (found, now) = (caller.store().rows(caller.account()).find_api_keys(ids).await?, caller.services.now());
    Ok(found.into_iter().map(|(id, known)| (id, ApiKey::new(known, now))).collect())
}

/// Those of the entries of the audit log that the caller may know of.
async fn find_audit_entries(caller: Caller<'_>, ids: &[AuditEntryId]) -> Result<HashMap<AuditEntryId, AuditEntry>> {
    if ids.is_empty() || !caller.actor.may(Permission::ViewAuditLog) {
        return Ok(HashMap::new());
    }
    let found = caller.store().rows(caller.account()).find_audit_entries(ids).await?;
    Ok(found.into_iter().map(|(id, entry)| (id, AuditEntry::new(entry))).collect())
}

/// The object of an id. What the caller may not see reads like what is not there.
pub(super) async fn find(ctx: &Context<'_>, text: &str) -> Result<Option<Node>> {
    Ok(find_many(ctx, &[text]).await?.remove(text))
}

/// The objects of these ids, read kind by kind. What the caller may not see reads like what is not there.
pub(super) async fn find_many<'t>(ctx: &Context<'_>, texts: &[&'t str]) -> Result<HashMap<&'t str, Node>> {
    let caller = Caller::of(ctx)?;
    let ids: HashMap<_, _> = texts.iter().filter_map(|text| Some((*text, GlobalId::read(text)?))).collect();
    let found = Found::read(ctx, ids.values()).await?;
    let mut nodes = HashMap::new();
    for (text, id) in ids {
        let node = match id {
            GlobalId::Engineer(id) => found.engineers.get(&id).cloned().map(Node::from),
            GlobalId::Channel(id) => match found.engineers.get(&id.engineer) {
                Some(engineer) => Some(engineer.find_channel(id.kind).await?.into()),
                None => None,
            },
            GlobalId::StatusChange(id) => found.changes.get(&id).cloned().map(Node::from),
            GlobalId::DirectorySync(id) => found.syncs.get(&id).cloned().map(Node::from),
            GlobalId::ApiKey(id) => found.keys.get(&id).cloned().map(Node::from),
            GlobalId::AuditEntry(id) => found.audited.get(&id).cloned().map(Node::from),
            GlobalId::RosterSummary(account) if account == *caller.account() && caller.views_roll() => {
                Some(RosterSummary::count(caller.services, caller.account()).await?.into())
            }
            GlobalId::RosterSummary(_) => None,
        };
        nodes.extend(node.map(|node| (text, node)));
    }
    Ok(nodes)
}

/// What was found of ids that were asked for together.
struct Found {
    engineers: HashMap<EngineerId, Engineer>,
    changes: HashMap<EventId, StatusChange>,
    syncs: HashMap<DirectorySyncId, DirectorySync>,
    keys: HashMap<ApiKeyId, ApiKey>,
    audited: HashMap<AuditEntryId, AuditEntry>,
}

impl Found {
    async fn read(ctx: &Context<'_>, ids: impl Iterator<Item = &GlobalId>) -> Result<Self> {
        let caller = Caller::of(ctx)?;
        let (mut engineers, mut changes, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut keys, mut audited) = (Vec::new(), Vec::new());
        for id in ids {
            match id {
                GlobalId::Engineer(id) | GlobalId::Channel(ChannelId { engineer: id, .. }) => engineers.push(*id),
                GlobalId::StatusChange(id) => changes.push(*id),
                GlobalId::DirectorySync(id) => syncs.push(*id),
                GlobalId::ApiKey(id) => keys.push(*id),
                GlobalId::AuditEntry(id) => audited.push(*id),
                GlobalId::RosterSummary(_) => {}
            }
        }
        engineers.retain(|id| caller.actor.can_view(*id));
        syncs.retain(|_| caller.views_roll());
        let loader = loader(ctx)?;
        let engineers = loader.load_many(engineers).await?;
        let mut changes: HashMap<EventId, StatusChange> = loader.load_many(changes).await?;
        changes.retain(|_, change| caller.actor.can_view(change.engineer()));
        Ok(Self {
            engineers,
            changes,
            syncs: loader.load_many(syncs).await?,
            keys: find_api_keys(caller, &keys).await?,
            audited: find_audit_entries(caller, &audited).await?,
        })
    }
}
