//! API keys.

use std::sync::Arc;

use async_graphql::{ID, Object};
use chrono::Utc;

use super::choice::{ApiKeyState, Role};
use crate::{
    domain::{api_key, id::ApiKeyId},
    graphql::{connection::Listing, context::Caller, error::Result, node::id, scalar::DateTime},
    store::Keyset,
};

/// What is known of an API key.
#[derive(Clone)]
pub(in crate::graphql) struct ApiKey {
    known: Arc<api_key::ApiKey>,
    state: ApiKeyState,
}

impl ApiKey {
    /// A key as it stands at that moment.
    pub fn new(known: api_key::ApiKey, now: chrono::DateTime<Utc>) -> Self {
        let state = known.state(now).into();
        Self { known: Arc::new(known), state }
    }
}

/// What is known of an API key. The key itself was shown once, when it was made.
#[Object]
impl ApiKey {
    /// The id: opaque, and never reused. It is the subject of whoever calls with the key.
    pub async fn id(&self) -> ID {
        id(self.known.id)
    }

    /// What people call it. Need not be unique.
    async fn label(&self) -> &str {
        &self.known.label
    }

    /// What its holders may do.
    async fn role(&self) -> Role {
        self.known.role.into()
    }

    /// Whether it is good.
    async fn state(&self) -> ApiKeyState {
        self.state
    }

    /// Who made it: the subject of their token, or the id of their key.
    async fn created_by(&self) -> &str {
        &self.known.created_by
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.known.created_at)
    }

    /// When it dies by itself; null where it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.known.expires_at.map(DateTime)
    }

    /// When it was revoked; null where it was not.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.known.revoked.as_ref().map(|revoked| DateTime(revoked.at))
    }

    /// Who revoked it; null where nobody did.
    async fn revoked_by(&self) -> Option<&str> {
        self.known.revoked.as_ref().map(|revoked| revoked.by.as_str())
    }

    /// When it was last used, to about a minute; null for never. An open socket or stream counts as use.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.known.last_used_at.map(DateTime)
    }
}

/// The API keys of the account, newest first, dead ones included.
pub(in crate::graphql) struct ApiKeys;

impl Listing for ApiKeys {
    type Row = api_key::ApiKey;
    type Node = ApiKey;
    type Place = ApiKeyId;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<ApiKeyId>) -> Result<Vec<Self::Row>> {
        Ok(caller.store().rows(caller.account()).list_api_keys(keyset).await?)
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        Ok(caller.store().rows(caller.account()).count_api_keys().await?)
    }

    fn place_of(&self, row: &Self::Row) -> ApiKeyId {
        row.id
    }

    fn show(&self, caller: Caller<'_>, rows: Vec<Self::Row>) -> Vec<ApiKey> {
        let now = caller.services.now();
        rows.into_iter().map(|known| ApiKey::new(known, now)).collect()
    }

    fn write_place(&self, place: &ApiKeyId) -> String {
        place.to_string()
    }

    fn read_place(&self, text: &str) -> Option<ApiKeyId> {
        text.parse().ok()
    }
}
