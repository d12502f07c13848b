//! GraphQL over WebSocket: the protocol graphql-transport-ws, its limits, and how sockets end.

mod ends;
mod limits;
mod protocol;

use serde_json::json;

use crate::harness::{
    app::{Database, Setup, TestApp},
    socket::Socket,
};

/// A server whose sockets have these limits.
async fn start(sockets: &str) -> TestApp {
    start_on(Database::sqlite(), sockets).await
}

async fn start_on(database: Database, sockets: &str) -> TestApp {
    TestApp::start_with(database, Setup { config: format!("[sockets]\n{sockets}"), ..Setup::default() }).await
}

/// A live query of what happens from now on.
async fn follow(socket: &mut Socket) -> String {
    let now = socket.subscribe("{ liveCursor }", json!({})).await;
    let cursor = socket.next(&now).await["liveCursor"].take();
    assert_eq!(socket.message(&now).await["type"], "complete");
    let query = "subscription($after: String) { engineerChanged(after: $after) { kind } }";
    socket.subscribe(query, json!({ "after": cursor })).await
}

/// Reads as many results as there are operations: one of each, in whatever order.
async fn assert_each_is_told(socket: &mut Socket, operations: &[String]) {
    let mut told = Vec::new();
    for _ in operations {
        let message = socket.receive().await.expect("the socket is open");
        assert_eq!(message["type"], "next", "{message}");
        told.push(message["id"].as_str().expect("an id").to_owned());
    }
    told.sort_by_key(|id| operations.iter().position(|operation| operation == id));
    assert_eq!(told, operations);
}

/// Shows that the socket is alive.
async fn assert_alive(socket: &mut Socket) {
    let id = socket.subscribe("{ viewer { subject } }", json!({})).await;
    assert!(socket.next(&id).await["viewer"]["subject"].is_string());
    assert_eq!(socket.message(&id).await["type"], "complete");
}
