//! The resend limits: 1 a minute for each channel and endpoint, 5 an hour and 10 a day for each endpoint.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join_all;
use rollcall::domain::{actor::Role, channel::ChannelKind, clock::Clock as _};
use serde_json::{Value, json};

use super::{EMAIL, MOBILE, add_pending, moment};
use crate::harness::{
    app::{Caller, Database, Setup, TestApp, channel},
    both_dbs,
    roll::status,
};

both_dbs! {
    a_channel_is_asked_once_a_minute_and_the_refusal_says_when
    two_engineers_who_share_a_number_share_its_five_messages_an_hour
    a_save_beyond_the_fifth_message_waits_for_the_hour_to_end
    an_endpoint_gets_ten_messages_a_day
    the_limits_of_one_account_are_none_of_another
    a_save_while_limited_waits_and_goes_out_when_the_limits_allow
    a_waiting_request_that_is_retired_costs_nothing
    two_hundred_subscribes_at_once_send_one_message_a_minute
}

/// The moment that a refusal for the resend limits names.
async fn refused_until(caller: &Caller<'_>, engineer: &Value, kind: &str) -> DateTime<Utc> {
    let payload = caller.try_subscribe(engineer, json!({ "channels": [kind] })).await;
    let refusal = &payload["outcomes"][0]["userError"];
    assert_eq!(refusal["code"], "RATE_LIMITED", "{payload}");
    assert_eq!(refusal["params"][0]["name"], "nextRequestAt", "{payload}");
    let at = moment(&refusal["params"][0]["value"]);
    let seen = caller.look(engineer).await;
    assert_eq!(moment(&channel(&seen, kind)["nextRequestAt"]), at, "the query tells the same");
    at
}

async fn a_channel_is_asked_once_a_minute_and_the_refusal_says_when(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let asked_at = app.clock.now();
    let lin = add_pending(&app).await;
    assert_eq!(refused_until(&admin, &lin, "EMAIL").await, asked_at + Duration::minutes(1));
    app.clock.advance(Duration::milliseconds(59_999));
    assert_eq!(refused_until(&admin, &lin, "EMAIL").await, asked_at + Duration::minutes(1));
    app.clock.advance(Duration::milliseconds(1));
    assert_eq!(admin.subscribe(&lin, "EMAIL").await, Ok(()));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 2);
    assert_eq!(refused_until(&admin, &lin, "EMAIL").await, asked_at + Duration::minutes(2));
}

async fn two_engineers_who_share_a_number_share_its_five_messages_an_hour(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let began = app.clock.now();
    let lin = admin.add("lin.wei", json!({ "mobile": MOBILE })).await;
    let gao = admin.add("gao", json!({ "mobile": "0086 138 0013 8001" })).await;
    app.run_workers().await;
    assert_eq!(["SMS", "VOICE"].map(|kind| status(&lin, kind)), ["REQUESTED"; 2]);
    assert_eq!(status(&admin.look(&lin).await, "SMS"), "PENDING");
    assert_eq!(status(&admin.look(&gao).await, "SMS"), "REQUESTED", "the number has just got a text");
    app.clock.advance(Duration::minutes(1));
    app.run_workers().await;
    assert_eq!(status(&admin.look(&gao).await, "VOICE"), "PENDING");
    assert_eq!(app.outbox().await.len(), 4);

    app.clock.advance(Duration::minutes(1));
    assert_eq!(admin.subscribe(&lin, "SMS").await, Ok(()), "the fifth");
    app.run_workers().await;
    app.clock.advance(Duration::minutes(5));
    for (person, kind) in [(&lin, "SMS"), (&lin, "VOICE"), (&gao, "SMS"), (&gao, "VOICE")] {
        assert_eq!(refused_until(&admin, person, kind).await, began + Duration::hours(1), "{kind}");
    }
    app.clock.advance(Duration::hours(1) - Duration::minutes(7));
    assert_eq!(app.clock.now(), began + Duration::hours(1));
    assert_eq!(admin.subscribe(&gao, "VOICE").await, Ok(()), "the first two are an hour old");
    assert_eq!(admin.subscribe(&lin, "SMS").await, Ok(()));
    assert_eq!(refused_until(&admin, &lin, "VOICE").await, began + Duration::minutes(61));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 7);
}

async fn a_save_beyond_the_fifth_message_waits_for_the_hour_to_end(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let began = app.clock.now();
    let mut people = Vec::new();
    for name in ["lin.wei", "gao", "zhou"] {
        people.push(admin.add(name, json!({ "mobile": MOBILE })).await);
    }
    let due = |person: &Value, kind: &str| moment(&channel(person, kind)["nextRequestAt"]);
    assert_eq!(due(&people[1], "VOICE"), began + Duration::minutes(1));
    assert_eq!(due(&people[2], "SMS"), began + Duration::minutes(2), "the fifth");
    assert_eq!(due(&people[2], "VOICE"), began + Duration::hours(1), "the sixth");
    for (minutes, messages) in [(0, 2), (1, 4), (1, 5), (57, 5), (1, 6)] {
        app.clock.advance(Duration::minutes(minutes));
        app.run_workers().await;
        assert_eq!(app.outbox().await.len(), messages, "at {}", app.clock.now());
    }
    assert_eq!(app.clock.now(), began + Duration::hours(1));
}

