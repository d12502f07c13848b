//! What a listing tells of people who answered at the provider.

use std::sync::{Arc, Mutex};

use chrono::Duration;
use rollcall::{
    domain::{channel::ChannelKind, confirmation::FailureCode},
    port::provider::{ProviderError, ProviderStatus},
};
use serde_json::json;

use super::{
    EMAIL, answer, ask, email, email_status, generation, listings, next_sync, start, start_with_people, statuses,
};
use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
    provider::{FakeProvider, unavailable},
};

both_dbs! {
    who_is_found_confirmed_is_confirmed_while_pending_or_expired
    who_opted_out_at_the_provider_is_cancelled_and_not_asked_again_and_may_change_their_mind
    an_old_link_that_is_confirmed_during_a_resend_confirms_the_channel
    an_old_link_that_is_confirmed_after_the_resend_failed_confirms_the_channel
    an_old_link_to_another_endpoint_confirms_nothing
    unconfirmed_changes_nothing
    every_page_is_read_and_what_the_pages_before_a_failure_told_counts
    only_what_changed_is_written
    a_deleted_persons_answer_waits_until_they_are_restored
}

async fn who_is_found_confirmed_is_confirmed_while_pending_or_expired(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    let gao = app.admin().add("gao", json!({ "email": "gao@demo.example" })).await;
    app.run_workers().await;
    answer(&provider, ProviderStatus::Confirmed);
    next_sync(&app).await;
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL PENDING>CONFIRMED SYNC");
    let seen = app.admin().look(&lin).await;
    assert_eq!(channel(&seen, "EMAIL")["confirmedAt"], "2025-01-15T08:19:10.000Z", "when it was found so");

    app.clock.advance(Duration::hours(48));
    app.run_workers().await;
    assert_eq!(email_status(&app, &gao).await, "EXPIRED");
    provider.answer(ChannelKind::Email, "gao@demo.example", ProviderStatus::Confirmed);
    next_sync(&app).await;
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL EXPIRED>CONFIRMED SYNC", "a late click");
}

async fn who_opted_out_at_the_provider_is_cancelled_and_not_asked_again_and_may_change_their_mind(database: Database) {
    let (app, provider) = start(database).await;
    let admin = app.admin();
    let lin = ask(&app).await;
    answer(&provider, ProviderStatus::OptedOut);
    next_sync(&app).await;
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL PENDING>CANCELLED OPT_OUT");
    assert_eq!(admin.subscribe(&lin, "EMAIL").await, Err("OPTED_OUT".to_owned()));
    let other = admin.add("other", json!({ "email": EMAIL })).await;
    assert_eq!(email_status(&app, &other).await, "UNSUBSCRIBED", "the endpoint is blocked for everyone");
    let before = app.events().await;
    next_sync(&app).await;
    assert_eq!(app.events().await, before, "it is known");

    answer(&provider, ProviderStatus::Confirmed);
    next_sync(&app).await;
    assert_eq!(
        app.changes().await.last().unwrap(),
        "EMAIL CANCELLED>CONFIRMED SYNC",
        "the provider's link to come back"
    );
    assert_eq!(admin.subscribe(&other, "EMAIL").await, Ok(()), "who comes back wants messages again");
}

/// The first message is out, and asking again waits for the provider, as does cancelling the first request.
async fn resend(app: &TestApp, provider: &FakeProvider, failure: ProviderError) -> serde_json::Value {
    let lin = ask(app).await;
    app.clock.advance(Duration::minutes(1));
    provider.fail_requests([failure]);
    provider.fail_cancels([unavailable(Some(86_400))]);
    app.admin().subscribe(&lin, "EMAIL").await.unwrap();
    app.run_workers().await;
    provider.answer_generation(generation(app, &lin, 0).await, ProviderStatus::Confirmed);
    lin
}

async fn an_old_link_that_is_confirmed_during_a_resend_confirms_the_channel(database: Database) {
    let (app, provider) = start(database).await;
    let lin = resend(&app, &provider, unavailable(Some(86_400))).await;
    assert_eq!(email_status(&app, &lin).await, "REQUESTED");
    next_sync(&app).await;
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL REQUESTED>CONFIRMED SYNC");

    // The confirmed request at the provider is the channel's from now on: it is not cancelled, and nobody is asked again.
    let requests = provider.requests().len();
    for _ in 0..4 {
        app.clock.advance(Duration::hours(20));
        app.run_workers().await;
    }
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    assert_eq!(provider.requests().len(), requests);
    assert!(provider.holds(generation(&app, &lin, 0).await));
    let rows = app.generations(&lin, ChannelKind::Email).await;
    assert_eq!(rows.iter().map(|row| row.phase.as_str()).collect::<Vec<_>>(), ["CLOSED", "HELD"]);
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    app.run_workers().await;
    assert_eq!(provider.count_held(ChannelKind::Email), 0, "cancelling the channel cancels it at the provider");
}

