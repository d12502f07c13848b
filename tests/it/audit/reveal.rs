//! Contact data that is shown on the record.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{changes, newest, wanted};
use crate::harness::{
    app::{Caller, Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    an_admin_is_shown_a_contact_and_the_log_says_who_asked_and_why
    nothing_is_shown_without_the_right_a_reason_or_a_contact
    what_cannot_be_recorded_is_not_shown
    who_asks_too_often_is_shown_nothing
}

const REVEAL: &str = "mutation($input: RevealContactInput!) { revealContact(input: $input) {
    endpoint engineer { id } userErrors { code field params { name value } } } }";

async fn reveal(caller: &Caller<'_>, input: Value) -> Value {
    caller.data(REVEAL, json!({ "input": input })).await["revealContact"].clone()
}

async fn an_admin_is_shown_a_contact_and_the_log_says_who_asked_and_why(database: Database) {
    let app = TestApp::start(database).await;
    let contacts = json!({ "mobile": "+8613800138001", "email": "lin@demo.example" });
    let lin = app.admin().add("lin", contacts).await["id"].clone();
    for (channel, endpoint, masked) in [
        ("SMS", "+8613800138001", "+86 138****8001"),
        ("VOICE", "+8613800138001", "+86 138****8001"),
        ("EMAIL", "lin@demo.example", "l***@demo.example"),
    ] {
        let input = json!({ "engineerId": lin, "channel": channel, "reason": "  called about the outage " });
        let payload = reveal(&app.admin(), input).await;
        assert_eq!(payload, json!({ "endpoint": endpoint, "engineer": { "id": lin }, "userErrors": [] }));
        let entry = newest(&app, 1).await.remove(0);
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!("REVEAL_CONTACT"), &json!("DONE")));
        assert_eq!((&entry["targetId"], &entry["actor"]["subject"]), (&lin, &json!("tester")));
        assert_eq!(entry["reason"], "called about the outage");
        assert_eq!(changes(&entry), json!({ "channel": [null, channel], "endpoint": [null, masked] }));
    }
}

async fn nothing_is_shown_without_the_right_a_reason_or_a_contact(database: Database) {
    let app = TestApp::start(database).await;
    let webhook = "https://open.feishu.cn/open-apis/bot/v2/hook/01234567-0123-0123-0123-0123456789ab";
    let robot = json!({ "email": "lin@demo.example", "endpoints": [{ "kind": "LARK", "value": webhook }] });
    let lin = app.admin().add("lin", robot).await["id"].clone();
    let input = |channel: &str, reason: &str| json!({ "engineerId": lin, "channel": channel, "reason": reason });
    let too_long = "x".repeat(501);
    for (caller, input, code, field) in [
        (app.caller(Role::Viewer), input("EMAIL", "why"), "NOT_ALLOWED", "engineerId"),
        (app.caller(Role::Operator), input("EMAIL", "why"), "NOT_ALLOWED", "engineerId"),
        (app.engineer(lin.as_str().unwrap()), input("EMAIL", "why"), "NOT_ALLOWED", "engineerId"),
        (app.admin(), input("EMAIL", "  "), "INVALID_VALUE", "reason"),
        (app.admin(), input("EMAIL", &too_long), "TOO_LONG", "reason"),
        (app.admin(), input("EMAIL", "two\nlines"), "INVALID_VALUE", "reason"),
        (app.admin(), input("SMS", "why"), "NO_ENDPOINT", "channel"),
        (app.admin(), input("LARK", "why"), "INVALID_VALUE", "channel"),
    ] {
        let payload = reveal(&caller, input.clone()).await;
        let error = &payload["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!([field])), "{input}");
        assert_eq!((&payload["endpoint"], &payload["engineer"]), (&Value::Null, &Value::Null));
        let entry = newest(&app, 1).await.remove(0);
        assert_eq!((&entry["action"], &entry["errorCode"]), (&json!("REVEAL_CONTACT"), &json!(code)), "{input}");
        assert_eq!(entry["targetId"], lin);
    }
    let unknown =
        json!({ "engineerId": "engineer:00000000000000000000000000000001", "channel": "SMS", "reason": "why" });
    assert_eq!(reveal(&app.admin(), unknown).await["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(wanted(&app.admin(), json!({ "outcome": "REFUSED" })).await.len(), 9);
}

async fn what_cannot_be_recorded_is_not_shown(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({ "email": "canary@demo.example" })).await["id"].clone();
    app.run_sql("ALTER TABLE audit_entry RENAME TO audit_entry_away").await;
    let input = json!({ "engineerId": lin, "channel": "EMAIL", "reason": "why" });
    let (_, response) = app.admin().execute(REVEAL, json!({ "input": input })).await;
    assert!(response["errors"][0]["extensions"]["code"].is_string(), "{response}");
    assert!(!response.to_string().contains("canary"), "{response}");
}

async fn who_asks_too_often_is_shown_nothing(database: Database) {
    let config = "[rate_limits]\nenabled = true\nmutations_per_second = 1\nmutations_burst = 2".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    let lin = app.admin().add("lin", json!({ "email": "canary@demo.example" })).await["id"].clone();
    let input = json!({ "engineerId": lin, "channel": "EMAIL", "reason": "why" });
    assert_eq!(reveal(&app.admin(), input.clone()).await["endpoint"], "canary@demo.example");
    let (_, response) = app.admin().execute(REVEAL, json!({ "input": input })).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    assert!(!response.to_string().contains("canary"), "{response}");
}
