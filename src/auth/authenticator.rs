//! From a header to the one who asks.

use std::{collections::BTreeSet, sync::Arc};

use tracing::{info, warn};

use super::{
    claims::{Claims, EngineerClaim},
    token::{LEEWAY, TokenFault},
    verifier::{Verifier, VerifyError},
};
use crate::{
    domain::{
        actor::{Actor, Role},
        clock::Clock,
        engineer::Engineer,
        id::{AccountId, EngineerId},
    },
    store::{Store, StoreError},
};

/// The caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is no token.
    #[error("no token")]
    Missing,
    /// The token is not good. Why is in the log, and not told to the caller.
    #[error("invalid token")]
    Invalid,
    /// The token is good, but the engineer whom it is for is not ACTIVE, or not on the roll, and it allows nothing else.
    #[error("the engineer of this token is not active")]
    Inactive,
    /// The token is good, and gives its holder no role here.
    #[error("the token gives no role here")]
    NoRole,
    /// There are no keys to check the token with. Why is in the log.
    #[error("the token cannot be checked now")]
    NoKeys,
    /// It cannot be known now. The inner error is not for the caller.
    #[error("the caller cannot be checked now")]
    Unavailable(#[from] StoreError),
}

/// Tells who asks.
pub struct Authenticator {
    verifier: Verifier,
    store: Store,
    accounts: BTreeSet<AccountId>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Lets in the holders of good tokens for these accounts.
    pub fn new(
        verifier: Verifier,
        store: Store,
        accounts: impl IntoIterator<Item = AccountId>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { verifier, store, accounts: accounts.into_iter().collect(), clock }
    }

    /// The caller whose `authorization` header, or value of that name in `connection_init`, this is. The role ENGINEER of
    /// someone who is not ACTIVE is left out. The actor's `expires_at` is the `exp` of the token and [`LEEWAY`]: the moment
    /// from which the token is refused.
    ///
    /// # Errors
    /// When there is no token, or it is not good, or no role is left, or the keys or the store cannot be had.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthError> {
        let header = authorization.ok_or(AuthError::Missing)?;
        let claims = self.verify(header).await.map_err(refuse)?;
        let Claims { subject, account, mut roles, engineer, expires_at } = claims;
        let engineer = match engineer {
            Some(claim) => self.find_active(&account, &claim).await?,
            None => None,
        };
        if engineer.is_none() {
            roles.retain(|role| *role != Role::Engineer);
        }
        if roles.is_empty() {
            info!(account.id = %account, "Refused a token: its engineer is not active");
            return Err(AuthError::Inactive);
        }
        Ok(Actor { account, subject, roles, engineer, expires_at: expires_at + LEEWAY })
    }

    /// Whether a caller who was let in would still be, with the same roles. Where the store cannot tell, they would not.
    pub async fn still_valid(&self, actor: &Actor) -> bool {
        if !actor.is_current(self.clock.now()) {
            return false;
        }
        if !actor.roles.contains(&Role::Engineer) {
            return true;
        }
        let Some(id) = actor.engineer else { return false };
        match self.find_active(&actor.account, &EngineerClaim::Id(id)).await {
            Ok(found) => found.is_some(),
            Err(error) => {
                warn!(account.id = %actor.account, error = %error, "Could not check whether an engineer is active: {error}");
                false
            }
        }
    }

    async fn verify(&self, header: &str) -> Result<Claims, VerifyError> {
        let token = read_bearer(header).ok_or(TokenFault::NotBearer)?;
        let claims = self.verifier.verify(token, self.clock.now()).await?;
        if self.accounts.contains(&claims.account) { Ok(claims) } else { Err(TokenFault::BadClaim("account").into()) }
    }

    async fn find_active(&self, account: &AccountId, claim: &EngineerClaim) -> Result<Option<EngineerId>, StoreError> {
        let rows = self.store.rows(account);
        let found = match claim {
            EngineerClaim::Id(id) => rows.find_engineer(*id).await?,
            EngineerClaim::Identity(identity) => rows.find_engineer_by_identity(identity).await?,
        };
        Ok(found.filter(Engineer::is_active).map(|engineer| engineer.id))
    }
}

/// What the caller is told; why is in the log alone.
fn refuse(error: VerifyError) -> AuthError {
    let VerifyError::Invalid(invalid) = error else { return AuthError::NoKeys };
    let fault = invalid.fault();
    info!(auth.fault = %fault, "Refused a token: {fault}");
    if fault == TokenFault::NoRole { AuthError::NoRole } else { AuthError::Invalid }
}

/// The token of `Bearer <token>`. The scheme is read in any case (RFC 9110, section 11.1).
fn read_bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
