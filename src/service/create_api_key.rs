//! Making an API key.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};

use super::{ServiceError, Services, edit::refuse_endpoint};
use crate::domain::{
    actor::{Actor, Permission, Role},
    api_key::{ApiKey, KeyText, MAX_LABEL},
    audit::{AuditAction, AuditRecord},
    endpoint::Reason,
    id::ApiKeyId,
    once::Once,
    refusal::{Refusal, RefusalCode},
    text::clean_text,
};

/// A key to make.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// What people will call it, as typed.
    pub label: String,
    /// What its holders may do.
    pub role: Role,
    /// When it dies by itself; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Services {
    /// Makes a key. Its text is known here and now, and never again: under a key of the caller's one is made, and whoever sends the
    /// same again is told which, without its text.
    ///
    /// # Errors
    /// When the input is refused, the caller may not, or the database fails.
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        input: &CreateApiKey,
        once: Option<&Once>,
    ) -> Result<(ApiKey, Option<KeyText>), ServiceError> {
        let record = self.record_of(actor, AuditAction::CreateApiKey);
        self.attempt(actor, &record, Box::pin(self.create_recorded(actor, input, once, &record))).await
    }

    async fn create_recorded(
        &self,
        actor: &Actor,
        input: &CreateApiKey,
        once: Option<&Once>,
        record: &AuditRecord,
    ) -> Result<(ApiKey, Option<KeyText>), ServiceError> {
        if !actor.may(Permission::ManageApiKeys) {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let now = self.now();
        let label = judge(input, now).map_err(ServiceError::Refused)?;
        let known = ApiKey {
            id: ApiKeyId::generate(now, self.chance()),
            account: actor.account.clone(),
            label,
            role: input.role,
            created_by: actor.subject.clone(),
            created_at: now,
            expires_at: input.expires_at.map(|end| end.trunc_subsecs(3)),
            revoked: None,
            last_used_at: None,
        };
        let key = KeyText::generate(self.chance());
        let mut tx = self.core.store.begin(&actor.account).await?;
        if let Some(made) = self.claim_once(&tx, actor, once, &known.id.to_string()).await? {
            drop(tx);
            return Ok((self.find_api_key_again(actor, &made).await?, None));
        }
        tx.rows().insert_api_key(&known, &key).await?;
        tx.record(describe(record, &known), self.chance());
        tx.commit().await?;
        tracing::info!(account.id = %actor.account, api_key.id = %known.id, "Made an API key");
        Ok((known, Some(key)))
    }

    async fn find_api_key_again(&self, actor: &Actor, made: &str) -> Result<ApiKey, ServiceError> {
        let unknown = || Refusal::not_found("API key");
        let id = made.parse().map_err(|_| unknown())?;
        let mut found = self.core.store.rows(&actor.account).find_api_keys(&[id]).await?;
        Ok(found.remove(&id).ok_or_else(unknown)?)
    }
}

/// Judges everything of the input, so that the caller learns of everything wrong at once. Gives the label.
fn judge(input: &CreateApiKey, now: DateTime<Utc>) -> Result<String, Vec<Refusal>> {
    let wrong = |reason| Refusal::new(RefusalCode::InvalidValue).because(reason);
    let label = match clean_text(&input.label, MAX_LABEL) {
        Ok(label) if label.is_empty() => Err(wrong(Reason::Empty)),
        Ok(label) => Ok(label),
        Err(error) => Err(refuse_endpoint(error)),
    };
    let label = label.map_err(|refusal| refusal.at(&["label"]));
    let role = (input.role == Role::Engineer).then(|| wrong(Reason::NobodysRole).at(&["role"]));
    let late = input.expires_at.is_some_and(|end| end <= now).then(|| wrong(Reason::NotAhead).at(&["expiresAt"]));
    let others: Vec<_> = role.into_iter().chain(late).collect();
    match label {
        Ok(label) if others.is_empty() => Ok(label),
        label => Err(label.err().into_iter().chain(others).collect()),
    }
}

fn describe(record: &AuditRecord, key: &ApiKey) -> AuditRecord {
    let record = record.on(key.id).with("label", key.label.as_str()).with("role", key.role.name());
    match key.expires_at {
        Some(end) => record.with("expiresAt", end.to_rfc3339_opts(SecondsFormat::Millis, true)),
        None => record,
    }
}
