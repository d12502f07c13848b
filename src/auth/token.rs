//! Making and checking tokens.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, errors::ErrorKind,
};
use serde::Serialize;

use super::{
    claims::{Claims, EngineerClaim, Payload, is_subject},
    rules::Rules,
};
use crate::{
    config::{AuthConfig, Secret, TokenKeysConfig},
    domain::{actor::Role, id::AccountId},
};

/// How far the clocks of who made the token and of this server may be apart.
pub const LEEWAY: Duration = Duration::seconds(5);

/// The shortest secret, in bytes: a key for HS256 has at least the size of the hash (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// The longest token that is looked at, in bytes. A usual one has about 300.
const LONGEST_TOKEN: usize = 8192;

/// The secret is too short to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret that signs tokens must hold at least {SHORTEST_SECRET} bytes, but holds {length}")]
pub struct WeakSecret {
    /// How many bytes it holds.
    pub length: usize,
}

/// The token is not good. Clients are told no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid token")]
pub struct InvalidToken {
    fault: TokenFault,
}

impl InvalidToken {
    /// What is wrong, for the log.
    pub const fn fault(self) -> TokenFault {
        self.fault
    }
}

impl From<TokenFault> for InvalidToken {
    fn from(fault: TokenFault) -> Self {
        Self { fault }
    }
}

/// What is wrong with a token. It holds nothing of the token, and is for the log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The header is not `Bearer` and a token (RFC 6750, section 2.1).
    #[error("it is no bearer token")]
    NotBearer,
    /// It is too long.
    #[error("it is longer than {LONGEST_TOKEN} bytes")]
    TooLong,
    /// It is no JWT of three parts, or one of them cannot be read. An `alg` that nobody knows, such as `none`, ends here.
    #[error("it cannot be read")]
    Unreadable,
    /// It is signed by an algorithm that the configuration does not allow.
    #[error("it is signed with an algorithm that is not allowed")]
    Algorithm,
    /// No key that may check it has the name in its header, or it names none and several could.
    #[error("it names no key that is known")]
    UnknownKey,
    /// The signature is not that of our secret, or of the key that the token names.
    #[error("its signature is wrong")]
    Signature,
    /// Its header has `crit`: something that must be understood and is not (RFC 7515, section 4.1.11).
    #[error("its header has crit")]
    Critical,
    /// A claim is missing. Account, roles and engineer go by those names here, whatever the configuration calls their claims.
    #[error("its claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim has the wrong form, or a value that is not known.
    #[error("its claim {0} is wrong")]
    BadClaim(&'static str),
    /// It gives its holder no role here, by the mapping of the configuration.
    #[error("it gives no role by auth.role_mapping")]
    NoRole,
    /// It is over.
    #[error("it has expired")]
    Expired,
    /// It has not begun.
    #[error("it is not valid yet")]
    NotYetValid,
}

/// A token cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The subject is blank, too long, or holds control characters.
    #[error("the subject must be 1 to {} printable characters", super::MAX_SUBJECT)]
    Subject,
    /// There is no role.
    #[error("a token needs at least one role")]
    NoRole,
    /// The role ENGINEER is given to nobody.
    #[error("the role ENGINEER needs the engineer whom the token is for")]
    NoEngineer,
    /// It would be over at once.
    #[error("the token would expire before it is made")]
    Expired,
    /// An identity provider makes the tokens.
    #[error("tokens come from the identity provider (auth.jwks_url or auth.oidc_issuer), and rollcall makes none")]
    Elsewhere,
    /// The claims are read as someone else writes them.
    #[error(
        "rollcall makes tokens with its own claims only, and the configuration maps others (auth.account, auth.account_claim, \
         auth.roles_claim, auth.role_mapping, auth.engineer_claim or auth.engineer_directory)"
    )]
    ForeignClaims,
    /// The library failed.
    #[error("the token could not be signed")]
    Signing,
}

/// What a new token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Whom it is for: 1 to [`MAX_SUBJECT`](super::MAX_SUBJECT) characters, not blank.
    pub subject: String,
    /// The account.
    pub account: AccountId,
    /// The roles, at least one.
    pub roles: Vec<Role>,
    /// Who the holder is: needed for the role ENGINEER, and left out otherwise.
    pub engineer: Option<EngineerClaim>,
    /// When it expires; part of a second is cut off.
    pub expires_at: DateTime<Utc>,
}

