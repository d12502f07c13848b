//! A process that is frozen while it has the lease of a directory sync, so long that another one takes over, writes nothing when it
//! wakes.

use std::{fmt::Write as _, fs, path::Path};

use sea_orm::{ConnectionTrait as _, Database as Connector, DatabaseConnection};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::add;
use crate::harness::{postgres::fresh_database, process::ServerProcess, raw, times};

/// How many people are listed besides those of the demonstration: many chunks.
const MORE: usize = 4_000;

const RUN: &str = "query($id: ID!) { directorySync(id: $id) { state counts { total done added } } }";

/// Everything that a sync writes, in one text that two moments can be compared by.
const WRITTEN: &str = "SELECT concat_ws(' ',
    (SELECT string_agg(e::text, ';' ORDER BY id) FROM (SELECT id, name, version, updated_at, synced_at FROM engineer) e),
    (SELECT string_agg(c::text, ';' ORDER BY engineer_id, kind) FROM (SELECT engineer_id, kind, status FROM channel) c),
    (SELECT string_agg(s::text, ';' ORDER BY id) FROM directory_sync s),
    (SELECT count(*) FROM directory_sync_outcome), (SELECT count(*) FROM directory_identity),
    (SELECT count(*) FROM event), (SELECT max(position) FROM account))";

fn list_more(folder: &Path, round: usize) {
    let file = folder.join("engineers.csv");
    let mut listed = fs::read_to_string(&file).unwrap();
    let columns = listed.lines().next().unwrap().split(',').count();
    for number in 0..MORE {
        writeln!(listed, "more-{round}-{number},person {round}-{number}{}", ",".repeat(columns - 2)).unwrap();
    }
    fs::write(&file, listed).unwrap();
}

async fn written(connection: &DatabaseConnection) -> String {
    raw::query(connection, WRITTEN).await.remove(0)
}

/// Begins a sync and freezes the server in the middle of it. Gives the run.
async fn freeze_in_a_sync(server: &ServerProcess, connection: &DatabaseConnection) -> Value {
    let sync = "mutation { syncEngineers(input: {}) { directorySync { id } } }";
    let run = server.data(sync, json!({})).await["syncEngineers"]["directorySync"]["id"].clone();
    while server.data(RUN, json!({ "id": run })).await["directorySync"]["counts"]["done"] == 0 {}
    server.freeze();
    let state = "SELECT state FROM directory_sync ORDER BY id DESC LIMIT 1";
    assert_eq!(raw::query(connection, state).await, ["RUNNING"], "it was caught in the middle");
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_of_a_lease_that_was_frozen_writes_nothing_when_it_wakes() {
    let Some(url) = fresh_database() else { return };
    let folder = TempDir::new().unwrap();
    let env = [("ROLLCALL_DATABASE__URL", url.as_str())];
    let connection = Connector::connect(url.as_str()).await.unwrap();
    for round in 0..times(1, 10) {
        let log = folder.path().join(format!("log-{round}"));
        let frozen = ServerProcess::start_logging(folder.path(), &env, &[], &log);
        list_more(folder.path(), round);
        let run = freeze_in_a_sync(&frozen, &connection).await;
        // A minute of its sleep. What it holds locked, PostgreSQL takes from it after some seconds.
        connection.execute_unprepared("UPDATE lease SET until = '2020-01-01 00:00:00Z'").await.unwrap();

        let other = ServerProcess::start(folder.path(), &env);
        let mut ended = json!(null);
        while ended["state"] != "SUCCEEDED" {
            ended = other.data(RUN, json!({ "id": run })).await["directorySync"].clone();
            assert_ne!(ended["state"], "FAILED", "{ended}");
        }
        assert_eq!(ended["counts"]["added"], MORE, "{ended}");
        let before = written(&connection).await;

        frozen.thaw();
        // Connections of before were cut by their deadlines; new ones are answered.
        let mut answers = false;
        while !answers || !fs::read_to_string(&log).unwrap().contains("A worker's step failed") {
            answers = frozen.try_execute("{ viewer { subject } }", json!({})).await.is_some();
        }
        assert!(written(&connection).await == before, "what another process finished is as it was");
        // It is well again, and works.
        let name = format!("after {round}");
        assert!(add(&frozen, &name).await);
        let found = "query($search: String!) { engineers(filter: { search: $search }) { totalCount } }";
        assert_eq!(other.data(found, json!({ "search": name })).await["engineers"]["totalCount"], 1);
    }
}
