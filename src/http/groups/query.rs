//! A live query, and what makes two of them the same.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    domain::{
        account::Locale,
        actor::{Actor, Role},
        id::{AccountId, EngineerId},
    },
    graphql::{Admitted, Session, Sharing},
};

/// A live query that was admitted, for a caller.
#[derive(Clone)]
pub(in crate::http) struct LiveQuery {
    pub(super) admitted: Admitted,
    pub(super) session: Arc<Session>,
    pub(super) sharing: Sharing,
}

/// What live queries have in common that get the same results: the document, the operation, the variables but for the one that
/// says from where to go on, the log, and the account, the rights and the language of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    document: Arc<str>,
    operation: Option<String>,
    variables: String,
    epoch: Uuid,
    account: AccountId,
    roles: Vec<Role>,
    engineer: Option<EngineerId>,
    locale: Locale,
}

impl LiveQuery {
    pub(in crate::http) fn new(admitted: Admitted, session: Arc<Session>) -> Self {
        let sharing = Sharing::of(&admitted);
        Self { admitted, session, sharing }
    }

    /// Who asks.
    pub(in crate::http) fn actor(&self) -> &Actor {
        &self.session.actor
    }

    /// The key among the queries that follow that log.
    pub(super) fn key(&self, epoch: Uuid) -> Key {
        let actor = &self.session.actor;
        let mut roles = actor.roles.clone();
        roles.sort_unstable();
        Key {
            document: self.admitted.document().text().into(),
            operation: self.admitted.operation_name().map(ToOwned::to_owned),
            // A map in the order of its keys: equal variables are equal texts.
            variables: serde_json::to_string(&self.sharing.variables).unwrap_or_default(),
            epoch,
            account: actor.account.clone(),
            roles,
            engineer: actor.engineer,
            locale: self.session.locale,
        }
    }
}
