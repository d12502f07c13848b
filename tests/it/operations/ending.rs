//! How a server ends.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use sea_orm::{ConnectionTrait as _, Database as Connection, DbBackend, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::Database,
    both_dbs,
    process::{ServerProcess, free_address},
    socket::Socket,
};

both_dbs! {
    a_server_with_sockets_ends_well_within_15_s_and_gives_its_leases_back
}

async fn a_server_with_sockets_ends_well_within_15_s_and_gives_its_leases_back(database: Database) {
    let folder = TempDir::new().unwrap();
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut server = ServerProcess::start(folder.path(), &env);
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = Socket::open(server.address, Some(server.authorization())).await;
        socket.subscribe("subscription { engineerChanged { kind } }", json!({})).await;
        sockets.push(socket);
    }
    // Leases are taken by the confirmation sync and the schedule, soon after the start.
    let url =
        database.url().map_or_else(|| format!("sqlite:{}/rollcall.sqlite", folder.path().display()), str::to_owned);
    let connection = Connection::connect(url).await.unwrap();
    let backend = if database.url().is_some() { DbBackend::Postgres } else { DbBackend::Sqlite };
    let count = async |condition: &str| {
        let sql = format!("SELECT CAST(count(*) AS bigint) AS n FROM lease {condition}");
        let row = connection.query_one_raw(Statement::from_string(backend, sql)).await.unwrap().unwrap();
        row.try_get::<i64>("", "n").unwrap()
    };
    while count("").await == 0 {}
    let began = Instant::now();
    server.ask_to_end();
    assert_eq!(server.wait(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let held = if database.url().is_some() {
        "WHERE until > now()"
    } else {
        "WHERE until > strftime('%Y-%m-%dT%H:%M:%f', 'now')"
    };
    assert_eq!(count(held).await, 0, "another server need not wait");
}

/// A request whose body does not come to its end.
fn send_half_a_request(server: &ServerProcess) -> TcpStream {
    let mut half = TcpStream::connect(server.address).unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    half.write_all(head.as_bytes()).unwrap();
    half
}

async fn readiness(address: &str) -> Option<(StatusCode, Value)> {
    let answer = reqwest::get(format!("http://{address}/health/ready")).await.ok()?;
    Some((answer.status(), answer.json().await.ok()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_says_so_beside_its_metrics_and_takes_nobody_new() {
    let folder = TempDir::new().unwrap();
    let metrics = free_address().to_string();
    let env = [("ROLLCALL_METRICS__ENABLED", "true"), ("ROLLCALL_METRICS__LISTEN", metrics.as_str())];
    let mut server = ServerProcess::start(folder.path(), &env);
    assert_eq!(readiness(&metrics).await.unwrap().0, StatusCode::OK);
    let _half = send_half_a_request(&server);
    // Answered by the same listener, so that one knows that the half request has arrived.
    server.data("{ viewer { subject } }", json!({})).await;
    server.ask_to_end();
    let told = loop {
        let (status, told) = readiness(&metrics).await.expect("it answers until the end");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            break told;
        }
    };
    assert_eq!(told["checks"]["drain"]["status"], "fail", "{told}");
    while TcpStream::connect(server.address).is_ok() {}
    assert_eq!(server.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_twice_to_end_does_so_at_once() {
    let folder = TempDir::new().unwrap();
    let metrics = free_address().to_string();
    let env = [("ROLLCALL_METRICS__ENABLED", "true"), ("ROLLCALL_METRICS__LISTEN", metrics.as_str())];
    let mut server = ServerProcess::start(folder.path(), &env);
    let _half = send_half_a_request(&server);
    server.data("{ viewer { subject } }", json!({})).await;
    server.ask_to_end();
    while readiness(&metrics).await.expect("it answers until the end").0 == StatusCode::OK {}
    server.ask_to_end();
    assert_eq!(server.wait(), Some(1), "it was cut short");
}
