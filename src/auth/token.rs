//! Making and checking tokens.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use serde::Serialize;

use super::claims::{Claims, EngineerClaim, Payload, is_subject};
use crate::{
    config::{AuthConfig, Secret},
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
    /// It is signed by an algorithm other than HS256.
    #[error("it is not signed with HS256")]
    Algorithm,
    /// The signature is not that of our secret.
    #[error("its signature is wrong")]
    Signature,
    /// Its header has `crit`: something that must be understood and is not (RFC 7515, section 4.1.11).
    #[error("its header has crit")]
    Critical,
    /// A claim is missing.
    #[error("its claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim has the wrong form, or a value that is not known.
    #[error("its claim {0} is wrong")]
    BadClaim(&'static str),
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

/// Makes and checks tokens with one secret. It prints without the secret.
#[derive(Debug, Clone)]
pub struct Tokens {
    encoding_key: EncodingKey,
    decoding_key: DecodingKey,
    issuer: String,
    audience: String,
}

impl Tokens {
    /// Works with that secret, and with the issuer and the audience of the configuration.
    ///
    /// # Errors
    /// When the secret has fewer than 32 bytes.
    pub fn new(secret: &Secret, config: &AuthConfig) -> Result<Self, WeakSecret> {
        let secret = secret.expose().as_bytes();
        if secret.len() < SHORTEST_SECRET {
            return Err(WeakSecret { length: secret.len() });
        }
        Ok(Self {
            encoding_key: EncodingKey::from_secret(secret),
            decoding_key: DecodingKey::from_secret(secret),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
        })
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When the token would not be accepted here.
    pub fn issue(&self, token: &NewToken, now: DateTime<Utc>) -> Result<String, IssueError> {
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
            iss: &self.issuer,
            aud: &self.audience,
            sub: &token.subject,
            iat: now.timestamp(),
            exp: token.expires_at.timestamp(),
            account: token.account.as_str(),
            roles: token.roles.iter().map(|role| role.name()).collect(),
            engineer: engineer.map(EngineerClaim::to_string),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding_key).map_err(|_| IssueError::Signing)
    }

    /// Checks a token at the moment `now`: that we signed it with HS256, whatever its header says of keys; that it is from our
    /// issuer, for our audience, and in force, [`LEEWAY`] allowed; and that it says all that it has to.
    ///
    /// # Errors
    /// When it is not good.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        let payload = self.open(token)?;
        let expires_at = payload.time("exp")?;
        if now >= expires_at + LEEWAY {
            return Err(TokenFault::Expired.into());
        }
        if payload.time_if_present("nbf")?.is_some_and(|begins_at| now + LEEWAY < begins_at) {
            return Err(TokenFault::NotYetValid.into());
        }
        if payload.text("iss")? != self.issuer {
            return Err(TokenFault::BadClaim("iss").into());
        }
        if !payload.is_for(&self.audience)? {
            return Err(TokenFault::BadClaim("aud").into());
        }
        let subject = payload.text("sub")?;
        if !is_subject(subject) {
            return Err(TokenFault::BadClaim("sub").into());
        }
        let account = payload.text("account")?.parse().map_err(|_| TokenFault::BadClaim("account"))?;
        let roles = payload.roles()?;
        let engineer = payload.engineer(&roles)?;
        Ok(Claims { subject: subject.to_owned(), account, roles, engineer, expires_at })
    }

    /// Checks the signature, and opens what was signed.
    fn open(&self, token: &str) -> Result<Payload, TokenFault> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenFault::TooLong);
        }
        // The library would judge the claims by a clock of its own, so that here it judges the signature alone. Of the header
        // it reads `alg`, which must be the one named here; `kid`, `jku`, `jwk` and `x5u` choose no key.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let data = decode(token, &self.decoding_key, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => TokenFault::Signature,
            ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
            _ => TokenFault::Unreadable,
        })?;
        if data.header.crit.is_some() {
            return Err(TokenFault::Critical);
        }
        Ok(Payload(data.claims))
    }
}