async fn an_old_link_that_is_confirmed_after_the_resend_failed_confirms_the_channel(database: Database) {
    let (app, provider) = start(database).await;
    let lin = resend(&app, &provider, ProviderError::Refused(FailureCode::QuotaExceeded)).await;
    assert_eq!(email_status(&app, &lin).await, "FAILED");
    next_sync(&app).await;
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL FAILED>CONFIRMED SYNC");
    for _ in 0..4 {
        app.clock.advance(Duration::hours(20));
        app.run_workers().await;
    }
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    assert!(provider.holds(generation(&app, &lin, 0).await));
}

async fn an_old_link_to_another_endpoint_confirms_nothing(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    let old = generation(&app, &lin, 0).await;
    app.clock.advance(Duration::minutes(1));
    provider.fail_requests([unavailable(Some(86_400))]);
    provider.fail_cancels([unavailable(Some(86_400))]);
    app.admin().update(&lin, json!({ "email": "new@demo.example" })).await;
    app.run_workers().await;
    for status in [ProviderStatus::Confirmed, ProviderStatus::OptedOut] {
        provider.answer_generation(old, status);
        next_sync(&app).await;
        assert_eq!(email_status(&app, &lin).await, "REQUESTED", "{status:?}");
    }
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    provider.answer_generation(old, ProviderStatus::Confirmed);
    next_sync(&app).await;
    assert_eq!(email_status(&app, &lin).await, "UNSUBSCRIBED");
}

async fn unconfirmed_changes_nothing(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    answer(&provider, ProviderStatus::Confirmed);
    next_sync(&app).await;
    answer(&provider, ProviderStatus::Unconfirmed);
    next_sync(&app).await;
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED", "a stale page downgrades nobody");
    let gao = app.admin().add("gao", json!({ "email": "gao@demo.example" })).await;
    app.run_workers().await;
    app.clock.advance(Duration::hours(48));
    app.run_workers().await;
    next_sync(&app).await;
    assert_eq!(email_status(&app, &gao).await, "EXPIRED", "providers do not tell expired from unanswered");
}

async fn every_page_is_read_and_what_the_pages_before_a_failure_told_counts(database: Database) {
    let (app, provider) = start_with_people(database, 5).await;
    provider.page_by(2);
    for n in 0..5 {
        provider.answer(ChannelKind::Email, &email(n), ProviderStatus::Confirmed);
    }
    let before = listings(&provider).len();
    provider.fail_lists([None, Some(unavailable(None))]);
    next_sync(&app).await;
    // The last listing of each run is the other account's.
    assert_eq!(listings(&provider)[before..], [None, Some("2".to_owned()), None], "the second page failed");
    assert_eq!(statuses(&app, 5).await.iter().filter(|status| *status == "CONFIRMED").count(), 2);
    next_sync(&app).await;
    assert_eq!(listings(&provider)[before + 3..], [None, Some("2".to_owned()), Some("4".to_owned()), None]);
    assert_eq!(statuses(&app, 5).await, ["CONFIRMED"; 5]);
}

async fn only_what_changed_is_written(database: Database) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let provider = FakeProvider::new();
    let log = Arc::clone(&written);
    let setup = Setup {
        config: "[accounts.demo]\nsubscribe_on_sync = true\n".to_owned(),
        provider: Some(provider.clone()),
        on_statement: Some(Arc::new(move |sql: &str| {
            let tables = ["channel", "channel_subscription", "event", "endpoint_guard"];
            let write = |table: &str| {
                [format!("INSERT INTO \"{table}\""), format!("UPDATE \"{table}\"")]
                    .iter()
                    .any(|word| sql.starts_with(word))
            };
            if tables.into_iter().any(write) {
                log.lock().unwrap().push(sql.to_owned());
            }
        })),
        ..Setup::default()
    };
    let app = TestApp::start_with(database, setup).await;
    let rows: Vec<_> = (0..50).map(|n| format!("u-{n},p-{n},,IAM_USER,active,,{}", email(n))).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    app.sync("hr", json!({})).await;
    let seen = || std::mem::take(&mut *written.lock().unwrap());
    assert!(!seen().is_empty(), "writes are seen");
    let before = app.events().await.len();
    next_sync(&app).await;
    next_sync(&app).await;
    assert_eq!((seen(), app.events().await.len()), (Vec::new(), before), "nothing is new");

    provider.answer(ChannelKind::Email, &email(7), ProviderStatus::Confirmed);
    next_sync(&app).await;
    let of_channels = |sql: &&String| sql.contains("INTO \"channel\"") || sql.contains("UPDATE \"channel\"");
    assert_eq!(seen().iter().filter(of_channels).count(), 1);
    assert_eq!(app.events().await.len(), before + 1);
    next_sync(&app).await;
    assert_eq!((seen(), app.events().await.len()), (Vec::new(), before + 1), "it is known");
}

async fn a_deleted_persons_answer_waits_until_they_are_restored(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    app.admin().delete(&lin).await;
    answer(&provider, ProviderStatus::Confirmed);
    let before = app.events().await;
    next_sync(&app).await;
    assert_eq!(app.events().await, before);
    app.admin().restore(&lin).await;
    assert_eq!(email_status(&app, &lin).await, "PENDING");
    next_sync(&app).await;
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
}
