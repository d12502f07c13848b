//! Who is no longer listed.

use serde_json::{Value, json};

use super::steps::{answer, assert_counts, confirm_email, edit, message_to, outcome, people, roll, sync, texts, write};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

const LIN: &str = "u-lin,lin,,,,,lin@demo.example";

both_dbs! {
    who_is_gone_keeps_the_history_and_is_not_usable
    who_is_gone_is_not_subscribable_and_is_revived_on_return
    a_request_of_someone_gone_waits_and_goes_out_on_their_return
    more_than_20_percent_gone_stops_the_run_until_confirm_removals
    more_than_50_people_gone_stops_the_run_however_many_there_are
    nobody_is_gone_while_a_row_may_be_anyone
    a_person_whose_row_cannot_be_read_is_not_gone
}

/// A server on whose roll are Lin and that many others.
async fn start(database: Database, others: usize) -> (TestApp, Vec<String>) {
    let app = TestApp::start(database).await;
    let others = people(others);
    write(&app, "hr", &[&others[..], &[LIN.to_owned()]].concat());
    app.sync("hr", json!({})).await;
    (app, others)
}

async fn history(app: &TestApp) -> Value {
    let query = "{ statusChanges(first: 50) { totalCount nodes { id channel from to cause engineerId } } }";
    app.admin().data(query, json!({})).await["statusChanges"].clone()
}

async fn subscribe(app: &TestApp, who: &Value) -> Value {
    let query = "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) {
        outcomes { channel status userError { code } } userErrors { code } } }";
    let input = json!({ "engineerIds": [who["id"]], "channels": ["EMAIL"] });
    app.admin().data(query, json!({ "input": input })).await["subscribeChannels"].clone()
}

async fn who_is_gone_keeps_the_history_and_is_not_usable(database: Database) {
    let (app, others) = start(database, 9).await;
    let lin = app.admin().find("lin").await;
    confirm_email(&app, &lin).await;
    let lin = app.admin().find("lin").await;
    assert_eq!((&channel(&lin, "EMAIL")["usable"], &lin["reachability"]), (&json!(true), &json!("REACHABLE")));
    let before = history(&app).await;
    assert_eq!(before["totalCount"], 3);

    write(&app, "hr", &others);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("gone", 1), ("unchanged", 9)]);
    let gone = app.admin().find("lin").await;
    assert_eq!((&gone["id"], &gone["directoryState"]), (&lin["id"], &json!("GONE")));
    assert_eq!((&gone["email"], &gone["externalId"]), (&lin["email"], &json!("u-lin")));
    let email = channel(&gone, "EMAIL");
    assert_eq!((&email["status"], &email["usable"]), (&json!("CONFIRMED"), &json!(false)));
    assert_eq!((&gone["reachability"], &gone["subscribable"]), (&json!("UNREACHABLE"), &json!(false)));
    assert_eq!(history(&app).await, before);
}

async fn who_is_gone_is_not_subscribable_and_is_revived_on_return(database: Database) {
    let (app, others) = start(database, 9).await;
    let lin = app.admin().find("lin").await;
    confirm_email(&app, &lin).await;
    write(&app, "hr", &others);
    app.sync("hr", json!({})).await;
    edit(&app, &lin, json!({ "email": "new@demo.example" })).await;
    let gone = app.admin().find("lin").await;
    let email = channel(&gone, "EMAIL");
    assert_eq!((&email["status"], &email["subscribable"]), (&json!("UNSUBSCRIBED"), &json!(false)));
    assert_eq!(email["notSubscribableReason"], "ENGINEER_INACTIVE");
    let refused = subscribe(&app, &lin).await;
    assert_eq!(refused["outcomes"][0]["userError"]["code"], "ENGINEER_INACTIVE", "{refused}");
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 1, "only the message before");

    write(&app, "hr", &[&others[..], &[LIN.to_owned()]].concat());
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-lin"), ("UPDATED", vec!["REVIVED"]));
    let back = app.admin().find("lin").await;
    assert_eq!((&back["id"], &back["directoryState"]), (&lin["id"], &json!("ACTIVE")));
    assert_eq!((&back["email"], &back["subscribable"]), (&json!("new@demo.example"), &json!(true)));
}

