//! A client of the protocol graphql-transport-ws.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// What is not there by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket, initialised.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    operations: u32,
}

impl Socket {
    /// Opens a socket and initialises it with that authorization.
    pub async fn open(address: SocketAddr, authorization: Option<String>) -> Self {
        let mut socket = Self::open_raw(address).await;
        socket.send(json!({ "type": "connection_init", "payload": { "authorization": authorization } })).await;
        let answer = socket.receive().await.expect("an answer to connection_init");
        assert_eq!(answer["type"], "connection_ack", "{answer}");
        socket
    }

    /// Opens a socket and says nothing.
    pub async fn open_raw(address: SocketAddr) -> Self {
        Self::open_with_header(address, None).await
    }

    /// Opens a socket with that authorization in the upgrade request, and says nothing.
    pub async fn open_with_header(address: SocketAddr, authorization: Option<String>) -> Self {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request().expect("a request");
        if let Some(authorization) = authorization {
            request.headers_mut().insert("authorization", authorization.parse().expect("a header"));
        }
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (stream, _) = connect_async(request).await.expect("a socket");
        Self { stream, operations: 0 }
    }

    /// Sends a text, whatever it is.
    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text.to_owned())).await;
    }

    /// Sends a text, if the server still takes one. Tells whether it did.
    pub async fn try_send_text(&mut self, text: &str) -> bool {
        self.stream.send(Message::text(text.to_owned())).await.is_ok()
    }

    /// Sends a message of the WebSocket, whatever it is.
    pub async fn send_message(&mut self, message: Message) {
        self.stream.send(message).await.expect("sending");
    }

    /// The next message of the WebSocket, whatever it is; `None` at the end.
    pub async fn receive_message(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.stream.next()).await.expect("a message in time")?.ok()
    }

    /// The code and the reason with which the server closes the socket; what else comes is passed over.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.receive_message().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Message::Close(None)) | None => panic!("the socket ended without a code"),
                Some(_) => {}
            }
        }
    }

    /// Sends a message of the protocol.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// The next message of the protocol; `None` at the end of the socket.
    pub async fn receive(&mut self) -> Option<Value> {
        loop {
            match self.receive_message().await {
                Some(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Some(Message::Close(_)) | None => return None,
                Some(_) => {}
            }
        }
    }

    /// The next message of the protocol, or the code with which the server closes the socket.
    pub async fn receive_or_code(&mut self) -> Result<Value, u16> {
        loop {
            match self.receive_message().await {
                Some(Message::Text(text)) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Message::Close(Some(frame))) => return Err(frame.code.into()),
                Some(Message::Close(None)) | None => panic!("the socket ended without a code"),
                Some(_) => {}
            }
        }
    }

    /// Begins an operation. Gives its id.
    pub async fn subscribe(&mut self, query: &str, variables: Value) -> String {
        self.operations += 1;
        let id = self.operations.to_string();
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        id
    }

    /// The next message of an operation: `next`, `error` or `complete`.
    pub async fn message(&mut self, id: &str) -> Value {
        loop {
            let message = self.receive().await.expect("the socket is open");
            if message["id"] == id {
                return message;
            }
        }
    }

    /// The data of an operation's next event.
    pub async fn next(&mut self, id: &str) -> Value {
        let message = self.message(id).await;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].clone()
    }

    /// The code of the error that ends an operation.
    pub async fn refusal(&mut self, id: &str) -> Value {
        let message = self.message(id).await;
        let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
        errors[0]["extensions"]["code"].clone()
    }

    /// Whether nothing more comes for so long.
    pub async fn is_quiet(&mut self, wait: Duration) -> bool {
        timeout(wait, self.stream.next()).await.is_err()
    }
}
