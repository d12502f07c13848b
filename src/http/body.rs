//! Reading a request's body up to a limit.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;

use super::error::HttpError;

/// How much of a body that is too large is still read, in bytes, so that its sender gets the answer and not a reset
/// connection.
const DRAINED: usize = 1024 * 1024;

/// The whole body.
///
/// # Errors
/// When it is larger than `limit` bytes, or ends early.
pub(super) async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut excess = 0;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else {
            return Err(HttpError::bad_input(StatusCode::BAD_REQUEST, "The body ends too early."));
        };
        if excess == 0 && bytes.len() + chunk.len() <= limit {
            bytes.extend_from_slice(&chunk);
            continue;
        }
        bytes = Vec::new();
        excess += chunk.len();
        if excess > DRAINED {
            break;
        }
    }
    if excess == 0 { Ok(bytes) } else { Err(HttpError::too_large(limit)) }
}

/// Whether the body is said to be of that media type, in UTF-8 or without a word on the characters.
pub(super) fn is_utf8_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
    named
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// Whether the body is said to be of that media type, in whatever characters.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}
