//! What was asked for before a `kill -9` is done after the restart.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{app::Database, both_dbs, process::ServerProcess};

/// How many people the directory lists besides those of the demonstration: several chunks of a run.
const MORE: usize = 1_500;

both_dbs! {
    a_sync_and_a_deletion_that_were_acknowledged_are_done_though_the_server_is_killed_at_once
}

async fn a_sync_and_a_deletion_that_were_acknowledged_are_done_though_the_server_is_killed_at_once(database: Database) {
    let folder = TempDir::new().expect("a folder");
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut server = ServerProcess::start(folder.path(), &env);
    let file = folder.path().join("engineers.csv");
    let mut listed = std::fs::read_to_string(&file).expect("the directory of the demonstration");
    let columns = listed.lines().next().expect("a header").split(',').count();
    for i in 0..MORE {
        writeln!(listed, "more-{i},person {i}{}", ",".repeat(columns - 2)).expect("text");
    }
    std::fs::write(&file, listed).expect("the directory");

    let one =
        server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    assert_eq!(server.data(delete, json!({ "id": one })).await["deleteEngineers"]["deletedEngineerIds"], json!([one]));
    let sync = "mutation { syncEngineers(input: {}) { directorySync { id } userErrors { code } } }";
    let run = server.data(sync, json!({})).await["syncEngineers"]["directorySync"]["id"].clone();
    server.kill();

    let server = ServerProcess::start(folder.path(), &env);
    let ended = read_run(&server, &run).await;
    assert_eq!(ended["state"], "SUCCEEDED", "{ended}");
    assert_eq!(ended["counts"]["added"], MORE, "{ended}");
    let counts = &ended["counts"];
    assert_eq!(counts["done"], counts["total"], "{ended}");
    let roll = server
        .data("query($id: ID!) { engineers { totalCount } engineer(id: $id) { id } }", json!({ "id": one }))
        .await;
    assert_eq!(roll, json!({ "engineers": { "totalCount": MORE + 24 }, "engineer": null }));
}

async fn read_run(server: &ServerProcess, id: &Value) -> Value {
    let query = "query($id: ID!) { directorySync(id: $id) { state counts { total done added unchanged skipped } } }";
    server.data(query, json!({ "id": id })).await["directorySync"].clone()
}
