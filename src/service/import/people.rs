//! Whom the rows of a chunk are about, found with a handful of statements for all of them.

use std::collections::{HashMap, HashSet};

use crate::{
    domain::{
        endpoint::Reason,
        engineer::DirectoryIdentity,
        id::{AccountId, EngineerId},
        refusal::{Refusal, RefusalCode},
    },
    service::bulk_file::{BulkRow, Key},
    store::{Store, StoreError},
};

/// The people whom some rows name.
pub(super) struct People {
    ids: HashSet<EngineerId>,
    identities: HashMap<DirectoryIdentity, EngineerId>,
    names: HashMap<String, Option<EngineerId>>,
}

impl People {
    /// Looks up all that the rows name.
    pub async fn find(store: &Store, account: &AccountId, rows: &[BulkRow]) -> Result<Self, StoreError> {
        let (mut ids, mut identities, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match &row.engineer {
                Key::Id(text) => ids.extend(text.parse::<EngineerId>()),
                Key::External { directory, external_id } if can_be_stored(directory) && can_be_stored(external_id) => {
                    identities.push(identity(directory, external_id));
                }
                Key::Name(name) if can_be_stored(name) => names.push(name.as_str()),
                Key::External { .. } | Key::Name(_) => {}
            }
        }
        let reader = store.rows(account);
        Ok(Self {
            ids: reader.find_engineers(&ids).await?.into_keys().collect(),
            identities: reader.find_ids_by_identity(&identities).await?,
            names: reader.find_ids_by_name(&names).await?,
        })
    }

    /// Whom the key names.
    pub fn get(&self, key: &Key) -> Result<EngineerId, Refusal> {
        let found = match key {
            Key::Id(text) => text.parse().ok().and_then(|id: EngineerId| self.ids.get(&id)),
            Key::External { directory, external_id } => self.identities.get(&identity(directory, external_id)),
            Key::Name(name) => match self.names.get(name) {
                Some(None) => {
                    let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::AmbiguousName);
                    return Err(refusal.at(&["name"]));
                }
                Some(Some(id)) => Some(id),
                None => None,
            },
        };
        found.copied().ok_or_else(|| Refusal::not_found("engineer"))
    }
}

fn identity(directory: &str, external_id: &str) -> DirectoryIdentity {
    DirectoryIdentity { directory: directory.to_owned(), external_id: external_id.to_owned() }
}

/// A database holds no text with a NUL, and PostgreSQL does not even take the question.
fn can_be_stored(text: &str) -> bool {
    !text.contains('\0')
}
