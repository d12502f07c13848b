//! The messages of graphql-transport-ws: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

use async_graphql::Variables;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::graphql::Call;

/// The longest id of an operation, in bytes. It comes back with every result.
const MAX_ID: usize = 256;

/// What a client says.
#[derive(Debug)]
pub enum ClientMessage {
    /// Who it is.
    ConnectionInit {
        /// The token, and the language of the answers, where they are not in the upgrade request.
        payload: Map<String, Json>,
    },
    /// Asks for a pong.
    Ping {
        /// What comes back with the pong.
        payload: Option<Json>,
    },
    /// Answers a ping, or just shows that it is there.
    Pong,
    /// Begins an operation.
    Subscribe {
        /// The client's name for it, of 1 to 256 bytes.
        id: String,
        /// The operation.
        call: Call,
    },
    /// Ends an operation.
    Complete {
        /// The client's name for it.
        id: String,
    },
}

/// The message is not one of the protocol: what is wrong, short enough for a close frame (123 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidMessage(pub &'static str);

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    query: String,
    operation_name: Option<String>,
    variables: Option<Map<String, Json>>,
    #[serde(rename = "extensions")]
    _extensions: Option<Map<String, Json>>,
}

impl ClientMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none that a client sends.
    pub fn parse(text: &str) -> Result<Self, InvalidMessage> {
        let envelope: Envelope = serde_json::from_str(text)
            .map_err(|_| InvalidMessage("A message must be a JSON object with a type; id must be a string"))?;
        let Envelope { kind, id, payload } = envelope;
        match kind.as_str() {
            "connection_init" => match payload {
                None => Ok(Self::ConnectionInit { payload: Map::new() }),
                Some(Json::Object(payload)) => Ok(Self::ConnectionInit { payload }),
                Some(_) => Err(InvalidMessage("The payload of connection_init must be an object")),
            },
            "ping" => match payload {
                None | Some(Json::Object(_)) => Ok(Self::Ping { payload }),
                Some(_) => Err(InvalidMessage("The payload of ping must be an object")),
            },
            "pong" => match payload {
                None | Some(Json::Object(_)) => Ok(Self::Pong),
                Some(_) => Err(InvalidMessage("The payload of pong must be an object")),
            },
            "subscribe" => {
                let payload = payload.ok_or(InvalidMessage("subscribe needs a payload"))?;
                Ok(Self::Subscribe { id: read_id(id)?, call: read_call(payload)? })
            }
            "complete" => Ok(Self::Complete { id: read_id(id)? }),
            _ => Err(InvalidMessage("Unknown message type")),
        }
    }
}

fn read_id(id: Option<String>) -> Result<String, InvalidMessage> {
    match id {
        Some(id) if !id.is_empty() && id.len() <= MAX_ID => Ok(id),
        Some(_) | None => Err(InvalidMessage("id must be a string of 1 to 256 bytes")),
    }
}

fn read_call(payload: Json) -> Result<Call, InvalidMessage> {
    let invalid = InvalidMessage(
        "The payload of subscribe must have query, and may have operationName, variables and extensions",
    );
    let Payload { query, operation_name, variables, .. } = serde_json::from_value(payload).map_err(|_| invalid)?;
    let variables = Variables::from_json(Json::Object(variables.unwrap_or_default()));
    Ok(Call { query, operation_name, variables })
}

/// `connection_ack`.
pub(super) const CONNECTION_ACK: &str = r#"{"type":"connection_ack"}"#;

/// `pong`, with the payload of the ping.
pub(super) fn pong(payload: Option<Json>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => r#"{"type":"pong"}"#.to_owned(),
    }
}

/// The beginning of every `next` of an operation; the result and [`NEXT_TAIL`] follow it.
pub(super) fn next_head(id: &str) -> Box<[u8]> {
    format!(r#"{{"id":{},"type":"next","payload":"#, Json::from(id)).into_bytes().into()
}

/// The end of every `next`.
pub(super) const NEXT_TAIL: &[u8] = b"}";

/// `error`, with a list of errors as JSON.
pub(super) fn error(id: &str, errors: &Bytes) -> String {
    format!(r#"{{"id":{},"type":"error","payload":{}}}"#, Json::from(id), String::from_utf8_lossy(errors))
}

/// `complete`.
pub(super) fn complete(id: &str) -> String {
    format!(r#"{{"id":{},"type":"complete"}}"#, Json::from(id))
}
