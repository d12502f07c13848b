//! What every request is given before anything else: its context, and one log line with method, route, status and duration. Never
//! a path, a query, a header, an address or a body: links, tokens and people stand in them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, debug, field::Empty, info, info_span};

use super::{HttpState, client_address::find_client_address, origin::header_text};
use crate::domain::request::{RequestContext, RequestId};

/// The header in which every answer tells its request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Serves the request in a context of its own, and logs how it went, and counts it.
pub(super) async fn serve_in_context(
    State(state): State<Arc<HttpState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = make_context(&state, &request);
    request.extensions_mut().insert(context);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("(no route)", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let span = info_span!(
        "request",
        request.id = %context.request_id,
        trace.id = find_trace_id(request.headers()),
        http.method = %method,
        http.route = route,
        http.status = Empty,
        http.millis = Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(id) = HeaderValue::from_str(&context.request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    state.metrics.count_request(method.as_str(), &route, status);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.record("http.status", status).record("http.millis", millis);
    let _entered = span.enter();
    if route.starts_with("/health/") {
        debug!("{method} {route} {status} in {millis} ms");
    } else {
        info!("{method} {route} {status} in {millis} ms");
    }
    response
}

fn make_context(state: &HttpState, request: &Request) -> RequestContext {
    // Every listener tells the peer. Without one nothing is believed, and nobody is told from anybody else.
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    RequestContext {
        request_id: RequestId::generate(state.services.now(), state.services.chance()),
        address: find_client_address(peer, request.headers(), &state.trusted_proxies),
    }
}

/// The trace that the caller counts the request to (W3C Trace Context, `traceparent`), for finding it again in other logs.
fn find_trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = header_text(headers, TRACE_PARENT)?.splitn(4, '-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_known = version.len() == 2 && is_hex(version) && version != "ff";
    (is_known && trace.len() == 32 && is_hex(trace) && trace.bytes().any(|byte| byte != b'0')).then_some(trace)
}
