//! Clients that open a stream and never read.
//!
//! The server is a process of its own, so that its memory is its own. What the stalled clients do not take would be many times
//! more than what the server may grow by.
#![cfg(target_os = "linux")]

use std::sync::Arc;

use rollcall::{
    domain::{
        channel::ChannelKind,
        clock::{Clock as _, SystemClock},
        confirmation::{ConfirmationStatus, StatusChangeCause},
        event::{Event, LoggedEvent, StatusChange},
        id::{AccountId, EngineerId},
    },
    store::{ConnectOptions, SealerKeys, Store},
};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::text;
use crate::harness::{app::Database, both_dbs, process::ServerProcess, socket::Socket};

both_dbs! { readers_that_stall_neither_fill_the_server_nor_hold_up_the_others }

const STALLED: usize = 8;

/// Events until the kernel's buffers are full and everything is warm.
const BEFORE: usize = 1_000;

/// Events after that.
const AFTER: usize = 3_000;

/// How many bytes the answers to one event have for a stalled client, at least.
const SIZE: usize = 8_000;

/// By how many bytes the server may grow meanwhile. The events themselves, which the server keeps for all readers together, are a
/// few hundred kilobytes.
const BOUND: usize = 32 << 20;

/// A stream whose every message is large: keys of a response may be as long as a document allows.
fn large_stream() -> String {
    let fields: Vec<_> = (0..8).map(|n| format!("{}{n}: id", "a".repeat(SIZE / 8))).collect();
    format!(
        "subscription($after: String) {{ confirmationStatusChanged(after: $after) {{ cursor {} }} }}",
        fields.join(" ")
    )
}

/// The memory of a process that is in use, in bytes.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// The log of a server's account, written from outside.
struct Writer {
    store: Store,
    account: AccountId,
}

impl Writer {
    async fn open(url: String) -> Self {
        // Nothing that is sealed is touched.
        let keys = SealerKeys { sealing: vec![("none".to_owned(), [0; 32])], index: [0; 32], reload: None };
        let options = ConnectOptions { url, max_connections: 2, keys, on_commit: Arc::new(|| {}) };
        Self { store: Store::connect(&options).await.unwrap(), account: "demo".parse().unwrap() }
    }

    async fn log(&self, count: usize) -> Vec<LoggedEvent> {
        let mut logged = Vec::new();
        while logged.len() < count {
            let mut tx = self.store.begin(&self.account).await.unwrap();
            for number in 0..100 {
                let change = StatusChange {
                    engineer: EngineerId(Uuid::from_u128(number)),
                    channel: ChannelKind::Email,
                    from: ConfirmationStatus::Pending,
                    to: ConfirmationStatus::Confirmed,
                    cause: StatusChangeCause::Link,
                };
                tx.log(Event::StatusChanged(change), SystemClock.now(), &rollcall::adapter::random::SystemChance);
            }
            logged.extend(tx.commit().await.unwrap().events);
        }
        logged
    }
}

async fn read(socket: &mut Socket, stream: &str, logged: &[LoggedEvent]) {
    for event in logged {
        let change = socket.next(stream).await["confirmationStatusChanged"].take();
        let (_, position) = change["cursor"].as_str().unwrap().split_once('.').unwrap();
        assert_eq!(i64::from_str_radix(position, 16), Ok(event.position.0), "each once, in order");
    }
}

async fn readers_that_stall_neither_fill_the_server_nor_hold_up_the_others(database: Database) {
    let data = TempDir::new().unwrap();
    let url = database
        .url()
        .map_or_else(|| format!("sqlite://{}", data.path().join("rollcall.sqlite").display()), ToOwned::to_owned);
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let server = ServerProcess::start(data.path(), &env);
    let begin = text(&server.data("{ liveCursor }", json!({})).await["liveCursor"]);
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        let mut socket = Socket::open(server.address, Some(server.authorization())).await;
        let stream = socket.subscribe(&large_stream(), json!({ "after": begin })).await;
        stalled.push((socket, stream));
    }
    let mut prompt = Socket::open(server.address, Some(server.authorization())).await;
    let small = "subscription($after: String) { confirmationStatusChanged(after: $after) { cursor } }";
    let stream = prompt.subscribe(small, json!({ "after": begin })).await;

    let writer = Writer::open(url).await;
    let mut logged = writer.log(BEFORE).await;
    read(&mut prompt, &stream, &logged).await;
    let before = resident(server.id());
    let more = writer.log(AFTER).await;
    read(&mut prompt, &stream, &more).await;
    server.data("{ engineers(first: 100) { nodes { id channels { status } } } }", json!({})).await;
    let grown = resident(server.id()).saturating_sub(before);
    let untaken = STALLED * AFTER * SIZE;
    assert!(untaken > 4 * BOUND, "{untaken} bytes would not be missed");
    assert!(grown < BOUND, "the server grew by {grown} bytes while {untaken} were not taken");

    // Whoever wakes up gets all of it.
    logged.extend(more);
    let (mut awake, stream) = stalled.swap_remove(0);
    read(&mut awake, &stream, &logged).await;
}
