//! Deleted people whom a directory still lists.

use chrono::Duration;
use rollcall::domain::roster::Remembered;
use serde_json::{Value, json};

use super::steps::{assert_counts, confirm_email, demo, names, outcome, sync};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    a_deleted_person_stays_deleted_by_a_sync_unless_it_restores
    an_erased_person_is_not_brought_back_unless_the_run_restores
    a_deleted_person_who_had_moved_comes_back_by_a_run_that_restores
}

async fn delete(app: &TestApp, who: &Value, erase_now: bool) {
    let mutation = "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) {
        deletedEngineerIds userErrors { code } } }";
    let input = json!({ "ids": [who["id"]], "eraseNow": erase_now });
    let data = app.admin().data(mutation, json!({ "input": input })).await;
    assert_eq!(data["deleteEngineers"], json!({ "deletedEngineerIds": [who["id"]], "userErrors": [] }));
}

async fn a_deleted_person_stays_deleted_by_a_sync_unless_it_restores(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example", "u-2,wu,,,,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    confirm_email(&app, &lin).await;
    delete(&app, &lin, false).await;

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 1), ("skipped", 1)]);
    assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["DELETED"]));
    assert_eq!(names(&app).await, ["wu"]);

    let run = sync(&app, &app.admin(), json!({ "directory": "hr", "restoreDeleted": true })).await;
    assert_counts(&run, &[("updated", 1), ("unchanged", 1)]);
    assert_eq!(outcome(&run, "u-1"), ("UPDATED", vec!["RESTORED"]));
    let back = app.admin().find("lin").await;
    assert_eq!(back["id"], lin["id"]);
    assert_eq!(
        (&channel(&back, "EMAIL")["status"], &channel(&back, "EMAIL")["usable"]),
        (&json!("CONFIRMED"), &json!(true))
    );
    app.clock.advance(Duration::hours(48));
    app.run_workers().await;
    assert_eq!(names(&app).await, ["lin", "wu"], "who came back is not erased");
}

async fn an_erased_person_is_not_brought_back_unless_the_run_restores(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example", "u-2,wu,,,,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    delete(&app, &lin, true).await;
    let services = &app.app.services;
    let account = demo();
    let remembered = services.store().rows(&account).list_identities("hr").await.unwrap();
    assert_eq!(remembered["u-1"], Remembered::Erased);

    for _ in 0..2 {
        let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
        assert_counts(&run, &[("unchanged", 1), ("skipped", 1)]);
        assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["DELETED"]));
    }
    let planned = sync(&app, &app.admin(), json!({ "directory": "hr", "restoreDeleted": true, "dryRun": true })).await;
    assert_counts(&planned, &[("added", 1), ("unchanged", 1)]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["DELETED"]), "a dry run forgets nothing");

    let run = sync(&app, &app.admin(), json!({ "directory": "hr", "restoreDeleted": true })).await;
    assert_eq!(outcome(&run, "u-1"), ("ADDED", vec![]));
    let back = app.admin().find("lin").await;
    assert_ne!(back["id"], lin["id"], "nothing was left of who they were");
    assert_eq!(channel(&back, "EMAIL")["status"], "UNSUBSCRIBED");
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 2)]);
}

async fn a_deleted_person_who_had_moved_comes_back_by_a_run_that_restores(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example"]);
    app.write_directory("contractors", &["c-1,lin,,,,,lin@demo.example"]);
    app.sync("hr", json!({})).await;
    app.sync("contractors", json!({})).await;
    let lin = app.admin().find("lin").await;
    assert_eq!(lin["directory"], "contractors");
    delete(&app, &lin, false).await;

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["DELETED"]));
    let run = sync(&app, &app.admin(), json!({ "directory": "hr", "restoreDeleted": true })).await;
    assert_counts(&run, &[("moved", 1)]);
    assert_eq!(outcome(&run, "u-1"), ("MOVED", vec!["RESTORED"]));
    let back = app.admin().find("lin").await;
    assert_eq!((&back["id"], &back["directory"], &back["externalId"]), (&lin["id"], &json!("hr"), &json!("u-1")));
}
