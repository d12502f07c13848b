//! Plan, then apply: who is added, updated and unchanged, and why.

use serde_json::json;

use super::steps::{assert_counts, changes_since, cursor, names, outcome, roll, sync, texts, write};
use crate::harness::{
    app::{Database, HEADER, TestApp, channel},
    both_dbs,
};

both_dbs! {
    a_first_sync_adds_everyone_and_asks_nobody
    a_dry_run_changes_nobody_and_gives_the_plan_that_the_run_then_applies
    the_directory_owns_name_state_type_and_identity_provider
    a_listing_that_says_nothing_new_changes_nothing
    a_bad_row_is_refused_with_its_line_and_an_unknown_column_is_told_while_the_good_ones_go_on
    a_value_that_is_not_valid_is_left_out_with_a_reason_and_its_person_counts_once
    the_runs_are_kept_newest_first_with_who_asked
}

async fn a_first_sync_adds_everyone_and_asks_nobody(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory(
        "hr",
        &[
            "u-1,lin.wei,林薇,IAM_USER,active,13800138001,Lin.Wei@Demo.Example",
            "u-2,anna.berg,,IAM_USER_SSO,disabled,,anna@demo.example",
            "u-3,no.contact,,,,,",
        ],
    );
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!((&run["state"], &run["failureCode"]), (&json!("SUCCEEDED"), &json!(null)));
    assert_eq!((&run["dryRun"], &run["requestedBy"]), (&json!(false), &json!("tester")));
    assert_counts(&run, &[("added", 3)]);
    assert_eq!(run["counts"]["done"], 3);
    assert_eq!(outcome(&run, "u-1"), ("ADDED", vec![]));

    let lin = app.admin().find("lin.wei").await;
    assert_eq!(run["outcomes"][0]["engineerId"], lin["id"]);
    assert_eq!((&lin["directory"], &lin["externalId"], &lin["alias"]), (&json!("hr"), &json!("u-1"), &json!("林薇")));
    assert_eq!((&lin["mobile"], &lin["email"]), (&json!("+8613800138001"), &json!("Lin.Wei@demo.example")));
    assert_eq!((&lin["directoryState"], &lin["userType"]), (&json!("ACTIVE"), &json!("IAM_USER")));
    for kind in ["SMS", "VOICE", "EMAIL"] {
        assert_eq!(channel(&lin, kind)["status"], "UNSUBSCRIBED", "{kind}");
        assert_eq!(channel(&lin, kind)["subscribable"], true, "{kind}");
    }
    let anna = app.admin().find("anna.berg").await;
    assert_eq!((&anna["directoryState"], &anna["userType"]), (&json!("DISABLED"), &json!("IAM_USER_SSO")));
    assert_eq!((&anna["subscribable"], &anna["reachability"]), (&json!(false), &json!("UNREACHABLE")));
    let nobody = app.admin().find("no.contact").await;
    assert_eq!(channel(&nobody, "SMS")["status"], "NOT_CONFIGURED");
    assert_eq!(app.outbox().await.len(), 0, "a directory asks nobody");
}

async fn a_dry_run_changes_nobody_and_gives_the_plan_that_the_run_then_applies(database: Database) {
    let app = TestApp::start(database).await;
    let mut rows: Vec<_> = (1..=10).map(|i| format!("u-{i},person.{i},,,,,")).collect();
    write(&app, "hr", &rows);
    app.sync("hr", json!({})).await;
    let before = roll(&app).await;

    rows.remove(9);
    rows.push("u-11,newcomer,,,,,".to_owned());
    rows[0] = "u-1,renamed,,,disabled,,".to_owned();
    rows[1] = "u-2,person.2,Two,,,,two@demo.example".to_owned();
    write(&app, "hr", &rows);
    let since = cursor(&app).await;
    let expected = [("added", 1), ("updated", 2), ("gone", 1), ("unchanged", 7)];
    let planned = sync(&app, &app.admin(), json!({ "directory": "hr", "dryRun": true })).await;
    assert_eq!((&planned["state"], &planned["dryRun"]), (&json!("SUCCEEDED"), &json!(true)));
    assert_counts(&planned, &expected);
    assert_eq!(outcome(&planned, "u-1"), ("UPDATED", vec!["STATE_CHANGED", "NAME_CHANGED"]));
    assert_eq!(outcome(&planned, "u-2"), ("UPDATED", vec!["ALIAS_SEEDED", "EMAIL_SEEDED"]));
    assert_eq!(outcome(&planned, "u-11"), ("ADDED", vec![]));
    assert_eq!(roll(&app).await, before, "a dry run changes nobody");

    let applied = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&applied, &expected);
    assert_eq!(applied["counts"]["done"], 11);
    let reasons = |run: &serde_json::Value| -> Vec<_> {
        let outcomes = run["outcomes"].as_array().unwrap();
        outcomes.iter().map(|one| (one["outcome"].clone(), one["externalId"].clone(), one["reasons"].clone())).collect()
    };
    assert_eq!(reasons(&planned), reasons(&applied));
    let gone = &applied["outcomes"][3];
    assert_eq!((&gone["outcome"], texts(&gone["reasons"])), (&json!("GONE"), vec!["NOT_LISTED"]));
    assert_eq!(gone["engineerId"], app.admin().find("person.10").await["id"]);
    let changes = changes_since(&app, &since).await;
    assert_eq!(changes.len(), 1, "the run's one chunk, and nothing of the dry run: {changes:?}");
    assert_eq!(changes[0]["directorySync"]["id"], applied["id"]);
}

