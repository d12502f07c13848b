//! `confirmChannel`: the code, typed in elsewhere than on the page.

use chrono::Duration;
use reqwest::StatusCode;
use rollcall::domain::{actor::Role, channel::ChannelKind, clock::Clock as _};
use serde_json::{Value, json};

use super::{EMAIL, ask, last_asked, status_of};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
    roll::{other_code, path_of, spaced, status},
};

both_dbs! {
    an_engineer_confirms_for_themself_and_nobody_else
    an_operator_confirms_what_a_person_reads_out
    each_refusal_of_a_code_has_its_own_name
    wrong_codes_count_on_the_page_and_elsewhere_together
}

/// Types a code that must be refused. Gives the refusal's code, field and parameters.
async fn refusal(caller: &Caller<'_>, engineer: &Value, channel: &str, code: &str) -> (String, Value, Value) {
    let payload = caller.confirm(engineer, channel, code).await;
    assert_eq!((&payload["engineer"], &payload["channel"]), (&Value::Null, &Value::Null), "{payload}");
    let error = &payload["userErrors"][0];
    assert!(!error["message"].as_str().unwrap().contains('{'), "{error}");
    (error["code"].as_str().unwrap().to_owned(), error["field"].clone(), error["params"].clone())
}

async fn an_engineer_confirms_for_themself_and_nobody_else(database: Database) {
    let app = TestApp::start(database).await;
    let lin = ask(&app, "lin.wei", EMAIL).await;
    let gao = ask(&app, "gao", "gao@demo.example").await;
    let caller = app.engineer(lin.person["id"].as_str().unwrap());
    let not_found = ("NOT_FOUND".to_owned(), json!(["engineerId"]));
    let (code, field, _) = refusal(&caller, &gao.person, "EMAIL", &gao.code).await;
    assert_eq!((code, field), not_found, "they do not learn that the other is there");
    let (code, field, _) = refusal(&app.caller(Role::Viewer), &gao.person, "EMAIL", &gao.code).await;
    assert_eq!((code.as_str(), field), ("NOT_ALLOWED", json!(["engineerId"])));

    let payload = caller.confirm(&lin.person, "EMAIL", &lin.code).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["channel"], json!({ "kind": "EMAIL", "status": "CONFIRMED" }));
    assert_eq!(status(&payload["engineer"], "EMAIL"), "CONFIRMED");
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL PENDING>CONFIRMED CODE");
    assert_eq!([status_of(&app, &lin).await, status_of(&app, &gao).await], ["CONFIRMED", "PENDING"]);
}

async fn an_operator_confirms_what_a_person_reads_out(database: Database) {
    let app = TestApp::start(database).await;
    let operator = app.caller(Role::Operator);
    let lin = operator.add("lin.wei", json!({ "mobile": "+8613800138001" })).await;
    app.run_workers().await;
    let sms = app.last_message("+8613800138001", ChannelKind::Sms).await;
    let voice = app.last_message("+8613800138001", ChannelKind::Voice).await;
    // The code of one channel is none of the other.
    let (code, ..) = refusal(&operator, &lin, "SMS", &other_code(&sms.code)).await;
    assert_eq!(code, "WRONG_CODE");
    app.clock.advance(Duration::minutes(3));
    let payload = operator.confirm(&lin, "VOICE", &spaced(&voice.code)).await;
    assert_eq!(payload["channel"]["status"], "CONFIRMED", "{payload}");
    assert_eq!(status(&operator.look(&lin).await, "SMS"), "PENDING");
    let record = app.links().await.into_iter().find(|link| link.answer.is_some()).unwrap();
    assert_eq!((record.kind.as_str(), record.answered_via.as_deref()), ("VOICE", Some("CODE")));
    assert_eq!(record.answered_at, Some(app.clock.now()));
    assert!(record.shown.unwrap().contains("tester"), "who typed it in is kept");
}