async fn an_endpoint_gets_ten_messages_a_day(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let began = app.clock.now();
    let lin = add_pending(&app).await;
    for _ in 1..10 {
        app.clock.advance(Duration::minutes(30));
        assert_eq!(admin.subscribe(&lin, "EMAIL").await, Ok(()));
        app.run_workers().await;
    }
    assert_eq!(app.outbox().await.len(), 10);
    app.clock.advance(Duration::hours(10));
    assert_eq!(refused_until(&admin, &lin, "EMAIL").await, began + Duration::days(1));
    app.clock.advance(began + Duration::days(1) - app.clock.now());
    assert_eq!(admin.subscribe(&lin, "EMAIL").await, Ok(()));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 11);
    assert_eq!(refused_until(&admin, &lin, "EMAIL").await, began + Duration::days(1) + Duration::minutes(30));
}

async fn the_limits_of_one_account_are_none_of_another(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add_pending(&app).await;
    assert_eq!(app.admin().subscribe(&lin, "EMAIL").await, Err("RATE_LIMITED".to_owned()));
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    let theirs = other.add("lin.wei", json!({ "email": EMAIL })).await;
    assert_eq!(channel(&theirs, "EMAIL")["nextRequestAt"], Value::Null, "it goes out at once");
    app.run_workers().await;
    assert_eq!(status(&other.look(&theirs).await, "EMAIL"), "PENDING");
    assert_eq!(other.subscribe(&lin, "EMAIL").await, Err("NOT_FOUND".to_owned()), "someone of another account");
}

async fn a_save_while_limited_waits_and_goes_out_when_the_limits_allow(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let asked_at = app.clock.now();
    let lin = add_pending(&app).await;
    app.clock.advance(Duration::seconds(10));
    admin.update(&lin, json!({ "email": "typo@demo.example" })).await;
    let saved = admin.update(&lin, json!({ "email": EMAIL })).await;
    let due = asked_at + Duration::minutes(1);
    assert_eq!(status(&saved, "EMAIL"), "REQUESTED");
    assert_eq!(moment(&channel(&saved, "EMAIL")["nextRequestAt"]), due);
    assert_eq!(moment(&channel(&saved, "EMAIL")["requestedAt"]), app.clock.now());
    assert_eq!(channel(&saved, "EMAIL")["notSubscribableReason"], "IN_PROGRESS");

    app.clock.advance(Duration::milliseconds(49_999));
    app.run_workers().await;
    assert_eq!(status(&admin.look(&lin).await, "EMAIL"), "REQUESTED", "a millisecond too early");
    app.clock.advance(Duration::milliseconds(1));
    app.run_workers().await;
    let sent = admin.look(&lin).await;
    assert_eq!(status(&sent, "EMAIL"), "PENDING");
    let expires_at = moment(&channel(&sent, "EMAIL")["expiresAt"]);
    assert_eq!(expires_at, due + Duration::hours(48), "the time to answer runs from the message, not from the save");
    let message = app.last_message(EMAIL, ChannelKind::Email).await;
    assert_eq!(message.sent_at, due);
    let to: Vec<_> = app.outbox().await.into_iter().map(|message| message.endpoint).collect();
    assert_eq!(to, [EMAIL, EMAIL], "the typing error was never asked");
}

async fn a_waiting_request_that_is_retired_costs_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let began = app.clock.now();
    let lin = add_pending(&app).await;
    // Each save of the address waits for the minute to end, and each edit away takes it back.
    for _ in 0..8 {
        admin.update(&lin, json!({ "email": null })).await;
        let saved = admin.update(&lin, json!({ "email": EMAIL })).await;
        let due = moment(&channel(&saved, "EMAIL")["nextRequestAt"]);
        assert_eq!(due, began + Duration::minutes(1), "the place of the one before is free again");
    }
    admin.cancel(&lin, json!(["EMAIL"])).await;
    app.clock.advance(Duration::minutes(1));
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 1, "nothing waits any more");
    assert_eq!(admin.subscribe(&lin, "EMAIL").await, Ok(()), "the second in the hour");
    app.run_workers().await;
    let seen = admin.look(&lin).await;
    assert_eq!(moment(&channel(&seen, "EMAIL")["nextRequestAt"]), began + Duration::minutes(2));
    assert_eq!(app.generations(&lin, ChannelKind::Email).await.len(), 10);
}

async fn two_hundred_subscribes_at_once_send_one_message_a_minute(database: Database) {
    // They wait for each other, on a slow machine for longer than an operation may take.
    let config = "[limits]\nexecution_milliseconds = 120000\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    let admin = app.admin();
    // Forty people share one number, so that the calls meet at the endpoint and not only at one person's row.
    let mut people = Vec::new();
    let rows: Vec<_> = (0..40).map(|n| format!("u-{n},person-{n},,IAM_USER,active,{MOBILE},")).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    app.sync("hr", json!({})).await;
    for n in 0..40 {
        people.push(admin.find(&format!("person-{n}")).await);
    }
    for minute in 0..3 {
        let calls = (0..200).map(|n| admin.subscribe(&people[n % people.len()], "SMS"));
        let mut outcomes: HashMap<_, usize> = HashMap::new();
        for outcome in join_all(calls).await {
            *outcomes.entry(outcome.err()).or_default() += 1;
        }
        assert_eq!(outcomes.remove(&None), Some(1), "minute {minute}");
        let refused = ["RATE_LIMITED", "IN_PROGRESS"].map(|code| outcomes.remove(&Some(code.to_owned())).unwrap_or(0));
        assert_eq!(refused.iter().sum::<usize>(), 199, "minute {minute}: {refused:?} {outcomes:?}");
        app.run_workers().await;
        assert_eq!(app.outbox().await.len(), minute + 1);
        app.clock.advance(Duration::minutes(1));
    }
}
