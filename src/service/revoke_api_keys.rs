//! Revoking API keys.

use super::{ServiceError, Services};
use crate::domain::{
    actor::{Actor, Permission},
    api_key::{ApiKey, Revoked},
    audit::{AuditAction, AuditRecord},
    id::ApiKeyId,
    refusal::{Refusal, RefusalCode},
};

/// What became of a key that was to be revoked.
#[derive(Debug, Clone)]
pub struct RevokeOutcome {
    /// Which.
    pub id: ApiKeyId,
    /// The key as it is now, or why nothing was done.
    pub key: Result<ApiKey, Refusal>,
}

impl Services {
    /// Revokes keys. One that is revoked already stays as it is. Who holds one is refused from then on, and sent away from what
    /// is open.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn revoke_api_keys(&self, actor: &Actor, ids: &[ApiKeyId]) -> Result<Vec<RevokeOutcome>, ServiceError> {
        let record = self.record_of(actor, AuditAction::RevokeApiKeys);
        self.attempt(actor, &record.on_only(ids), Box::pin(self.revoke_recorded(actor, ids, &record))).await
    }

    async fn revoke_recorded(
        &self,
        actor: &Actor,
        ids: &[ApiKeyId],
        record: &AuditRecord,
    ) -> Result<Vec<RevokeOutcome>, ServiceError> {
        if !actor.may(Permission::ManageApiKeys) {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let revoked = Revoked { at: self.now(), by: actor.subject.clone() };
        let mut tx = self.core.store.begin(&actor.account).await?;
        let mut known = tx.rows().lock_api_keys(ids).await?;
        let alive: Vec<_> = known.values().filter(|key| key.revoked.is_none()).map(|key| key.id).collect();
        tx.rows().revoke_api_keys(&alive, &revoked).await?;
        for id in ids {
            let record = match known.get(id) {
                Some(_) if alive.contains(id) => record.on(*id).with("state", "REVOKED"),
                Some(_) => record.on(*id),
                None => record.on(*id).refused(RefusalCode::NotFound.name()),
            };
            tx.record(record, self.chance());
        }
        tx.commit().await?;
        let settle = |id: &ApiKeyId| {
            let key = known.remove(id).map(|key| ApiKey { revoked: key.revoked.or(Some(revoked.clone())), ..key });
            RevokeOutcome { id: *id, key: key.ok_or_else(|| Refusal::not_found("API key")) }
        };
        Ok(ids.iter().map(settle).collect())
    }
}
