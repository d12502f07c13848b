//! Reading a request's body up to a limit.

use std::{io, path::Path};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use tokio::{fs::File, io::AsyncWriteExt as _, task};
use tracing::error;

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

/// The whole body as a file without a name in that folder: it is gone when the handle is, also where the client goes away or the
/// process dies.
///
/// # Errors
/// When it is larger than `limit` bytes, ends early, or cannot be kept.
pub(super) async fn spool_body(body: Body, limit: usize, folder: &Path) -> Result<std::fs::File, HttpError> {
    let folder = folder.to_owned();
    let made = task::spawn_blocking(move || tempfile::tempfile_in(folder)).await.unwrap_or_else(|_| Err(broken_off()));
    let mut file = File::from_std(made.map_err(|error| cannot_keep(&error))?);
    let mut stream = body.into_data_stream();
    let (mut length, mut excess) = (0, 0);
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else {
            return Err(HttpError::bad_input(StatusCode::BAD_REQUEST, "The body ends too early."));
        };
        if excess == 0 && length + chunk.len() <= limit {
            length += chunk.len();
            file.write_all(&chunk).await.map_err(|error| cannot_keep(&error))?;
            continue;
        }
        excess += chunk.len();
        if excess > DRAINED {
            break;
        }
    }
    if excess > 0 {
        return Err(HttpError::too_large(limit));
    }
    file.flush().await.map_err(|error| cannot_keep(&error))?;
    Ok(file.into_std().await)
}

fn broken_off() -> io::Error {
    io::Error::other("making the file was broken off")
}

fn cannot_keep(error: &io::Error) -> HttpError {
    error!(%error, "An upload could not be kept in the data folder: {error}");
    HttpError::unwritable()
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
