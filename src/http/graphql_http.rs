//! GraphQL over HTTP: `POST /graphql` with JSON, one request at a time.

use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, Value, Variables};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    HttpState,
    body::{is_utf8_of_type, read_body},
    caller::authenticate,
    error::{HttpError, JSON},
    language::language_of,
    origin::header_text,
};
use crate::graphql::{Call, Session};

/// The media type of GraphQL over HTTP.
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json; charset=utf-8";

/// Answers one GraphQL request.
pub(super) async fn execute(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let media_type = choose_media_type(&parts.headers);
    match serve(&state, &parts, body).await {
        Ok(response) => respond(response, media_type),
        Err(refusal) => refusal.into_response_as(media_type),
    }
}

/// `/graphql` with a method that it does not take.
pub(super) async fn refuse_method() -> HttpError {
    HttpError::method_not_allowed("POST")
}

async fn serve(state: &HttpState, parts: &Parts, body: Body) -> Result<GraphqlResponse, HttpError> {
    let headers = &parts.headers;
    // Read before anything is refused: who is still sending when the answer comes sees a reset connection instead.
    let body = read_body(body, state.max_body_bytes).await?;
    if !is_utf8_of_type(headers, "application/json") {
        return Err(HttpError::bad_input(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the request as JSON in UTF-8, with the header content-type: application/json.",
        ));
    }
    let actor = authenticate(state, headers, &parts.extensions).await?;
    let call = parse(&body)?;
    let session = Session { actor, locale: language_of(headers) };
    Ok(match state.gate.admit(call, &session) {
        Ok(admitted) => state.gate.execute(admitted, &session).await,
        Err(refused) => refused,
    })
}

/// The parameters of a request. Others are passed over, as GraphQL over HTTP wants it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<Json>,
    operation_name: Option<Json>,
    variables: Option<Json>,
    extensions: Option<Json>,
}

fn parse(body: &[u8]) -> Result<Call, HttpError> {
    let refuse = |message: String| HttpError::bad_input(StatusCode::BAD_REQUEST, message);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => return Err(refuse("Batches are not taken; send one request at a time.".to_owned())),
        Some(b'{') => {}
        Some(_) | None => return Err(refuse("The body must be a JSON object with the key \"query\".".to_owned())),
    }
    let parameters: Parameters = serde_json::from_slice(body).map_err(|fault| {
        let (line, column) = (fault.line(), fault.column());
        refuse(format!("The body is no valid JSON object, or has a key twice (line {line}, column {column})."))
    })?;
    let must_be = |name: &str, what: &str| refuse(format!("\"{name}\" must be {what}."));
    let query = match parameters.query {
        Some(Json::String(query)) => query,
        Some(_) => return Err(must_be("query", "a string")),
        None => return Err(refuse("\"query\" is missing.".to_owned())),
    };
    let mut call = Call { query, ..Call::default() };
    match parameters.operation_name {
        Some(Json::String(name)) => call.operation_name = Some(name),
        Some(_) => return Err(must_be("operationName", "a string or null")),
        None => {}
    }
    match parameters.variables {
        Some(variables @ Json::Object(_)) => call.variables = Variables::from_json(variables),
        Some(_) => return Err(must_be("variables", "an object or null")),
        None => {}
    }
    // Nothing that rollcall does depends on a request's extensions.
    match parameters.extensions {
        Some(Json::Object(_)) | None => Ok(call),
        Some(_) => Err(must_be("extensions", "an object or null")),
    }
}

/// A response in the form of GraphQL over HTTP: a request that was refused as a whole has no `data`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [async_graphql::ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a std::collections::BTreeMap<String, Value>>,
}

fn respond(response: GraphqlResponse, media_type: &'static str) -> Response {
    // What failed while it was executed has a path; what was refused before has none.
    let refused = response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty());
    let document = Document {
        errors: &response.errors,
        data: (!refused).then_some(&response.data),
        extensions: (!response.extensions.is_empty()).then_some(&response.extensions),
    };
    let Ok(body) = serde_json::to_vec(&document) else {
        return HttpError::internal().into_response_as(media_type);
    };
    let status = match media_type {
        _ if response.http_headers.contains_key(header::RETRY_AFTER) => StatusCode::TOO_MANY_REQUESTS,
        GRAPHQL_RESPONSE if refused => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut answer = (status, body).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// The media type that the caller prefers: JSON, unless `Accept` puts the one of GraphQL over HTTP before it.
fn choose_media_type(headers: &HeaderMap) -> &'static str {
    let accepted = header_text(headers, header::ACCEPT).unwrap_or_default();
    let mut best = (JSON, 0.0);
    for entry in accepted.split(',') {
        let mut parts = entry.split(';').map(str::trim);
        let media_type = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/graphql-response+json" => GRAPHQL_RESPONSE,
            "application/json" | "application/*" | "*/*" => JSON,
            _ => continue,
        };
        let weight: f32 = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        if weight > best.1 {
            best = (media_type, weight);
        }
    }
    best.0
}
