//! Deletion stops use at once; restoring brings all back.

use chrono::Duration;
use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{delete, delete_all, history, restore};
use crate::{
    directory_sync::steps::{answer, changes_since, confirm_email, cursor, edit, message_to, names, path_of},
    harness::{
        app::{Database, TestApp, channel},
        both_dbs,
    },
};

both_dbs! {
    a_deleted_person_is_hidden_at_once_and_one_change_tells_of_it
    the_link_of_a_deleted_person_changes_nothing
    nothing_is_handed_over_for_a_deleted_person_until_they_are_restored
    restoring_brings_everything_back
    a_link_that_died_meanwhile_expires_once_its_person_is_restored
    each_id_has_its_own_outcome_and_each_role_its_rights
}

async fn start(database: Database) -> (TestApp, Value) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,Lin,,,+8613800138001,lin@demo.example", "u-2,wu,,,,,wu@demo.example"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    (app, lin)
}

async fn a_deleted_person_is_hidden_at_once_and_one_change_tells_of_it(database: Database) {
    let (app, lin) = start(database).await;
    let themself = app.engineer(lin["id"].as_str().unwrap());
    assert_eq!(themself.find("lin").await["id"], lin["id"]);
    let since = cursor(&app).await;
    delete_all(&app, &[&lin], false).await;

    assert_eq!(names(&app).await, ["wu"]);
    let query = "query($id: ID!) { engineer(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id }
        rosterSummary { engineers } engineers(filter: { ids: [$id] }) { totalCount } }";
    let data = app.admin().data(query, json!({ "id": lin["id"] })).await;
    let nothing = json!({ "engineer": null, "node": null, "nodes": [null], "rosterSummary": { "engineers": 1 },
        "engineers": { "totalCount": 0 } });
    assert_eq!(data, nothing);
    let mutation = "mutation($id: ID!) {
        updateEngineer(input: { id: $id, alias: \"x\" }) { userErrors { code } }
        subscribeChannels(input: { engineerIds: [$id] }) { outcomes { userError { code } } } }";
    let data = app.admin().data(mutation, json!({ "id": lin["id"] })).await;
    assert_eq!(data["updateEngineer"]["userErrors"][0]["code"], "NOT_FOUND");
    for outcome in data["subscribeChannels"]["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["userError"]["code"], "NOT_FOUND");
    }
    let (status, _) = themself.execute("{ viewer { subject } }", json!({})).await;
    assert_eq!(status, 403, "their own token is of no use any more");
    let changes = changes_since(&app, &since).await;
    let expected = json!({ "kind": "DELETED", "engineerId": lin["id"], "count": null, "directorySync": null });
    assert_eq!(changes, [expected]);
}

async fn the_link_of_a_deleted_person_changes_nothing(database: Database) {
    let (app, lin) = start(database).await;
    edit(&app, &lin, json!({ "email": "new@demo.example" })).await;
    app.run_workers().await;
    let message = message_to(&app, "new@demo.example").await;
    delete_all(&app, &[&lin], false).await;
    let before = history(&app).await;

    let path = path_of(&message);
    let page = app.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(page.status(), 404);
    assert!(!page.text().await.unwrap().contains("demo.example"));
    assert_eq!(answer(&app, "new@demo.example").await, 404);
    assert_eq!(app.request(Method::POST, &format!("{path}/stop")).send().await.unwrap().status(), 404);
    assert_eq!(history(&app).await, before);
    restore(&app.admin(), &[&lin]).await;
    assert_eq!(channel(&app.admin().find("lin").await, "EMAIL")["status"], "PENDING");
    assert_eq!(answer(&app, "new@demo.example").await, 200, "the link lives again, and was not used up");
    assert_eq!(channel(&app.admin().find("lin").await, "EMAIL")["status"], "CONFIRMED");
}

async fn nothing_is_handed_over_for_a_deleted_person_until_they_are_restored(database: Database) {
    let (app, lin) = start(database).await;
    edit(&app, &lin, json!({ "mobile": "+8613900139001", "email": "new@demo.example" })).await;
    delete_all(&app, &[&lin], false).await;
    app.run_workers().await;
    app.clock.advance(Duration::hours(23));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 0);

    let restored = restore(&app.admin(), &[&lin]).await;
    assert_eq!(restored["engineers"], json!([{ "id": lin["id"], "name": "lin" }]));
    let back = app.admin().find("lin").await;
    for kind in ["SMS", "VOICE", "EMAIL"] {
        assert_eq!(channel(&back, kind)["status"], "REQUESTED", "{kind}");
    }
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 3);
    assert_eq!(channel(&app.admin().find("lin").await, "SMS")["status"], "PENDING");
}