/// The claims of a token that we make, by their names on the wire.
#[derive(Serialize)]
struct WireClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    account: &'a str,
    roles: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engineer: Option<String>,
}

/// Makes and checks tokens with secrets of ours. It prints without them.
#[derive(Debug, Clone)]
pub struct Tokens {
    encoding_key: EncodingKey,
    /// Of the present secret first, then of the previous one.
    decoding_keys: Vec<DecodingKey>,
    rules: Rules,
}

impl Tokens {
    /// Signs with that secret, and takes also what the previous one of the configuration signed.
    ///
    /// # Errors
    /// When one of them has fewer than 32 bytes.
    pub fn new(secret: &Secret, config: &AuthConfig) -> Result<Self, WeakSecret> {
        let previous = match &config.keys {
            TokenKeysConfig::Secrets { previous, .. } => previous.as_ref(),
            TokenKeysConfig::KeySet(_) => None,
        };
        let strong = [Some(secret), previous].into_iter().flatten().map(expose_strong);
        let secrets = strong.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            encoding_key: EncodingKey::from_secret(secret.expose().as_bytes()),
            decoding_keys: secrets.into_iter().map(DecodingKey::from_secret).collect(),
            rules: Rules::new(config),
        })
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When the token would not be accepted here.
    pub fn issue(&self, token: &NewToken, now: DateTime<Utc>) -> Result<String, IssueError> {
        if !self.rules.has_own_claims() {
            return Err(IssueError::ForeignClaims);
        }
        if !is_subject(&token.subject) {
            return Err(IssueError::Subject);
        }
        if token.roles.is_empty() {
            return Err(IssueError::NoRole);
        }
        let engineer = token.engineer.as_ref().filter(|_| token.roles.contains(&Role::Engineer));
        if token.roles.contains(&Role::Engineer) && engineer.is_none() {
            return Err(IssueError::NoEngineer);
        }
        if token.expires_at <= now {
            return Err(IssueError::Expired);
        }
        let claims = WireClaims {
            iss: self.rules.issuer(),
            aud: self.rules.audience(),
            sub: &token.subject,
            iat: now.timestamp(),
            exp: token.expires_at.timestamp(),
            account: token.account.as_str(),
            roles: token.roles.iter().map(|role| role.name()).collect(),
            engineer: engineer.map(EngineerClaim::to_string),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding_key).map_err(|_| IssueError::Signing)
    }

    /// Checks a token at the moment `now`: that one of the secrets signed it with HS256, whatever its header says of keys; that it
    /// is from our issuer, for our audience, and in force, [`LEEWAY`] allowed; and that it says all that it has to.
    ///
    /// # Errors
    /// When it is not good.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        Ok(self.rules.judge(&self.open(token)?, now)?)
    }

    fn open(&self, token: &str) -> Result<Payload, TokenFault> {
        read_header(token)?;
        let mut fault = TokenFault::Signature;
        for key in &self.decoding_keys {
            match open(token, Algorithm::HS256, key) {
                Err(TokenFault::Signature) => {}
                Err(other) => fault = other,
                Ok(payload) => return Ok(payload),
            }
        }
        Err(fault)
    }
}

fn expose_strong(secret: &Secret) -> Result<&[u8], WeakSecret> {
    let secret = secret.expose().as_bytes();
    if secret.len() < SHORTEST_SECRET { Err(WeakSecret { length: secret.len() }) } else { Ok(secret) }
}

/// What a token's header says, unchecked. It chooses no key by itself: of `jku`, `jwk`, `x5u` and `x5c` nothing is read.
pub(super) fn read_header(token: &str) -> Result<Header, TokenFault> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenFault::TooLong);
    }
    let header = decode_header(token).map_err(|_| TokenFault::Unreadable)?;
    if header.crit.is_some() { Err(TokenFault::Critical) } else { Ok(header) }
}

/// Checks that this key signed the token with this algorithm, and opens what was signed.
pub(super) fn open(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Payload, TokenFault> {
    // The library would judge the claims by a clock of its own, so that here it judges the signature alone.
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let data = decode(token, key, &validation).map_err(|error| match error.kind() {
        ErrorKind::InvalidSignature => TokenFault::Signature,
        ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
        _ => TokenFault::Unreadable,
    })?;
    Ok(Payload(data.claims))
}
