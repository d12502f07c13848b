//! The pages of a demonstration, who may see them, and which origins may call the API.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode, header};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::harness::{process::ServerProcess, socket::Socket};

/// A page, asked for under that name of the server.
async fn page(server: &ServerProcess, path: &str, host: &str) -> String {
    let request = Client::new().get(format!("http://{}{path}", server.address)).header(header::HOST, host);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_page_shows_the_outbox_and_opens_the_playground_signed_in_for_this_machine_only() {
    let folder = TempDir::new().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let id =
        server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let cursor = server.data("{ liveCursor }", json!({})).await["liveCursor"].clone();
    let changes = "subscription($after: String) { confirmationStatusChanged(after: $after) { to } }";
    let changes = socket.subscribe(changes, json!({ "after": cursor })).await;
    let update = "mutation($id: ID!) { updateEngineer(input: { id: $id, email: \"shown@demo.example\" }) { userErrors { code } } }";
    server.data(update, json!({ "id": id })).await;
    while socket.next(&changes).await["confirmationStatusChanged"]["to"] != "PENDING" {}

    let own = server.address.to_string();
    let shown = page(&server, "/", &own).await;
    assert!(shown.contains("shown@demo.example") && shown.contains("/c/"), "the outbox stands on the page");
    assert!(shown.contains("25") && shown.contains("/playground") && shown.contains("Internet"), "{shown}");
    assert!(!shown.contains("<script"), "the page needs no script");
    let elsewhere = shown.split("http://").skip(1).any(|rest| !rest.starts_with(&own)) || shown.contains("https://");
    assert!(!elsewhere, "the page asks nobody else: {shown}");
    assert!(page(&server, "/playground", &own).await.contains("Bearer ey"), "the playground is signed in");
    for path in ["/", "/playground"] {
        let rebound = page(&server, path, "rollcall.evil.example").await;
        assert!(!rebound.contains("Bearer ey") && !rebound.contains("shown@demo.example"), "{path}: {rebound}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_origins_may_call_the_api_only_where_they_are_allowed() {
    let folder = TempDir::new().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let own = format!("http://{}", server.address);
    let from = async |origin: &str| {
        let preflight = Client::new()
            .request(Method::OPTIONS, format!("http://{}/graphql", server.address))
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type");
        let handshake = Client::new()
            .get(format!("http://{}/graphql/ws", server.address))
            .header(header::ORIGIN, origin)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .header(header::SEC_WEBSOCKET_PROTOCOL, "graphql-transport-ws");
        let preflight = preflight.send().await.unwrap();
        let allowed = preflight.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
        (allowed.is_some_and(|allowed| allowed == origin), handshake.send().await.unwrap().status())
    };
    // The demonstration allows every port of localhost.
    assert_eq!(from("http://localhost:5173").await, (true, StatusCode::SWITCHING_PROTOCOLS));
    assert_eq!(from(&own).await.1, StatusCode::SWITCHING_PROTOCOLS, "the server's own pages need no permission");
    for foreign in ["https://evil.example", "http://localhost.evil.example", "https://localhost:5173", "null"] {
        assert_eq!(from(foreign).await, (false, StatusCode::FORBIDDEN), "{foreign}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_people_move_a_live_query_within_ten_seconds() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let server = ServerProcess::start_logging(folder.path(), &[], &["--simulate"], &log);
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket.subscribe("subscription { confirmationStatusChanged { from to } }", json!({})).await;
    let moved = timeout(Duration::from_secs(10), socket.next(&changes)).await.expect("a change within ten seconds");
    assert_ne!(moved["confirmationStatusChanged"]["from"], moved["confirmationStatusChanged"]["to"]);
}
