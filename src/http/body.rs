//! Reading a request's body: up to a size, within a time.

use std::{io, path::Path, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use tokio::{
    fs::File,
    io::AsyncWriteExt as _,
    task,
    time::{Instant, timeout_at},
};
use tracing::error;

use super::error::HttpError;

/// How much of a body that is too large is still read, in bytes, so that its sender gets the answer and not a reset
/// connection.
const DRAINED: usize = 1024 * 1024;

/// A body that goes on has one more second for each so many bytes.
const BYTES_PER_SECOND: usize = 64 * 1024;

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    /// How many bytes it may have.
    pub(super) bytes: usize,
    /// How long it may take, and a second more for each 64 KiB that came.
    pub(super) time: Duration,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It has more bytes than these.
    TooLarge(usize),
    /// It did not come in time.
    TooSlow,
    /// It ends before its end, or is not in the form that it is said to be in.
    CutOff,
}

impl BodyError {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::CutOff => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<BodyError> for HttpError {
    fn from(error: BodyError) -> Self {
        let message = match error {
            BodyError::TooLarge(limit) => format!("The body is too large; {limit} bytes are allowed."),
            BodyError::TooSlow => "The body did not come in time.".to_owned(),
            BodyError::CutOff => "The body ends too early.".to_owned(),
        };
        let refusal = Self::bad_input(error.status(), message);
        // What is left of the body would be taken for the next request.
        match error {
            BodyError::TooSlow => refusal.closing(),
            BodyError::TooLarge(_) | BodyError::CutOff => refusal,
        }
    }
}

/// The whole body.
///
/// # Errors
/// When it goes over its limits, or ends early.
pub(super) async fn read_body(body: Body, limits: BodyLimits) -> Result<Vec<u8>, BodyError> {
    let mut reader = BodyReader::new(body, limits);
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The whole body as a file without a name in that folder: it is gone when the handle is, also where the client goes away or the
/// process dies.
///
/// # Errors
/// When it goes over its limits, ends early, or cannot be kept.
pub(super) async fn spool_body(body: Body, limits: BodyLimits, folder: &Path) -> Result<std::fs::File, HttpError> {
    let folder = folder.to_owned();
    let made = task::spawn_blocking(move || tempfile::tempfile_in(folder)).await.unwrap_or_else(|_| Err(broken_off()));
    let mut file = File::from_std(made.map_err(|error| cannot_keep(&error))?);
    let mut reader = BodyReader::new(body, limits);
    while let Some(chunk) = reader.next().await? {
        file.write_all(&chunk).await.map_err(|error| cannot_keep(&error))?;
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

/// A body that is read piece by piece.
pub(super) struct BodyReader {
    stream: axum::body::BodyDataStream,
    limits: BodyLimits,
    began: Instant,
    read: usize,
}

impl BodyReader {
    pub(super) fn new(body: Body, limits: BodyLimits) -> Self {
        Self { stream: body.into_data_stream(), limits, began: Instant::now(), read: 0 }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the body goes over its limits, or ends early. Nothing more is to be read of it then.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let Some(chunk) = self.take().await? else { return Ok(None) };
        if self.read <= self.limits.bytes {
            return Ok(Some(chunk));
        }
        while self.read <= self.limits.bytes + DRAINED && self.take().await?.is_some() {}
        Err(BodyError::TooLarge(self.limits.bytes))
    }

    async fn take(&mut self) -> Result<Option<Bytes>, BodyError> {
        let earned = u64::try_from(self.read / BYTES_PER_SECOND).unwrap_or(u64::MAX);
        let deadline = self.began + self.limits.time.saturating_add(Duration::from_secs(earned));
        match timeout_at(deadline, self.stream.next()).await {
            Ok(Some(Ok(chunk))) => {
                self.read = self.read.saturating_add(chunk.len());
                Ok(Some(chunk))
            }
            Ok(Some(Err(_))) => Err(BodyError::CutOff),
            Ok(None) => Ok(None),
            Err(_) => Err(BodyError::TooSlow),
        }
    }
}

/// Whether the body is said to be of that media type, in whatever characters.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type))
}