async fn restoring_brings_everything_back(database: Database) {
    let (app, lin) = start(database).await;
    confirm_email(&app, &lin).await;
    let robot = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7a0b-4bc4-97a0-0ec2ab5a5aaa";
    edit(&app, &lin, json!({ "endpoints": [{ "kind": "WECOM", "value": robot }] })).await;
    // Past the resend limits, which come to an end whether one is deleted or not.
    app.clock.advance(Duration::hours(24));
    let before = app.admin().find("lin").await;
    let past = history(&app).await;
    delete_all(&app, &[&before], false).await;
    app.clock.advance(Duration::hours(12));
    app.run_workers().await;
    let since = cursor(&app).await;
    let restored = restore(&app.admin(), &[&lin]).await;
    assert_eq!(restored["outcomes"], json!([{ "engineerId": lin["id"], "userError": null }]));
    assert_eq!(app.admin().find("lin").await, before);
    assert_eq!(history(&app).await, past, "a deletion is no change of a status");
    let changes = changes_since(&app, &since).await;
    assert_eq!((changes.len(), &changes[0]["kind"]), (1, &json!("CREATED")));
    app.clock.advance(Duration::hours(48));
    app.run_workers().await;
    assert_eq!(app.admin().find("lin").await["id"], lin["id"], "who was restored is not erased");
}

async fn a_link_that_died_meanwhile_expires_once_its_person_is_restored(database: Database) {
    let (app, lin) = start(database).await;
    edit(&app, &lin, json!({ "email": "new@demo.example" })).await;
    app.run_workers().await;
    app.clock.advance(Duration::hours(40));
    delete_all(&app, &[&lin], false).await;
    let before = history(&app).await;
    app.clock.advance(Duration::hours(10));
    app.run_workers().await;
    assert_eq!(history(&app).await, before);
    restore(&app.admin(), &[&lin]).await;
    app.run_workers().await;
    assert_eq!(channel(&app.admin().find("lin").await, "EMAIL")["status"], "EXPIRED");
}

async fn each_id_has_its_own_outcome_and_each_role_its_rights(database: Database) {
    let (app, lin) = start(database).await;
    let nobody = json!({ "id": "engineer:00000000000000000000000000000001" });
    let nonsense = json!({ "id": "nonsense" });
    for caller in [app.caller(Role::Viewer), app.engineer(lin["id"].as_str().unwrap())] {
        let payload = delete(&caller, &[&lin], false).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED");
        let payload = restore(&caller, &[&lin]).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED");
    }
    assert_eq!(names(&app).await, ["lin", "wu"]);

    let operator = app.caller(Role::Operator);
    let payload = delete(&operator, &[&nobody, &lin, &nonsense], false).await;
    assert_eq!(payload["deletedEngineerIds"], json!([lin["id"]]));
    let codes = |payload: &Value| -> Vec<_> {
        let outcomes = payload["outcomes"].as_array().unwrap();
        outcomes.iter().map(|one| (one["engineerId"].clone(), one["userError"]["code"].clone())).collect()
    };
    let not_found = json!("NOT_FOUND");
    let expected = [
        (nobody["id"].clone(), not_found.clone()),
        (lin["id"].clone(), json!(null)),
        (nonsense["id"].clone(), not_found.clone()),
    ];
    assert_eq!(codes(&payload), expected);
    let again = delete(&operator, &[&lin], false).await;
    assert_eq!(codes(&again), [(lin["id"].clone(), not_found.clone())], "who is deleted is not there");
    let wu = app.admin().find("wu").await;
    let payload = restore(&operator, &[&wu, &lin]).await;
    assert_eq!(codes(&payload), [(wu["id"].clone(), not_found), (lin["id"].clone(), json!(null))]);
    assert_eq!(names(&app).await, ["lin", "wu"]);
}
