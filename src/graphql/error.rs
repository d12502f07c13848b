//! Faults: what the caller cannot mend by typing something else. They go to `errors`, with a code and without inner text.

use std::fmt;

use async_graphql::{Error, ErrorExtensionValues, Pos, Response, ServerError};

use crate::{
    auth::TooMany,
    domain::{actor::Forbidden, event::CursorExpired, named::named},
    live::FollowError,
    service::ServiceError,
    store::{StoreError, Trouble},
};

named! {
    /// The code in `errors[].extensions.code`.
    pub enum ErrorCode {
        /// There is no good token, or it is not good any more.
        Unauthenticated = "UNAUTHENTICATED",
        /// The caller's roles do not allow it.
        Forbidden = "FORBIDDEN",
        /// An argument or a variable holds what it may not.
        BadUserInput = "BAD_USER_INPUT",
        /// The document is not GraphQL.
        GraphqlParseFailed = "GRAPHQL_PARSE_FAILED",
        /// The document does not fit the schema.
        GraphqlValidationFailed = "GRAPHQL_VALIDATION_FAILED",
        /// The event log no longer holds what follows the cursor: read afresh and follow from `liveCursor`.
        CursorExpired = "CURSOR_EXPIRED",
        /// The document is too large, or the operation asks for too much at once. The message names the limit.
        QueryTooComplex = "QUERY_TOO_COMPLEX",
        /// Too many requests; `retryAfterMs` says when to try again.
        RateLimited = "RATE_LIMITED",
        /// The server cannot answer now; trying again may help.
        Unavailable = "UNAVAILABLE",
        /// The server failed. What failed is in its log.
        Internal = "INTERNAL",
    }
}

/// A failed field. Has no `Display`, so that the library cannot turn an inner error into one by itself: every inner error passes
/// through one of the conversions below, which log it once and tell the caller its code.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    code: ErrorCode,
    message: String,
}

/// What a resolver that can fail answers with.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// A fault with a sentence for the developer of the client.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An argument holds what it may not.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadUserInput, message)
    }

    /// The server failed in a way that is in its log by now.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "The server failed. The operator finds the reason in its log.")
    }

    /// The token is not good any more.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "The token is not valid any more. Connect again with a new one.")
    }

    /// Its code.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The fault as an error of the whole request.
    pub fn into_server_error(self) -> ServerError {
        let code = self.code;
        let mut error = ServerError::new(self.message, None);
        set_code(&mut error, code);
        error
    }
}

/// Faults carry no inner text, but may quote the caller's.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", fault.code.name());
        Self { message: fault.message, source: None, extensions: Some(extensions) }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "A GraphQL field failed: {error}");
        match error.trouble() {
            Trouble::Unavailable => {
                Self::new(ErrorCode::Unavailable, "The server cannot answer now. Try again in a moment.")
            }
            Trouble::Unwritable => Self::new(ErrorCode::Unavailable, UNWRITABLE),
            Trouble::Fault => Self::internal(),
        }
    }
}

/// What is told where the storage takes no writes.
pub const UNWRITABLE: &str = "Nothing can be changed now: the server's storage is full, or read-only. Reading goes on.";

impl From<Forbidden> for Fault {
    fn from(_: Forbidden) -> Self {
        Self::new(ErrorCode::Forbidden, "Your role does not allow this.")
    }
}

impl From<CursorExpired> for Fault {
    fn from(_: CursorExpired) -> Self {
        Self::new(
            ErrorCode::CursorExpired,
            "The event log does not hold what follows this cursor. Read afresh and follow from liveCursor.",
        )
    }
}

impl From<FollowError> for Fault {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::CursorExpired(expired) => expired.into(),
            FollowError::Store(error) => error.into(),
        }
    }
}

/// For reads. Mutations put refusals into `userErrors` instead.
impl From<ServiceError> for Fault {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::Forbidden(forbidden) => forbidden.into(),
            ServiceError::Refused(_) => Forbidden.into(),
            ServiceError::UnknownAccount => {
                tracing::error!("A caller's account is not in the configuration");
                Self::internal()
            }
        }
    }
}

/// What stands in the library's messages before a value that the caller sent: clients log what they are told, and the value may be
/// somebody's number.
const BEFORE_VALUES: [&str; 3] = [", found ", "does not contain the value ", "does not contain value "];

/// The message without the value that it ends with.
fn take_out_value(message: &str) -> Option<String> {
    BEFORE_VALUES.iter().find_map(|before| {
        let (kept, _) = message.split_once(before)?;
        let rest = if before.starts_with(',') { "." } else { "does not contain the value given." };
        Some(format!("{kept}{rest}"))
    })
}

/// Gives an error of the library the code that it lacks, and takes values out of its message. Ours have theirs already.
pub(super) fn complete_code(error: &mut ServerError) {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return;
    }
    if let Some(message) = take_out_value(&error.message) {
        error.message = message;
    }
    let code = if error.path.is_empty() {
        ErrorCode::GraphqlValidationFailed
    } else if error.message.starts_with("internal:") {
        ErrorCode::Internal
    } else {
        // What the library finds wrong while it executes is an argument that does not fit its type.
        ErrorCode::BadUserInput
    };
    set_code(error, code);
}

/// The document is not GraphQL. The library's message is a drawing of several lines with what was expected in the last one; the
/// place is in `locations` anyway.
pub(super) fn parse_error(error: &ServerError) -> ServerError {
    let expected = error.message.rsplit_once("= ").map(|(_, expected)| expected.trim().replace('_', " "));
    let message = match (expected, error.locations.first()) {
        (Some(expected), Some(at)) => {
            format!("The document is not GraphQL: line {}, column {}: {expected}.", at.line, at.column)
        }
        (Some(_) | None, _) => "The document is not GraphQL.".to_owned(),
    };
    error_at(ErrorCode::GraphqlParseFailed, message, error.locations.first().copied())
}

/// An error of the whole request at a place in the document.
pub(super) fn error_at(code: ErrorCode, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    set_code(&mut error, code);
    error
}

/// The whole answer to who asks too often. Over HTTP it has the header `retry-after`, in whole seconds.
pub(super) fn refuse_for_now(too_many: TooMany) -> Response {
    let millis = too_many.retry_after_millis();
    let message = format!("Too many requests. Try again in {millis} ms.");
    let mut error = error_at(ErrorCode::RateLimited, message, None);
    error.extensions.get_or_insert_default().set("retryAfterMs", millis);
    let mut response = Response::from_errors(vec![error]);
    response.http_headers.insert("retry-after", too_many.retry_after_seconds().into());
    response
}

/// Sets the code.
pub(super) fn set_code(error: &mut ServerError, code: ErrorCode) {
    error.extensions.get_or_insert_default().set("code", code.name());
}
