//! Access tokens and API keys: who asks. A token is a JWT (RFC 7519, RFC 7515), signed by rollcall with HS256 or by an identity
//! provider with a key that it publishes; an API key is looked up. What its holder may do is the
//! [`Actor`](crate::domain::actor::Actor)'s to say.

mod api_keys;
mod authenticator;
mod claims;
mod key_set;
mod limiter;
mod rules;
mod standing;
mod token;
mod verification_key;
mod verifier;

pub use self::{
    authenticator::{AuthError, Authenticator},
    claims::{Claims, EngineerClaim, InvalidEngineerClaim, MAX_SUBJECT},
    key_set::{COOL_DOWN, JudgedKey, KeySet, LONGEST_OUTAGE, try_key_source},
    limiter::{Limiter, REMEMBERED, TooMany},
    token::{InvalidToken, IssueError, LEEWAY, NewToken, TokenFault, Tokens, WeakSecret},
    verification_key::{UnusableKey, VerificationKey},
    verifier::{KeySetVerifier, Verifier, VerifyError},
};
pub use crate::domain::ttl::{InvalidTtl, parse_ttl};
