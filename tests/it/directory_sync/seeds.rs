//! A directory seeds an endpoint once, ever.

use serde_json::json;

use super::steps::{assert_counts, edit, outcome, sync};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

const LISTED: &str = "u-1,lin,Lin,,,+8613800138001,lin@demo.example";

both_dbs! {
    a_field_that_someone_cleared_stays_clear
    an_edit_is_never_overwritten
    a_blank_never_erases
    a_field_that_was_blank_is_seeded_when_the_directory_fills_it_and_only_then
}

async fn start(database: Database, row: &str) -> TestApp {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[row]);
    app.sync("hr", json!({})).await;
    app
}

async fn a_field_that_someone_cleared_stays_clear(database: Database) {
    let app = start(database, LISTED).await;
    let lin = app.admin().find("lin").await;
    edit(&app, &lin, json!({ "alias": null, "mobile": null, "email": null })).await;
    for row in [LISTED, "u-1,lin,Another,,,+8613800138002,other@demo.example"] {
        app.write_directory("hr", &[row]);
        let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
        assert_counts(&run, &[("unchanged", 1)]);
        let lin = app.admin().find("lin").await;
        assert_eq!((&lin["alias"], &lin["mobile"], &lin["email"]), (&json!(null), &json!(null), &json!(null)));
        assert_eq!(channel(&lin, "EMAIL")["status"], "NOT_CONFIGURED");
    }
}

async fn an_edit_is_never_overwritten(database: Database) {
    let app = start(database, LISTED).await;
    let lin = app.admin().find("lin").await;
    let edits = json!({ "alias": "Wei", "mobile": "+8613900139001", "email": "wei@demo.example" });
    edit(&app, &lin, edits).await;
    app.write_directory("hr", &["u-1,lin.wei,Listed,,,+8613800138002,listed@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("UPDATED", vec!["NAME_CHANGED"]));
    let lin = app.admin().find("lin.wei").await;
    let held = (&lin["alias"], &lin["mobile"], &lin["email"]);
    assert_eq!(held, (&json!("Wei"), &json!("+8613900139001"), &json!("wei@demo.example")));
}

async fn a_blank_never_erases(database: Database) {
    let app = start(database, LISTED).await;
    let before = app.admin().find("lin").await;
    app.write_directory("hr", &["u-1,lin,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 1)]);
    assert_eq!(app.admin().find("lin").await, before);

    std::fs::write(app.path("hr.csv"), "external_id,name\nu-1,lin\n").unwrap();
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    let after = app.admin().find("lin").await;
    assert_eq!((&after["mobile"], &after["email"]), (&before["mobile"], &before["email"]), "nor does a missing column");
}

async fn a_field_that_was_blank_is_seeded_when_the_directory_fills_it_and_only_then(database: Database) {
    let app = start(database, "u-1,lin,,,,,").await;
    app.write_directory("hr", &["u-1,lin,,,,+8613800138001,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("UPDATED", vec!["MOBILE_SEEDED"]));
    let lin = app.admin().find("lin").await;
    assert_eq!(lin["mobile"], "+8613800138001");
    assert_eq!(channel(&lin, "SMS")["status"], "UNSUBSCRIBED");
    assert_eq!(channel(&lin, "VOICE")["status"], "UNSUBSCRIBED");

    app.write_directory("hr", &["u-1,lin,,,,+8613800138002,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 1)]);
    assert_eq!(app.admin().find("lin").await["mobile"], "+8613800138001", "what was sown once is not sown again");
}
