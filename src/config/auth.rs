//! How access tokens are checked, and made.

mod claims;
mod key_set;

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::claims::RoleMappingSection;
pub use self::{
    claims::{AccountClaim, ClaimsConfig, DEFAULT_CLAIMS, RoleMapping},
    key_set::{KeySetConfig, KeySetLocation, TokenAlgorithm, is_https, is_loopback_http},
};
use super::{account::AccountConfig, findings::Findings, secret::Secret};
use crate::domain::id::AccountId;

/// The shortest secret, in bytes: a key for HS256 has at least the size of the hash (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// The issuer of rollcall's own tokens, and what `aud` names, where the configuration says nothing.
const OWN_NAME: &str = "rollcall";

/// How access tokens (JWT) are checked: with a secret of rollcall's own (HS256), which also makes them, or with the public keys
/// of an identity provider (`jwks_url` or `oidc_issuer`).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuthSection {
    /// The secret that signs tokens, at least 32 bytes. All servers of one installation need the same.
    #[schemars(extend("x-default" = "generated into the data folder"))]
    token_secret: Option<Secret>,
    /// A file that holds the secret, instead of `token_secret`.
    token_secret_file: Option<PathBuf>,
    /// A second secret, at least 32 bytes: tokens that it signed are taken, and none is signed with it. For changing the secret
    /// while tokens of the other one are about.
    previous_token_secret: Option<Secret>,
    /// A file that holds the second secret, instead of `previous_token_secret`.
    previous_token_secret_file: Option<PathBuf>,
    /// Where an identity provider publishes its public keys (a JWK set, RFC 7517). Then its tokens are taken, and rollcall makes
    /// none. `https`; plain `http` only to this machine, for development.
    jwks_url: Option<String>,
    /// The issuer of an OpenID Connect provider, instead of `jwks_url`: the place of its keys is read from
    /// `/.well-known/openid-configuration` beneath it.
    oidc_issuer: Option<String>,
    /// The algorithms that tokens of an identity provider may be signed with, of `RS256`, `ES256` and `EdDSA`.
    #[schemars(extend("x-default" = "all three, where there is an identity provider; `HS256` otherwise"))]
    algorithms: Option<Vec<String>>,
    /// How often the keys of an identity provider are read again, in seconds. A token that names an unknown key has them read at
    /// once, but never more often than every 30 seconds.
    #[schemars(range(min = 30, max = 86_400))]
    key_refresh_seconds: u32,
    /// What a token's `iss` must be.
    #[schemars(extend("x-default" = "`rollcall`; the value of `oidc_issuer` where that is given"))]
    issuer: Option<String>,
    /// What a token's `aud` must name.
    audience: String,
    /// The account of every token, instead of `account_claim`.
    account: Option<String>,
    /// The claim that names the account. In the name of a claim, a dot leads into it: `realm_access.roles`.
    #[schemars(extend("x-default" = "`account`"))]
    account_claim: Option<String>,
    /// The claim that holds the roles: a list of texts, or one text with blanks between the names.
    roles_claim: String,
    /// What the names in `roles_claim` mean here. Names that are not listed are passed over. Without this section they must be
    /// `VIEWER`, `OPERATOR`, `ADMIN` and `ENGINEER`, and another name spoils the token.
    role_mapping: Option<RoleMappingSection>,
    /// The claim that says who the holder of the role ENGINEER is: an id, or `directory:externalId`.
    engineer_claim: String,
    /// The directory whose key of the person `engineer_claim` is. Without it the claim names the directory too.
    engineer_directory: Option<String>,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self {
            token_secret: None,
            token_secret_file: None,
            previous_token_secret: None,
            previous_token_secret_file: None,
            jwks_url: None,
            oidc_issuer: None,
            algorithms: None,
            key_refresh_seconds: 600,
            issuer: None,
            audience: OWN_NAME.to_owned(),
            account: None,
            account_claim: None,
            roles_claim: DEFAULT_CLAIMS.roles.to_owned(),
            role_mapping: None,
            engineer_claim: DEFAULT_CLAIMS.engineer.to_owned(),
            engineer_directory: None,
        }
    }
}

/// How access tokens are checked, and made.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// What their signatures are checked with.
    pub keys: TokenKeysConfig,
    /// What a token's `iss` must be.
    pub issuer: String,
    /// What a token's `aud` must name.
    pub audience: String,
    /// What its other claims mean.
    pub claims: ClaimsConfig,
}

/// What the signatures of tokens are checked with. The configuration decides, and no token does.
#[derive(Debug, Clone)]
pub enum TokenKeysConfig {
    /// Secrets of rollcall's own, for HS256.
    Secrets {
        /// Signs and checks; at least 32 bytes. `None`: one is generated into the data folder.
        present: Option<Secret>,
        /// Checks only; at least 32 bytes.
        previous: Option<Secret>,
    },
    /// The public keys of an identity provider.
    KeySet(KeySetConfig),
}

