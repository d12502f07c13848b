//! Codes that are read out or typed in: what is refused, and what is left to try.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{
    bulk::{NOBODY, SUBSCRIBE, fill, run},
    each, text,
};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    wrong_codes_are_refused_with_what_is_left_to_try
    a_code_confirms_once_and_only_for_those_who_may
}

const CONFIRM: &str = "mutation($input: ConfirmChannelInput!) { confirmChannel(input: $input) {
    engineer { name } channel { status } userErrors { code field params { name value } } } }";

/// What was refused: code, field path, and the parameters' values.
type Refused = (String, Value, Vec<String>);

fn refused(code: &str, field: &str, params: &[&str]) -> Refused {
    (code.to_owned(), json!([field]), params.iter().map(|&param| param.to_owned()).collect())
}

/// Gives a code that must be refused.
async fn try_code(caller: &Caller<'_>, engineer: &Value, channel: &str, code: &str) -> Refused {
    let input = json!({ "engineerId": engineer, "channel": channel, "code": code });
    let payload = run(caller, CONFIRM, input).await;
    assert_eq!((&payload["engineer"], &payload["channel"]), (&json!(null), &json!(null)));
    let error = &payload["userErrors"][0];
    (text(&error["code"]), error["field"].clone(), each(&error["params"], "value"))
}

/// Asks lin on two channels. Gives the code of the mail.
async fn ask(app: &TestApp, lin: &Value) -> String {
    run(&app.admin(), SUBSCRIBE, json!({ "engineerIds": [lin], "channels": ["EMAIL", "SMS"] })).await;
    app.run_workers().await;
    let message = app.outbox().await.into_iter().find(|message| message.channel.name() == "EMAIL");
    message.expect("a message").code
}

async fn wrong_codes_are_refused_with_what_is_left_to_try(database: Database) {
    let app = TestApp::start(database).await;
    let (lin, _) = fill(&app).await;
    let admin = app.admin();
    assert_eq!(try_code(&admin, &lin, "EMAIL", "123456").await.0, "LINK_EXPIRED");
    assert_eq!(try_code(&admin, &lin, "LARK", "123456").await, refused("NOT_NEEDED", "channel", &[]));
    let code = ask(&app, &lin).await;
    for left in ["4", "3", "2", "1"] {
        assert_eq!(try_code(&admin, &lin, "SMS", "wrong").await, refused("WRONG_CODE", "code", &[left]));
    }
    assert_eq!(try_code(&admin, &lin, "SMS", "").await, refused("TOO_MANY_TRIES", "code", &[]));
    assert_eq!(try_code(&admin, &lin, "SMS", &code).await, refused("TOO_MANY_TRIES", "code", &[]));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(try_code(&admin, &lin, "EMAIL", wrong).await, refused("WRONG_CODE", "code", &["4"]));
    app.clock.advance(chrono::Duration::hours(48));
    assert_eq!(try_code(&admin, &lin, "EMAIL", &code).await.0, "LINK_EXPIRED");
}

async fn a_code_confirms_once_and_only_for_those_who_may(database: Database) {
    let app = TestApp::start(database).await;
    let (lin, off) = fill(&app).await;
    let admin = app.admin();
    let code = ask(&app, &lin).await;
    let herself = app.engineer(&text(&lin));
    let unknown = refused("NOT_FOUND", "engineerId", &["engineer"]);
    for nobody in [json!(NOBODY), json!("nonsense")] {
        assert_eq!(try_code(&admin, &nobody, "EMAIL", &code).await, unknown);
        assert_eq!(try_code(&herself, &nobody, "EMAIL", &code).await, unknown);
    }
    assert_eq!(try_code(&herself, &off, "EMAIL", &code).await, unknown, "of someone else");
    assert_eq!(try_code(&app.caller(Role::Viewer), &lin, "EMAIL", &code).await.0, "NOT_ALLOWED");

    let (head, tail) = code.split_at(3);
    let spaced = json!({ "engineerId": lin, "channel": "EMAIL", "code": format!(" {head} {tail} ") });
    let expected = json!({ "engineer": { "name": "lin" }, "channel": { "status": "CONFIRMED" }, "userErrors": [] });
    assert_eq!(run(&herself, CONFIRM, spaced).await, expected);
    assert_eq!(try_code(&admin, &lin, "EMAIL", &code).await, refused("ALREADY_CONFIRMED", "channel", &[]));
}
