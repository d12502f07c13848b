//! Where a stream begins.

use std::{sync::Arc, time::Duration};

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use super::{CHANGES, ENGINEERS, add, edit, follow, live_cursor, position, read_log, take, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    a_stream_without_a_cursor_begins_now
    a_stream_resumed_after_any_event_brings_the_rest_in_order
    a_change_between_the_snapshot_and_the_stream_arrives
    snapshots_amid_many_changes_and_what_follows_lead_to_the_present
    what_is_no_cursor_is_bad_input
    a_cursor_of_another_log_ahead_of_it_or_pruned_is_expired
    a_restored_backup_ends_the_streams_that_are_open
}

/// Sets and clears the e-mail address in turn: a status change each time.
async fn toggle(app: &TestApp, id: &str, number: usize) {
    let (_, key) = id.split_once(':').unwrap();
    let email = if number.is_multiple_of(2) { json!(format!("{number}@{key}.example")) } else { Value::Null };
    edit(&app.admin(), id, json!({ "email": email })).await;
}

async fn a_stream_without_a_cursor_begins_now(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), "lin").await;
    for number in 0..4 {
        toggle(&app, &lin, number).await;
    }
    let before = position(&json!(live_cursor(&app.admin()).await));
    let mut socket = app.admin().connect().await;
    let stream = socket.subscribe(CHANGES, json!({})).await;
    // Nothing tells that a stream is open but what comes through it.
    let mut number = 4;
    let first = loop {
        toggle(&app, &lin, number).await;
        number += 1;
        if let Ok(mut event) = timeout(Duration::from_millis(100), socket.next(&stream)).await {
            break event["confirmationStatusChanged"].take();
        }
        assert!(number < 500, "the stream stays mute");
    };
    assert!(position(&first["cursor"]) > before, "{first} lies before the stream");
    toggle(&app, &lin, number).await;
    let log = read_log(&app).await;
    let begin = log.iter().position(|change| *change == first).expect("it is in the log");
    let rest = take(&mut socket, &stream, log.len() - begin - 1).await;
    assert_eq!(rest, log[begin + 1..]);
}

async fn a_stream_resumed_after_any_event_brings_the_rest_in_order(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let mut cursors = vec![live_cursor(&admin).await];
    let lin = add(&admin, "lin").await;
    for number in 0..5 {
        toggle(&app, &lin, number).await;
    }
    edit(&admin, &lin, json!({ "mobile": "+86 138 0013 8001", "email": "last@demo.example" })).await;
    let log = read_log(&app).await;
    assert_eq!(log.len(), 7, "another address of a channel that is REQUESTED changes no status: {log:?}");
    cursors.extend(log.iter().map(|change| text(&change["cursor"])));
    for (seen, cursor) in cursors.iter().enumerate() {
        let (mut socket, stream) = follow(&admin, cursor, Value::Null).await;
        assert_eq!(take(&mut socket, &stream, log.len() - seen).await, log[seen..]);
        assert!(socket.is_quiet(Duration::from_millis(50)).await, "more than the log holds");
    }
}

const SNAPSHOT: &str = "{ liveCursor engineers(first: 100) { nodes { id channel(kind: EMAIL) { status } } } }";

async fn a_change_between_the_snapshot_and_the_stream_arrives(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), "lin").await;
    let snapshot = app.admin().data(SNAPSHOT, json!({})).await;
    toggle(&app, &lin, 0).await;
    let (mut socket, stream) = follow(&app.admin(), &text(&snapshot["liveCursor"]), Value::Null).await;
    assert_eq!(take(&mut socket, &stream, 1).await, read_log(&app).await);
}

/// The status of everyone's e-mail, sorted by id.
type Model = std::collections::BTreeMap<String, Value>;

fn read_snapshot(snapshot: &Value) -> Model {
    let nodes = snapshot["engineers"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (text(&node["id"]), node["channel"]["status"].clone())).collect()
}

