//! Cancelling retired requests at the provider.

use chrono::Duration;
use rollcall::{
    domain::{channel::ChannelKind, confirmation::FailureCode, id::ChannelSubscriptionId},
    port::provider::ProviderError,
};
use sea_orm::{EntityTrait as _, sea_query::Expr};
use serde_json::{Value, json};

use super::{EMAIL, email_status, generation, start};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    provider::{Call, FakeProvider, unavailable},
};

both_dbs! {
    a_cancellation_that_fails_is_tried_again
    a_cancellation_is_given_up_after_seven_days_and_what_was_kept_for_it_is_erased
    a_cancellation_that_is_refused_is_done
    a_reference_that_another_living_request_shares_is_not_cancelled
    a_request_that_was_never_handed_over_is_cancelled_by_its_generation
    a_request_of_a_former_provider_is_closed_without_a_call
}

fn cancels(provider: &FakeProvider) -> Vec<(ChannelSubscriptionId, Option<String>)> {
    let cancel = |call| match call {
        Call::Cancel(generation, reference) => Some((generation, reference)),
        Call::Find(_) | Call::Request(_) | Call::List(_) => None,
    };
    provider.calls().into_iter().filter_map(cancel).collect()
}

/// The phase of the person's first request, and whether its endpoint is still kept.
async fn kept(app: &TestApp, person: &Value) -> (String, bool) {
    let row = app.generations(person, ChannelKind::Email).await.remove(0);
    (row.phase, row.endpoint_sealed.is_some())
}

fn closed() -> (String, bool) {
    ("CLOSED".to_owned(), false)
}

fn waiting() -> (String, bool) {
    ("CANCEL".to_owned(), true)
}

async fn a_cancellation_that_fails_is_tried_again(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    provider.fail_cancels([unavailable(None), unavailable(Some(60))]);
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    for (wait, calls) in [(0, 1), (4, 1), (1, 2), (59, 2), (1, 3)] {
        app.clock.advance(Duration::seconds(wait));
        assert_eq!(kept(&app, &lin).await, waiting());
        app.run_worker("cancel").await.unwrap();
        assert_eq!(cancels(&provider).len(), calls, "{wait} s later");
    }
    let generation = generation(&app, &lin, 0).await;
    assert_eq!(cancels(&provider)[2], (generation, Some("fake-1".to_owned())));
    assert!(!provider.holds(generation));
    assert_eq!(kept(&app, &lin).await, closed());
    assert_eq!(email_status(&app, &lin).await, "UNSUBSCRIBED");
}

async fn a_cancellation_is_given_up_after_seven_days_and_what_was_kept_for_it_is_erased(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    provider.fail_cancels((0..20).map(|_| unavailable(Some(86_400))));
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    for day in 0..7 {
        app.run_worker("cancel").await.unwrap();
        assert_eq!((kept(&app, &lin).await, cancels(&provider).len()), (waiting(), day + 1), "day {day}");
        app.clock.advance(Duration::days(1));
    }
    app.run_worker("cancel").await.unwrap();
    assert_eq!((kept(&app, &lin).await, cancels(&provider).len()), (closed(), 8), "after seven days");
    app.clock.advance(Duration::days(10));
    assert!(!app.run_worker("cancel").await.unwrap());
    assert_eq!(cancels(&provider).len(), 8);
}

async fn a_cancellation_that_is_refused_is_done(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    provider.fail_cancels([ProviderError::Refused(FailureCode::SenderRefused)]);
    app.admin().update(&lin, json!({ "email": null })).await;
    app.run_workers().await;
    assert_eq!((kept(&app, &lin).await, cancels(&provider).len()), (closed(), 1));
}

async fn a_reference_that_another_living_request_shares_is_not_cancelled(database: Database) {
    let (app, provider) = start(database).await;
    provider.share_reference("urn:1");
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let gao = app.admin().add("gao", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    app.clock.advance(Duration::minutes(1));
    app.run_workers().await;
    assert_eq!([email_status(&app, &lin).await, email_status(&app, &gao).await], ["PENDING"; 2]);

    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    app.run_workers().await;
    assert_eq!((kept(&app, &lin).await, cancels(&provider)), (closed(), Vec::new()));
    assert!(provider.holds(generation(&app, &gao, 0).await));
    app.admin().cancel(&gao, json!(["EMAIL"])).await;
    app.run_workers().await;
    let last = (generation(&app, &gao, 0).await, Some("urn:1".to_owned()));
    assert_eq!((kept(&app, &gao).await, cancels(&provider)), (closed(), vec![last]), "the last one takes it away");
}

async fn a_request_that_was_never_handed_over_is_cancelled_by_its_generation(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    app.run_workers().await;
    assert_eq!(cancels(&provider), [(generation(&app, &lin, 0).await, None)]);
    assert!(provider.requests().is_empty(), "nobody was asked");
    assert_eq!(kept(&app, &lin).await, closed());
}

async fn a_request_of_a_former_provider_is_closed_without_a_call(database: Database) {
    use entity::channel_subscription::{Column, Entity};

    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    Entity::update_many().col_expr(Column::Provider, Expr::value("former")).exec(app.database()).await.unwrap();
    assert_eq!(email_status(&app, &lin).await, "PENDING", "a change of the provider changes no status");
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    app.run_workers().await;
    assert_eq!((kept(&app, &lin).await, cancels(&provider)), (closed(), Vec::new()));
}
