//! Deleting, restoring and erasing engineers.

mod erasing;
mod remains;
mod restoring;

use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

/// Deletes people. Gives the payload.
async fn delete(caller: &Caller<'_>, who: &[&Value], erase_now: bool) -> Value {
    let mutation = "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) {
        deletedEngineerIds outcomes { engineerId userError { code field } } userErrors { code } } }";
    let ids: Vec<_> = who.iter().map(|one| &one["id"]).collect();
    caller.data(mutation, json!({ "input": { "ids": ids, "eraseNow": erase_now } })).await["deleteEngineers"].clone()
}

/// Deletes people, who must be there.
async fn delete_all(app: &TestApp, who: &[&Value], erase_now: bool) {
    let payload = delete(&app.admin(), who, erase_now).await;
    let ids: Vec<_> = who.iter().map(|one| &one["id"]).collect();
    assert_eq!(payload["deletedEngineerIds"], json!(ids), "{payload}");
    assert_eq!(payload["userErrors"], json!([]));
}

/// Restores people. Gives the payload.
async fn restore(caller: &Caller<'_>, who: &[&Value]) -> Value {
    let mutation = "mutation($input: RestoreEngineersInput!) { restoreEngineers(input: $input) {
        engineers { id name } outcomes { engineerId userError { code field } } userErrors { code } } }";
    let ids: Vec<_> = who.iter().map(|one| &one["id"]).collect();
    caller.data(mutation, json!({ "input": { "ids": ids } })).await["restoreEngineers"].clone()
}

/// The status changes, newest first, as text.
async fn history(app: &TestApp) -> Vec<String> {
    let query = "{ statusChanges(first: 100) { nodes { channel from to cause } } }";
    let data = app.admin().data(query, json!({})).await;
    let nodes = data["statusChanges"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(ToString::to_string).collect()
}