async fn a_request_of_someone_gone_waits_and_goes_out_on_their_return(database: Database) {
    let (app, others) = start(database, 9).await;
    let lin = app.admin().find("lin").await;
    let asked = subscribe(&app, &lin).await;
    assert_eq!(asked["outcomes"][0]["status"], "REQUESTED");
    write(&app, "hr", &others);
    // The request goes nowhere: the sync is queued behind it, so it is done by its worker alone.
    let services = super::steps::Process::of(&app).services(&app);
    super::steps::queue(&app.admin(), json!({ "directory": "hr" })).await;
    assert!(services.run_due_directory_sync("sync alone").await.unwrap());
    app.run_workers().await;
    app.clock.advance(chrono::Duration::hours(1));
    app.run_workers().await;
    let gone = app.admin().find("lin").await;
    assert_eq!((&gone["directoryState"], &channel(&gone, "EMAIL")["status"]), (&json!("GONE"), &json!("REQUESTED")));
    assert_eq!(app.outbox().await.len(), 0);

    write(&app, "hr", &[&others[..], &[LIN.to_owned()]].concat());
    app.sync("hr", json!({})).await;
    app.run_workers().await;
    message_to(&app, "lin@demo.example").await;
    assert_eq!(answer(&app, "lin@demo.example").await, 200);
    assert_eq!(channel(&app.admin().find("lin").await, "EMAIL")["usable"], true);
}

async fn more_than_20_percent_gone_stops_the_run_until_confirm_removals(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(10));
    app.sync("hr", json!({})).await;
    let before = roll(&app).await;
    let mut listed = people(7);
    listed[0] = "u-1,renamed,,IAM_USER,active,,".to_owned();
    listed.push("u-99,newcomer,,,,,".to_owned());
    write(&app, "hr", &listed);

    let stopped = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(stopped["state"], "NEEDS_CONFIRMATION");
    assert_eq!(stopped["failureCode"], "REMOVALS_NEED_CONFIRMATION");
    assert!(stopped["failureMessage"].as_str().unwrap().starts_with("3 people would be gone"), "{stopped}");
    assert_counts(&stopped, &[("gone", 3), ("updated", 1), ("added", 1), ("unchanged", 6)]);
    assert_eq!(outcome(&stopped, "u-1"), ("UPDATED", vec!["NAME_CHANGED"]));
    let gone = stopped["outcomes"].as_array().unwrap().iter().filter(|one| one["outcome"] == "GONE");
    assert!(gone.clone().all(|one| texts(&one["reasons"]) == ["NOT_LISTED"]));
    assert_eq!(gone.count(), 3);
    assert_eq!(roll(&app).await, before, "nobody was changed, the others neither");

    let planned = sync(&app, &app.admin(), json!({ "directory": "hr", "dryRun": true })).await;
    assert_eq!(planned["state"], "NEEDS_CONFIRMATION", "the plan tells what the run would do");
    let done = sync(&app, &app.admin(), json!({ "directory": "hr", "confirmRemovals": true })).await;
    assert_eq!((&done["state"], &done["failureCode"]), (&json!("SUCCEEDED"), &json!(null)));
    assert_counts(&done, &[("gone", 3), ("updated", 1), ("added", 1), ("unchanged", 6)]);
    let states: Vec<_> = roll(&app).await.into_iter().filter(|one| one["directoryState"] == "GONE").collect();
    assert_eq!(states.len(), 3);

    // Two of the ten that are left are a fifth of them: not more.
    write(&app, "hr", &people(10));
    app.sync("hr", json!({ "confirmRemovals": true })).await;
    write(&app, "hr", &people(8));
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run:#}");
    assert_counts(&run, &[("gone", 2), ("unchanged", 8)]);
}

async fn more_than_50_people_gone_stops_the_run_however_many_there_are(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(300));
    app.sync("hr", json!({})).await;
    write(&app, "hr", &people(249));
    let stopped = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(stopped["state"], "NEEDS_CONFIRMATION");
    assert_counts(&stopped, &[("gone", 51), ("unchanged", 249)]);
    write(&app, "hr", &people(250));
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("gone", 50), ("unchanged", 250)]);
}

async fn nobody_is_gone_while_a_row_may_be_anyone(database: Database) {
    let (app, mut others) = start(database, 9).await;
    others[0] = "u-1,renamed,,IAM_USER,active,,".to_owned();
    write(&app, "hr", &[&others[..], &[",lin,,,,,".to_owned()]].concat());
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("updated", 1), ("unchanged", 8), ("skipped", 1)]);
    assert!(roll(&app).await.iter().all(|one| one["directoryState"] == "ACTIVE"));
}

async fn a_person_whose_row_cannot_be_read_is_not_gone(database: Database) {
    let (app, others) = start(database, 9).await;
    let bad = "u-lin,lin,,,perhaps,,".to_owned();
    write(&app, "hr", &[&others[..8], &[bad]].concat());
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("gone", 1), ("unchanged", 8), ("skipped", 1)]);
    assert_eq!(outcome(&run, "u-lin"), ("REFUSED", vec!["INVALID_VALUE"]));
    assert_eq!(app.admin().find("lin").await["directoryState"], "ACTIVE");
    assert_eq!(app.admin().find("person.009").await["directoryState"], "GONE");
}
