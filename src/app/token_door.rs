//! What checks tokens, and what makes them: secrets of ours, or the public keys of an identity provider.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::AppError;
use crate::{
    adapter::jwks::{JwksSource, TIMEOUT},
    auth::{COOL_DOWN, KeySet, Tokens, Verifier},
    config::{AuthConfig, Secret, TokenKeysConfig},
    domain::clock::Clock,
    service::ServiceError,
    worker::{Pace, Step},
};

/// What checks tokens, and what makes them.
pub(super) struct TokenDoor {
    pub verifier: Verifier,
    pub tokens: Option<Arc<Tokens>>,
    pub key_set: Option<KeySet>,
}

impl TokenDoor {
    /// As the configuration has it. The identity provider is not asked yet: a server starts without it.
    pub fn open(config: &AuthConfig, secret: Option<&Secret>, clock: &Arc<dyn Clock>) -> Result<Self, AppError> {
        match (&config.keys, secret) {
            (TokenKeysConfig::Secrets { .. }, Some(secret)) => {
                let tokens = Tokens::new(secret, config)?;
                let verifier = Verifier::Secrets(tokens.clone());
                Ok(Self { verifier, tokens: Some(Arc::new(tokens)), key_set: None })
            }
            (TokenKeysConfig::Secrets { .. }, None) => {
                Err(AppError::Other("there is no secret that signs tokens".to_owned()))
            }
            (TokenKeysConfig::KeySet(key_set), _) => {
                let source = JwksSource::new(key_set, TIMEOUT).map_err(AppError::Other)?;
                let keys = KeySet::new(Arc::new(source), key_set, Arc::clone(clock));
                let verifier = Verifier::with_key_set(keys.clone(), config);
                Ok(Self { verifier, tokens: None, key_set: Some(keys) })
            }
        }
    }
}

/// Reads the identity provider's keys at the start and whenever their time has come. A failure is logged where it happens.
pub(super) struct RefreshTokenKeys(pub KeySet);

#[async_trait]
impl Step for RefreshTokenKeys {
    fn name(&self) -> &'static str {
        "token-keys"
    }

    fn pace(&self) -> Pace {
        Pace::Every(EVERY)
    }

    async fn run(&self) -> Result<bool, ServiceError> {
        self.0.refresh_if_due().await;
        Ok(false)
    }
}

/// Just longer than the cool-down, so that an outage is over here soon after it is over there.
const EVERY: Duration = COOL_DOWN.saturating_add(Duration::from_secs(1));
