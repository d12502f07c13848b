//! What entries say, and that they stay.

use rollcall::domain::actor::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{changes, newest, run, wanted};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    an_edit_is_told_masked_with_before_and_after
    a_bulk_mutation_leaves_one_entry_for_each_engineer
    what_was_refused_changes_nothing_and_is_told
    an_entry_can_not_be_changed_and_loses_what_it_says_of_the_erased
    entries_are_found_by_what_they_say
    an_account_sees_only_its_own_entries
}

const WEBHOOK: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

async fn an_edit_is_told_masked_with_before_and_after(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("canary.lin", json!({ "mobile": "+8613800138001", "alias": "Canary" })).await;
    let edit = json!({ "mobile": "+8613800148001", "email": "canary@demo.example", "alias": null,
        "endpoints": [{ "kind": "DINGTALK", "value": WEBHOOK, "secret": "SECcanarycanarycanary" }] });
    admin.update(&lin, edit).await;
    let other_secret = json!({ "endpoints": [{ "kind": "DINGTALK", "secret": "SECcanaryofanother" }] });
    admin.update(&lin, other_secret).await;
    let mut entries = newest(&app, 3).await;
    assert_eq!(changes(&entries.remove(0)), json!({ "DINGTALK.secret": ["set", "replaced"] }));
    assert_eq!(
        changes(&entries[0]),
        json!({
            "alias": ["C***", null],
            "mobile": ["+86 138****8001", "+86 138****8001"],
            "email": [null, "c***@demo.example"],
            "EMAIL": ["NOT_CONFIGURED", "REQUESTED"],
            "DINGTALK": ["NOT_CONFIGURED", "NOT_REQUIRED"],
            "DINGTALK.endpoint": [null, "https://oapi.dingtalk.com/…cdef"],
            "DINGTALK.secret": [null, "set"],
        })
    );
    let added = changes(&entries[1]);
    assert_eq!(added["name"], json!([null, "c***"]));
    assert_eq!(added["SMS"], json!([null, "REQUESTED"]));
    let whole = json!(entries).to_string();
    for secret in ["canary.lin", "canary@", "Canary", "13800138001", "13800148001", "SECcanary", "0123456789abcdef"] {
        assert!(!whole.contains(secret), "{secret}");
    }
}

async fn a_bulk_mutation_leaves_one_entry_for_each_engineer(database: Database) {
    let app = TestApp::start(database).await;
    let mut ids = Vec::new();
    for name in ["lin", "wang", "chen"] {
        ids.push(app.admin().add(name, json!({ "email": format!("{name}@demo.example") })).await["id"].clone());
    }
    let unknown = json!("engineer:00000000000000000000000000000001");
    let given = json!([ids[0], ids[1], unknown, ids[2]]);
    for (field, input, entry) in [
        ("cancelChannels", json!({ "engineerIds": given }), "CANCEL_CHANNELS"),
        ("deleteEngineers", json!({ "ids": given }), "DELETE_ENGINEERS"),
        ("restoreEngineers", json!({ "ids": given }), "RESTORE_ENGINEERS"),
    ] {
        assert_eq!(run(&app.admin(), field, input).await["userErrors"], json!([]));
        let entries = newest(&app, 4).await;
        let of = |id: &Value| entries.iter().find(|entry| entry["targetId"] == *id).expect("an entry");
        assert!(entries.iter().all(|it| it["action"] == entry), "{field}");
        assert!(ids.iter().all(|id| of(id)["outcome"] == "DONE"), "{field}");
        assert_eq!(of(&unknown)["errorCode"], "NOT_FOUND", "{field}");
    }
    let nobody = json!({ "filter": { "search": "nobody has this name" } });
    run(&app.admin(), "subscribeChannels", nobody).await;
    let entry = newest(&app, 1).await.remove(0);
    assert_eq!((&entry["action"], &entry["targetId"]), (&json!("SUBSCRIBE_CHANNELS"), &Value::Null));
    assert_eq!(changes(&entry), json!({ "count": [null, "0"] }));
}