async fn each_refusal_of_a_code_has_its_own_name(database: Database) {
    let app = TestApp::start(database).await;
    let operator = app.caller(Role::Operator);
    let channel = json!(["channel"]);
    let lin = operator.add("lin.wei", json!({ "email": EMAIL })).await;
    let refused = async |channel: &str, code: &str| {
        let (name, field, _) = refusal(&operator, &lin, channel, code).await;
        (name, field)
    };
    assert_eq!(refused("EMAIL", "000000").await, ("IN_PROGRESS".to_owned(), channel.clone()));
    assert_eq!(refused("SMS", "000000").await, ("NO_ENDPOINT".to_owned(), channel.clone()));
    assert_eq!(refused("LARK", "000000").await, ("NOT_NEEDED".to_owned(), channel.clone()));
    let nobody = json!({ "id": "engineer:00000000000000000000000000000000" });
    for id in [nobody, json!({ "id": "no id at all" })] {
        let (name, field, _) = refusal(&operator, &id, "EMAIL", "000000").await;
        assert_eq!((name.as_str(), field), ("NOT_FOUND", json!(["engineerId"])));
    }

    app.run_workers().await;
    let asked = last_asked(&app, lin.clone(), EMAIL).await;
    let (name, field, params) = refusal(&operator, &lin, "EMAIL", &other_code(&asked.code)).await;
    assert_eq!((name.as_str(), field), ("WRONG_CODE", json!(["code"])));
    assert_eq!(params, json!([{ "name": "triesLeft", "value": "4" }]));
    app.clock.advance(Duration::hours(48));
    assert_eq!(refused("EMAIL", &asked.code).await, ("LINK_EXPIRED".to_owned(), channel.clone()), "before the worker");
    app.run_workers().await;
    assert_eq!(refused("EMAIL", &asked.code).await, ("LINK_EXPIRED".to_owned(), channel.clone()), "after it");

    operator.subscribe(&lin, "EMAIL").await.expect("a new message");
    app.run_workers().await;
    let asked = last_asked(&app, lin.clone(), EMAIL).await;
    operator.confirm(&lin, "EMAIL", &asked.code).await;
    assert_eq!(refused("EMAIL", &asked.code).await, ("ALREADY_CONFIRMED".to_owned(), channel.clone()));
    app.press_stop(&asked.path).await;
    assert_eq!(refused("EMAIL", &asked.code).await, ("OPTED_OUT".to_owned(), channel.clone()));
    operator.delete(&lin).await;
    let (name, ..) = refusal(&operator, &lin, "EMAIL", &asked.code).await;
    assert_eq!(name, "NOT_FOUND", "deleted");
}

async fn wrong_codes_count_on_the_page_and_elsewhere_together(database: Database) {
    let app = TestApp::start(database).await;
    let operator = app.caller(Role::Operator);
    let asked = ask(&app, "lin.wei", EMAIL).await;
    let themself = app.engineer(asked.person["id"].as_str().unwrap());
    let wrong = other_code(&asked.code);
    let mut left = Vec::new();
    for caller in [&operator, &themself, &operator] {
        let (name, _, params) = refusal(caller, &asked.person, "EMAIL", &wrong).await;
        assert_eq!(name, "WRONG_CODE");
        left.push(params[0]["value"].as_str().unwrap().to_owned());
    }
    assert_eq!(left, ["4", "3", "2"]);
    assert!(app.type_code(&asked.path, &wrong).await.body.contains("1 try is left"));
    for code in [&wrong, &asked.code] {
        let (name, field, _) = refusal(&themself, &asked.person, "EMAIL", code).await;
        assert_eq!((name.as_str(), field), ("TOO_MANY_TRIES", json!(["code"])));
    }
    assert_eq!(app.type_code(&asked.path, &asked.code).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status_of(&app, &asked).await, "PENDING");

    // Whoever got the message by mistake, or is being guessed at, can still say stop.
    let message = app.last_message(EMAIL, ChannelKind::Email).await;
    assert_eq!(app.press_stop(&path_of(&message.link)).await.status, StatusCode::OK);
    assert_eq!(status_of(&app, &asked).await, "CANCELLED");
}