async fn snapshots_amid_many_changes_and_what_follows_lead_to_the_present(database: Database) {
    let app = Arc::new(TestApp::start(database).await);
    let mut ids = Vec::new();
    for name in ["lin", "chen", "wu", "zhao"] {
        ids.push(add(&app.admin(), name).await);
    }
    let mut writers = JoinSet::new();
    for (id, count) in ids.into_iter().zip([39, 40, 41, 42]) {
        let app = Arc::clone(&app);
        writers.spawn(async move {
            for number in 0..count {
                toggle(&app, &id, number).await;
            }
        });
    }
    let mut models = Vec::new();
    while !writers.is_empty() {
        models.push(app.admin().data(SNAPSHOT, json!({})).await);
        while let Some(written) = writers.try_join_next() {
            written.unwrap();
        }
    }
    let log = read_log(&app).await;
    let present = read_snapshot(&app.admin().data(SNAPSHOT, json!({})).await);
    let mut midway = 0;
    for snapshot in models {
        let mut model = read_snapshot(&snapshot);
        let begin = position(&snapshot["liveCursor"]);
        let count = log.iter().filter(|change| position(&change["cursor"]) > begin).count();
        midway += usize::from(0 < count && count < log.len());
        let (mut socket, stream) = follow(&app.admin(), &text(&snapshot["liveCursor"]), Value::Null).await;
        for change in take(&mut socket, &stream, count).await {
            model.insert(text(&change["engineerId"]), change["to"].clone());
        }
        assert_eq!(model, present);
    }
    assert!(midway > 0, "no snapshot was taken amid the changes");
}

async fn what_is_no_cursor_is_bad_input(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    add(&admin, "lin").await;
    let page = admin.data("{ engineers(first: 1) { edges { cursor node { id } } } }", json!({})).await;
    let edge = &page["engineers"]["edges"][0];
    let good = live_cursor(&admin).await;
    let epoch = good.split_once('.').unwrap().0;
    let none = [
        String::new(),
        "nonsense".to_owned(),
        "1".to_owned(),
        text(&edge["cursor"]),
        text(&edge["node"]["id"]),
        epoch.to_owned(),
        format!("{epoch}."),
        format!("{epoch}.-1"),
        format!("{epoch}.+1"),
        format!("{epoch}.x"),
        format!("{epoch}.ffffffffffffffffff"),
        format!(" {good}"),
        format!("{good}\u{0}"),
    ];
    for cursor in none {
        for stream in [CHANGES, ENGINEERS] {
            let mut socket = admin.connect().await;
            let id = socket.subscribe(stream, json!({ "after": cursor })).await;
            assert_eq!(socket.refusal(&id).await, "BAD_USER_INPUT", "{cursor:?}");
        }
    }
}

async fn a_cursor_of_another_log_ahead_of_it_or_pruned_is_expired(database: Database) {
    let app = TestApp::start(database).await;
    let begin = live_cursor(&app.admin()).await;
    let lin = add(&app.admin(), "lin").await;
    toggle(&app, &lin, 0).await;
    let end = live_cursor(&app.admin()).await;
    let (epoch, _) = end.split_once('.').unwrap();
    let head = position(&json!(end));
    let ahead = format!("{epoch}.{:x}", head + 1);
    let of_another_log = end.replace(epoch, &"0".repeat(32));
    for cursor in [&ahead, &of_another_log, &format!("{epoch}.7fffffffffffffff")] {
        for stream in [CHANGES, ENGINEERS] {
            let mut socket = app.admin().connect().await;
            let id = socket.subscribe(stream, json!({ "after": cursor })).await;
            assert_eq!(socket.refusal(&id).await, "CURSOR_EXPIRED", "{cursor}");
        }
    }
    // Events are kept for 30 days, and status changes longer: as history, from which no stream can resume.
    app.clock.advance(chrono::Duration::days(31));
    app.run_workers().await;
    toggle(&app, &lin, 1).await;
    assert_eq!(read_log(&app).await.len(), 2 + 1, "the request expired meanwhile, and its history is kept");
    let mut socket = app.admin().connect().await;
    let id = socket.subscribe(CHANGES, json!({ "after": begin })).await;
    assert_eq!(socket.refusal(&id).await, "CURSOR_EXPIRED");
    let (mut socket, stream) = follow(&app.admin(), &end, Value::Null).await;
    take(&mut socket, &stream, 1).await;
}

async fn a_restored_backup_ends_the_streams_that_are_open(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), "lin").await;
    let (mut socket, stream) = follow(&app.admin(), &live_cursor(&app.admin()).await, Value::Null).await;
    toggle(&app, &lin, 0).await;
    take(&mut socket, &stream, 1).await;
    let store = app.app.services.store();
    let epoch =
        if store.is_embedded() { "x'00000000000000000000000000000009'" } else { "'00000000000000000000000000000009'" };
    let restored = format!("UPDATE account SET epoch = {epoch}");
    store.migration_connection().execute_unprepared(&restored).await.unwrap();
    toggle(&app, &lin, 1).await;
    assert_eq!(socket.refusal(&stream).await, "CURSOR_EXPIRED");
}