async fn what_was_refused_changes_nothing_and_is_told(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({})).await;
    let payload = app.admin().try_update(&lin, json!({ "mobile": "12", "version": 7 })).await;
    assert_eq!(payload["userErrors"][0]["code"], "INVALID_PHONE_NUMBER");
    let entry = newest(&app, 1).await.remove(0);
    assert_eq!((&entry["outcome"], &entry["errorCode"]), (&json!("REFUSED"), &json!("INVALID_PHONE_NUMBER")));
    assert_eq!((&entry["targetId"], &entry["changes"]), (&lin["id"], &json!([])));
    let export = app.caller(Role::Viewer).request(reqwest::Method::GET, "/export").send().await.unwrap();
    assert_eq!(export.status(), 403);
    let entry = newest(&app, 1).await.remove(0);
    assert_eq!((&entry["action"], &entry["errorCode"]), (&json!("EXPORT_ENGINEERS"), &json!("FORBIDDEN")));
}

async fn an_entry_can_not_be_changed_and_loses_what_it_says_of_the_erased(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({ "mobile": "+8613800138001" })).await;
    let connection = app.app.services.store().migration_connection();
    for statement in [
        "UPDATE audit_entry SET actor_subject = 'nobody'",
        "UPDATE audit_entry SET outcome = 'REFUSED', masked_before = NULL, masked_after = NULL, reason = NULL",
        "UPDATE audit_entry SET masked_after = '{}'",
    ] {
        let error = connection.execute_unprepared(statement).await.expect_err(statement);
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let before = newest(&app, 1).await.remove(0);
    assert_eq!(changes(&before)["mobile"], json!([null, "+86 138****8001"]));
    run(&app.admin(), "deleteEngineers", json!({ "ids": [lin["id"]], "eraseNow": true })).await;
    let entries = newest(&app, 2).await;
    assert_eq!(changes(&entries[0]), json!({ "deleted": [null, "true"], "erased": [null, "true"] }));
    let mut expected = before;
    expected["changes"] = json!([]);
    assert_eq!(entries[1], expected, "that it was done stays");
}

async fn entries_are_found_by_what_they_say(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({})).await["id"].clone();
    let begin = newest(&app, 1).await[0]["occurredAt"].clone();
    app.clock.advance(chrono::Duration::hours(1));
    run(&app.caller(Role::Viewer), "updateEngineer", json!({ "id": lin, "alias": "Lin" })).await;
    run(&app.admin(), "updateEngineer", json!({ "id": lin, "alias": "Lin" })).await;
    let newest = newest(&app, 1).await.remove(0);
    let admin = app.admin();
    for (filter, count) in [
        (json!({}), 3),
        (json!({ "actionIn": ["UPDATE_ENGINEER"] }), 2),
        (json!({ "actionIn": [] }), 0),
        (json!({ "outcome": "REFUSED" }), 1),
        (json!({ "actorSubject": "tester", "outcome": "DONE" }), 2),
        (json!({ "actorSubject": "another" }), 0),
        (json!({ "targetId": lin }), 3),
        (json!({ "targetId": "engineer:1" }), 0),
        (json!({ "requestId": newest["requestId"] }), 1),
        (json!({ "from": newest["occurredAt"] }), 2),
        (json!({ "from": begin, "until": newest["occurredAt"] }), 1),
    ] {
        assert_eq!(wanted(&admin, filter.clone()).await.len(), count, "{filter}");
    }
    let by_pages = "query($after: String) { auditLog(first: 2, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id } } }";
    let first = admin.data(by_pages, json!({})).await["auditLog"].clone();
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    let rest = admin.data(by_pages, json!({ "after": first["pageInfo"]["endCursor"] })).await["auditLog"].clone();
    assert_eq!(rest["nodes"].as_array().unwrap().len(), 1);
    let by_id = "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }";
    assert_eq!(admin.data(by_id, json!({ "id": newest["id"] })).await["node"]["action"], "UPDATE_ENGINEER");
    let bad = "{ auditLog(filter: { requestId: \"x\" }) { totalCount } }";
    assert_eq!(admin.error(bad, json!({})).await, "BAD_USER_INPUT");
}

async fn an_account_sees_only_its_own_entries(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({})).await["id"].clone();
    let id = newest(&app, 1).await[0]["id"].clone();
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    assert_eq!(wanted(&other, json!({})).await, Vec::<Value>::new());
    let document = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(other.data(document, json!({ "id": id })).await["node"], Value::Null);
    run(&other, "updateEngineer", json!({ "id": lin, "alias": "Lin" })).await;
    assert_eq!(newest(&app, 1).await[0]["id"], id, "what others try is in their own log");
    let tried = wanted(&other, json!({})).await;
    assert_eq!((tried.len(), &tried[0]["errorCode"]), (1, &json!("NOT_FOUND")));
}
