//! A run as it streams.

use serde_json::{Value, json};

use super::steps::{changes_since, cursor, find_run, people, queue, sync, write};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

const PROGRESS: &str = "subscription($id: ID!) { directorySyncProgress(id: $id) {
    id state counts { total done added gone unchanged } finishedAt } }";

both_dbs! {
    progress_streams_to_the_end_of_the_run_and_then_ends
    a_run_that_fails_ends_its_stream_too
    a_bulk_run_logs_one_change_for_each_chunk_of_at_most_200_people_and_none_for_a_person
}

/// Everything that a progress stream tells, to its end.
async fn follow(app: &TestApp, id: &str) -> Vec<Value> {
    let mut socket = app.admin().connect().await;
    let progress = socket.subscribe(PROGRESS, json!({ "id": id })).await;
    let mut seen = vec![socket.next(&progress).await["directorySyncProgress"].clone()];
    app.run_workers().await;
    loop {
        let message = socket.message(&progress).await;
        if message["type"] == "complete" {
            return seen;
        }
        assert!(message["payload"].get("errors").is_none(), "{message}");
        seen.push(message["payload"]["data"]["directorySyncProgress"].clone());
    }
}

async fn progress_streams_to_the_end_of_the_run_and_then_ends(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(450));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let seen = follow(&app, &id).await;
    assert_eq!((&seen[0]["state"], &seen[0]["counts"]["done"]), (&json!("QUEUED"), &json!(0)));
    let last = seen.last().unwrap();
    assert_eq!((&last["state"], &last["counts"]["done"]), (&json!("SUCCEEDED"), &json!(450)));
    assert!(last["finishedAt"].is_string());
    let done: Vec<_> = seen.iter().map(|one| one["counts"]["done"].as_u64().unwrap()).collect();
    assert!(done.is_sorted(), "{done:?}");
    assert!(seen[..seen.len() - 1].iter().all(|one| one["state"] == "QUEUED" || one["state"] == "RUNNING"));

    let again = follow(&app, &id).await;
    assert_eq!(again, std::slice::from_ref(last), "a run that has ended tells its end and ends");
}

async fn a_run_that_fails_ends_its_stream_too(database: Database) {
    let app = TestApp::start(database).await;
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let seen = follow(&app, &id).await;
    assert_eq!(seen.last().unwrap()["state"], "FAILED");
}

async fn a_bulk_run_logs_one_change_for_each_chunk_of_at_most_200_people_and_none_for_a_person(database: Database) {
    let app = TestApp::start(database).await;
    let since = cursor(&app).await;
    write(&app, "hr", &people(450));
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    let changes = changes_since(&app, &since).await;
    let expected: Vec<_> = [200, 200, 50]
        .iter()
        .map(|count| {
            json!({ "kind": "ROLL_CHANGED", "engineerId": null, "count": count, "directorySync": { "id": run["id"] } })
        })
        .collect();
    assert_eq!(changes, expected);
    let seen = find_run(&app.admin(), run["id"].as_str().unwrap()).await;
    assert_eq!(seen["counts"]["added"], 450);
}
