//! GraphQL over server-sent events: the "distinct connections mode" of graphql-sse
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>). One answer carries the results of one operation.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::graphql_status::MediaType;

/// What keeps a connection alive where nothing happens: a comment.
pub(super) const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The last event. Has an empty `data`: a browser tells nobody of an event that has none, and axum's own events leave it out.
pub(super) const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");

/// nginx keeps an answer back until it has enough of it, unless this header says `no`.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One result, as JSON without a line break: it is one line of `data`.
pub(super) fn next(result: &[u8]) -> Bytes {
    [b"event: next\ndata: ", result, b"\n\n"].concat().into()
}

/// One result, and the word that there are no more.
pub(super) fn only(result: &[u8]) -> Body {
    [next(result), COMPLETE].concat().into()
}

/// The answer that carries events.
pub(super) fn respond_events(status: StatusCode, events: Body) -> Response {
    let mut response = (status, events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MediaType::EventStream.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
