//! How much one operation may ask for, and how it ends when it goes wrong.

mod bombs;
mod cache;
mod counted;
mod ends;
mod errors;
mod introspection;
mod mended;
mod sizes;

use serde_json::{Value, json};

use crate::harness::app::{Caller, Database, Setup, TestApp};

/// A server with some limits of its own. What the guard does has nothing to do with the database.
async fn start(limits: &str) -> TestApp {
    let config = format!("[limits]\n{limits}\n");
    TestApp::start_with(Database::sqlite(), Setup { config, ..Setup::default() }).await
}

/// Runs an operation that must be refused as a whole. Gives the code and the message of its only error.
async fn refused(caller: &Caller<'_>, query: &str, variables: Value) -> (String, String) {
    let (status, answer) = caller.execute(query, variables).await;
    let shown: String = query.chars().take(200).collect();
    assert!(answer.get("data").is_none(), "{status}: {shown}: {answer}");
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{shown}: {answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

/// Refused for asking too much, with this number of it and this limit.
async fn too_much(caller: &Caller<'_>, query: &str, variables: Value, found: usize, limit: usize) {
    let (code, message) = refused(caller, query, variables).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
    let numbers: Vec<_> = message.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty()).collect();
    assert_eq!(numbers.first().copied(), Some(found.to_string().as_str()), "{message}");
    assert_eq!(numbers.get(1).copied(), Some(limit.to_string().as_str()), "{message}");
}

/// Runs an operation that must be answered.
async fn allowed(caller: &Caller<'_>, query: &str, variables: Value) -> Value {
    caller.data(query, variables).await
}

/// No variables.
fn none() -> Value {
    json!({})
}
