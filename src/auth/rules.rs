//! What a token whose signature is good must say, and what that means here.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    claims::{Claims, EngineerClaim, Payload, is_subject},
    token::{LEEWAY, TokenFault},
};
use crate::{
    config::{AccountClaim, AuthConfig, ClaimsConfig},
    domain::{actor::Role, id::AccountId},
};

/// How claims are read.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    issuer: String,
    audience: String,
    claims: ClaimsConfig,
}

impl Rules {
    /// As the configuration has it.
    pub fn new(config: &AuthConfig) -> Self {
        Self { issuer: config.issuer.clone(), audience: config.audience.clone(), claims: config.claims.clone() }
    }

    /// What `iss` must be.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What `aud` must name.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether the claims are those of rollcall's own tokens.
    pub fn has_own_claims(&self) -> bool {
        self.claims == ClaimsConfig::default()
    }

    /// Judges a token at the moment `now`: from our issuer, for our audience, in force with [`LEEWAY`] allowed, and with all that
    /// it has to say.
    pub fn judge(&self, payload: &Payload, now: DateTime<Utc>) -> Result<Claims, TokenFault> {
        let expires_at = payload.time("exp")?;
        if now >= expires_at + LEEWAY {
            return Err(TokenFault::Expired);
        }
        if payload.time_if_present("nbf")?.is_some_and(|begins_at| now + LEEWAY < begins_at) {
            return Err(TokenFault::NotYetValid);
        }
        if payload.text("iss")? != self.issuer {
            return Err(TokenFault::BadClaim("iss"));
        }
        if !payload.is_for(&self.audience)? {
            return Err(TokenFault::BadClaim("aud"));
        }
        let subject = payload.text("sub")?;
        if !is_subject(subject) {
            return Err(TokenFault::BadClaim("sub"));
        }
        let account = self.read_account(payload)?;
        let roles = self.read_roles(payload)?;
        let engineer = self.read_engineer(payload, &roles)?;
        Ok(Claims { subject: subject.to_owned(), account, roles, engineer, expires_at })
    }

    fn read_account(&self, payload: &Payload) -> Result<AccountId, TokenFault> {
        match &self.claims.account {
            AccountClaim::Fixed(account) => Ok(account.clone()),
            AccountClaim::Named(claim) => {
                let account = payload.find(claim).ok_or(TokenFault::MissingClaim("account"))?;
                let account = account.as_str().and_then(|account| account.parse().ok());
                account.ok_or(TokenFault::BadClaim("account"))
            }
        }
    }

    /// The roles, each once. Without a mapping, one that is not known spoils the token: its maker meant something that is not done.
    fn read_roles(&self, payload: &Payload) -> Result<Vec<Role>, TokenFault> {
        let bad = TokenFault::BadClaim("roles");
        let claim = payload.find(&self.claims.roles).ok_or(TokenFault::MissingClaim("roles"))?;
        let names = list_names(claim).ok_or(bad)?;
        let given: Vec<Role> = match &self.claims.role_mapping {
            Some(mapping) => names.iter().filter_map(|name| mapping.get(*name)).flatten().copied().collect(),
            None => names.into_iter().map(Role::from_name).collect::<Option<_>>().ok_or(bad)?,
        };
        let mut roles = Vec::new();
        for role in given {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        match roles.as_slice() {
            [] if self.claims.role_mapping.is_some() => Err(TokenFault::NoRole),
            [] => Err(bad),
            [..] => Ok(roles),
        }
    }

    /// Who the holder is: needed for the role ENGINEER, and not looked at otherwise.
    fn read_engineer(&self, payload: &Payload, roles: &[Role]) -> Result<Option<EngineerClaim>, TokenFault> {
        if !roles.contains(&Role::Engineer) {
            return Ok(None);
        }
        let bad = TokenFault::BadClaim("engineer");
        let claim = payload.find(&self.claims.engineer).ok_or(TokenFault::MissingClaim("engineer"))?;
        let text = claim.as_str().ok_or(bad)?;
        let engineer = match &self.claims.engineer_directory {
            None => text.parse().ok(),
            Some(directory) => EngineerClaim::of_directory(directory, text).ok(),
        };
        engineer.map(Some).ok_or(bad)
    }
}

/// The texts of a list, or the words of one text. `None` where it is neither.
fn list_names(claim: &Value) -> Option<Vec<&str>> {
    match claim {
        Value::String(words) => Some(words.split(' ').filter(|word| !word.is_empty()).collect()),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
