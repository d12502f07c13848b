//! The confirmation sync: what the provider's listing changes, and what it does not.

use std::sync::Arc;

use chrono::Duration;
use rollcall::{
    domain::{channel::ChannelKind, id::ChannelSubscriptionId},
    port::provider::ProviderStatus,
};
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    provider::{Call, FakeProvider},
    roll::status,
};

mod found;
mod gone;
mod schedule;

const EMAIL: &str = "lin.wei@demo.example";

async fn start(database: Database) -> (TestApp, Arc<FakeProvider>) {
    let provider = FakeProvider::new();
    let setup = Setup { provider: Some(provider.clone()), ..Setup::default() };
    (TestApp::start_with(database, setup).await, provider)
}

/// People `p-0`, `p-1`, … of a directory, all asked by mail.
async fn start_with_people(database: Database, count: usize) -> (TestApp, Arc<FakeProvider>) {
    let provider = FakeProvider::new();
    let config = "[accounts.demo]\nsubscribe_on_sync = true\n".to_owned();
    let setup = Setup { config, provider: Some(provider.clone()), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let rows: Vec<_> = (0..count).map(|n| format!("u-{n},p-{n},,IAM_USER,active,,{}", email(n))).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    app.sync("hr", json!({})).await;
    app.run_workers().await;
    assert_eq!(provider.count_held(ChannelKind::Email), count);
    (app, provider)
}

fn email(n: usize) -> String {
    format!("p-{n}@demo.example")
}

/// Everyone's status, `p-0` first.
async fn statuses(app: &TestApp, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for n in 0..count {
        let person = app.admin().find(&format!("p-{n}")).await;
        all.push(status(&person, "EMAIL").to_owned());
    }
    all
}

/// Lets the next confirmation sync come, and runs it.
async fn next_sync(app: &TestApp) {
    app.clock.advance(Duration::minutes(10));
    app.run_worker("confirmation-sync").await.expect("a confirmation sync");
}

fn listings(provider: &FakeProvider) -> Vec<Option<String>> {
    let listing = |call| match call {
        Call::List(page) => Some(page),
        Call::Find(_) | Call::Request(_) | Call::Cancel(..) => None,
    };
    provider.calls().into_iter().filter_map(listing).collect()
}

async fn email_status(app: &TestApp, person: &Value) -> String {
    status(&app.admin().look(person).await, "EMAIL").to_owned()
}

async fn generation(app: &TestApp, person: &Value, place: usize) -> ChannelSubscriptionId {
    ChannelSubscriptionId(app.generations(person, ChannelKind::Email).await[place].id)
}

/// Someone who was asked by mail.
async fn ask(app: &TestApp) -> Value {
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    assert_eq!(email_status(app, &lin).await, "PENDING");
    lin
}

fn answer(provider: &FakeProvider, status: ProviderStatus) {
    provider.answer(ChannelKind::Email, EMAIL, status);
}
