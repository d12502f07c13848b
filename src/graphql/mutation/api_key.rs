//! Making and revoking API keys.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{ids::GivenIds, once::read_once, part, refuse};
use crate::{
    domain::{id::ApiKeyId, refusal::Refusal},
    graphql::{
        context::Caller,
        error::Result,
        object::{api_key::ApiKey, choice::Role, user_error::UserError},
        scalar::DateTime,
    },
    service::create_api_key::CreateApiKey,
};

/// Making and revoking API keys.
#[derive(Default)]
pub(in crate::graphql) struct ApiKeyMutation;

/// An API key to make.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateApiKeyInput {
    /// What people call it: 1 to 64 characters, such as "wall dashboard, hall 2". Need not be unique.
    label: String,
    /// What its holders may do: VIEWER, OPERATOR or ADMIN. A key is nobody's, so ENGINEER is refused.
    role: Role,
    /// When it dies by itself; where it is left out, it stays good until it is revoked.
    expires_at: Option<DateTime>,
    /// A text of the caller's own, such as a UUID: 1 to 255 characters. Sent again within 24 hours by the same caller, with the same
    /// input, the mutation is answered again and not done again; the key itself is not told again.
    idempotency_key: Option<String>,
}

/// Which API keys to revoke.
#[derive(InputObject)]
pub(in crate::graphql) struct RevokeApiKeysInput {
    /// Which, at most 1,000.
    ids: Vec<ID>,
}

/// What came of making an API key.
#[derive(SimpleObject)]
pub(in crate::graphql) struct CreateApiKeyPayload {
    /// What is known of the key; null where it was refused.
    api_key: Option<ApiKey>,
    /// The key itself, to be sent as `Authorization: Bearer rck_…`. It is shown here once and is not stored: who loses it makes
    /// another. Null where it was refused, or where an earlier call with the same idempotencyKey made it.
    key: Option<String>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// What was done to one API key.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ApiKeyOutcome {
    /// The id, as it was given.
    api_key_id: ID,
    /// Why nothing was done; null where the key is revoked now.
    user_error: Option<UserError>,
}

/// What came of revoking API keys.
#[derive(SimpleObject)]
pub(in crate::graphql) struct RevokeApiKeysPayload {
    /// The keys that are revoked now.
    api_keys: Vec<ApiKey>,
    /// What was done to each id.
    outcomes: Vec<ApiKeyOutcome>,
    /// Why nothing was done at all. What concerns one id is in outcomes.
    user_errors: Vec<UserError>,
}

#[Object]
impl ApiKeyMutation {
    /// Makes an API key, for a program or a wall dashboard that nobody signs in to. Only for an ADMIN.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What kind of key.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let caller = Caller::of(ctx)?;
        let once = match read_once(ctx, caller, input.idempotency_key.as_deref())? {
            Ok(once) => once,
            Err(user_errors) => return Ok(CreateApiKeyPayload { api_key: None, key: None, user_errors }),
        };
        let wish = CreateApiKey {
            label: input.label,
            role: input.role.into(),
            expires_at: input.expires_at.map(|DateTime(end)| end),
        };
        let made = part(caller.services.create_api_key(caller.actor, &wish, once.as_ref()).await, caller.locale)?;
        Ok(match made {
            Ok((known, key)) => CreateApiKeyPayload {
                api_key: Some(ApiKey::new(known, caller.services.now())),
                key: key.map(|key| key.expose().to_owned()),
                user_errors: Vec::new(),
            },
            Err(user_errors) => CreateApiKeyPayload { api_key: None, key: None, user_errors },
        })
    }

    /// Revokes API keys for good. Who holds one is refused at once, and their live streams end within seconds. Only for an ADMIN.
    async fn revoke_api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which keys.")] input: RevokeApiKeysInput,
    ) -> Result<RevokeApiKeysPayload> {
        let caller = Caller::of(ctx)?;
        let nothing = |user_errors| RevokeApiKeysPayload { api_keys: Vec::new(), outcomes: Vec::new(), user_errors };
        let ids = match GivenIds::<ApiKeyId>::read("ids", input.ids) {
            Ok(ids) => ids,
            Err(refusal) => return Ok(nothing(refuse(refusal, caller.locale))),
        };
        let done = match part(caller.services.revoke_api_keys(caller.actor, &ids.keys()).await, caller.locale)? {
            Ok(done) => done,
            Err(user_errors) => return Ok(nothing(user_errors)),
        };
        let now = caller.services.now();
        let mut done: HashMap<_, _> = done.into_iter().map(|outcome| (outcome.id, outcome.key)).collect();
        let mut payload = nothing(Vec::new());
        for given in ids.iter() {
            let key = given.key.and_then(|key| done.remove(&key)).unwrap_or_else(|| Err(Refusal::not_found("API key")));
            let refusal = key.map(|key| payload.api_keys.push(ApiKey::new(key, now))).err();
            let user_error = refusal.map(|refusal| UserError::new(ids.at(given, refusal), caller.locale));
            payload.outcomes.push(ApiKeyOutcome { api_key_id: given.id.clone(), user_error });
        }
        Ok(payload)
    }
}
