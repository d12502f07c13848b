//! Whether a sync asks the people whom it brings.

use reqwest::Method;
use serde_json::{Value, json};

use super::steps::{assert_counts, edit, message_to, outcome, path_of, sync};
use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
};

const LISTED: [&str; 4] = [
    "u-1,both,,,,+8613800138001,both@demo.example",
    "u-2,mail,,,,,mail@demo.example",
    "u-3,disabled,,,disabled,+8613800138003,disabled@demo.example",
    "u-4,neither,,,,,",
];

both_dbs! {
    nobody_is_asked_unless_the_account_says_so
    an_account_with_subscribe_on_sync_asks_and_counts_the_messages_beforehand
    a_person_who_opted_out_is_not_asked_by_a_sync_and_not_counted
}

async fn start_asking(database: Database) -> TestApp {
    let config = "[accounts.demo]\nsubscribe_on_sync = true\n".to_owned();
    TestApp::start_with(database, Setup { config, ..Setup::default() }).await
}

fn statuses(engineer: &Value) -> [&Value; 3] {
    ["SMS", "VOICE", "EMAIL"].map(|kind| &channel(engineer, kind)["status"])
}

async fn nobody_is_asked_unless_the_account_says_so(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &LISTED);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("added", 4)]);
    app.run_workers().await;
    assert_eq!(statuses(&app.admin().find("both").await), ["UNSUBSCRIBED"; 3]);
    assert_eq!(app.outbox().await.len(), 0);
}

async fn an_account_with_subscribe_on_sync_asks_and_counts_the_messages_beforehand(database: Database) {
    let app = start_asking(database).await;
    app.write_directory("hr", &LISTED);
    let planned = sync(&app, &app.admin(), json!({ "directory": "hr", "dryRun": true })).await;
    assert_counts(&planned, &[("added", 4), ("messages", 4)]);
    assert_eq!(app.outbox().await.len(), 0, "a plan asks nobody");

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("added", 4), ("messages", 4)]);
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 4);
    assert_eq!(statuses(&app.admin().find("both").await), ["PENDING"; 3]);
    assert_eq!(statuses(&app.admin().find("disabled").await), ["UNSUBSCRIBED"; 3], "who is not ACTIVE is not asked");
    let query = "{ statusChanges(first: 50) { nodes { from to cause } } }";
    let changes = app.admin().data(query, json!({})).await["statusChanges"]["nodes"].clone();
    let requested = json!({ "from": "UNSUBSCRIBED", "to": "REQUESTED", "cause": "DIRECTORY" });
    let not_configured = json!({ "from": "NOT_CONFIGURED", "to": "REQUESTED", "cause": "DIRECTORY" });
    let asked = changes.as_array().unwrap().iter().filter(|one| **one == requested || **one == not_configured);
    assert_eq!(asked.count(), 4, "a request is a change of its own: {changes}");

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 4)]);
    app.write_directory("hr", &[LISTED[0], LISTED[1], LISTED[2], "u-4,neither,,,,,late@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("updated", 1), ("unchanged", 3), ("messages", 1)]);
    app.run_workers().await;
    message_to(&app, "late@demo.example").await;
    assert_eq!(app.outbox().await.len(), 5);
}

async fn a_person_who_opted_out_is_not_asked_by_a_sync_and_not_counted(database: Database) {
    let app = start_asking(database).await;
    app.write_directory("hr", &["u-1,first,,,,,shared@demo.example"]);
    app.sync("hr", json!({})).await;
    app.run_workers().await;
    let message = message_to(&app, "shared@demo.example").await;
    let stop = format!("{}/stop", path_of(&message));
    assert_eq!(app.request(Method::POST, &stop).send().await.unwrap().status(), 200);
    let first = app.admin().find("first").await;
    assert_eq!(channel(&first, "EMAIL")["status"], "CANCELLED");
    edit(&app, &first, json!({ "email": null })).await;

    app.write_directory("hr", &["u-1,first,,,,,", "u-2,second,,,,,SHARED@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("added", 1), ("unchanged", 1)]);
    assert_eq!(outcome(&run, "u-2"), ("ADDED", vec![]));
    app.run_workers().await;
    assert_eq!(channel(&app.admin().find("second").await, "EMAIL")["status"], "UNSUBSCRIBED");
    assert_eq!(app.outbox().await.len(), 1);
}
