//! The response of an operation as an HTTP answer.

use async_graphql::Response as GraphqlResponse;
use async_graphql_axum::GraphQLResponse;
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    graphql::{ErrorCode, code_of},
    http::{
        graphql_status::{MediaType, Outcome, Profile, status_of},
        result::{Failure, is_refused},
    },
};

/// The answer that is sent at once. What was executed is written by the library, with the headers that resolvers gave it; it knows
/// no answer without `data`, which a refused request must have.
pub(super) fn respond(response: GraphqlResponse, media_type: MediaType, profile: Profile) -> Response {
    let status = status_of(outcome_of(&response), media_type, profile);
    let mut answer = if is_refused(&response) {
        let mut refusal = Failure::of(&response).to_document().into_response();
        refusal.headers_mut().extend(response.http_headers);
        refusal
    } else {
        GraphQLResponse::from(response).into_response()
    };
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    answer
}

/// What became of the operation.
pub(super) fn outcome_of(response: &GraphqlResponse) -> Outcome {
    let Some(code) = code_of(response) else { return Outcome::Complete };
    if !is_refused(response) {
        return Outcome::Partial;
    }
    match code {
        ErrorCode::GraphqlParseFailed => Outcome::Unparsed,
        ErrorCode::Unauthenticated => Outcome::Unauthenticated,
        ErrorCode::RateLimited => Outcome::RateLimited,
        ErrorCode::Unavailable => Outcome::Unavailable,
        ErrorCode::Internal => Outcome::Failed,
        ErrorCode::Forbidden
        | ErrorCode::BadUserInput
        | ErrorCode::GraphqlValidationFailed
        | ErrorCode::CursorExpired
        | ErrorCode::QueryTooComplex => Outcome::Refused,
    }
}
