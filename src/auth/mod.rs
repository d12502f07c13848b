//! Access tokens: who asks. A token is a JWT signed with HS256 (RFC 7519, RFC 7515); what its holder may do is the
//! [`Actor`](crate::domain::actor::Actor)'s to say.

mod authenticator;
mod claims;
mod token;

pub use self::{
    authenticator::{AuthError, Authenticator},
    claims::{Claims, EngineerClaim, InvalidEngineerClaim, MAX_SUBJECT},
    token::{InvalidToken, IssueError, LEEWAY, NewToken, TokenFault, Tokens, WeakSecret},
};
pub use crate::domain::ttl::{InvalidTtl, parse_ttl};
