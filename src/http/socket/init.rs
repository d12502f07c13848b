//! Who opens a socket.

use axum::http::{HeaderMap, header};
use serde_json::Value as Json;
use tracing::error;

use crate::{
    auth::AuthError,
    domain::{account::Locale, actor::Actor, request::RequestContext},
    http::{
        HttpState,
        caller::{NotLetIn, let_in},
        language::language_of,
        origin::header_text,
    },
};

/// What a socket knows of its handshake until `connection_init` comes.
pub(super) struct Handshake {
    /// The headers that `connection_init` may need.
    pub headers: HeaderMap,
    /// What is known of the upgrade request: it stands for all that comes over the socket.
    pub context: Option<RequestContext>,
}

impl Handshake {
    /// Checks who connects: by `authorization` of `connection_init`'s payload, else of the upgrade request.
    ///
    /// # Errors
    /// Code and reason of the close frame. Why exactly is in the log; a close frame has little room, and clients act on its code.
    pub async fn let_in(&self, state: &HttpState, payload: &Json) -> Result<Actor, (u16, &'static str)> {
        let given = find_text(payload, &["authorization", "Authorization"]);
        let authorization = given.or_else(|| header_text(&self.headers, header::AUTHORIZATION));
        let_in(state, authorization, self.context.map(|context| context.address)).await.map_err(|error| match error {
            NotLetIn::Auth(AuthError::Missing | AuthError::Invalid | AuthError::Inactive | AuthError::NoRole) => {
                (4403, "Forbidden")
            }
            NotLetIn::Auth(error @ (AuthError::NoKeys | AuthError::Unavailable(_))) => {
                error!(error = %error, "A caller could not be checked: {error}");
                (1013, "The token cannot be checked now; try again later")
            }
            NotLetIn::TooMany(_) => (1013, "Too many bad tokens from this address; try again later"),
        })
    }

    /// The language of the answers: that of `connection_init`'s payload, else of the upgrade request.
    pub fn read_language(&self, payload: &Json) -> Locale {
        let language = find_text(payload, &["acceptLanguage", "accept-language", "Accept-Language"]);
        language.map_or_else(|| language_of(&self.headers), Locale::negotiate)
    }
}

fn find_text<'a>(payload: &'a Json, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| payload.get(name).and_then(Json::as_str))
}
