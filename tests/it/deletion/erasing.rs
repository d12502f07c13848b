//! When deleted people are erased, and what becomes of their requests.

use std::sync::Arc;

use chrono::Duration;
use rollcall::{
    domain::{actor::Role, channel::ChannelKind, id::EngineerId},
    port::provider::ProviderStatus,
};
use serde_json::{Value, json};

use super::{delete, delete_all, restore};
use crate::{
    directory_sync::steps::{demo, edit, find_run, names, queue},
    harness::{
        app::{Database, Setup, TestApp, channel},
        both_dbs,
        provider::{Call, FakeProvider, unavailable},
    },
};

both_dbs! {
    a_deleted_person_is_erased_after_24_hours_to_the_second
    the_account_says_how_long_a_person_can_be_restored
    only_an_admin_erases_at_once
    erasing_cancels_at_the_provider
    a_provider_that_does_not_answer_is_asked_again_to_cancel
    a_run_no_longer_names_an_erased_person
}

async fn start_with(database: Database, setup: Setup) -> (TestApp, Value) {
    let app = TestApp::start_with(database, setup).await;
    app.write_directory("hr", &["u-1,lin,,,,+8613800138001,lin@demo.example", "u-2,wu,,,,,wu@demo.example"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    (app, lin)
}

/// Whether anything is left of the person, deleted or not.
async fn is_held(app: &TestApp, who: &Value) -> bool {
    let id: EngineerId = who["id"].as_str().unwrap().parse().unwrap();
    let account = demo();
    let roster = app.app.services.store().rows(&account).list_roster().await.unwrap();
    roster.iter().any(|engineer| engineer.id == id)
}

async fn a_deleted_person_is_erased_after_24_hours_to_the_second(database: Database) {
    let (app, lin) = start_with(database, Setup::default()).await;
    delete_all(&app, &[&lin], false).await;
    app.clock.advance(Duration::seconds(24 * 3600 - 1));
    app.run_workers().await;
    assert!(is_held(&app, &lin).await);
    assert_eq!(restore(&app.admin(), &[&lin]).await["outcomes"][0]["userError"], json!(null));

    // Deleted again, the time begins again.
    delete_all(&app, &[&lin], false).await;
    app.clock.advance(Duration::seconds(24 * 3600 - 1));
    app.run_workers().await;
    assert!(is_held(&app, &lin).await);
    app.clock.advance(Duration::seconds(1));
    app.run_workers().await;
    assert!(!is_held(&app, &lin).await);
    assert_eq!(restore(&app.admin(), &[&lin]).await["outcomes"][0]["userError"]["code"], "NOT_FOUND");
    assert_eq!(names(&app).await, ["wu"], "nobody else was");
}

async fn the_account_says_how_long_a_person_can_be_restored(database: Database) {
    let config = "[accounts.demo]\nerase_after = \"2h\"\n".to_owned();
    let (app, lin) = start_with(database, Setup { config, ..Setup::default() }).await;
    delete_all(&app, &[&lin], false).await;
    app.clock.advance(Duration::seconds(2 * 3600 - 1));
    app.run_workers().await;
    assert!(is_held(&app, &lin).await);
    app.clock.advance(Duration::seconds(1));
    app.run_workers().await;
    assert!(!is_held(&app, &lin).await);
}

async fn only_an_admin_erases_at_once(database: Database) {
    let (app, lin) = start_with(database, Setup::default()).await;
    let payload = delete(&app.caller(Role::Operator), &[&lin], true).await;
    assert_eq!(payload["userErrors"], json!([{ "code": "NOT_ALLOWED" }]));
    assert_eq!(payload["deletedEngineerIds"], json!([]));
    assert_eq!(app.admin().find("lin").await, lin);
    delete_all(&app, &[&lin], true).await;
    assert!(!is_held(&app, &lin).await, "not even a worker is needed");
    assert_eq!(restore(&app.admin(), &[&lin]).await["outcomes"][0]["userError"]["code"], "NOT_FOUND");
}

async fn start_asked(database: Database) -> (TestApp, Value, Arc<FakeProvider>) {
    let provider = FakeProvider::new();
    let setup = Setup { provider: Some(provider.clone()), ..Setup::default() };
    let (app, lin) = start_with(database, setup).await;
    edit(&app, &lin, json!({ "mobile": "+8613900139001", "email": "new@demo.example" })).await;
    app.run_workers().await;
    provider.answer(ChannelKind::Email, "new@demo.example", ProviderStatus::Confirmed);
    app.clock.advance(Duration::minutes(10));
    app.run_workers().await;
    let lin = app.admin().find("lin").await;
    assert_eq!(channel(&lin, "EMAIL")["status"], "CONFIRMED");
    assert_eq!(channel(&lin, "SMS")["status"], "PENDING");
    (app, lin, provider)
}

/// What the provider holds, by channel and endpoint.
fn held(provider: &FakeProvider) -> Vec<String> {
    let requests = provider.requests();
    let held = requests.iter().filter(|request| provider.holds(request.generation));
    let mut held: Vec<_> = held.map(|request| format!("{} {}", request.channel.name(), request.endpoint)).collect();
    held.sort();
    held
}

fn cancellations(provider: &FakeProvider) -> usize {
    provider.calls().iter().filter(|call| matches!(call, Call::Cancel(..))).count()
}

async fn erasing_cancels_at_the_provider(database: Database) {
    let (app, lin, provider) = start_asked(database).await;
    let wu = app.admin().find("wu").await;
    edit(&app, &wu, json!({ "email": "other@demo.example" })).await;
    app.run_workers().await;
    delete_all(&app, &[&lin], false).await;
    app.run_workers().await;
    let theirs = ["EMAIL new@demo.example", "EMAIL other@demo.example", "SMS +8613900139001", "VOICE +8613900139001"];
    assert_eq!(held(&provider), theirs, "who can be restored is not cancelled");
    app.clock.advance(Duration::hours(24));
    assert_eq!(app.app.services.erase_due().await.unwrap(), 1);
    app.run_workers().await;
    assert_eq!(held(&provider), ["EMAIL other@demo.example"]);
    assert_eq!(cancellations(&provider), 3);
    assert_eq!(channel(&app.admin().find("wu").await, "EMAIL")["status"], "PENDING");
}

async fn a_provider_that_does_not_answer_is_asked_again_to_cancel(database: Database) {
    let (app, lin, provider) = start_asked(database).await;
    provider.fail_cancels([unavailable(None), unavailable(None), unavailable(Some(60))]);
    delete_all(&app, &[&lin], true).await;
    app.run_workers().await;
    assert_eq!((held(&provider).len(), cancellations(&provider)), (3, 3));
    app.clock.advance(Duration::seconds(5));
    app.run_workers().await;
    assert_eq!(held(&provider).len(), 1, "the third asked for a minute");
    app.clock.advance(Duration::seconds(55));
    app.run_workers().await;
    assert_eq!((held(&provider), cancellations(&provider)), (Vec::new(), 6));
}

async fn a_run_no_longer_names_an_erased_person(database: Database) {
    let (app, lin) = start_with(database, Setup::default()).await;
    let data = app.admin().data("{ directorySyncs(first: 1) { nodes { id } } }", json!({})).await;
    let id = data["directorySyncs"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(find_run(&app.admin(), &id).await["outcomes"][0]["engineerId"], lin["id"]);
    delete_all(&app, &[&lin], true).await;
    let run = find_run(&app.admin(), &id).await;
    assert_eq!((&run["outcomes"][0]["engineerId"], &run["outcomes"][0]["externalId"]), (&json!(null), &json!("u-1")));
    assert!(run["outcomes"][1]["engineerId"].is_string());
    // A run that goes on at that moment neither fails nor finds them.
    queue(&app.admin(), json!({ "directory": "hr" })).await;
    app.run_workers().await;
    assert_eq!(names(&app).await, ["wu"]);
}
