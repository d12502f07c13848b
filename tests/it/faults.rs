//! What goes wrong under servers that work: databases that end, processes that are killed or frozen. The short forms run in
//! `make test`, the long ones in `make soak`.

mod frozen;
mod restarted;
mod two_servers;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{process::ServerProcess, socket::Socket};

const ADD: &str =
    "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { userErrors { code } } }";

const FOLLOW: &str =
    "subscription($after: String) { engineerChanged(after: $after) { cursor kind engineer { name } } }";

/// Adds a person. Tells whether it was acknowledged; the only other answer is that the database is away, or none.
async fn add(server: &ServerProcess, name: &str) -> bool {
    let Some(response) = server.try_execute(ADD, json!({ "name": name })).await else { return false };
    match response["errors"][0]["extensions"]["code"].as_str() {
        None => {
            assert_eq!(response["data"]["addEngineer"]["userErrors"], json!([]));
            true
        }
        Some(code) => {
            assert_eq!(code, "UNAVAILABLE", "{response}");
            false
        }
    }
}

/// A live client that reads who was added, and never the same twice nor out of order.
struct Follower {
    socket: Socket,
    stream: String,
    /// The cursor of the last change.
    cursor: Value,
    /// Everyone who was added, in order.
    names: Vec<String>,
}

impl Follower {
    /// Begins with what happens from now on.
    async fn start(server: &ServerProcess) -> Self {
        let cursor = server.data("{ liveCursor }", json!({})).await["liveCursor"].clone();
        let (socket, stream) = Self::connect(server, &cursor).await;
        Self { socket, stream, cursor, names: Vec::new() }
    }

    async fn connect(server: &ServerProcess, cursor: &Value) -> (Socket, String) {
        let mut socket = Socket::open(server.address, Some(server.authorization())).await;
        let stream = socket.subscribe(FOLLOW, json!({ "after": cursor })).await;
        (socket, stream)
    }

    /// Goes on with a new socket where the old one ended.
    async fn go_on_at(&mut self, server: &ServerProcess) {
        (self.socket, self.stream) = Self::connect(server, &self.cursor).await;
    }

    /// Reads until everyone of these was told of.
    async fn read_until(&mut self, names: impl IntoIterator<Item = &String>) {
        let mut missing: BTreeSet<&String> = names.into_iter().filter(|name| !self.names.contains(name)).collect();
        while !missing.is_empty() {
            let change = self.socket.next(&self.stream).await["engineerChanged"].clone();
            assert!(position(&change["cursor"]) > position(&self.cursor), "{change} comes after {}", self.cursor);
            self.cursor = change["cursor"].clone();
            if change["kind"] == "CREATED" {
                let name = change["engineer"]["name"].as_str().expect("a name").to_owned();
                missing.remove(&name);
                assert!(!self.names.contains(&name), "{name} was told of before");
                self.names.push(name);
            }
        }
    }
}

/// The position within a cursor.
fn position(cursor: &Value) -> u64 {
    let (_, position) = cursor.as_str().and_then(|cursor| cursor.split_once('.')).expect("a cursor");
    u64::from_str_radix(position, 16).expect("a position")
}
