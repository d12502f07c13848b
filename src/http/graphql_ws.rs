//! GraphQL over WebSocket: graphql-transport-ws on `/graphql` and `/graphql/ws`.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use async_graphql::{Data, Executor, Request as GraphqlRequest, Response as GraphqlResponse, ServerError};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    extract::{
        FromRequestParts, Request, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{self, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt, StreamExt, future, stream, stream::BoxStream};
use serde_json::Value as Json;

use super::{
    HttpState,
    error::HttpError,
    language::language_of,
    origin::{header_text, may_connect},
};
use crate::{
    domain::account::Locale,
    graphql::{Gate, Session, SessionExecutor},
};

/// The one protocol spoken: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
const PROTOCOL: &str = "graphql-transport-ws";

/// The largest message from a client, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// What a socket reads at a time, in bytes. Most clients send little, and there may be thousands.
const READ_BUFFER: usize = 4096;

/// Why a `connection_init` is refused, as the close frame says it.
const REFUSED: &str = "Forbidden";

/// `GET /graphql/ws`: makes the connection a WebSocket, or says why not.
pub(super) async fn upgrade(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let headers = parts.headers.clone();
    if !may_connect(&headers, &state.allowed_origins, &state.public_url) {
        return HttpError::forbidden("Pages of this origin may not connect; see server.allowed_origins.")
            .into_response();
    }
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        let upgrade_to = HeaderValue::from_static("websocket");
        return HttpError::bad_input(StatusCode::UPGRADE_REQUIRED, "This is no WebSocket handshake (RFC 6455).")
            .with_header(header::UPGRADE, upgrade_to)
            .into_response();
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return upgrade.on_upgrade(refuse_protocol);
    }
    let Some(protocol) = protocol().await else { return HttpError::internal().into_response() };
    upgrade.on_upgrade(move |socket| serve(state, headers, socket, protocol))
}

/// `/graphql/ws` with a method that it does not take.
pub(super) async fn refuse_method() -> HttpError {
    HttpError::method_not_allowed("GET")
}

/// The protocol as the library wants to be told of it: out of a request's header, where it would also find the legacy
/// one.
async fn protocol() -> Option<GraphQLProtocol> {
    let request = http::Request::builder().header(header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL).body(()).ok()?;
    GraphQLProtocol::from_request_parts(&mut request.into_parts().0, &()).await.ok()
}

/// Tells a client that speaks another protocol, or none.
async fn refuse_protocol(mut socket: WebSocket) {
    let reason = "Subprotocol not acceptable".into();
    // Who has gone already need not be told.
    drop(socket.send(Message::Close(Some(CloseFrame { code: 4406, reason }))).await);
}

async fn serve(state: Arc<HttpState>, headers: HeaderMap, socket: WebSocket, protocol: GraphQLProtocol) {
    let _open = state.metrics.open_socket();
    let (sink, stream) = socket.split();
    let sink = sink.with(|message| future::ready(Ok::<_, axum::Error>(with_protocol_code(message))));
    let executor = SocketExecutor { gate: state.gate.clone(), session: Arc::default() };
    let opened = Arc::clone(&executor.session);
    GraphQLWebSocket::new_with_pair(sink, stream, executor, protocol)
        .on_connection_init(move |payload| async move {
            let session = open_session(&state, &headers, &payload).await?;
            // The library calls this once for each socket.
            opened.set(session).map(|()| Data::default()).map_err(|_| async_graphql::Error::new(REFUSED))
        })
        .serve()
        .await;
}

/// Checks who connects: by `authorization` of the payload, else of the upgrade request.
async fn open_session(state: &HttpState, headers: &HeaderMap, payload: &Json) -> async_graphql::Result<Session> {
    let given = find_text(payload, &["authorization", "Authorization"]);
    let authorization = given.or_else(|| header_text(headers, header::AUTHORIZATION));
    // Why is in the log; a close frame has little room, and clients act on its code.
    let actor =
        state.authenticator.authenticate(authorization).await.map_err(|_| async_graphql::Error::new(REFUSED))?;
    let language = find_text(payload, &["acceptLanguage", "accept-language", "Accept-Language"]);
    Ok(Session { actor, locale: language.map_or_else(|| language_of(headers), Locale::negotiate) })
}

fn find_text<'a>(payload: &'a Json, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| payload.get(name).and_then(Json::as_str))
}

/// The library closes with 1002 when `connection_init` is refused; the protocol has 4403 for that.
fn with_protocol_code(message: Message) -> Message {
    match message {
        Message::Close(Some(CloseFrame { code: 1002, reason })) if reason.as_str() == REFUSED => {
            Message::Close(Some(CloseFrame { code: 4403, reason }))
        }
        other => other,
    }
}

/// Runs the operations of one socket for the caller whom `connection_init` names: the library wants its executor before
/// that.
#[derive(Clone)]
struct SocketExecutor {
    gate: Gate,
    session: Arc<OnceLock<Session>>,
}

impl SocketExecutor {
    fn of_session(&self) -> Option<SessionExecutor> {
        self.session.get().map(|session| SessionExecutor::new(self.gate.clone(), session.clone()))
    }
}

impl Executor for SocketExecutor {
    fn execute(&self, request: GraphqlRequest) -> impl Future<Output = GraphqlResponse> + Send {
        let executor = self.of_session();
        async move {
            match executor {
                Some(executor) => executor.execute(request).await,
                None => refuse_operation(),
            }
        }
    }

    fn execute_stream(
        &self,
        request: GraphqlRequest,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, GraphqlResponse> {
        match self.of_session() {
            Some(executor) => executor.execute_stream(request, session_data),
            None => stream::once(future::ready(refuse_operation())).boxed(),
        }
    }
}

/// The library runs nothing before `connection_init`, so nobody should ever see this.
fn refuse_operation() -> GraphqlResponse {
    GraphqlResponse::from_errors(vec![ServerError::new("There was no connection_init.", None)])
}
