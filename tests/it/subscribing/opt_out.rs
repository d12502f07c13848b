//! "Not me / stop": nobody asks that endpoint again until an operator lifts it.

use chrono::Duration;
use reqwest::StatusCode;
use rollcall::domain::{actor::Role, channel::ChannelKind};
use serde_json::{Value, json};

use super::{EMAIL, MOBILE, add_pending};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
    roll::{path_of, status},
};

both_dbs! {
    an_opt_out_blocks_the_endpoint_for_everyone_in_the_account_and_for_later_edits
    an_opt_out_takes_back_what_still_waits_for_the_endpoint
    only_an_operator_lifts_an_opt_out
    lifting_an_opt_out_does_not_lift_the_resend_limits
}

async fn opt_out(app: &TestApp, endpoint: &str, kind: ChannelKind) {
    let message = app.last_message(endpoint, kind).await;
    let page = app.press_stop(&path_of(&message.link)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Stopped</h1>"), "{}", page.body);
}

async fn an_opt_out_blocks_the_endpoint_for_everyone_in_the_account_and_for_later_edits(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = add_pending(&app).await;
    app.write_directory("hr", &["u-1,gao,,IAM_USER,active,,lin.wei@demo.example"]);
    app.sync("hr", json!({})).await;
    let gao = admin.find("gao").await;
    opt_out(&app, EMAIL, ChannelKind::Email).await;
    assert_eq!(app.changes().await.last().map(String::as_str), Some("EMAIL PENDING>CANCELLED OPT_OUT"));
    app.clock.advance(Duration::days(30));
    assert_eq!(admin.subscribe(&lin, "EMAIL").await, Err("OPTED_OUT".to_owned()));
    assert_eq!(admin.subscribe(&gao, "EMAIL").await, Err("OPTED_OUT".to_owned()), "whoever else has the address");

    let edited = admin.update(&lin, json!({ "email": "elsewhere@demo.example" })).await;
    assert_eq!(status(&edited, "EMAIL"), "REQUESTED", "another address is another person's business");
    let back = admin.update(&lin, json!({ "email": "lin.wei@Demo.Example" })).await;
    assert_eq!(status(&back, "EMAIL"), "UNSUBSCRIBED");
    assert_eq!(channel(&back, "EMAIL")["notSubscribableReason"], "OPTED_OUT");
    let added = admin.add("new", json!({ "email": EMAIL })).await;
    assert_eq!(status(&added, "EMAIL"), "UNSUBSCRIBED");
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 1, "nobody was asked again");

    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    let theirs = other.add("lin.wei", json!({ "email": EMAIL })).await;
    assert_eq!(status(&theirs, "EMAIL"), "REQUESTED", "the block ends at the account");
}

async fn an_opt_out_takes_back_what_still_waits_for_the_endpoint(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin.wei", json!({ "mobile": MOBILE })).await;
    app.run_workers().await;
    let gao = admin.add("gao", json!({ "mobile": MOBILE })).await;
    assert_eq!(status(&gao, "VOICE"), "REQUESTED", "it waits for the minute to end");
    opt_out(&app, MOBILE, ChannelKind::Sms).await;
    app.clock.advance(Duration::minutes(1));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 2, "the number was not called again");
    let gao = admin.look(&gao).await;
    for kind in ["SMS", "VOICE"] {
        assert_eq!(status(&gao, kind), "UNSUBSCRIBED");
        assert_eq!(channel(&gao, kind)["notSubscribableReason"], "OPTED_OUT");
    }
    assert_eq!(app.generations(&gao, ChannelKind::Voice).await[0].phase, "CLOSED");
    let lin = admin.look(&lin).await;
    assert_eq!((status(&lin, "SMS"), status(&lin, "VOICE")), ("CANCELLED", "PENDING"), "what is out stays out");
}

async fn only_an_operator_lifts_an_opt_out(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add_pending(&app).await;
    opt_out(&app, EMAIL, ChannelKind::Email).await;
    app.clock.advance(Duration::hours(1));
    let lift = json!({ "channels": ["EMAIL"], "liftOptOut": true });

    let themself = app.engineer(lin["id"].as_str().expect("an id"));
    assert_eq!(themself.subscribe(&lin, "EMAIL").await, Err("OPTED_OUT".to_owned()));
    for caller in [&themself, &app.caller(Role::Viewer)] {
        let payload = caller.try_subscribe(&lin, lift.clone()).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "{payload}");
        assert_eq!(payload["userErrors"][0]["field"], json!(["liftOptOut"]));
        assert_eq!(payload["outcomes"], json!([]));
    }
    assert_eq!(status(&app.admin().look(&lin).await, "EMAIL"), "CANCELLED");

    let operator = app.caller(Role::Operator);
    assert_eq!(operator.subscribe(&lin, "EMAIL").await, Err("OPTED_OUT".to_owned()), "they must say so");
    let payload = operator.try_subscribe(&lin, lift).await;
    assert_eq!(payload["outcomes"][0]["userError"], Value::Null, "{payload}");
    app.run_workers().await;
    assert_eq!(
        app.changes().await[3..],
        ["EMAIL CANCELLED>REQUESTED SUBSCRIBED".to_owned(), "EMAIL REQUESTED>PENDING PROVIDER_ACCEPTED".to_owned(),]
    );
    let message = app.last_message(EMAIL, ChannelKind::Email).await;
    app.type_code(&path_of(&message.link), &message.code).await;
    assert_eq!(status(&operator.look(&lin).await, "EMAIL"), "CONFIRMED");
    let again = operator.update(&lin, json!({ "email": null })).await;
    assert_eq!(
        status(&operator.update(&again, json!({ "email": EMAIL })).await, "EMAIL"),
        "REQUESTED",
        "lifted for good"
    );
}

async fn lifting_an_opt_out_does_not_lift_the_resend_limits(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add_pending(&app).await;
    opt_out(&app, EMAIL, ChannelKind::Email).await;
    let lift = json!({ "channels": ["EMAIL"], "liftOptOut": true });
    let payload = app.admin().try_subscribe(&lin, lift).await;
    assert_eq!(payload["outcomes"][0]["userError"]["code"], "RATE_LIMITED", "{payload}");
    app.clock.advance(Duration::minutes(1));
    assert_eq!(
        app.admin().subscribe(&lin, "EMAIL").await,
        Err("OPTED_OUT".to_owned()),
        "what was refused lifted nothing"
    );
}
