//! Checking tokens: with secrets of ours, or with the public keys of an identity provider, as the configuration decides.

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;

use super::{
    claims::Claims,
    key_set::{KeySet, NoKey},
    rules::Rules,
    token::{InvalidToken, TokenFault, Tokens, open, read_header},
};
use crate::config::{AuthConfig, TokenAlgorithm};

/// A token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not good.
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// It cannot be checked now: the identity provider's keys were never read, or too long ago.
    #[error("there are no keys to check it with")]
    NoKeys,
}

impl From<TokenFault> for VerifyError {
    fn from(fault: TokenFault) -> Self {
        Self::Invalid(fault.into())
    }
}

/// Checks tokens.
pub enum Verifier {
    /// With secrets of ours.
    Secrets(Tokens),
    /// With the public keys of an identity provider.
    KeySet(KeySetVerifier),
}

/// Checks tokens with the public keys of an identity provider.
pub struct KeySetVerifier {
    keys: KeySet,
    rules: Rules,
}

impl Verifier {
    /// Checks with these public keys, and reads the claims as the configuration has it.
    pub fn with_key_set(keys: KeySet, config: &AuthConfig) -> Self {
        Self::KeySet(KeySetVerifier { keys, rules: Rules::new(config) })
    }

    /// Checks a token at the moment `now`.
    ///
    /// # Errors
    /// When it is not good, or cannot be checked.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, VerifyError> {
        match self {
            Self::Secrets(tokens) => Ok(tokens.verify(token, now)?),
            Self::KeySet(verifier) => verifier.verify(token, now).await,
        }
    }
}

impl KeySetVerifier {
    /// The header's `alg` and `kid` only choose among the keys that are known; what a key checks is the key's own.
    async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, VerifyError> {
        let header = read_header(token)?;
        let algorithm = name_algorithm(header.alg).ok_or(TokenFault::Algorithm)?;
        let key = self.keys.find(header.kid.as_deref(), algorithm).await.map_err(|none| match none {
            NoKey::Unavailable => VerifyError::NoKeys,
            NoKey::Unknown => TokenFault::UnknownKey.into(),
        })?;
        let payload = open(token, key.library_algorithm(), &key.key)?;
        Ok(self.rules.judge(&payload, now)?)
    }
}

fn name_algorithm(algorithm: Algorithm) -> Option<TokenAlgorithm> {
    match algorithm {
        Algorithm::RS256 => Some(TokenAlgorithm::Rs256),
        Algorithm::ES256 => Some(TokenAlgorithm::Es256),
        Algorithm::EdDSA => Some(TokenAlgorithm::EdDsa),
        // The library's list may grow.
        _ => None,
    }
}
