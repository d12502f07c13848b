//! The front door: GraphQL over HTTP and WebSocket, the confirm page, files, health, and the pages for a first look.

mod accept;
mod body;
mod caller;
mod client_address;
mod confirm;
pub mod confirm_page;
mod confirm_words;
mod error;
mod graphql_http;
pub mod graphql_status;
mod groups;
mod health;
mod import_export;
mod language;
mod listener;
mod metrics;
mod origin;
mod playground;
mod request_log;
mod result;
mod sessions;
mod sink;
mod socket;
mod start_page;
mod template;

use std::{any::Any, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use tracing::error;

use self::{error::HttpError, origin::header_text};
pub use self::{groups::Groups, listener::serve, sessions::Sessions};
use crate::{
    auth::{Authenticator, Limiter},
    config::{AllowedOrigin, SocketsConfig, TrustedProxies},
    domain::{id::AccountId, refusal::RefusalCode},
    graphql,
    live::Live,
    metrics::{Metrics, Place, Scrape},
    service::Services,
};

pub use self::{
    health::{Check, Readiness, Standing},
    socket::{ClientMessage, InvalidMessage},
};

/// How long a browser may remember what CORS allows.
const CORS_MAX_AGE: Duration = Duration::from_secs(600);

/// What the front door works with.
pub struct HttpState {
    /// The use cases.
    pub services: Services,
    /// The way to the GraphQL schema.
    pub gate: graphql::Gate,
    /// Tells who asks.
    pub authenticator: Arc<Authenticator>,
    /// Counts what callers ask.
    pub limiter: Arc<Limiter>,
    /// The event logs.
    pub live: Live,
    /// The live queries that are followed.
    pub groups: Groups,
    /// Who is connected for long.
    pub sessions: Sessions,
    /// What a WebSocket or a stream of events may do.
    pub sockets: SocketsConfig,
    /// What goes on without its request: WebSockets, streams of events, imports. A server that stops waits for it.
    pub tasks: TaskTracker,
    /// The URL under which people reach the server, without a slash at its end. A proxy that shows it under a path
    /// takes that path away.
    pub public_url: String,
    /// The same for the confirm page.
    pub confirm_url: String,
    /// The address that the server is bound to.
    pub bound: SocketAddr,
    /// The origins of other sites whose pages may call the API.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The proxies that are believed about where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// The largest GraphQL request over HTTP, in bytes.
    pub max_body_bytes: usize,
    /// The largest import, in bytes.
    pub max_import_bytes: usize,
    /// Where an import is kept while it is read, as a file without a name.
    pub spool_folder: PathBuf,
    /// How long a body may take to come, and a second more for each 64 KiB of it.
    pub body_timeout: Duration,
    /// In demonstration mode, what its pages need.
    pub demo: Option<DemoPages>,
    /// Whether the confirm page has a listener of its own, so that this one does not serve it.
    pub confirm_apart: bool,
    /// What is counted.
    pub metrics: Metrics,
    /// How the server stands.
    pub readiness: Arc<dyn Readiness>,
    /// Cancelled when the server begins to end.
    pub drain: CancellationToken,
}

/// What the pages of the demonstration mode need.
pub struct DemoPages {
    /// Makes a token for the role ADMIN that lives an hour at most; `None` when that fails.
    pub issue_token: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    /// The account shown.
    pub account: AccountId,
}

/// Serves what the main listener does until `state.drain`, and then to the end of the last request and the last socket.
pub async fn serve_main(listener: TcpListener, state: Arc<HttpState>) {
    let (drain, sockets) = (state.drain.clone(), state.tasks.clone());
    let watch = state.sessions.clone().watch(Arc::clone(&state.authenticator), drain.clone());
    tokio::join!(watch, serve(listener, router(state), drain));
    sockets.close();
    sockets.wait().await;
}

/// What the server serves on its listener: everything, but the confirm page where that has its own.
fn router(state: Arc<HttpState>) -> Router {
    let confirm_page = if state.confirm_apart { Router::new() } else { confirm_page(&state.metrics) };
    let routes = Router::new()
        .merge(api(&state))
        .merge(confirm_page)
        .merge(pages())
        .merge(health(&state.readiness))
        .fallback(refuse_path);
    finish(routes, state)
}

/// What the confirm page's own listener serves: the page, and whether the process lives.
pub fn confirm_router(state: Arc<HttpState>) -> Router {
    let routes = confirm_page(&state.metrics).route("/health/live", get(health::live)).fallback(refuse_path);
    finish(routes, state)
}

/// What the metrics' own listener serves: the metrics, and how the server stands, to the end of the process.
pub fn metrics_router(scrape: Scrape, readiness: &Arc<dyn Readiness>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::scrape))
        .with_state(Arc::new(scrape))
        .merge(health(readiness))
        .fallback(async || (StatusCode::NOT_FOUND, "Metrics are at /metrics.\n"))
}

