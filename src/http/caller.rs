//! Who asks, over HTTP.

use axum::http::{Extensions, HeaderMap, header};

use super::{HttpState, error::HttpError, origin::header_text};
use crate::{
    auth::AuthError,
    domain::{actor::Actor, request::RequestContext},
};

/// The caller whom the header `authorization` names. Bad tokens are counted by the client's address, and told as too many where they
/// are; good ones pass all the same: many clients can share an address, that of a proxy, and no number of tries guesses a token.
pub(super) async fn authenticate(
    state: &HttpState,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Actor, HttpError> {
    let refused = match state.authenticator.authenticate(header_text(headers, header::AUTHORIZATION)).await {
        Ok(actor) => return Ok(actor),
        Err(refused) => refused,
    };
    if let (AuthError::Invalid, Some(context)) = (&refused, extensions.get::<RequestContext>()) {
        state.limiter.admit_bad_token(context.address)?;
    }
    Err(refused.into())
}