impl TokenKeysConfig {
    /// The secret that signs, where the configuration gives it.
    pub const fn given_secret(&self) -> Option<&Secret> {
        match self {
            Self::Secrets { present, .. } => present.as_ref(),
            Self::KeySet(_) => None,
        }
    }
}

impl AuthSection {
    pub(super) fn resolve(&mut self, findings: &mut Findings) -> Option<AuthConfig> {
        let present = (self.token_secret.clone(), self.token_secret_file.clone());
        let present = take_secret(findings, "auth.token_secret", present);
        let previous = (self.previous_token_secret.clone(), self.previous_token_secret_file.clone());
        let previous = take_secret(findings, "auth.previous_token_secret", previous);
        let same = present.as_ref().zip(previous.as_ref()).is_some_and(|(a, b)| a.expose() == b.expose());
        if same {
            findings.refuse(self.previous_place(), "must be another secret than auth.token_secret");
        }
        let claims = self.resolve_claims(findings);
        let keys = if self.jwks_url.is_none() && self.oidc_issuer.is_none() {
            if self.algorithms.is_some() {
                let why = "is for an identity provider (auth.jwks_url or auth.oidc_issuer); secrets sign with HS256";
                findings.refuse("auth.algorithms", why);
            }
            Some(TokenKeysConfig::Secrets { present, previous })
        } else {
            self.refuse_secrets(findings);
            self.resolve_key_set(findings).map(TokenKeysConfig::KeySet)
        };
        let issuer = self.resolve_issuer(findings);
        let audience = findings.take_line("auth.audience", &self.audience);
        Some(AuthConfig { keys: keys?, issuer: issuer?, audience, claims: claims? })
    }

    const fn previous_place(&self) -> &'static str {
        if self.previous_token_secret.is_some() {
            "auth.previous_token_secret"
        } else {
            "auth.previous_token_secret_file"
        }
    }

    /// One kind of key checks all tokens: else the header of a token would choose.
    fn refuse_secrets(&self, findings: &mut Findings) {
        let given = [
            ("auth.token_secret", self.token_secret.is_some()),
            ("auth.token_secret_file", self.token_secret_file.is_some()),
            ("auth.previous_token_secret", self.previous_token_secret.is_some()),
            ("auth.previous_token_secret_file", self.previous_token_secret_file.is_some()),
        ];
        for (path, _) in given.into_iter().filter(|(_, given)| *given) {
            let why = "cannot stand beside an identity provider (auth.jwks_url or auth.oidc_issuer): one of them checks \
                       all tokens";
            findings.refuse(path, why);
        }
    }

    /// Shown by `config print`, so it is put in where it was left out.
    fn resolve_issuer(&mut self, findings: &mut Findings) -> Option<String> {
        let issuer = match (self.issuer.take(), &self.oidc_issuer) {
            (Some(issuer), Some(oidc)) if issuer != *oidc => {
                findings.refuse("auth.issuer", "must be the same as auth.oidc_issuer, or left out");
                return None;
            }
            (Some(issuer), _) => findings.take_line("auth.issuer", &issuer),
            (None, Some(oidc)) => oidc.clone(),
            (None, None) if self.jwks_url.is_some() => {
                findings
                    .refuse("auth.issuer", "must be given beside auth.jwks_url: the `iss` of the provider's tokens");
                return None;
            }
            (None, None) => OWN_NAME.to_owned(),
        };
        self.issuer = Some(issuer.clone());
        Some(issuer)
    }
}

impl AuthConfig {
    /// Reports what the accounts do not have. Without any account nothing can be said: a command may have only the data folder.
    pub(super) fn check_accounts(&self, accounts: &BTreeMap<AccountId, AccountConfig>, findings: &mut Findings) {
        if accounts.is_empty() {
            return;
        }
        if let AccountClaim::Fixed(account) = &self.claims.account
            && !accounts.contains_key(account)
        {
            findings.refuse("auth.account", format!("there is no account \"{account}\" in this configuration"));
        }
        if let Some(directory) = &self.claims.engineer_directory
            && !accounts.values().any(|account| account.directories.contains_key(directory))
        {
            findings.refuse("auth.engineer_directory", format!("no account has a directory \"{directory}\""));
        }
    }
}

fn take_secret(findings: &mut Findings, path: &str, given: (Option<Secret>, Option<PathBuf>)) -> Option<Secret> {
    let (given, file) = given;
    let secret = findings.take_secret(path, given.as_ref(), file.as_ref())?;
    let length = secret.expose().len();
    if length < SHORTEST_SECRET {
        let at = if given.is_some() { path.to_owned() } else { format!("{path}_file") };
        findings.refuse(&at, format!("must hold at least {SHORTEST_SECRET} bytes, but holds {length}"));
    }
    Some(secret)
}
