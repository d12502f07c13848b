//! The response of an operation as an HTTP answer.

use std::collections::BTreeMap;

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    graphql::ErrorCode,
    http::{
        error::HttpError,
        graphql_status::{MediaType, Outcome, Profile, status_of},
        result::is_refused,
    },
};

/// A response in the form of GraphQL over HTTP: a request that was refused as a whole has no `data`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// The answer that is sent at once.
pub(super) fn respond(response: GraphqlResponse, media_type: MediaType, profile: Profile) -> Response {
    let Some(body) = to_json(&response) else { return HttpError::internal().into_response_as(media_type) };
    let status = status_of(outcome_of(&response), media_type, profile);
    let mut answer = (status, body).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// The response as JSON, without a line break.
pub(super) fn to_json(response: &GraphqlResponse) -> Option<Vec<u8>> {
    let document = Document {
        errors: &response.errors,
        data: (!is_refused(response)).then_some(&response.data),
        extensions: &response.extensions,
    };
    serde_json::to_vec(&document).ok()
}

/// What became of the operation.
pub(super) fn outcome_of(response: &GraphqlResponse) -> Outcome {
    let Some(first) = response.errors.first() else { return Outcome::Complete };
    if !is_refused(response) {
        return Outcome::Partial;
    }
    let code = first.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    let told = [
        (ErrorCode::GraphqlParseFailed, Outcome::Unparsed),
        (ErrorCode::Unauthenticated, Outcome::Unauthenticated),
        (ErrorCode::RateLimited, Outcome::RateLimited),
        (ErrorCode::Unavailable, Outcome::Unavailable),
        (ErrorCode::Internal, Outcome::Failed),
    ];
    let found = told.into_iter().find(|(told, _)| code == Some(&Value::from(told.name())));
    found.map_or(Outcome::Refused, |(_, outcome)| outcome)
}
