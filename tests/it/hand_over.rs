//! Handing requests to the provider, and cancelling them there: failures, crashes, and answers that come too late.

use std::sync::Arc;

use chrono::Duration;
use rollcall::{
    domain::{channel::ChannelKind, clock::Clock as _, confirmation::FailureCode, id::ChannelSubscriptionId},
    port::provider::ProviderError,
    store::{Claim, WorkKind},
};
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
    provider::{Call, FakeProvider, unavailable},
    roll::status,
};

mod cancel;
mod late;

const EMAIL: &str = "lin.wei@demo.example";

both_dbs! {
    a_provider_that_is_down_is_asked_again_after_longer_and_longer_pauses
    a_provider_that_says_when_to_come_again_is_not_asked_before
    a_refusal_for_good_fails_the_channel_with_a_reason_in_the_callers_language
    a_crash_after_the_call_asks_nobody_twice
    a_crash_before_the_call_asks_after_all
    a_provider_that_cannot_tell_what_it_holds_is_not_asked_again_yet
    two_servers_ask_each_person_once
    a_server_that_took_too_long_leaves_the_rest_to_another
    the_providers_own_deadline_counts
    requests_of_people_who_are_not_active_wait
    requests_of_an_account_that_the_configuration_lacks_hold_nobody_up
}

async fn start(database: Database) -> (TestApp, Arc<FakeProvider>) {
    start_with(database, String::new()).await
}

async fn start_with(database: Database, config: String) -> (TestApp, Arc<FakeProvider>) {
    let provider = FakeProvider::new();
    let setup = Setup { config, provider: Some(provider.clone()), ..Setup::default() };
    (TestApp::start_with(database, setup).await, provider)
}

/// Runs the hand-over in the background, as a server of that name.
fn hand_over_as(app: &TestApp, owner: &'static str) -> tokio::task::JoinHandle<usize> {
    let services = app.app.services.clone();
    tokio::spawn(async move { services.hand_over_due(owner, &ChannelKind::ALL).await.expect("handing over") })
}

async fn generation(app: &TestApp, person: &Value, place: usize) -> ChannelSubscriptionId {
    ChannelSubscriptionId(app.generations(person, ChannelKind::Email).await[place].id)
}

async fn email_status(app: &TestApp, person: &Value) -> String {
    status(&app.admin().look(person).await, "EMAIL").to_owned()
}

