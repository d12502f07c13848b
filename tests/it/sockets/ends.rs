//! Sockets whose caller loses the right to stay, and sockets of a server that stops.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{assert_alive, follow, start_on};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    process::ServerProcess,
    socket::Socket,
};

both_dbs! {
    a_revoked_key_ends_its_sockets_within_5_s_and_no_others
    a_server_that_stops_sends_its_clients_away_one_after_the_other_and_they_miss_nothing
}

async fn make_key(app: &TestApp, name: &str) -> (String, String) {
    let mutation =
        "mutation($name: String!) { createApiKey(input: { label: $name, role: VIEWER }) { apiKey { id } key } }";
    let made = app.admin().data(mutation, json!({ "name": name })).await["createApiKey"].take();
    (made["apiKey"]["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

async fn a_revoked_key_ends_its_sockets_within_5_s_and_no_others(database: Database) {
    let app = start_on(database, "").await;
    let (id, key) = make_key(&app, "wall").await;
    let (_, other) = make_key(&app, "another wall").await;
    let mut sockets = [app.caller_with(key.clone()).connect().await, app.caller_with(key).connect().await];
    let mut stays = app.caller_with(other).connect().await;
    for socket in sockets.iter_mut().chain([&mut stays]) {
        follow(socket).await;
        assert_alive(socket).await;
    }
    let revoke = "mutation($ids: [ID!]!) { revokeApiKeys(input: { ids: $ids }) { userErrors { code } } }";
    app.admin().data(revoke, json!({ "ids": [id] })).await;
    let revoked = Instant::now();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await.0, 4403);
        assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
    }
    assert_alive(&mut stays).await;
}

/// How many sockets are open when the server stops.
const SOCKETS: usize = 200;

const CHANGES: &str =
    "subscription($after: String) { engineerChanged(after: $after) { cursor kind engineer { name } } }";

async fn a_server_that_stops_sends_its_clients_away_one_after_the_other_and_they_miss_nothing(database: Database) {
    let folder = TempDir::new().unwrap();
    let mut env = vec![("ROLLCALL_SOCKETS__PER_SUBJECT", "1000")];
    env.extend(database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)));
    let mut server = ServerProcess::start(folder.path(), &env);
    let begin = server.data("{ liveCursor }", json!({})).await["liveCursor"].take();
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let mut socket = Socket::open(server.address, Some(server.authorization())).await;
        socket.subscribe(CHANGES, json!({ "after": begin })).await;
        sockets.push(socket);
    }
    add(&server, "before").await;
    server.ask_to_end();
    let began = Instant::now();
    let mut leaving = JoinSet::new();
    for mut socket in sockets {
        let mut left = Left { at: Duration::ZERO, cursor: begin.clone(), names: Vec::new() };
        leaving.spawn(async move {
            let code = loop {
                match socket.receive_or_code().await {
                    Ok(message) => left.take(&message["payload"]["data"]["engineerChanged"]),
                    Err(code) => break code,
                }
            };
            assert_eq!(code, 1001);
            Left { at: began.elapsed(), ..left }
        });
    }
    let left = leaving.join_all().await;
    assert_eq!(server.wait(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let early = left.iter().filter(|left| left.at < Duration::from_millis(2_500)).count();
    assert!((SOCKETS / 4..SOCKETS * 3 / 4).contains(&early), "{early} of {SOCKETS} left in the first half");
    assert!(left.iter().all(|left| left.at < Duration::from_secs(9)), "spread over five seconds");

    let server = ServerProcess::start(folder.path(), &env);
    add(&server, "after").await;
    for mut left in left {
        let mut socket = Socket::open(server.address, Some(server.authorization())).await;
        let stream = socket.subscribe(CHANGES, json!({ "after": left.cursor })).await;
        while left.names.last().is_none_or(|name| name != "after") {
            left.take(&socket.next(&stream).await["engineerChanged"]);
        }
        assert_eq!(left.names, ["before", "after"]);
    }
}

/// What a client knew when it left, and learns when it comes back.
struct Left {
    at: Duration,
    cursor: Value,
    names: Vec<String>,
}

impl Left {
    fn take(&mut self, change: &Value) {
        self.cursor = change["cursor"].clone();
        self.names.push(change["engineer"]["name"].as_str().unwrap().to_owned());
    }
}

async fn add(server: &ServerProcess, name: &str) {
    let mutation = "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { userErrors { code message } } }";
    let added = server.data(mutation, json!({ "name": name })).await;
    assert_eq!(added["addEngineer"]["userErrors"], json!([]), "{added}");
}
