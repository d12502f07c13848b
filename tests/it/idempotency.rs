//! Mutations that are sent again under the same idempotencyKey are done once and answered again.

mod subscribing;

use chrono::Duration;
use entity::idempotency_key;
use futures_util::future::join_all;
use rollcall::{auth::NewToken, domain::actor::Role, domain::clock::Clock as _};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};

use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
    roll::status,
};

both_dbs! {
    a_person_is_added_once_however_often_the_same_is_sent
    the_same_sent_ten_times_at_once_is_done_once
    a_key_with_another_input_is_refused_and_each_caller_has_keys_of_their_own
    what_was_refused_is_not_remembered
    a_key_holds_for_24_hours_and_is_then_forgotten
    an_edit_is_made_once_and_does_not_undo_what_came_after
    one_run_is_queued_under_a_key
    a_key_of_the_wrong_form_is_refused
    an_api_key_is_made_once_and_its_text_is_not_told_again
}

const ADD: &str = "mutation($input: AddEngineerInput!) { addEngineer(input: $input) {
    engineer { id alias } userErrors { code field } } }";
const SYNC: &str = "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) {
    directorySync { id state } userErrors { code field } } }";

/// Runs a mutation. Gives its payload.
async fn run(caller: &Caller<'_>, mutation: &str, input: Value) -> Value {
    let data = caller.data(mutation, json!({ "input": input })).await;
    data.as_object().expect("data").values().next().expect("a payload").clone()
}

fn lin(key: &str) -> Value {
    json!({ "name": "lin", "userType": "OTHER", "mobile": "+86 138 0013 8000", "idempotencyKey": key })
}

/// Another administrator.
fn other_admin(app: &TestApp) -> Caller<'_> {
    let token = NewToken {
        subject: "another".to_owned(),
        account: "demo".parse().expect("an account"),
        roles: vec![Role::Admin],
        engineer: None,
        expires_at: app.clock.now() + Duration::days(30),
    };
    app.caller_with(app.app.issue_token(&token).expect("a token"))
}

fn reused() -> Value {
    json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "field": ["idempotencyKey"] }])
}

/// The rows that keys left behind.
async fn kept(app: &TestApp) -> Vec<idempotency_key::Model> {
    idempotency_key::Entity::find().all(app.database()).await.expect("the keys")
}

async fn a_person_is_added_once_however_often_the_same_is_sent(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let first = run(&admin, ADD, lin("k-1")).await;
    assert_eq!(first["userErrors"], json!([]));
    admin.update(&first["engineer"], json!({ "alias": "Lin" })).await;
    let again = run(&admin, ADD, lin("k-1")).await;
    let expected = json!({ "engineer": { "id": first["engineer"]["id"], "alias": "Lin" }, "userErrors": [] });
    assert_eq!(again, expected, "the same person, as they are now");
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 2, "one message by SMS and one by voice");

    let in_the_document = "mutation { addEngineer(input: { idempotencyKey: \"k-1\", mobile: \"+86 138 0013 8000\",
        userType: OTHER, name: \"lin\" }) { engineer { id alias } userErrors { code field } } }";
    assert_eq!(admin.data(in_the_document, json!({})).await["addEngineer"], expected, "however it is written");

    admin.delete(&first["engineer"]).await;
    let gone = run(&admin, ADD, lin("k-1")).await;
    assert_eq!(gone, json!({ "engineer": null, "userErrors": [] }), "it was done, and they are gone since");
    let anew = run(&admin, ADD, lin("k-2")).await;
    assert_ne!(anew["engineer"]["id"], first["engineer"]["id"]);
}

async fn the_same_sent_ten_times_at_once_is_done_once(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let answers = join_all((0..10).map(|_| run(&admin, ADD, lin("at once")))).await;
    assert!(answers[0]["engineer"]["id"].is_string(), "{}", answers[0]);
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    let found = admin.data("{ engineers { totalCount } }", json!({})).await;
    assert_eq!(found["engineers"]["totalCount"], 1);
}

async fn a_key_with_another_input_is_refused_and_each_caller_has_keys_of_their_own(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let first = run(&admin, ADD, lin("k")).await["engineer"]["id"].clone();
    let others = [
        json!({ "name": "wang" }),
        json!({ "mobile": "+86 138 0013 8001" }),
        json!({ "alias": null }),
        json!({ "endpoints": [] }),
    ];
    for other in others {
        let mut input = lin("k");
        input.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        assert_eq!(run(&admin, ADD, input).await["userErrors"], reused(), "{other}");
    }
    let wang = json!({ "name": "wang", "userType": "OTHER", "idempotencyKey": "k" });
    let by_another = run(&other_admin(&app), ADD, wang).await;
    assert_eq!(by_another["userErrors"], json!([]), "another caller's key is another key");
    let elsewhere = app.caller_with(app.token("other", &[Role::Admin], None));
    let there = run(&elsewhere, ADD, lin("k")).await["engineer"]["id"].clone();
    assert!(there.is_string() && there != first, "so is that of another account");
    let update =
        app.admin().try_update(&json!({ "id": first }), json!({ "alias": "Lin", "idempotencyKey": "k" })).await;
    assert_eq!(update["userErrors"], json!([]), "and that of another mutation");
}

