//! Changes of engineers, of the counts, and of a directory sync.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{ENGINEERS, add, change_all, edit, live_cursor, text};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
    socket::Socket,
};

both_dbs! {
    every_kind_of_change_of_the_roll_streams_and_replays
    a_filter_judges_engineers_as_they_are_now
    the_counts_come_at_once_then_at_most_once_a_second_and_the_last_ones_always
    the_progress_of_a_directory_sync_ends_with_the_run
    an_unknown_directory_sync_is_bad_input
}

async fn next_change(socket: &mut Socket, stream: &str) -> Value {
    socket.next(stream).await["engineerChanged"].take()
}

/// Imports a file that gives one person another alias.
async fn import(caller: &Caller<'_>, id: &str) {
    let file = format!("id,alias\n{id},imported\n");
    let request = caller.request(Method::POST, "/import").header("content-type", "text/csv").body(file);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

async fn every_kind_of_change_of_the_roll_streams_and_replays(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let begin = live_cursor(&admin).await;
    let mut socket = admin.connect().await;
    let stream = socket.subscribe(ENGINEERS, json!({ "after": begin })).await;
    app.write_directory("hr", &["u-1,lin,,IAM_USER,active,,", "u-2,chen,,IAM_USER,active,,"]);
    app.sync("hr", json!({})).await;
    let synced = next_change(&mut socket, &stream).await;
    assert_roll_changed(&synced, 2);
    let runs = admin.data("{ directorySyncs { nodes { id } } }", json!({})).await;
    assert_eq!(runs["directorySyncs"]["nodes"], json!([{ "id": synced["directorySync"]["id"] }]));

    let mut told = vec![synced];
    let wu = add(&admin, "wu").await;
    told.push(next_change(&mut socket, &stream).await);
    edit(&admin, &wu, json!({ "alias": "Wu" })).await;
    told.push(next_change(&mut socket, &stream).await);
    // The same again is no edit.
    edit(&admin, &wu, json!({ "alias": "Wu" })).await;
    change_all(&admin, "deleteEngineers", &[&wu]).await;
    told.push(next_change(&mut socket, &stream).await);
    change_all(&admin, "restoreEngineers", &[&wu]).await;
    told.push(next_change(&mut socket, &stream).await);
    assert_of_one(&told[1..], &wu, &["CREATED", "UPDATED", "DELETED", "CREATED"]);

    import(&admin, &wu).await;
    let imported = next_change(&mut socket, &stream).await;
    assert_roll_changed(&imported, 1);
    assert_eq!(imported["directorySync"], Value::Null);
    told.push(imported);
    change_all(&admin, "deleteEngineers", &[&wu]).await;
    told.push(next_change(&mut socket, &stream).await);
    assert_of_one(&told[6..], &wu, &["DELETED"]);
    replay(&app, &begin, &told).await;
}

fn assert_roll_changed(change: &Value, count: usize) {
    assert_eq!((&change["kind"], &change["count"]), (&json!("ROLL_CHANGED"), &json!(count)), "{change}");
    assert_eq!((&change["engineerId"], &change["engineer"]), (&Value::Null, &Value::Null), "{change}");
}

/// Changes of one person, each told of while it was the last.
fn assert_of_one(changes: &[Value], id: &str, kinds: &[&str]) {
    assert_eq!(changes.len(), kinds.len());
    for (change, kind) in changes.iter().zip(kinds) {
        assert_eq!((&change["kind"], &change["engineerId"]), (&json!(kind), &json!(id)), "{change}");
        let name = if *kind == "DELETED" { Value::Null } else { json!("wu") };
        assert_eq!(change["engineer"]["name"], name, "{change}");
        assert_eq!((&change["directorySync"], &change["count"]), (&Value::Null, &Value::Null), "{change}");
    }
}

/// The log stays what it was, also where the person is gone by now, and for whoever reads it.
async fn replay(app: &TestApp, begin: &str, told: &[Value]) {
    use rollcall::domain::actor::Role;
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let mut socket = app.caller(role).connect().await;
        let stream = socket.subscribe(ENGINEERS, json!({ "after": begin })).await;
        for change in told {
            let again = next_change(&mut socket, &stream).await;
            for field in ["cursor", "occurredAt", "kind", "engineerId", "count"] {
                assert_eq!(again[field], change[field], "{role:?}");
            }
            assert_eq!(again["engineer"], Value::Null, "as they are now");
        }
    }
}

