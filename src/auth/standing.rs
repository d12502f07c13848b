//! Whether callers who were let in still would be.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{
    domain::{
        actor::{Actor, Credential, Role},
        id::{AccountId, ApiKeyId, EngineerId},
    },
    store::{Store, StoreError},
};

/// The keys and engineers that the callers of one account stand on: those to ask about, and of these the good ones.
#[derive(Default)]
pub(super) struct Standing {
    /// The API keys.
    pub keys: BTreeSet<ApiKeyId>,
    /// The engineers in that role.
    pub engineers: BTreeSet<EngineerId>,
}

impl Standing {
    /// Adds what a caller stands on.
    pub fn add(&mut self, actor: &Actor) {
        match actor.credential {
            Credential::ApiKey(id) => self.keys.extend([id]),
            Credential::Token | Credential::CommandLine => {}
        }
        self.engineers.extend(actor.engineer.filter(|_| actor.roles.contains(&Role::Engineer)));
    }

    /// Those of them that are good: at most one statement each.
    pub async fn find_good(self, store: &Store, account: &AccountId, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let rows = store.rows(account);
        Ok(Self {
            keys: if self.keys.is_empty() { self.keys } else { rows.list_good_api_keys(&self.keys, now).await? },
            engineers: if self.engineers.is_empty() {
                self.engineers
            } else {
                rows.list_active_engineers(&self.engineers).await?
            },
        })
    }

    /// Whether all that the caller stands on is among them.
    pub fn includes(&self, actor: &Actor) -> bool {
        let by_credential = match actor.credential {
            Credential::ApiKey(id) => self.keys.contains(&id),
            Credential::Token | Credential::CommandLine => true,
        };
        let as_engineer = !actor.roles.contains(&Role::Engineer)
            || actor.engineer.is_some_and(|engineer| self.engineers.contains(&engineer));
        by_credential && as_engineer
    }
}