async fn the_directory_owns_name_state_type_and_identity_provider(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin.wei,Lin,IAM_USER,active,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin.wei").await;
    edit(&app, &lin).await;

    std::fs::write(
        app.path("hr.csv"),
        "external_id,name,alias,user_type,state,identity_provider\nu-1,lin.fang,Other,IAM_USER_SSO,disabled,okta\n",
    )
    .unwrap();
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    let reasons = vec!["STATE_CHANGED", "NAME_CHANGED", "USER_TYPE_CHANGED", "IDENTITY_PROVIDER_CHANGED"];
    assert_eq!(outcome(&run, "u-1"), ("UPDATED", reasons));
    let renamed = app.admin().find("lin.fang").await;
    assert_eq!(renamed["id"], lin["id"]);
    assert_eq!((&renamed["directoryState"], &renamed["userType"]), (&json!("DISABLED"), &json!("IAM_USER_SSO")));
    assert_eq!(renamed["alias"], "Lin the Second", "an alias is a person's once it was set");
    let query = "query($id: ID!) { engineer(id: $id) { identityProvider externalId } }";
    let data = app.admin().data(query, json!({ "id": lin["id"] })).await;
    assert_eq!(data["engineer"], json!({ "identityProvider": "okta", "externalId": "u-1" }));
}

async fn edit(app: &TestApp, lin: &serde_json::Value) {
    super::steps::edit(app, lin, json!({ "alias": "Lin the Second" })).await;
}

async fn a_listing_that_says_nothing_new_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin.wei,Lin,IAM_USER,active,+8613800138001,lin@demo.example", "u-2,wu,,,,,"]);
    app.sync("hr", json!({})).await;
    let before = roll(&app).await;
    let since = cursor(&app).await;
    app.clock.advance(chrono::Duration::hours(1));
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("unchanged", 2)]);
    assert_eq!(run["counts"]["done"], 2);
    assert_eq!(roll(&app).await, before);
    assert_eq!(changes_since(&app, &since).await, Vec::<serde_json::Value>::new());
}

async fn a_bad_row_is_refused_with_its_line_and_an_unknown_column_is_told_while_the_good_ones_go_on(
    database: Database,
) {
    let app = TestApp::start(database).await;
    let text = format!(
        "\u{FEFF}{HEADER},shoe size\n\
         u-1,lin,,,,,,44\n\
         u-2,,,,,,,\n\
         u-3,wu,,,perhaps,,,\n\
         u-1,again,,,,,,\n\
         ,nobody,,,,,,\n\
         u-4,he\n\
         u-5,zhao,,,,,,\n"
    );
    std::fs::write(app.path("hr.csv"), text).unwrap();
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_eq!(run["unknownFields"], json!(["shoe size"]));
    assert_counts(&run, &[("added", 2), ("skipped", 5)]);
    let refused: Vec<_> = run["outcomes"].as_array().unwrap()[..5]
        .iter()
        .map(|one| (one["line"].as_i64().unwrap(), one["externalId"].as_str(), texts(&one["reasons"]), &one["field"]))
        .collect();
    let expected = [
        (3, Some("u-2"), vec!["MISSING_VALUE"], &json!("name")),
        (4, Some("u-3"), vec!["INVALID_VALUE"], &json!("state")),
        (5, Some("u-1"), vec!["DUPLICATE"], &json!("external_id")),
        (6, None, vec!["MISSING_VALUE"], &json!("external_id")),
        (7, Some("u-4"), vec!["WRONG_FIELD_COUNT"], &json!(null)),
    ];
    assert_eq!(refused, expected);
    assert_eq!(names(&app).await, ["lin", "zhao"]);
}

async fn a_value_that_is_not_valid_is_left_out_with_a_reason_and_its_person_counts_once(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,12,not an address", "u-2,wu,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("added", 2)]);
    assert_eq!(outcome(&run, "u-1"), ("ADDED", vec!["INVALID_PHONE_NUMBER", "INVALID_EMAIL_ADDRESS"]));
    let lin = app.admin().find("lin").await;
    assert_eq!((&lin["mobile"], &lin["email"]), (&json!(null), &json!(null)));

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 1), ("skipped", 1)]);
    assert_eq!(run["counts"]["done"], 2);
    assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["INVALID_PHONE_NUMBER", "INVALID_EMAIL_ADDRESS"]));

    app.write_directory("hr", &["u-1,lin,,,,12,lin@demo.example", "u-2,wu,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("UPDATED", vec!["EMAIL_SEEDED", "INVALID_PHONE_NUMBER"]));
}

async fn the_runs_are_kept_newest_first_with_who_asked(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,"]);
    let first = sync(&app, &app.admin(), json!({ "directory": "hr", "dryRun": true })).await;
    app.clock.advance(chrono::Duration::seconds(1));
    let second = sync(&app, &app.admin(), json!({ "directory": "hr", "confirmRemovals": true })).await;
    let data = app
        .admin()
        .data("{ directorySyncs(first: 10) { totalCount nodes { id state confirmRemovals finishedAt } } }", json!({}))
        .await;
    let runs = &data["directorySyncs"];
    assert_eq!(runs["totalCount"], 2);
    assert_eq!((&runs["nodes"][0]["id"], &runs["nodes"][1]["id"]), (&second["id"], &first["id"]));
    assert_eq!(runs["nodes"][0]["confirmRemovals"], true);
    assert_eq!(runs["nodes"][0]["finishedAt"], "2025-01-15T08:09:11.000Z");
}