async fn a_filter_judges_engineers_as_they_are_now(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let begin = live_cursor(&admin).await;
    let (lin, chen) = (add(&admin, "lin").await, add(&admin, "chen").await);
    edit(&admin, &lin, json!({ "email": "lin@demo.example" })).await;
    edit(&admin, &chen, json!({ "alias": "Chen" })).await;
    let gone = add(&admin, "gone").await;
    change_all(&admin, "deleteEngineers", &[&gone]).await;
    app.write_directory("hr", &["u-1,wu,,IAM_USER,active,,"]);
    app.sync("hr", json!({})).await;
    let (created, updated, deleted) = ("CREATED", "UPDATED", "DELETED");
    let cases = [
        (
            json!({}),
            vec![
                (created, &lin),
                (created, &chen),
                (updated, &lin),
                (updated, &chen),
                (created, &gone),
                (deleted, &gone),
            ],
        ),
        (json!({ "ids": [lin] }), vec![(created, &lin), (updated, &lin)]),
        (json!({ "ids": [gone] }), vec![(created, &gone), (deleted, &gone)]),
        (json!({ "ids": [] }), vec![]),
        (json!({ "search": "CHEN" }), vec![(created, &chen), (updated, &chen), (deleted, &gone)]),
        (json!({ "search": "lin@demo" }), vec![(created, &lin), (updated, &lin), (deleted, &gone)]),
        (
            json!({ "statusIn": ["PENDING"], "channel": "EMAIL" }),
            vec![(created, &lin), (updated, &lin), (deleted, &gone)],
        ),
        (json!({ "directory": "hr", "ids": [lin, chen] }), vec![]),
        (json!({ "reachabilityIn": ["REACHABLE"] }), vec![(deleted, &gone)]),
    ];
    for (filter, wanted) in cases {
        let mut socket = admin.connect().await;
        let stream = socket.subscribe(ENGINEERS, json!({ "after": begin, "filter": filter })).await;
        let mut told = Vec::new();
        // ROLL_CHANGED comes always, and is the last.
        let last = loop {
            let change = next_change(&mut socket, &stream).await;
            if change["kind"] == "ROLL_CHANGED" {
                break change;
            }
            told.push((text(&change["kind"]), text(&change["engineerId"])));
        };
        let wanted: Vec<_> = wanted.into_iter().map(|(kind, id)| (kind.to_owned(), id.clone())).collect();
        assert_eq!(told, wanted, "{filter}");
        assert_eq!(last["count"], 1);
    }
}

const COUNTS: &str = "{ id engineers byReachability { reachability count }
    byChannelAndStatus { channel status count } expiringSoon }";

async fn the_counts_come_at_once_then_at_most_once_a_second_and_the_last_ones_always(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    add(&admin, "lin").await;
    let mut socket = app.caller(rollcall::domain::actor::Role::Viewer).connect().await;
    let stream = socket.subscribe(&format!("subscription {{ rosterSummaryChanged {COUNTS} }}"), json!({})).await;
    let query = format!("{{ rosterSummary {COUNTS} }}");
    let present = admin.data(&query, json!({})).await["rosterSummary"].clone();
    let first = socket.next(&stream).await["rosterSummaryChanged"].take();
    assert_eq!(first, present);
    let mut times = vec![Instant::now()];
    let writing = async {
        for number in 0..40 {
            let id = add(&admin, &format!("person.{number}")).await;
            edit(&admin, &id, json!({ "email": format!("{number}@demo.example") })).await;
        }
        admin.data(&query, json!({})).await["rosterSummary"].clone()
    };
    let reading = async {
        loop {
            let summary = socket.next(&stream).await["rosterSummaryChanged"].take();
            times.push(Instant::now());
            if summary["engineers"] == 41
                && summary["byChannelAndStatus"]
                    .as_array()
                    .unwrap()
                    .contains(&json!({ "channel": "EMAIL", "status": "REQUESTED", "count": 40 }))
            {
                break summary;
            }
        }
    };
    let (last, told) = tokio::join!(writing, reading);
    assert_eq!(told, last);
    // Each answer may be held up on its way, so it is the whole that is timed.
    let span = times[times.len() - 1] - times[0];
    assert!(times.len() - 1 <= usize::try_from(span.as_secs() + 1).unwrap(), "{times:?}");
    assert!(socket.is_quiet(Duration::from_millis(1_200)).await, "nothing changed since");
}

