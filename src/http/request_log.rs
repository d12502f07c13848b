//! One log line for each request: method, route, status and duration. Never a path, a query, a header or a body: links
//! and tokens stand in them.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, debug, field::Empty, info, info_span};

/// Serves the request and logs how it went.
pub(super) async fn log_request(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("(no route)", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let span =
        info_span!("request", http.method = %method, http.route = route, http.status = Empty, http.millis = Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
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
