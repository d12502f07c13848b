//! The HTTP status of an answer to a GraphQL request: one function decides it.

use axum::http::StatusCode;

/// What became of a GraphQL request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What came is no JSON, or cannot be read.
    Unreadable,
    /// What came can be read, and is no GraphQL request: a parameter lacks, or is of the wrong kind.
    IllFormed,
    /// The document is not GraphQL.
    Unparsed,
    /// The document does not fit the schema, asks for too much, does not say which operation is meant, or lacks a variable.
    Refused,
    /// A live stream was asked for, and the answer cannot carry one.
    NotCarried,
    /// The caller's token is not good any more.
    Unauthenticated,
    /// The caller may not ask that at all.
    Forbidden,
    /// The caller asks too often.
    RateLimited,
    /// The server cannot answer now.
    Unavailable,
    /// The server failed before anything was executed.
    Failed,
    /// It was executed, and nothing failed.
    Complete,
    /// It was executed, and fields failed, perhaps all of them.
    Partial,
}

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`
    Json,
    /// `application/graphql-response+json`
    GraphqlResponse,
    /// `text/event-stream`
    EventStream,
}

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Those that the audits of `graphql-http` 1.23 test, and its clients expect.
    #[default]
    Audit,
    /// Those of the draft of GraphQL over HTTP of August 2026: 422 for what was understood and refused, 294 for results with
    /// errors, and the same for all media types.
    Draft2026,
}

impl MediaType {
    /// The value of `content-type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        }
    }
}

/// The status.
///
/// What is told in a stream of events has status 200 (`PROTOCOL.md` of graphql-sse): a browser shows a client nothing of any
/// other. And where the answer is `application/json`, the audits want 200 for every GraphQL request, however it ended: a client
/// cannot tell from that media type that the answer is not a proxy's.
pub fn status_of(outcome: Outcome, media_type: MediaType, profile: Profile) -> StatusCode {
    let understood = match profile {
        Profile::Audit => StatusCode::BAD_REQUEST,
        Profile::Draft2026 => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let is_told_inside = match (media_type, profile) {
        (MediaType::EventStream, Profile::Audit | Profile::Draft2026) | (MediaType::Json, Profile::Audit) => true,
        (MediaType::Json, Profile::Draft2026) | (MediaType::GraphqlResponse, Profile::Audit | Profile::Draft2026) => {
            false
        }
    };
    match outcome {
        Outcome::Unreadable => StatusCode::BAD_REQUEST,
        Outcome::IllFormed | Outcome::NotCarried => understood,
        Outcome::Unparsed | Outcome::Refused if is_told_inside => StatusCode::OK,
        Outcome::Unparsed => StatusCode::BAD_REQUEST,
        Outcome::Refused => understood,
        Outcome::Unauthenticated => StatusCode::UNAUTHORIZED,
        Outcome::Forbidden => StatusCode::FORBIDDEN,
        Outcome::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Outcome::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        Outcome::Complete => StatusCode::OK,
        Outcome::Partial => match (media_type, profile) {
            (MediaType::Json | MediaType::GraphqlResponse, Profile::Draft2026) => partial_success(),
            (MediaType::EventStream, Profile::Draft2026)
            | (MediaType::Json | MediaType::GraphqlResponse | MediaType::EventStream, Profile::Audit) => StatusCode::OK,
        },
    }
}

/// 294, which the draft proposes for data with errors.
fn partial_success() -> StatusCode {
    StatusCode::from_u16(294).unwrap_or(StatusCode::OK)
}
