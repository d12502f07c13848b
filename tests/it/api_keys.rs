//! API keys: made, shown once, used over every door, and revoked.

mod ended;
mod made;
mod used;

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

const CREATE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key
    apiKey { id label role state createdBy createdAt expiresAt revokedAt revokedBy lastUsedAt }
    userErrors { code field message params { name value } } } }";

const REVOKE: &str = "mutation($ids: [ID!]!) { revokeApiKeys(input: { ids: $ids }) {
    apiKeys { id state revokedAt revokedBy } outcomes { apiKeyId userError { code field message } } userErrors { code } } }";

/// A key that was made.
struct Made {
    key: String,
    id: String,
}

async fn create(caller: &Caller<'_>, input: Value) -> Value {
    caller.data(CREATE, json!({ "input": input })).await["createApiKey"].clone()
}

/// Makes a key that must be taken.
async fn make(caller: &Caller<'_>, role: &str) -> Made {
    let made = create(caller, json!({ "label": format!("{role} of the test"), "role": role })).await;
    assert_eq!(made["userErrors"], json!([]));
    Made { key: text(&made["key"]), id: text(&made["apiKey"]["id"]) }
}

async fn revoke(caller: &Caller<'_>, ids: &[&str]) -> Value {
    caller.data(REVOKE, json!({ "ids": ids })).await["revokeApiKeys"].clone()
}

/// An administrator of the account `other`.
fn other_admin(app: &TestApp) -> Caller<'_> {
    app.caller_with(app.token("other", &[Role::Admin], None))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