const PROGRESS: &str = "subscription($id: ID!) { directorySyncProgress(id: $id) {
    id state counts { total done added } failureCode finishedAt } }";

const SYNC: &str =
    "mutation { syncEngineers(input: { directory: \"hr\" }) { directorySync { id } userErrors { code } } }";

async fn begin_sync(app: &TestApp) -> (Value, Socket, String) {
    let id = app.admin().data(SYNC, json!({})).await["syncEngineers"]["directorySync"]["id"].clone();
    let mut socket = app.admin().connect().await;
    let stream = socket.subscribe(PROGRESS, json!({ "id": id })).await;
    (id, socket, stream)
}

/// What the stream tells until it ends.
async fn read_to_the_end(socket: &mut Socket, stream: &str) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let mut message = socket.message(stream).await;
        match message["type"].as_str() {
            Some("next") => told.push(message["payload"]["data"]["directorySyncProgress"].take()),
            Some("complete") => return told,
            _ => panic!("{message}"),
        }
    }
}

async fn the_progress_of_a_directory_sync_ends_with_the_run(database: Database) {
    let app = TestApp::start(database).await;
    let rows: Vec<_> = (0..450).map(|n| format!("u-{n},person.{n},,IAM_USER,active,,")).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let (id, mut socket, stream) = begin_sync(&app).await;
    let queued = socket.next(&stream).await["directorySyncProgress"].take();
    assert_eq!((&queued["id"], &queued["state"]), (&id, &json!("QUEUED")));
    let (told, ()) = tokio::join!(read_to_the_end(&mut socket, &stream), app.run_workers());
    let done: Vec<_> = told.iter().map(|run| run["counts"]["done"].as_i64().unwrap()).collect();
    assert!(done.is_sorted(), "{done:?}");
    let (last, before) = told.split_last().expect("the end is told");
    assert_eq!((&last["state"], &last["counts"]["added"]), (&json!("SUCCEEDED"), &json!(450)));
    assert!(before.iter().all(|run| run["state"] == "RUNNING"), "{before:?}");

    // Of a run that is over there is its end alone.
    let stream = socket.subscribe(PROGRESS, json!({ "id": id })).await;
    assert_eq!(read_to_the_end(&mut socket, &stream).await, std::slice::from_ref(last));

    // Whatever the end is.
    std::fs::remove_file(app.path("hr.csv")).unwrap();
    let (_, mut socket, stream) = begin_sync(&app).await;
    let (told, ()) = tokio::join!(read_to_the_end(&mut socket, &stream), app.run_workers());
    assert_eq!(told.last().map(|run| &run["state"]), Some(&json!("FAILED")));
}

async fn an_unknown_directory_sync_is_bad_input(database: Database) {
    let app = TestApp::start(database).await;
    let mut socket = app.admin().connect().await;
    for id in
        ["", "nonsense", "engineer:00000000000000000000000000000001", "directory-sync:00000000000000000000000000000001"]
    {
        let stream = socket.subscribe(PROGRESS, json!({ "id": id })).await;
        assert_eq!(socket.refusal(&stream).await, "BAD_USER_INPUT", "{id:?}");
    }
}
