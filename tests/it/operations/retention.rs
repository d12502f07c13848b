//! What is kept is kept for so long, and no longer.

use chrono::Duration;
use reqwest::StatusCode;
use rollcall::domain::channel::ChannelKind;
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs, raw,
    roll::path_of,
};

both_dbs! {
    each_table_keeps_its_rows_for_as_long_as_the_configuration_says
    the_newest_run_of_a_directory_and_the_newest_that_succeeded_stay
    an_endpoint_that_nobody_asked_for_a_day_is_forgotten_and_an_opt_out_never
    however_much_has_piled_up_it_goes_in_pieces
}

const RETENTION: &str =
    "[retention]\nevent_days = 1\nhistory_days = 3\noutbox_days = 2\nsync_days = 4\nrequest_days = 5\naudit_days = 2";

async fn start(database: Database) -> (TestApp, DatabaseConnection) {
    let app = TestApp::start_with(database, Setup { config: RETENTION.to_owned(), ..Setup::default() }).await;
    let db = raw::connect(&app).await;
    (app, db)
}

async fn count(db: &DatabaseConnection, table: &str) -> usize {
    // As text on both databases.
    raw::query(db, &format!("SELECT 'x' FROM {table}")).await.len()
}

/// Prunes to the end.
async fn prune(app: &TestApp) {
    while app.run_worker("prune").await.expect("pruning") {}
}

async fn each_table_keeps_its_rows_for_as_long_as_the_configuration_says(database: Database) {
    let (app, db) = start(database).await;
    let admin = app.admin();
    app.write_directory("hr", &["u-1,gao,,IAM_USER,active,,"]);
    let first = app.sync("hr", json!({})).await;
    assert_eq!(first["state"], "SUCCEEDED");
    let lin = admin.add("lin", json!({ "email": "one@demo.example", "idempotencyKey": "once" })).await;
    app.run_workers().await;
    // The first request is retired, cancelled and over; the second one lives on.
    admin.update(&lin, json!({ "email": "two@demo.example" })).await;
    // Runs of one moment have no order.
    app.clock.advance(Duration::seconds(1));
    app.sync("hr", json!({})).await;
    let closed = "channel_subscription WHERE phase = 'CLOSED'";
    let changes = "event WHERE kind = 'STATUS_CHANGED'";
    let others = "event WHERE kind <> 'STATUS_CHANGED'";
    let tables = [
        "outbox_message",
        "idempotency_key",
        "directory_sync",
        "directory_sync_outcome",
        closed,
        changes,
        others,
        "audit_entry",
    ];
    let mut left = Vec::new();
    for table in tables {
        left.push(count(&db, table).await);
    }
    assert!(left.iter().all(|rows| *rows > 0), "{left:?}: there is something to take away");
    assert_eq!((left[2], left[4]), (2, 1));

    let mut gone_after = [None; 8];
    let mut hours = 0;
    // An hour before the end of each day, and an hour after it.
    for more in [23, 2, 22, 2, 22, 2, 22, 2, 22, 2] {
        hours += more;
        app.clock.advance(Duration::hours(more));
        prune(&app).await;
        for ((table, gone), before) in tables.iter().zip(&mut gone_after).zip(&left) {
            let rows = count(&db, table).await;
            // Of the runs the newest stays, and whatever it did.
            if gone.is_none() && (rows == 0 || (*table == "directory_sync" && rows == 1)) {
                *gone = Some(hours);
            }
            assert!(
                gone.is_some() || rows == *before,
                "{table} went at once and not bit by bit: {rows} after {hours} h"
            );
        }
    }
    assert_eq!(gone_after, [49, 25, 97, 97, 121, 73, 25, 49].map(Some), "{tables:?}");
    let living = "SELECT phase FROM channel_subscription";
    assert_eq!(raw::query(&db, living).await, ["HELD"], "the request that lives is kept however old it is");
    assert_eq!(admin.update(&lin, json!({ "email": "three@demo.example" })).await["email"], "three@demo.example");
}

