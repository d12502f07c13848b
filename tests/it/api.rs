//! The GraphQL API as its clients see it, on both databases.

mod bulk;
mod codes;
mod endpoints;
mod errors;
mod examples;
mod filters;
mod http;
mod messages;
mod mutations;
mod names;
mod nodes;
mod paging;
mod pieces;
mod statements;
mod summary;

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

const ADD: &str = "mutation($input: AddEngineerInput!) { addEngineer(input: $input) { engineer {
    id name alias userType identityProvider directory externalId directoryState locale mobile email version syncedAt
    channels { kind status } } userErrors { code field message params { name value } } } }";

const UPDATE: &str = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { engineer {
    id name alias locale mobile email version updatedAt
    channels { kind status endpointMasked secretSet } } userErrors { code field message params { name value } } } }";

/// Syncs these people from the directory `hr`, and nobody else.
async fn sync_people(app: &TestApp, rows: &[&str]) {
    app.write_directory("hr", rows);
    let run = app.sync("hr", json!({ "confirmRemovals": true })).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}");
}

/// Adds someone by hand who must be let in.
async fn add(caller: &Caller<'_>, input: Value) -> Value {
    let added = caller.data(ADD, json!({ "input": input })).await["addEngineer"].clone();
    assert_eq!(added["userErrors"], json!([]), "{input}");
    added["engineer"].clone()
}

/// Edits someone in a way that must be taken.
async fn update(caller: &Caller<'_>, input: Value) -> Value {
    let updated = caller.data(UPDATE, json!({ "input": input })).await["updateEngineer"].clone();
    assert_eq!(updated["userErrors"], json!([]), "{input}");
    updated["engineer"].clone()
}

/// An administrator of the account `other`.
fn stranger_admin(app: &TestApp) -> Caller<'_> {
    app.caller_with(app.token("other", &[Role::Admin], None))
}

/// The entries of a JSON list.
fn entries(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// That field of each entry.
fn each(value: &Value, field: &str) -> Vec<String> {
    entries(value).iter().map(|entry| text(&entry[field])).collect()
}

/// A JSON string.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
