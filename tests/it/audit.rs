//! The audit log: who did what to whom, or was refused it.

mod commands;
mod doors;
mod entries;
mod mutations;
mod reveal;

use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

const ENTRIES: &str = "query($first: Int, $filter: AuditFilter) { auditLog(first: $first, filter: $filter) { nodes {
    id occurredAt action outcome errorCode reason targetKind targetId requestId clientAddress
    actor { kind subject roles } changes { field before after } } } }";

/// The newest entries of the account `demo`, the newest first.
async fn newest(app: &TestApp, first: i32) -> Vec<Value> {
    let data = app.admin().data(ENTRIES, json!({ "first": first })).await;
    data["auditLog"]["nodes"].as_array().unwrap().clone()
}

/// The entries that are wanted, the newest first.
async fn wanted(caller: &Caller<'_>, filter: Value) -> Vec<Value> {
    let data = caller.data(ENTRIES, json!({ "first": 50, "filter": filter })).await;
    data["auditLog"]["nodes"].as_array().unwrap().clone()
}

/// The changes of an entry, as field: [before, after].
fn changes(entry: &Value) -> Value {
    let changes = entry["changes"].as_array().unwrap().iter();
    changes.map(|it| (it["field"].as_str().unwrap().to_owned(), json!([it["before"], it["after"]]))).collect()
}

/// Runs a mutation. Gives its payload.
async fn run(caller: &Caller<'_>, field: &str, input: Value) -> Value {
    let kind = field[..1].to_uppercase() + &field[1..];
    let document = format!("mutation($input: {kind}Input!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
    caller.data(&document, json!({ "input": input })).await[field].clone()
}
