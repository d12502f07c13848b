//! Refusals and faults as JSON, in the shape of a GraphQL response: `{"errors": [{"message", "extensions": {"code"}}]}`.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{self, HeaderName},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tracing::error;

use super::graphql_status::MediaType;
use crate::{
    auth::{AuthError, TooMany},
    domain::{account::Locale, refusal::Refusal},
    graphql::{ErrorCode, UNWRITABLE},
    service::{ServiceError, Trouble},
};

/// Why a request was not served. No inner text gets in: what is in it may be shown to whoever asked.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    problems: Vec<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Serialize)]
struct Problem {
    message: Cow<'static, str>,
    extensions: Details,
}

#[derive(Debug, Serialize)]
struct Details {
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    field: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    params: BTreeMap<Cow<'static, str>, String>,
    #[serde(rename = "retryAfterMs", skip_serializing_if = "Option::is_none")]
    retry_after_millis: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    errors: &'a [Problem],
}

impl HttpError {
    /// One problem with its code in the API.
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let extensions = Details { code, field: Vec::new(), params: BTreeMap::new(), retry_after_millis: None };
        Self { status, problems: vec![Problem { message: message.into(), extensions }], headers: Vec::new() }
    }

    /// The request is not as it must be.
    pub(super) fn bad_input(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, ErrorCode::BadUserInput.name(), message)
    }

    /// The caller may not do that.
    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Forbidden.name(), message)
    }

    /// The path takes other methods: those that are named.
    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        let message = format!("This path does not take that method; it takes {allowed}.");
        Self::bad_input(StatusCode::METHOD_NOT_ALLOWED, message)
            .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// The server does as much as it may.
    pub(super) fn busy(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable.name(), message)
    }

    /// Something broke on our side.
    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal.name(), "Something broke on the server.")
    }

    fn from_trouble(trouble: Trouble) -> Self {
        let unavailable = |message| Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable.name(), message);
        match trouble {
            Trouble::Unavailable => unavailable("The server cannot answer now. Try again in a moment."),
            Trouble::Unwritable => unavailable(UNWRITABLE),
            Trouble::Fault => Self::internal(),
        }
    }

    /// The storage takes no writes.
    pub(super) fn unwritable() -> Self {
        Self::from_trouble(Trouble::Unwritable)
    }

    /// The same, after which the connection is of no more use.
    pub(super) fn closing(self) -> Self {
        self.with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// The same with a header.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What a use case answered, with the sentences in that language.
    pub(super) fn from_service(error: ServiceError, locale: Locale) -> Self {
        match error {
            ServiceError::Refused(refusals) => Self {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                problems: refusals.into_iter().map(|refusal| Problem::of(refusal, locale)).collect(),
                headers: Vec::new(),
            },
            ServiceError::Forbidden(_) => Self::forbidden("Your role does not allow this."),
            ServiceError::UnknownAccount => Self::forbidden("There is no such account on this server."),
            ServiceError::Store(fault) => {
                error!(error = %fault, "A request failed: {fault}");
                Self::from_trouble(fault.trouble())
            }
        }
    }

    /// The same as a response of that media type.
    pub(super) fn into_response_as(self, media_type: MediaType) -> Response {
        let body = serde_json::to_string(&Document { errors: &self.problems }).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, media_type.name())], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl Problem {
    fn of(refusal: Refusal, locale: Locale) -> Self {
        Self {
            message: refusal.message(locale).into(),
            extensions: Details {
                code: refusal.code.name(),
                field: refusal.field,
                params: refusal.params.into_iter().collect(),
                retry_after_millis: None,
            },
        }
    }
}

impl From<TooMany> for HttpError {
    fn from(too_many: TooMany) -> Self {
        let millis = too_many.retry_after_millis();
        let message = format!("Too many requests. Try again in {millis} ms.");
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited.name(), message)
            .with_header(header::RETRY_AFTER, HeaderValue::from(too_many.retry_after_seconds()));
        for problem in &mut error.problems {
            problem.extensions.retry_after_millis = Some(millis);
        }
        error
    }
}

impl From<AuthError> for HttpError {
    fn from(error: AuthError) -> Self {
        let unauthenticated = |message, challenge| {
            Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthenticated.name(), message)
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
        };
        let unavailable = || {
            let code = ErrorCode::Unavailable.name();
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "The server cannot check the token now.")
        };
        match error {
            AuthError::Missing => {
                unauthenticated("A token is needed: send the header authorization: Bearer <token>.", "Bearer")
            }
            AuthError::Invalid => {
                unauthenticated("The token is not valid, or no longer.", "Bearer error=\"invalid_token\"")
            }
            AuthError::Inactive => Self::forbidden("The engineer of this token is not active."),
            AuthError::NoRole => Self::forbidden("This token gives its holder no role here."),
            AuthError::NoKeys => unavailable(),
            AuthError::Unavailable(fault) => {
                error!(error = %fault, "A caller could not be checked: {fault}");
                unavailable()
            }
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        self.into_response_as(MediaType::Json)
    }
}
