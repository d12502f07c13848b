//! The order of messages, and the close codes: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{assert_alive, assert_each_is_told, follow, start};
use crate::harness::{
    app::{Database, TestApp},
    socket::Socket,
    wire::RawConnection,
};

/// Opens a WebSocket by hand. Gives the protocol that the server chose as well.
async fn shake_hands(address: SocketAddr, protocols: &str) -> (RawConnection, String) {
    let (connection, head) = RawConnection::ask_for_websocket(address, protocols).await;
    assert_eq!(head.status, 101);
    // The example of RFC 6455, section 1.3.
    assert_eq!(head.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    (connection, head.header("sec-websocket-protocol").to_owned())
}

/// The code of the close frame that comes next.
async fn read_close(connection: &mut RawConnection) -> u16 {
    let head = connection.read_bytes(4).await;
    assert_eq!(head[0], 0x88, "a close frame");
    assert!(head[1] <= 125, "a control frame is short, and a server's is not masked");
    u16::from_be_bytes([head[2], head[3]])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_unknown_or_legacy_subprotocol_closes_with_4406() {
    let app = TestApp::start(Database::sqlite()).await;
    for offered in ["", "graphql-ws", "mqtt", "graphql-transport-ws2", "GRAPHQL-TRANSPORT-WS"] {
        let (mut connection, chosen) = shake_hands(app.address, offered).await;
        assert_eq!(chosen, "", "{offered}");
        assert_eq!(read_close(&mut connection).await, 4406, "{offered}");
    }
    for offered in ["graphql-transport-ws", "graphql-ws, graphql-transport-ws", "mqtt,graphql-transport-ws , x"] {
        let (_connection, chosen) = shake_hands(app.address, offered).await;
        assert_eq!(chosen, "graphql-transport-ws", "{offered}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_of_the_protocol_closes_with_4400_and_is_not_echoed() {
    let app = TestApp::start(Database::sqlite()).await;
    let long = "i".repeat(300);
    let secret = "kept-to-myself";
    let messages = [
        secret.to_owned(),
        format!("[\"{secret}\"]"),
        "null".to_owned(),
        json!({ "kind": "ping" }).to_string(),
        json!({ "type": secret }).to_string(),
        json!({ "type": 7 }).to_string(),
        json!({ "type": "start", "id": "1", "payload": { "query": "{ viewer { subject } }" } }).to_string(),
        json!({ "type": "connection_ack" }).to_string(),
        json!({ "type": "connection_init", "payload": [secret] }).to_string(),
        json!({ "type": "ping", "payload": secret }).to_string(),
        json!({ "type": "pong", "payload": 1 }).to_string(),
        json!({ "type": "complete" }).to_string(),
        json!({ "type": "complete", "id": 1 }).to_string(),
        json!({ "type": "subscribe", "id": "1" }).to_string(),
        json!({ "type": "subscribe", "payload": { "query": "{ viewer { subject } }" } }).to_string(),
        json!({ "type": "subscribe", "id": "", "payload": { "query": "{ viewer { subject } }" } }).to_string(),
        json!({ "type": "subscribe", "id": long, "payload": { "query": "{ viewer { subject } }" } }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": 1 } }).to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ viewer { subject } }", "variables": [] } })
            .to_string(),
        json!({ "type": "subscribe", "id": "1", "payload": {} }).to_string(),
    ];
    for message in messages {
        let mut socket = app.admin().connect().await;
        socket.send_text(&message).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4400, "{message}");
        assert!(!reason.is_empty() && reason.len() <= 123, "{message}: {reason}");
        assert!(!reason.contains(secret), "{reason}");
    }
    let mut socket = app.admin().connect().await;
    socket.send_message(Message::binary(br#"{"type":"ping"}"#.to_vec())).await;
    assert_eq!(socket.closed().await.0, 4400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_websocket_closes_with_its_code() {
    let app = start("max_message_bytes = 1024\n").await;
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        frame
    };
    let unmasked = vec![0x81, 2, b'{', b'}'];
    let cases = [
        ("text that is not UTF-8", masked(0x81, &[0xff, 0xfe]), 1007),
        ("a reserved bit", masked(0xc1, b"{}"), 1002),
        ("a reserved opcode", masked(0x83, b"{}"), 1002),
        ("no mask", unmasked, 1002),
        ("a continuation of nothing", masked(0x80, b"{}"), 1002),
        (
            "a message of 64 KiB, by its head alone",
            [vec![0x81, 0xff], 65_536u64.to_be_bytes().to_vec(), vec![0; 4]].concat(),
            1009,
        ),
    ];
    for (name, bytes, expected) in cases {
        let (mut connection, _) = shake_hands(app.address, "graphql-transport-ws").await;
        connection.send(bytes).await;
        assert_eq!(read_close(&mut connection).await, expected, "{name}");
    }
    // The same in pieces: no fragment is too large, the message is.
    let mut socket = app.admin().connect().await;
    socket.send(json!({ "type": "ping", "payload": { "a": "a".repeat(900) } })).await;
    assert_eq!(socket.receive().await.unwrap()["type"], "pong");
    socket.send(json!({ "type": "ping", "payload": { "a": "a".repeat(1100) } })).await;
    assert_eq!(socket.closed().await.0, 1009);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_the_beginning_is_kept() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut early = Socket::open_raw(app.address).await;
    early.subscribe("{ viewer { subject } }", json!({})).await;
    assert_eq!(early.closed().await.0, 4401);

    let mut twice = app.admin().connect().await;
    twice.send(json!({ "type": "connection_init" })).await;
    assert_eq!(twice.closed().await.0, 4429);

    let mut hasty = Socket::open_raw(app.address).await;
    let init = json!({ "type": "connection_init", "payload": { "authorization": app.admin().authorization() } });
    hasty.send(init.clone()).await;
    hasty.send(init).await;
    assert_eq!(hasty.closed().await.0, 4429);

    // Pings are good at any time, also before the beginning.
    let mut pinging = Socket::open_raw(app.address).await;
    pinging.send(json!({ "type": "ping" })).await;
    assert_eq!(pinging.receive().await, Some(json!({ "type": "pong" })));
    pinging.send(json!({ "type": "ping", "payload": { "n": 1 } })).await;
    assert_eq!(pinging.receive().await, Some(json!({ "type": "pong", "payload": { "n": 1 } })));
    pinging.send(json!({ "type": "pong" })).await;
    pinging.send_message(Message::Ping(b"here".to_vec().into())).await;
    assert_eq!(pinging.receive_message().await, Some(Message::Pong(b"here".to_vec().into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_in_use_closes_with_4409_and_one_that_has_ended_is_free() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut socket = app.admin().connect().await;
    let subscribe = |query: &str| json!({ "type": "subscribe", "id": "one", "payload": { "query": query } });
    // Ended by the server: with its result, and with an error.
    for (query, expected) in [("{ viewer { subject } }", "next"), ("{ nothing }", "error"), ("{", "error")] {
        socket.send(subscribe(query)).await;
        let answer = socket.message("one").await;
        assert_eq!(answer["type"], expected, "{answer}");
        if expected == "next" {
            assert_eq!(socket.message("one").await, json!({ "id": "one", "type": "complete" }));
        }
    }
    // Ended by the client.
    let live = "subscription { engineerChanged { kind } }";
    for _ in 0..3 {
        socket.send(subscribe(live)).await;
        socket.send(json!({ "type": "complete", "id": "one" })).await;
    }
    socket.send(json!({ "type": "complete", "id": "never begun" })).await;
    assert_alive(&mut socket).await;
    socket.send(subscribe(live)).await;
    socket.send(subscribe(live)).await;
    assert_eq!(socket.closed().await.0, 4409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_operation_ends_with_a_list_of_errors_and_the_socket_lives() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut socket = app.admin().connect().await;
    for (query, variables, code) in [
        ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { engineer(id: $id) { id } }", json!({}), "BAD_USER_INPUT"),
        ("subscription { engineerChanged(after: \"x\") { kind } }", json!({}), "BAD_USER_INPUT"),
    ] {
        let id = socket.subscribe(query, variables).await;
        let answer = socket.message(&id).await;
        assert_eq!(answer["type"], "error", "{query}: {answer}");
        assert!(answer["payload"].as_array().is_some_and(|errors| !errors.is_empty()), "{answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}: {answer}");
    }
    assert_alive(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_after_the_client_completed() {
    let app = TestApp::start(Database::sqlite()).await;
    let admin = app.admin();
    let mut socket = admin.connect().await;
    let ended = follow(&mut socket).await;
    let kept = follow(&mut socket).await;
    let lin = admin.add("lin", json!({})).await;
    assert_each_is_told(&mut socket, &[ended.clone(), kept.clone()]).await;
    socket.send(json!({ "type": "complete", "id": ended })).await;
    assert_alive(&mut socket).await;
    admin.update(&lin, json!({ "alias": "Lin" })).await;
    let told: Value = socket.receive().await.unwrap();
    assert_eq!((&told["id"], &told["type"]), (&json!(kept), &json!("next")), "{told}");
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_operation_holds_no_other_up() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut socket = app.admin().connect().await;
    let mut live = Vec::new();
    for _ in 0..50 {
        live.push(follow(&mut socket).await);
    }
    // A mutation that has to wait for another writer.
    let account = "demo".parse().unwrap();
    let writing = app.app.services.store().begin(&account).await.unwrap();
    let add = "mutation { addEngineer(input: { name: \"lin\", userType: OTHER }) { userErrors { code } } }";
    let slow = socket.subscribe(add, json!({})).await;
    assert_alive(&mut socket).await;
    drop(writing);
    let mut told = Vec::new();
    while told.len() < live.len() + 2 {
        let message = socket.receive().await.expect("the socket is open");
        told.push(format!("{} {}", message["id"].as_str().unwrap(), message["type"].as_str().unwrap()));
    }
    let mut expected: Vec<_> = live.iter().map(|id| format!("{id} next")).collect();
    expected.extend([format!("{slow} next"), format!("{slow} complete")]);
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_answers_a_close_frame() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut socket = app.admin().connect().await;
    follow(&mut socket).await;
    socket.send_message(Message::Close(None)).await;
    assert!(matches!(socket.receive_message().await, Some(Message::Close(_))));
    assert!(socket.receive_message().await.is_none());
}
