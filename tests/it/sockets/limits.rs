//! How many sockets and operations there may be, and how long a client is waited for.

use std::time::Duration;

use reqwest::StatusCode;
use rollcall::domain::actor::Role;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{assert_alive, assert_each_is_told, follow, start};
use crate::harness::{
    app::{Caller, Database, Setup, TestApp},
    socket::Socket,
    wire::RawConnection,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// Asks until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    timeout(Duration::from_secs(20), async { while !is_so().await {} }).await.expect("it comes to be so in time");
}

/// How many sockets are open, as the metrics tell it.
async fn count_open(app: &TestApp) -> usize {
    let address = app.serve_metrics().await;
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("rollcall_sockets ")).unwrap();
    line.parse().unwrap()
}

async fn open(caller: &Caller<'_>, app: &TestApp) -> Socket {
    let mut socket = Socket::open_raw(app.address).await;
    let payload = json!({ "authorization": caller.authorization() });
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_nothing_is_closed_with_4408() {
    let app = start("init_timeout_seconds = 1\n").await;
    let mut silent = Socket::open_raw(app.address).await;
    silent.send(json!({ "type": "ping" })).await;
    assert_eq!(silent.closed().await.0, 4408);
    // Whoever came in time stays.
    let mut socket = app.admin().connect().await;
    let mut later = Socket::open_raw(app.address).await;
    assert_eq!(later.closed().await.0, 4408);
    assert_alive(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_operation_too_many_is_refused_and_the_others_live() {
    let app = start("operations = 3\n").await;
    let mut socket = app.admin().connect().await;
    let mut live = Vec::new();
    for _ in 0..3 {
        live.push(follow(&mut socket).await);
    }
    let refused = socket.subscribe("{ viewer { subject } }", json!({})).await;
    assert_eq!(socket.refusal(&refused).await, "RATE_LIMITED");
    app.admin().add("lin", json!({})).await;
    assert_each_is_told(&mut socket, &live).await;
    socket.send(json!({ "type": "complete", "id": live[0] })).await;
    assert_alive(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_may_have_so_many_sockets_and_no_more() {
    let app = start("per_subject = 2\n").await;
    let admin = app.admin();
    let first = admin.connect().await;
    let mut second = admin.connect().await;
    let (code, reason) = open(&admin, &app).await.closed().await;
    assert_eq!(code, 1013, "a client tries again later: {reason}");
    // Another subject is not touched, nor are the sockets that are there.
    let made = admin
        .data(
            "mutation { createApiKey(input: { label: \"wall\", role: VIEWER }) { key userErrors { code } } }",
            json!({}),
        )
        .await;
    let key = made["createApiKey"]["key"].as_str().unwrap().to_owned();
    app.caller_with(key).connect().await;
    assert_alive(&mut second).await;
    // A place is free when its socket is gone.
    drop(first);
    until(async || match open(&admin, &app).await.receive_or_code().await {
        Ok(answer) => answer["type"] == "connection_ack",
        Err(code) => {
            assert_eq!(code, 1013);
            false
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_carries_so_many_sockets_and_no_more() {
    let app = start("per_server = 2\n").await;
    let mut first = app.admin().connect().await;
    // One that has not said who it is counts as well.
    let silent = Socket::open_raw(app.address).await;
    let (mut refused, head) = RawConnection::ask_for_websocket(app.address, PROTOCOL).await;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE.as_u16());
    let body = refused.read_body(&head).await;
    assert!(body.contains("UNAVAILABLE"), "{body}");
    assert_alive(&mut first).await;
    drop(silent);
    until(async || RawConnection::ask_for_websocket(app.address, PROTOCOL).await.1.status == 101).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_pings_and_a_quiet_client_that_reads_stays() {
    let app = start("ping_seconds = 1\nstall_timeout_seconds = 1\n").await;
    let mut socket = app.admin().connect().await;
    for _ in 0..3 {
        let message = socket.receive_message().await.unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }
    assert_alive(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stalls_is_cut_and_a_fair_one_stays() {
    let app = start("stall_timeout_seconds = 1\n").await;
    let mut fair = app.admin().connect().await;
    let kept = follow(&mut fair).await;
    let mut stalled = app.admin().connect().await;
    // More than the queue and the kernel hold: each answer is long, and none is read.
    let fields: Vec<_> = (0..40).map(|n| format!("{}{n}: subject", "a".repeat(300))).collect();
    let query = format!("{{ viewer {{ {} }} }}", fields.join(" "));
    for id in 0..900 {
        let message = json!({ "type": "subscribe", "id": id.to_string(), "payload": { "query": query } });
        // The server reads no further while it cannot write, and then cuts.
        let sent = timeout(Duration::from_secs(1), stalled.try_send_text(&message.to_string())).await;
        if sent != Ok(true) {
            break;
        }
    }
    until(async || count_open(&app).await == 1).await;
    app.admin().add("lin", json!({})).await;
    fair.next(&kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_bad_tokens_from_an_address_close_with_a_code_to_try_later() {
    let setup = Setup { config: "[rate_limits]\nenabled = true\n".to_owned(), ..Setup::default() };
    let app = TestApp::start_with(Database::sqlite(), setup).await;
    let bad = app.caller_with("no.such.token".to_owned());
    let mut codes = Vec::new();
    while codes.last() != Some(&1013) {
        assert!(codes.len() < 1_000, "no end of bad tokens");
        codes.push(open(&bad, &app).await.closed().await.0);
    }
    let (last, before) = codes.split_last().unwrap();
    assert_eq!((*last, before.iter().all(|code| *code == 4403)), (1013, true), "{codes:?}");
    // A good one passes all the same.
    assert_alive(&mut app.caller(Role::Viewer).connect().await).await;
}
