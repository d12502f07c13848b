//! The playground: GraphiQL as the GraphQL library brings it. Its program comes from esm.sh.

use std::sync::Arc;

use async_graphql::http::GraphiQLSource;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{
    HttpState,
    origin::{is_local, path_of},
};
use crate::domain::request::RequestContext;

/// `GET /playground`: signed in as ADMIN in demonstration mode, for those who name the server by a local name.
pub(super) async fn show(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    let demo = state.demo.as_ref().filter(|_| is_local(&state, context, &headers));
    let authorization = demo.and_then(|demo| (demo.issue_token)()).map(|token| format!("Bearer {token}"));
    let base = path_of(&state.public_url);
    let (endpoint, live_endpoint) = (format!("{base}/graphql"), format!("{base}/graphql/ws"));
    let mut page =
        GraphiQLSource::build().title("rollcall playground").endpoint(&endpoint).subscription_endpoint(&live_endpoint);
    if let Some(authorization) = &authorization {
        page = page.header("authorization", authorization).ws_connection_param("authorization", authorization);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        // The program comes from elsewhere, so that only framing can be forbidden.
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"),
    ];
    (headers, page.finish()).into_response()
}
