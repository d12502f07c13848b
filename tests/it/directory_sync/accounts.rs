//! Accounts know nothing of each other.

use rollcall::domain::actor::Role;
use serde_json::json;

use super::steps::{assert_counts, changes_since, cursor, find_run, queue, roll, roll_of, sync};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    the_same_person_in_two_accounts_is_two_people
    runs_and_people_of_another_account_read_as_unknown
}

async fn the_same_person_in_two_accounts_is_two_people(database: Database) {
    let app = TestApp::start(database).await;
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    let rows = ["u-1,lin,,,,+8613800138001,lin@demo.example", "u-2,wu,,,,,", "u-3,he,,,,,"];
    app.write_directory("hr", &rows);
    app.write_directory("other", &rows);
    app.sync("hr", json!({})).await;
    let before = roll(&app).await;
    let since = cursor(&app).await;

    // The account has one directory, which need not be named.
    let run = sync(&app, &other, json!({})).await;
    assert_counts(&run, &[("added", 3)]);
    app.write_directory("other", &["u-1,lin.renamed,,,disabled,,", "u-2,wu,,,,,"]);
    let run = sync(&app, &other, json!({ "confirmRemovals": true })).await;
    assert_counts(&run, &[("updated", 1), ("gone", 1), ("unchanged", 1)]);
    assert_eq!(roll(&app).await, before);
    assert_eq!(roll_of(&other).await.len(), 3);
    assert_eq!(changes_since(&app, &since).await.len(), 0, "nor does the log of the one tell of the other");
}

async fn runs_and_people_of_another_account_read_as_unknown(database: Database) {
    let app = TestApp::start(database).await;
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    app.write_directory("hr", &["u-1,lin,,,,,"]);
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    app.run_workers().await;
    assert_eq!(find_run(&app.admin(), &id).await["state"], "SUCCEEDED");
    let query = "query($id: ID!) { directorySync(id: $id) { id } directorySyncs(first: 5) { totalCount } }";
    let data = other.data(query, json!({ "id": id })).await;
    assert_eq!(data, json!({ "directorySync": null, "directorySyncs": { "totalCount": 0 } }));
    let mut socket = other.connect().await;
    let progress = socket
        .subscribe("subscription($id: ID!) { directorySyncProgress(id: $id) { state } }", json!({ "id": id }))
        .await;
    assert_eq!(socket.refusal(&progress).await, "BAD_USER_INPUT");

    let mutation = "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) { userErrors { code } } }";
    let data = other.data(mutation, json!({ "input": { "directory": "contractors" } })).await;
    assert_eq!(data["syncEngineers"]["userErrors"][0]["code"], "NOT_FOUND");
    let lin = app.admin().find("lin").await;
    let mutation = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id], eraseNow: true }) {
        deletedEngineerIds outcomes { userError { code } } } }";
    let data = other.data(mutation, json!({ "id": lin["id"] })).await["deleteEngineers"].clone();
    assert_eq!(data, json!({ "deletedEngineerIds": [], "outcomes": [{ "userError": { "code": "NOT_FOUND" } }] }));
    assert_eq!(app.admin().find("lin").await, lin);
}
