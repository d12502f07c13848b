//! From a header to the one who asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tracing::info;

use super::{
    api_keys::ApiKeys,
    claims::{Claims, EngineerClaim},
    standing::Standing,
    token::{LEEWAY, TokenFault},
    verifier::{Verifier, VerifyError},
};
use crate::{
    domain::{
        actor::{Actor, Credential, Role},
        api_key::{ApiKey, KeyText},
        clock::Clock,
        engineer::Engineer,
        id::{AccountId, EngineerId},
    },
    store::{Store, StoreError},
};

/// The caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is no token and no key.
    #[error("no token")]
    Missing,
    /// The token or key is not good. Why is in the log, and not told to the caller.
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
    keys: ApiKeys,
    store: Store,
    accounts: BTreeSet<AccountId>,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Lets in the holders of good tokens and keys for these accounts.
    pub fn new(
        verifier: Verifier,
        store: Store,
        accounts: impl IntoIterator<Item = AccountId>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let keys = ApiKeys::new(store.clone());
        Self { verifier, keys, store, accounts: accounts.into_iter().collect(), clock }
    }

    /// The caller whose `authorization` header, or value of that name in `connection_init`, this is. The role ENGINEER of
    /// someone who is not ACTIVE is left out. The actor's `expires_at` is the `exp` of the token and [`LEEWAY`]: the moment
    /// from which the token is refused.
    ///
    /// # Errors
    /// When there is no token and no key, or it is not good, or no role is left, or what it is checked with cannot be had.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthError> {
        let header = authorization.ok_or(AuthError::Missing)?;
        if let Some(text) = read_bearer(header).filter(|text| KeyText::is_meant(text)) {
            return self.authenticate_key(text).await;
        }
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
        let credential = Credential::Token;
        let expires_at = Some(expires_at + LEEWAY);
        Ok(Actor { account, subject, roles, engineer, expires_at, credential })
    }

    async fn authenticate_key(&self, text: &str) -> Result<Actor, AuthError> {
        let now = self.clock.now();
        let ApiKey { id, account, role, expires_at, .. } = self.keys.find_good(text, now).await?;
        if !self.accounts.contains(&account) {
            info!(account.id = %account, "Refused an API key: its account is not in the configuration");
            return Err(AuthError::Invalid);
        }
        self.keys.note_use(&account, [id], now);
        let (subject, credential) = (id.to_string(), Credential::ApiKey(id));
        Ok(Actor { account, subject, roles: vec![role], engineer: None, expires_at, credential })
    }

    /// Whether a caller who was let in would still be, with the same roles.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn still_valid(&self, actor: &Actor) -> Result<bool, StoreError> {
        Ok(self.list_ended(&[actor]).await?.is_empty())
    }

    /// Whether a caller's token or key is good as far as its own end goes.
    pub fn is_current(&self, actor: &Actor) -> bool {
        actor.is_current(self.clock.now())
    }

    /// Which of these callers, who were let in, would not be any more with the same roles: their places in the list. Takes one
    /// statement at most for the keys of an account and one for its engineers, however many callers there are; and notes that
    /// the keys are in use.
    ///
    /// # Errors
    /// When the store fails: then it is not known of anyone, and nobody is to be sent away for it.
    pub async fn list_ended(&self, actors: &[&Actor]) -> Result<Vec<usize>, StoreError> {
        let now = self.clock.now();
        let mut asked: BTreeMap<&AccountId, Standing> = BTreeMap::new();
        for actor in actors.iter().filter(|actor| actor.is_current(now)) {
            asked.entry(&actor.account).or_default().add(actor);
        }
        let mut good = BTreeMap::new();
        for (account, asked) in asked {
            let found = asked.find_good(&self.store, account, now).await?;
            self.keys.note_use(account, found.keys.iter().copied(), now);
            good.insert(account, found);
        }
        let is_good =
            |actor: &Actor| actor.is_current(now) && good.get(&actor.account).is_some_and(|good| good.includes(actor));
        Ok(actors.iter().enumerate().filter(|(_, actor)| !is_good(actor)).map(|(place, _)| place).collect())
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
