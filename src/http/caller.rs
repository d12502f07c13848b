//! Who asks, over HTTP and over sockets.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, header};

use super::{HttpState, error::HttpError, origin::header_text};
use crate::{
    auth::{AuthError, TooMany},
    domain::{actor::Actor, request::RequestContext},
};

/// A caller is not let in.
#[derive(Debug)]
pub(super) enum NotLetIn {
    /// For what they brought, or because it cannot be checked.
    Auth(AuthError),
    /// Too many bad tokens came from the client's address.
    TooMany(TooMany),
}

impl From<NotLetIn> for HttpError {
    fn from(error: NotLetIn) -> Self {
        match error {
            NotLetIn::Auth(error) => error.into(),
            NotLetIn::TooMany(too_many) => too_many.into(),
        }
    }
}

/// The caller whom the header `authorization` names.
pub(super) async fn authenticate(
    state: &HttpState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Actor, HttpError> {
    let address = extensions.get::<RequestContext>().map(|context| context.address);
    Ok(let_in(state, header_text(headers, header::AUTHORIZATION), address).await?)
}

/// The caller whom an authorization names. Bad tokens are counted by the client's address, and told as too many where they are; good
/// ones pass all the same: many clients can share an address, that of a proxy, and no number of tries guesses a token.
pub(super) async fn let_in(
    state: &HttpState,
    authorization: Option<&str>,
    address: Option<IpAddr>,
) -> Result<Actor, NotLetIn> {
    let refused = match state.authenticator.authenticate(authorization).await {
        Ok(actor) => return Ok(actor),
        Err(refused) => refused,
    };
    if let (AuthError::Invalid, Some(address)) = (&refused, address) {
        state.limiter.admit_bad_token(address).map_err(NotLetIn::TooMany)?;
    }
    Err(NotLetIn::Auth(refused))
}
