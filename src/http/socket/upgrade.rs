//! Taking a connection out of HTTP (RFC 6455, section 4.2).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tracing::debug;
use tungstenite::handshake::derive_accept_key;

use super::{connection::Connection, init::Handshake, wire::Wire};
use crate::{
    domain::request::RequestContext,
    http::{
        HttpState,
        error::HttpError,
        origin::{header_list, header_text, may_connect},
        sessions::{Place, TooMany},
    },
};

/// The one protocol spoken.
const PROTOCOL: &str = "graphql-transport-ws";

/// How much the kernel keeps for a client that does not read, in bytes. It would keep megabytes by itself.
const SEND_BUFFER: usize = 64 * 1024;

/// Makes the connection a WebSocket, or says why not.
pub(in crate::http) async fn upgrade(State(state): State<Arc<HttpState>>, mut request: Request) -> Response {
    let headers = request.headers();
    if !may_connect(headers, &state.allowed_origins, &state.public_url) {
        return HttpError::forbidden("Pages of this origin may not connect; see server.allowed_origins.")
            .into_response();
    }
    // There is no upgrade in HTTP/1.0.
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let headers = request.headers();
    let (Some(accept), Some(on_upgrade)) = (accept_key(headers), on_upgrade) else {
        let upgrade_to = HeaderValue::from_static("websocket");
        return HttpError::bad_input(StatusCode::UPGRADE_REQUIRED, "This is no WebSocket handshake (RFC 6455).")
            .with_header(header::UPGRADE, upgrade_to)
            .with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .into_response();
    };
    let place = match state.sessions.take_place() {
        Ok(place) => place,
        Err(TooMany(message)) => return HttpError::busy(message).into_response(),
    };
    let offers_ours = header_list(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == PROTOCOL);
    let context = request.extensions().get::<RequestContext>().copied();
    let handshake = Handshake { headers: keep_headers(headers), context };
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        match on_upgrade.await {
            Ok(upgraded) => begin(state, upgraded, offers_ours, handshake, place),
            Err(error) => debug!(%error, "A connection ended before it became a WebSocket"),
        }
    });
    switch_protocols(&accept, offers_ours)
}

/// `/graphql/ws` with a method that it does not take.
pub(in crate::http) async fn refuse_method() -> HttpError {
    HttpError::method_not_allowed("GET")
}

/// Begins to serve the socket, in a task of its own: a socket lives long, and the buffers of HTTP are not to live with it.
fn begin(state: Arc<HttpState>, upgraded: Upgraded, offers_ours: bool, handshake: Handshake, place: Place) {
    // The listener serves nothing but TCP.
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
    let stream = parts.io.into_inner();
    // What the kernel keeps for one that stalls is bounded.
    let socket = SockRef::from(&stream);
    if let Err(error) = socket.set_send_buffer_size(SEND_BUFFER) {
        debug!(%error, "A socket took no options");
    }
    let tasks = state.tasks.clone();
    let connection = Box::new(Connection::new(state, Wire::new(stream), handshake, place, &parts.read_buf));
    if offers_ours {
        tasks.spawn(connection.serve());
    } else {
        tasks.spawn(connection.refuse_protocol());
    }
}

/// The answer to the client's key, where the request is a handshake.
fn accept_key(headers: &HeaderMap) -> Option<String> {
    let has_token = |name, wanted: &str| header_list(headers, name).any(|token| token.eq_ignore_ascii_case(wanted));
    let is_handshake = has_token(header::CONNECTION, "upgrade")
        && has_token(header::UPGRADE, "websocket")
        && header_text(headers, header::SEC_WEBSOCKET_VERSION) == Some("13");
    let key = header_text(headers, header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24 && is_handshake)?;
    Some(derive_accept_key(key.as_bytes()))
}

/// Those of the handshake's headers that `connection_init` may need.
fn keep_headers(headers: &HeaderMap) -> HeaderMap {
    let names = [header::AUTHORIZATION, header::ACCEPT_LANGUAGE];
    names.into_iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect()
}

fn switch_protocols(accept: &str, offers_ours: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if offers_ours {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    response
}