/// What programs call, also from pages of the allowed origins.
fn api(state: &HttpState) -> Router<Arc<HttpState>> {
    Router::new()
        .route("/graphql", post(graphql_http::post).get(graphql_http::get).fallback(graphql_http::refuse_method))
        .route("/graphql/ws", get(socket::upgrade).fallback(socket::refuse_method))
        .route("/import", post(import_export::import).fallback(async || HttpError::method_not_allowed("POST")))
        .route("/export", get(import_export::export).fallback(async || HttpError::method_not_allowed("GET, HEAD")))
        .layer(CatchPanicLayer::custom(answer_panics(&state.metrics, answer_panic)))
        .layer(cors(state.allowed_origins.clone()))
}

/// What people open who were sent a confirmation link.
fn confirm_page(metrics: &Metrics) -> Router<Arc<HttpState>> {
    Router::new()
        .route("/c/{token}", get(confirm::show).post(confirm::answer))
        .route("/c/{token}/stop", post(confirm::stop))
        .layer(CatchPanicLayer::custom(answer_panics(metrics, confirm::show_unavailable)))
}

/// The pages for a first look.
fn pages() -> Router<Arc<HttpState>> {
    Router::new().route("/", get(start_page::show)).route("/playground", get(playground::show))
}

/// What watches over the process.
fn health<S: Clone + Send + Sync + 'static>(readiness: &Arc<dyn Readiness>) -> Router<S> {
    let ready = get(health::ready).with_state(Arc::clone(readiness));
    Router::new().route("/health/live", get(health::live)).route("/health/ready", ready)
}

/// What goes around all routes of a listener. From the inside out: the last one sees a request first, and its answer last.
fn finish(routes: Router<Arc<HttpState>>, state: Arc<HttpState>) -> Router {
    routes
        .with_state(Arc::clone(&state))
        .layer(CatchPanicLayer::custom(answer_panics(&state.metrics, answer_panic)))
        .layer(middleware::map_response(add_common_headers))
        .layer(middleware::from_fn_with_state(state, request_log::serve_in_context))
}

/// A handler broke down. What it said may hold anything, so it is not passed on.
fn answer_panics(
    metrics: &Metrics,
    answer: fn() -> Response,
) -> impl Fn(Box<dyn Any + Send>) -> Response + Clone + use<> {
    let metrics = metrics.clone();
    move |_| {
        metrics.count_panic(Place::Handler);
        error!("A request handler panicked");
        answer()
    }
}

fn answer_panic() -> Response {
    HttpError::internal().into_response()
}

/// Pages of the allowed origins may call the API. They bring a token; cookies play no part.
fn cors(allowed: Vec<AllowedOrigin>) -> CorsLayer {
    let is_allowed = move |origin: &HeaderValue, _: &axum::http::request::Parts| {
        origin.to_str().is_ok_and(|origin| allowed.iter().any(|allowed| allowed.matches(origin)))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([
            header::ALLOW,
            header::CONTENT_DISPOSITION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            request_log::REQUEST_ID,
        ])
        .max_age(CORS_MAX_AGE)
}

/// Nothing of ours is to be taken for something else than it says it is, nor to be kept by anyone who is not told to.
async fn add_common_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// There is nothing at that path: JSON for programs, a line of text for the rest.
async fn refuse_path(uri: Uri, headers: HeaderMap) -> Response {
    let accepts_json = header_text(&headers, header::ACCEPT).is_some_and(|accepted| accepted.contains("json"));
    if accepts_json || uri.path().starts_with("/graphql") {
        return HttpError::new(StatusCode::NOT_FOUND, RefusalCode::NotFound.name(), "There is nothing at this path.")
            .into_response();
    }
    (StatusCode::NOT_FOUND, "There is nothing at this path.\n").into_response()
}
