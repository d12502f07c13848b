//! Answers of the provider that come when their request is retired already.

use chrono::Duration;
use rollcall::{
    domain::{channel::ChannelKind, confirmation::FailureCode},
    port::provider::ProviderError,
};
use serde_json::json;

use super::{EMAIL, email_status, generation, hand_over_as, start};
use crate::harness::{app::Database, both_dbs, provider::Call};

both_dbs! {
    an_answer_to_a_retired_request_becomes_cancel_work
    a_refusal_of_a_retired_request_fails_nothing
    an_answer_for_someone_who_was_erased_meanwhile_is_cancelled
}

async fn an_answer_to_a_retired_request_becomes_cancel_work(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let old = generation(&app, &lin, 0).await;
    provider.hold_requests();
    let server = hand_over_as(&app, "server");
    provider.request_is_held().await;
    app.clock.advance(Duration::seconds(1));
    app.admin().update(&lin, json!({ "email": "new@demo.example" })).await;
    assert!(!app.run_worker("cancel").await.unwrap(), "who is being asked is not cancelled before the answer is there");
    provider.release_requests();
    server.await.unwrap();

    assert_eq!(email_status(&app, &lin).await, "REQUESTED", "the late answer is none to the new request");
    let late = app.generations(&lin, ChannelKind::Email).await.remove(0);
    assert_eq!((late.phase.as_str(), late.reference.as_deref()), ("CANCEL", Some("fake-1")));
    app.run_workers().await;
    assert_eq!(email_status(&app, &lin).await, "PENDING");
    assert!(provider.calls().contains(&Call::Cancel(old, Some("fake-1".to_owned()))));
    assert!(!provider.holds(old) && provider.holds(generation(&app, &lin, 1).await));
    assert_eq!(app.generations(&lin, ChannelKind::Email).await[0].phase, "CLOSED");
    assert_eq!(provider.requests().last().unwrap().endpoint, "new@demo.example");
    let changes = app.changes().await;
    assert_eq!(changes.len(), 2, "the edit of a REQUESTED channel is no change of its status: {changes:?}");
}

async fn a_refusal_of_a_retired_request_fails_nothing(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    provider.fail_requests([ProviderError::Refused(FailureCode::EndpointRefused)]);
    provider.hold_requests();
    let server = hand_over_as(&app, "server");
    provider.request_is_held().await;
    app.admin().cancel(&lin, json!(["EMAIL"])).await;
    provider.release_requests();
    server.await.unwrap();
    app.run_workers().await;
    assert_eq!(email_status(&app, &lin).await, "UNSUBSCRIBED");
    assert_eq!(app.generations(&lin, ChannelKind::Email).await[0].phase, "CLOSED");
    assert!(!provider.calls().iter().any(|call| matches!(call, Call::Cancel(..))), "there is nothing to cancel");
}

async fn an_answer_for_someone_who_was_erased_meanwhile_is_cancelled(database: Database) {
    let (app, provider) = start(database).await;
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    let old = generation(&app, &lin, 0).await;
    provider.hold_requests();
    let server = hand_over_as(&app, "server");
    provider.request_is_held().await;
    let query =
        "mutation($ids: [ID!]!) { deleteEngineers(input: { ids: $ids, eraseNow: true }) { userErrors { code } } }";
    let erased = app.admin().data(query, json!({ "ids": [lin["id"]] })).await;
    assert_eq!(erased["deleteEngineers"]["userErrors"], json!([]));
    provider.release_requests();
    server.await.unwrap();
    assert!(provider.holds(old));
    app.run_workers().await;
    assert!(!provider.holds(old));
    let closed = app.generations(&lin, ChannelKind::Email).await.remove(0);
    assert_eq!((closed.phase.as_str(), closed.endpoint_sealed), ("CLOSED", None));
}