async fn what_was_refused_is_not_remembered(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let mut wrong = lin("k");
    wrong["mobile"] = "12".into();
    assert_eq!(run(&admin, ADD, wrong).await["userErrors"][0]["code"], "INVALID_PHONE_NUMBER");
    assert_eq!(run(&admin, ADD, lin("k")).await["userErrors"], json!([]));
    assert_eq!(run(&admin, ADD, lin("other")).await["userErrors"][0]["code"], "ALREADY_EXISTS");
    assert_eq!(kept(&app).await.len(), 1);
}

async fn a_key_holds_for_24_hours_and_is_then_forgotten(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let first = run(&admin, ADD, lin("a key with +8613800138000 in it")).await;
    let hidden = ["13800138000", "138 0013", "a key", "lin", "tester"];
    let row = format!("{:?}", kept(&app).await);
    assert!(hidden.iter().all(|secret| !row.contains(secret)), "{row}");

    app.clock.advance(Duration::hours(24) - Duration::milliseconds(1));
    assert_eq!(run(&admin, ADD, lin("a key with +8613800138000 in it")).await["engineer"], first["engineer"]);
    app.run_workers().await;
    assert_eq!(kept(&app).await.len(), 1);
    app.clock.advance(Duration::milliseconds(1));
    let anew = run(&admin, ADD, lin("a key with +8613800138000 in it")).await;
    assert_eq!(anew["userErrors"][0]["code"], "ALREADY_EXISTS", "it is done anew");
    app.run_workers().await;
    assert_eq!(kept(&app).await, []);
}

async fn an_edit_is_made_once_and_does_not_undo_what_came_after(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin", json!({})).await;
    let edit = json!({ "version": 0, "email": "lin@demo.example", "idempotencyKey": "edit" });
    let first = admin.update(&lin, edit.clone()).await;
    assert_eq!((&first["version"], status(&first, "EMAIL")), (&json!(1), "REQUESTED"));
    admin.update(&lin, json!({ "email": null })).await;
    let again = admin.try_update(&lin, edit).await;
    assert_eq!(again["userErrors"], json!([]), "no VERSION_CONFLICT: it was made");
    assert_eq!((&again["engineer"]["version"], &again["engineer"]["email"]), (&json!(2), &Value::Null));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 0, "nobody is asked for what was cleared");
}

async fn one_run_is_queued_under_a_key(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,OTHER,active,,"]);
    let admin = app.admin();
    let input = json!({ "directory": "hr", "idempotencyKey": "today" });
    let answers = join_all((0..5).map(|_| run(&admin, SYNC, input.clone()))).await;
    assert!(answers.iter().all(|answer| answer["directorySync"]["id"] == answers[0]["directorySync"]["id"]));
    app.run_workers().await;
    let later = run(&admin, SYNC, input).await;
    assert_eq!(later["directorySync"], json!({ "id": answers[0]["directorySync"]["id"], "state": "SUCCEEDED" }));
    let dry = run(&admin, SYNC, json!({ "directory": "hr", "dryRun": true, "idempotencyKey": "today" })).await;
    assert_eq!(dry["userErrors"], reused());
    let runs = admin.data("{ directorySyncs { totalCount } }", json!({})).await;
    assert_eq!(runs["directorySyncs"]["totalCount"], 1);
}

async fn an_api_key_is_made_once_and_its_text_is_not_told_again(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
        apiKey { id label state } key userErrors { code field } } }";
    let input = json!({ "label": "wall", "role": "VIEWER", "idempotencyKey": "wall of hall 2" });
    let first = run(&admin, create, input.clone()).await;
    let text = first["key"].as_str().expect("a key").to_owned();
    assert!(!format!("{:?}", kept(&app).await).contains(&text[4..]), "it is not stored");
    let again = run(&admin, create, input.clone()).await;
    assert_eq!(again, json!({ "apiKey": first["apiKey"], "key": null, "userErrors": [] }));
    let mut other = input;
    other["role"] = "ADMIN".into();
    assert_eq!(run(&admin, create, other).await["userErrors"], reused());
    let listed = admin.data("{ apiKeys { totalCount } }", json!({})).await;
    assert_eq!(listed["apiKeys"]["totalCount"], 1);
}

async fn a_key_of_the_wrong_form_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let wrong =
        [(String::new(), "INVALID_VALUE"), ("a\u{0}b".to_owned(), "INVALID_VALUE"), ("钥".repeat(256), "TOO_LONG")];
    for (key, code) in wrong {
        let expected = json!([{ "code": code, "field": ["idempotencyKey"] }]);
        assert_eq!(run(&admin, ADD, lin(&key)).await["userErrors"], expected, "{key:?}");
        let sync = run(&admin, SYNC, json!({ "directory": "hr", "idempotencyKey": key })).await;
        assert_eq!(sync["userErrors"], expected, "{key:?}");
    }
    for good in ["钥".repeat(255), "' OR 1=1 --".to_owned()] {
        let name = format!("person {}", good.len());
        let input = json!({ "name": name, "userType": "OTHER", "idempotencyKey": good });
        assert_eq!(run(&admin, ADD, input).await["userErrors"], json!([]));
    }
    let mut without = lin("k");
    without["idempotencyKey"] = Value::Null;
    assert_eq!(run(&admin, ADD, without.clone()).await["userErrors"], json!([]));
    assert_eq!(run(&admin, ADD, without).await["userErrors"][0]["code"], "ALREADY_EXISTS", "null is no key");
}
