//! How access tokens are made and checked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, secret::Secret};

/// The shortest secret, in bytes: a key for HS256 has at least the size of the hash (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// How access tokens (JWT, HS256) are made and checked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuthSection {
    /// The secret that signs tokens, at least 32 bytes. All servers of one installation need the same.
    #[schemars(extend("x-default" = "generated into the data folder"))]
    token_secret: Option<Secret>,
    /// A file that holds the secret, instead of `token_secret`.
    token_secret_file: Option<PathBuf>,
    /// What a token's `iss` must be.
    issuer: String,
    /// What a token's `aud` must name.
    audience: String,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self {
            token_secret: None,
            token_secret_file: None,
            issuer: "rollcall".to_owned(),
            audience: "rollcall".to_owned(),
        }
    }
}

/// How access tokens are made and checked.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// The HS256 secret, at least 32 bytes. `None`: one is generated into the data folder.
    pub token_secret: Option<Secret>,
    /// What a token's `iss` must be.
    pub issuer: String,
    /// What a token's `aud` must name.
    pub audience: String,
}

impl AuthSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> AuthConfig {
        let given = self.token_secret.as_ref();
        let secret = findings.take_secret("auth.token_secret", given, self.token_secret_file.as_ref());
        if let Some(length) =
            secret.as_ref().map(|secret| secret.expose().len()).filter(|length| *length < SHORTEST_SECRET)
        {
            let path = if given.is_some() { "auth.token_secret" } else { "auth.token_secret_file" };
            findings.refuse(path, format!("must hold at least {SHORTEST_SECRET} bytes, but holds {length}"));
        }
        AuthConfig {
            token_secret: secret,
            issuer: findings.take_line("auth.issuer", &self.issuer),
            audience: findings.take_line("auth.audience", &self.audience),
        }
    }
}
