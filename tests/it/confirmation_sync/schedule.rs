//! When the confirmation sync runs, and who may write.

use chrono::Duration;
use rollcall::{domain::actor::Role, domain::channel::ChannelKind, port::provider::ProviderStatus};
use serde_json::{Value, json};

use super::{EMAIL, answer, ask, email_status, listings, start};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
    provider::{FakeProvider, unavailable},
};

both_dbs! {
    it_runs_every_ten_minutes
    it_runs_as_often_as_the_configuration_says
    it_goes_on_when_the_clock_is_set_back
    refreshing_runs_it_at_once
    a_process_that_froze_during_a_listing_writes_nothing
    several_processes_run_it_once
}

/// How often the account `demo` and the other one were listed together.
async fn runs(app: &TestApp, provider: &FakeProvider) -> usize {
    app.run_worker("confirmation-sync").await.unwrap();
    listings(provider).len()
}

async fn it_runs_every_ten_minutes(database: Database) {
    let (app, provider) = start(database).await;
    assert_eq!(runs(&app, &provider).await, 2, "one run for each account, at the start");
    app.clock.advance(Duration::minutes(10) - Duration::milliseconds(1));
    assert_eq!(runs(&app, &provider).await, 2);
    app.clock.advance(Duration::milliseconds(1));
    assert_eq!(runs(&app, &provider).await, 4);
    assert_eq!(runs(&app, &provider).await, 4);
    app.clock.advance(Duration::hours(5));
    assert_eq!(runs(&app, &provider).await, 6, "what was missed is not made up for");
    provider.fail_lists([Some(unavailable(None)), Some(unavailable(None))]);
    app.clock.advance(Duration::minutes(10));
    assert_eq!(runs(&app, &provider).await, 8);
    assert_eq!(runs(&app, &provider).await, 8, "a failed run is not repeated at once");
}

async fn it_runs_as_often_as_the_configuration_says(database: Database) {
    let provider = FakeProvider::new();
    let config = "[worker]\nconfirmation_sync_seconds = 30\n".to_owned();
    let setup = Setup { config, provider: Some(provider.clone()), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    assert_eq!(runs(&app, &provider).await, 2);
    app.clock.advance(Duration::seconds(29));
    assert_eq!(runs(&app, &provider).await, 2);
    app.clock.advance(Duration::seconds(1));
    assert_eq!(runs(&app, &provider).await, 4);
}

async fn it_goes_on_when_the_clock_is_set_back(database: Database) {
    let (app, provider) = start(database).await;
    assert_eq!(runs(&app, &provider).await, 2);
    app.clock.advance(-Duration::hours(2));
    assert_eq!(runs(&app, &provider).await, 4);
    app.clock.advance(Duration::minutes(9));
    assert_eq!(runs(&app, &provider).await, 4, "no storm");
    app.clock.advance(Duration::minutes(1));
    assert_eq!(runs(&app, &provider).await, 6, "no stall");
}

async fn refreshing_runs_it_at_once(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    app.clock.advance(Duration::minutes(2));
    answer(&provider, ProviderStatus::Confirmed);
    let before = runs(&app, &provider).await;
    assert_eq!(email_status(&app, &lin).await, "PENDING", "not due");
    for role in [Role::Viewer, Role::Engineer] {
        let payload = match role {
            Role::Engineer => app.engineer(lin["id"].as_str().unwrap()).refresh_confirmations().await,
            Role::Viewer | Role::Operator | Role::Admin => app.caller(role).refresh_confirmations().await,
        };
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED", "{role:?}");
        assert_eq!(payload["confirmationSync"], Value::Null);
    }
    assert_eq!(runs(&app, &provider).await, before);

    let payload = app.caller(Role::Operator).refresh_confirmations().await;
    let (began, wanted) = ("2025-01-15T08:09:10.000Z", "2025-01-15T08:11:10.000Z");
    let standing = json!({ "wantedAt": wanted, "startedAt": began, "completedAt": began });
    assert_eq!((&payload["userErrors"], &payload["confirmationSync"]), (&json!([]), &standing));
    assert_eq!(runs(&app, &provider).await, before + 1, "of this account alone");
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    assert_eq!(runs(&app, &provider).await, before + 1, "once");
    let payload = app.admin().refresh_confirmations().await;
    assert_eq!(payload["confirmationSync"]["completedAt"], wanted);
}

async fn a_process_that_froze_during_a_listing_writes_nothing(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    app.clock.advance(Duration::minutes(10));
    // The page that the frozen process holds in its hands says that the person opted out.
    answer(&provider, ProviderStatus::OptedOut);
    provider.hold_listings();
    let services = app.app.services.clone();
    let every = Duration::minutes(10);
    let frozen = tokio::spawn(async move { services.sync_confirmations_if_due("frozen", every).await });
    provider.listing_is_held().await;
    provider.let_others_list();

    let services = &app.app.services;
    app.clock.advance(Duration::minutes(2) - Duration::milliseconds(1));
    app.admin().refresh_confirmations().await;
    let held = services.sync_confirmations_if_due("other", every).await.unwrap();
    assert_eq!(email_status(&app, &lin).await, "PENDING", "the lease holds for two minutes");
    assert_eq!(held, 1, "the other account is not waited for");
    app.clock.advance(Duration::milliseconds(1));
    answer(&provider, ProviderStatus::Confirmed);
    assert_eq!(services.sync_confirmations_if_due("other", every).await.unwrap(), 1);
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    let (events, state) = (app.events().await, app.admin().refresh_confirmations().await);
    app.run_worker("confirmation-sync").await.unwrap();

    provider.release_listings();
    assert!(frozen.await.unwrap().is_err(), "it learns that it lost the lease");
    assert_eq!(app.events().await, events);
    assert_eq!(email_status(&app, &lin).await, "CONFIRMED");
    let gao = app.admin().add("gao", json!({ "email": EMAIL })).await;
    assert_eq!(email_status(&app, &gao).await, "REQUESTED", "the endpoint was not blocked");
    let now = app.admin().refresh_confirmations().await;
    assert_eq!(now["confirmationSync"]["startedAt"], state["confirmationSync"]["wantedAt"]);
}

async fn several_processes_run_it_once(database: Database) {
    let (app, provider) = start(database).await;
    let lin = ask(&app).await;
    for round in 1..=25 {
        app.clock.advance(Duration::minutes(10));
        let before = listings(&provider).len();
        let process = |owner: &'static str| {
            let services = app.app.services.clone();
            let sync = async move { services.sync_confirmations_if_due(owner, Duration::minutes(10)).await };
            tokio::spawn(sync)
        };
        let mut ran = 0;
        for process in ["one", "two", "three", "four"].map(process) {
            ran += process.await.unwrap().unwrap();
        }
        assert_eq!((ran, listings(&provider).len()), (2, before + 2), "round {round}: once for each account");
    }
    assert_eq!(email_status(&app, &lin).await, "PENDING", "its link lives for 48 hours");
    assert_eq!(provider.count_held(ChannelKind::Email), 1);
}