async fn the_newest_run_of_a_directory_and_the_newest_that_succeeded_stay(database: Database) {
    let (app, _) = start(database).await;
    app.write_directory("hr", &["u-1,gao,,IAM_USER,active,,"]);
    // Runs of one moment have no order.
    let sync = async |options| {
        app.clock.advance(Duration::seconds(1));
        app.sync("hr", options).await["state"].clone()
    };
    for _ in 0..2 {
        assert_eq!(sync(json!({})).await, "SUCCEEDED");
    }
    let succeeded = newest_run(&app).await;
    assert_eq!(sync(json!({ "dryRun": true })).await, "SUCCEEDED");
    std::fs::remove_file(app.path("hr.csv")).unwrap();
    for _ in 0..2 {
        assert_eq!(sync(json!({})).await, "FAILED");
    }
    let failed = newest_run(&app).await;
    app.clock.advance(Duration::days(5));
    prune(&app).await;
    let runs = app.admin().data("{ directorySyncs(first: 10) { totalCount nodes { id } } }", json!({})).await;
    let expected = json!({ "totalCount": 2, "nodes": [{ "id": failed }, { "id": succeeded }] });
    assert_eq!(runs["directorySyncs"], expected);
}

async fn newest_run(app: &TestApp) -> Value {
    let runs = app.admin().data("{ directorySyncs(first: 1) { nodes { id } } }", json!({})).await;
    runs["directorySyncs"]["nodes"][0]["id"].clone()
}

async fn an_endpoint_that_nobody_asked_for_a_day_is_forgotten_and_an_opt_out_never(database: Database) {
    let (app, db) = start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin", json!({ "email": "lin@demo.example" })).await;
    let gao = admin.add("gao", json!({ "email": "gao@demo.example" })).await;
    app.run_workers().await;
    let message = app.last_message("gao@demo.example", ChannelKind::Email).await;
    assert_eq!(app.press_stop(&path_of(&message.link)).await.status, StatusCode::OK);
    app.clock.advance(Duration::hours(23));
    prune(&app).await;
    assert_eq!(count(&db, "endpoint_guard").await, 2);
    app.clock.advance(Duration::days(1000));
    prune(&app).await;
    assert_eq!(count(&db, "endpoint_guard WHERE opted_out_at IS NOT NULL").await, 1);
    assert_eq!(count(&db, "endpoint_guard").await, 1);
    app.run_workers().await;
    let admin = app.admin();
    assert_eq!(admin.subscribe(&gao, "EMAIL").await, Err("OPTED_OUT".to_owned()));
    assert!(admin.subscribe(&lin, "EMAIL").await.is_ok());
    assert_eq!(count(&db, "endpoint_guard").await, 2);
}

/// More than two transactions take.
const MANY: usize = 1_200;

async fn however_much_has_piled_up_it_goes_in_pieces(database: Database) {
    let (app, db) = start(database).await;
    app.write_directory("hr", &["u-1,gao,,IAM_USER,active,,"]);
    for _ in 0..2 {
        app.sync("hr", json!({})).await;
    }
    let many = format!("WITH RECURSIVE many(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM many WHERE i < {MANY} + 9)");
    let old = "2020-01-01 00:00:00+00:00";
    let run = "(SELECT id FROM directory_sync ORDER BY id LIMIT 1)";
    for sql in [
        format!(
            "INSERT INTO outbox_message (message_id, account, channel, endpoint, subject, text, link, code, sent_at)
             {many} SELECT 'old-' || i, 'demo', 'SMS', 'nobody', '', '', '', '', '{old}' FROM many"
        ),
        format!(
            "INSERT INTO idempotency_key (account, key, part, input, answer, expires_at)
             {many} SELECT 'demo', 'old-' || (i / 2), i % 2, '', '', '{old}' FROM many"
        ),
        format!(
            "INSERT INTO directory_sync_outcome (sync_id, ordinal, outcome, reasons)
             {many} SELECT {run}, i, 'SKIPPED', '' FROM many"
        ),
    ] {
        app.run_sql(&sql).await;
    }
    app.clock.advance(Duration::days(10));
    let mut before = [usize::MAX; 3];
    let mut rounds = 0;
    loop {
        let more = app.run_worker("prune").await.unwrap();
        let mut now = [0; 3];
        for (left, table) in now.iter_mut().zip(["outbox_message", "idempotency_key", "directory_sync_outcome"]) {
            *left = count(&db, table).await;
        }
        if rounds == 0 {
            assert!(more && now.iter().all(|left| (1..MANY).contains(left)), "some went, and not all: {now:?}");
        }
        assert!(now <= before, "{now:?}");
        before = now;
        rounds += 1;
        if !more {
            break;
        }
    }
    assert_eq!((before[0], before[1], count(&db, "directory_sync").await), (0, 0, 1), "{rounds} rounds");
    assert!(before[2] <= 1, "what the newest run did: {before:?}");
}
