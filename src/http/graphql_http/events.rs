//! GraphQL over server-sent events: the "distinct connections mode" of graphql-sse
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>). One answer carries the results of one operation.

use std::{convert::Infallible, time::Duration};

use async_graphql::Response as GraphqlResponse;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt, future,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

use super::answer::to_json;
use crate::http::graphql_status::MediaType;

/// How often a client hears from the server where nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// What it hears then: a comment.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The last event. Has an empty `data`: a browser tells nobody of an event that has none, and axum's own events leave it out.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");

/// nginx keeps an answer back until it has enough of it, unless this header says `no`.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The results as they come, then the word that there are no more. The next one is asked for when the client took what it had,
/// so a client that does not read holds nothing but its own stream back.
pub(super) fn stream_results(status: StatusCode, results: BoxStream<'static, GraphqlResponse>) -> Response {
    let events = results.map(|result| next(&result)).chain(stream::once(future::ready(COMPLETE))).boxed();
    let body = stream::unfold(events, |mut events| async move {
        let event = match timeout(KEEP_ALIVE, events.next()).await {
            Ok(event) => event?,
            Err(_) => COMMENT,
        };
        Some((Ok::<_, Infallible>(event), events))
    });
    let mut response = (status, Body::from_stream(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MediaType::EventStream.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// JSON has no line break of its own, so it is one line of `data`.
fn next(result: &GraphqlResponse) -> Bytes {
    let mut event = b"event: next\ndata: ".to_vec();
    event.extend(to_json(result).unwrap_or_else(|| br#"{"data":null}"#.to_vec()));
    event.extend(b"\n\n");
    event.into()
}
