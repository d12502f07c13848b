//! Results as JSON, as the transports send them.

use async_graphql::{Response, ServerError, Value};
use axum::body::Bytes;

use crate::graphql::{ErrorCode, Fault, code_of, lacks_for_now};

/// An operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The code of the first error.
    pub code: ErrorCode,
    /// The errors, as a JSON list.
    pub errors: Bytes,
}

impl Failure {
    /// The failure that a response tells of.
    pub fn of(response: &Response) -> Self {
        let code = code_of(response).unwrap_or(ErrorCode::Internal);
        Self { code, errors: to_list(&response.errors) }
    }

    /// The whole answer as JSON: a request that was refused has no `data`.
    pub fn to_document(&self) -> Bytes {
        [b"{\"errors\":", self.errors.as_ref(), b"}"].concat().into()
    }

    /// Whether it failed for now only: trying again may help.
    pub fn may_pass(&self) -> bool {
        self.code == ErrorCode::Unavailable
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { code: fault.code(), errors: to_list(&[fault.into_server_error()]) }
    }
}

/// Whether nothing of the operation was done: what failed while it was executed has a path.
pub(super) fn is_refused(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// The result; or the errors, where nothing of the operation was done.
pub(super) fn read(response: &Response) -> Result<Bytes, Failure> {
    if is_refused(response) { Err(Failure::of(response)) } else { Ok(to_json(response)) }
}

/// The result of one event; or the errors, where there is nothing to show of it, or a part of it could not be read now: an event
/// is shown once, and so waits until it can be shown whole.
pub(super) fn read_event(response: &Response) -> Result<Bytes, Failure> {
    if lacks_for_now(response) {
        return Err(Failure { code: ErrorCode::Unavailable, ..Failure::of(response) });
    }
    let failed = response.data == Value::Null && !response.errors.is_empty();
    if failed { Err(Failure::of(response)) } else { Ok(to_json(response)) }
}

fn to_list(errors: &[ServerError]) -> Bytes {
    serde_json::to_vec(errors).unwrap_or_else(|_| b"[]".to_vec()).into()
}

fn to_json(response: &Response) -> Bytes {
    serde_json::to_vec(response).unwrap_or_else(|_| br#"{"data":null}"#.to_vec()).into()
}