async fn a_provider_that_is_down_is_asked_again_after_longer_and_longer_pauses(database: Database) {
    let (app, provider) = start(database).await;
    provider.fail_requests((0..10).map(|_| unavailable(None)));
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_worker("hand-over").await.unwrap();
    assert_eq!(provider.requests().len(), 1);
    for (place, pause) in [5, 10, 20, 40, 80, 160, 320, 600, 600, 600].into_iter().enumerate() {
        app.clock.advance(Duration::seconds(pause) - Duration::milliseconds(1));
        assert!(!app.run_worker("hand-over").await.unwrap(), "pause {place}: too early");
        assert_eq!(email_status(&app, &lin).await, "REQUESTED");
        app.clock.advance(Duration::milliseconds(1));
        app.run_worker("hand-over").await.unwrap();
        assert_eq!(provider.requests().len(), place + 2, "pause {place}");
    }
    let lin = app.admin().look(&lin).await;
    assert_eq!(status(&lin, "EMAIL"), "PENDING");
    let deadline = app.clock.now() + Duration::hours(48);
    assert_eq!(
        provider.requests().last().unwrap().expires_at,
        deadline,
        "the time to answer runs from the call that did it"
    );
    let expires_at: chrono::DateTime<chrono::Utc> =
        channel(&lin, "EMAIL")["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires_at, deadline);
    let generation = generation(&app, &lin, 0).await;
    let again = [Call::Find(generation), Call::Request(generation)];
    let wanted: Vec<_> = again.iter().cycle().skip(1).take(21).cloned().collect();
    assert_eq!(provider.calls(), wanted, "before each further attempt the provider is asked what it has");
    let before = provider.calls();
    app.clock.advance(Duration::minutes(9));
    app.run_worker("hand-over").await.unwrap();
    assert_eq!(provider.calls(), before);
}

async fn a_provider_that_says_when_to_come_again_is_not_asked_before(database: Database) {
    let (app, provider) = start(database).await;
    provider.fail_requests([unavailable(Some(3600)), unavailable(Some(1))]);
    app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    for (wait, requests) in [(0, 1), (3_599, 1), (1, 2), (9, 2), (1, 3)] {
        app.clock.advance(Duration::seconds(wait));
        app.run_worker("hand-over").await.unwrap();
        assert_eq!(provider.requests().len(), requests, "{wait} s later");
    }
}

async fn a_refusal_for_good_fails_the_channel_with_a_reason_in_the_callers_language(database: Database) {
    let (app, provider) = start(database).await;
    for (code, english, chinese) in [
        (FailureCode::EndpointRefused, "The endpoint does not exist", "该联系方式不存在"),
        (FailureCode::SenderRefused, "The provider refuses the sender", "服务商拒绝了发送方"),
        (FailureCode::QuotaExceeded, "A quota of the provider is used up", "服务商的配额已用完"),
    ] {
        provider.fail_requests([ProviderError::Refused(code)]);
        let email = format!("{}@demo.example", code.name().to_lowercase());
        let person = app.admin().add(code.name(), json!({ "email": email })).await;
        app.run_worker("hand-over").await.unwrap();
        for (language, words) in [("en", english), ("zh-CN", chinese)] {
            let seen = app.admin().in_language(language).look(&person).await;
            let seen = channel(&seen, "EMAIL");
            assert_eq!((&seen["status"], &seen["failureCode"]), (&json!("FAILED"), &json!(code.name())));
            assert!(seen["failureMessage"].as_str().unwrap().starts_with(words), "{seen}");
        }
        assert_eq!(app.changes().await.last().unwrap(), "EMAIL REQUESTED>FAILED PROVIDER_REFUSED");
        let closed = app.generations(&person, ChannelKind::Email).await.remove(0);
        assert_eq!((closed.phase.as_str(), closed.endpoint_sealed), ("CLOSED", None));
    }
    let calls = provider.calls().len();
    app.clock.advance(Duration::days(1));
    app.run_worker("hand-over").await.unwrap();
    app.run_worker("cancel").await.unwrap();
    assert_eq!(provider.calls().len(), calls, "what was refused for good is not tried again");

    let person = app.admin().find("QUOTA_EXCEEDED").await;
    assert_eq!(app.admin().subscribe(&person, "EMAIL").await, Ok(()));
    app.run_workers().await;
    let again = app.admin().look(&person).await;
    let again = channel(&again, "EMAIL");
    assert_eq!(
        (&again["status"], &again["failureCode"], &again["failureMessage"]),
        (&json!("PENDING"), &Value::Null, &Value::Null)
    );
}

async fn a_crash_after_the_call_asks_nobody_twice(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let generation = generation(&app, &lin, 0).await;
    provider.hold_requests();
    let server = hand_over_as(&app, "a server that dies");
    provider.request_is_held().await;
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    provider.release_requests();

    app.clock.advance(Duration::minutes(2) - Duration::milliseconds(1));
    app.run_worker("hand-over").await.unwrap();
    assert_eq!(email_status(&app, &lin).await, "REQUESTED", "the dead server's claim still stands");
    app.clock.advance(Duration::milliseconds(1));
    app.run_worker("hand-over").await.unwrap();
    assert_eq!(email_status(&app, &lin).await, "PENDING");
    assert_eq!(provider.calls(), [Call::Request(generation), Call::Find(generation)]);
    assert_eq!(provider.count_held(ChannelKind::Email), 1);
    let row = app.generations(&lin, ChannelKind::Email).await.remove(0);
    assert_eq!((row.phase.as_str(), row.reference.as_deref(), row.claimed_by), ("HELD", Some("fake-1"), None));
}

async fn a_crash_before_the_call_asks_after_all(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let generation = generation(&app, &lin, 0).await;
    let accounts = ["demo".parse().unwrap()];
    let now = app.clock.now();
    let until = now + Duration::minutes(2);
    let claim =
        Claim { owner: "a server that dies", accounts: &accounts, now, until, channels: &ChannelKind::ALL, limit: 10 };
    let claimed = app.app.services.store().queue().claim(WorkKind::HandOver, &claim).await.unwrap();
    assert_eq!(claimed.len(), 1);
    app.clock.advance(Duration::minutes(2));
    app.run_worker("hand-over").await.unwrap();
    assert_eq!(provider.calls(), [Call::Find(generation), Call::Request(generation)]);
    assert_eq!(email_status(&app, &lin).await, "PENDING");
}

async fn a_provider_that_cannot_tell_what_it_holds_is_not_asked_again_yet(database: Database) {
    let (app, provider) = start(database).await;
    provider.fail_requests([unavailable(None)]);
    provider.fail_finds([unavailable(None)]);
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let generation = generation(&app, &lin, 0).await;
    for _ in 0..3 {
        app.run_worker("hand-over").await.unwrap();
        app.clock.advance(Duration::seconds(10));
    }
    let (find, request) = (Call::Find(generation), Call::Request(generation));
    assert_eq!(provider.calls(), [request.clone(), find.clone(), find, request]);
}

/// Sixty people who are to be asked.
async fn ask_many(app: &TestApp, count: usize) {
    let rows: Vec<_> = (0..count).map(|n| format!("u-{n},p-{n},,IAM_USER,active,,p-{n}@demo.example")).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    // The sync is queued, and run by its worker alone, so that nothing is handed over yet.
    let query = "mutation { syncEngineers(input: { directory: \"hr\" }) { userErrors { code } } }";
    app.admin().data(query, json!({})).await;
    while app.run_worker("directory-sync").await.unwrap() {}
}

const SUBSCRIBED_ON_SYNC: &str = "[accounts.demo]\nsubscribe_on_sync = true\n";

async fn two_servers_ask_each_person_once(database: Database) {
    let (app, provider) = start_with(database, SUBSCRIBED_ON_SYNC.to_owned()).await;
    ask_many(&app, 120).await;
    loop {
        let (one, other) = tokio::join!(hand_over_as(&app, "one"), hand_over_as(&app, "other"));
        if one.unwrap() + other.unwrap() == 0 {
            break;
        }
    }
    let mut asked: Vec<_> = provider.requests().into_iter().map(|request| request.endpoint).collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!((asked.len(), provider.calls().len()), (120, 120));
    let accepted = app.changes().await.iter().filter(|change| change.ends_with(">PENDING PROVIDER_ACCEPTED")).count();
    assert_eq!(accepted, 120);
}

async fn a_server_that_took_too_long_leaves_the_rest_to_another(database: Database) {
    let (app, provider) = start_with(database, SUBSCRIBED_ON_SYNC.to_owned()).await;
    ask_many(&app, 20).await;
    provider.hold_requests();
    let slow = hand_over_as(&app, "slow");
    for _ in 0..8 {
        provider.request_is_held().await;
    }
    // Its claims on all twenty run out while it waits for the first eight answers.
    app.clock.advance(Duration::minutes(2));
    let quick = hand_over_as(&app, "quick");
    provider.request_is_held().await;
    provider.release_requests();
    assert_eq!((slow.await.unwrap(), quick.await.unwrap()), (20, 20));
    let mut asked: Vec<_> = provider.requests().into_iter().map(|request| request.endpoint).collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!((asked.len(), provider.requests().len()), (20, 20), "nobody is asked twice");
    let accepted = app.changes().await.iter().filter(|change| change.ends_with(">PENDING PROVIDER_ACCEPTED")).count();
    assert_eq!(accepted, 20);
}

async fn the_providers_own_deadline_counts(database: Database) {
    let (app, provider) = start(database).await;
    let deadline = app.clock.now() + Duration::hours(10);
    provider.expire_at(deadline);
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    app.clock.advance(Duration::hours(10) - Duration::milliseconds(1));
    app.run_workers().await;
    assert_eq!(email_status(&app, &lin).await, "PENDING");
    app.clock.advance(Duration::milliseconds(1));
    app.run_workers().await;
    assert_eq!(email_status(&app, &lin).await, "EXPIRED");
}

async fn requests_of_people_who_are_not_active_wait(database: Database) {
    let (app, provider) = start(database).await;
    let admin = app.admin();
    let row = |state: &str| format!("u-1,lin.wei,,IAM_USER,{state},,lin.wei@demo.example");
    app.write_directory("hr", &[&row("active")]);
    app.sync("hr", json!({})).await;
    let lin = admin.find("lin.wei").await;
    provider.fail_requests([unavailable(None)]);
    admin.subscribe(&lin, "EMAIL").await.unwrap();
    app.run_workers().await;
    let calls = || provider.calls().into_iter().filter(|call| !matches!(call, Call::List(_))).count();
    assert_eq!(calls(), 1);

    app.write_directory("hr", &[&row("disabled")]);
    app.sync("hr", json!({})).await;
    app.clock.advance(Duration::days(3));
    app.run_workers().await;
    assert_eq!((email_status(&app, &lin).await.as_str(), calls()), ("REQUESTED", 1), "disabled");
    app.write_directory("hr", &[&row("active")]);
    admin.delete(&lin).await;
    app.sync("hr", json!({})).await;
    app.clock.advance(Duration::hours(3));
    app.run_workers().await;
    assert_eq!(calls(), 1, "deleted");
    admin.restore(&lin).await;
    app.sync("hr", json!({})).await;
    app.run_workers().await;
    assert_eq!((email_status(&app, &lin).await.as_str(), calls()), ("PENDING", 3), "asked what it has, then asked");
}

async fn requests_of_an_account_that_the_configuration_lacks_hold_nobody_up(database: Database) {
    use entity::channel_subscription::{Column, Entity};
    use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};

    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let gao = app.admin().add("gao", json!({ "email": "gao@demo.example" })).await;
    let moved = generation(&app, &lin, 0).await;
    Entity::update_many()
        .col_expr(Column::Account, Expr::value("an-account-of-old"))
        .filter(Column::Id.eq(moved.0))
        .exec(app.database())
        .await
        .unwrap();
    app.run_workers().await;
    assert_eq!(email_status(&app, &gao).await, "PENDING");
    let asked: Vec<_> = provider.requests().into_iter().map(|request| request.endpoint).collect();
    assert_eq!(asked, ["gao@demo.example"]);
}
