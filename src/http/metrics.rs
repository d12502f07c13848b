//! `GET /metrics`, on a listener of its own.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::metrics::Scrape;

/// The media type of OpenMetrics text. Every scraper of the Prometheus family takes it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted and measured.
pub(super) async fn scrape(State(scrape): State<Arc<Scrape>>) -> Response {
    let headers = [(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")];
    (headers, scrape.render().await).into_response()
}
