//! Every mutation of the schema leaves an entry, whether it was done or refused.

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use chrono::Duration;
use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::newest;
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_mutation_leaves_an_entry_when_it_is_done
    every_mutation_leaves_an_entry_when_it_is_refused
}

/// Every mutation, the action that its entry names, and the kind of thing that it is done to.
const MUTATIONS: [(&str, &str, Option<&str>); 12] = [
    ("addEngineer", "ADD_ENGINEER", Some("ENGINEER")),
    ("cancelChannels", "CANCEL_CHANNELS", Some("ENGINEER")),
    ("confirmChannel", "CONFIRM_CHANNEL", Some("ENGINEER")),
    ("createApiKey", "CREATE_API_KEY", Some("API_KEY")),
    ("deleteEngineers", "DELETE_ENGINEERS", Some("ENGINEER")),
    ("refreshConfirmations", "REFRESH_CONFIRMATIONS", None),
    ("restoreEngineers", "RESTORE_ENGINEERS", Some("ENGINEER")),
    ("revealContact", "REVEAL_CONTACT", Some("ENGINEER")),
    ("revokeApiKeys", "REVOKE_API_KEYS", Some("API_KEY")),
    ("subscribeChannels", "SUBSCRIBE_CHANNELS", Some("ENGINEER")),
    ("syncEngineers", "SYNC_ENGINEERS", Some("DIRECTORY_SYNC")),
    ("updateEngineer", "UPDATE_ENGINEER", Some("ENGINEER")),
];

#[test]
fn the_table_has_every_mutation_and_no_other() {
    let document = parse_schema(rollcall::app::sdl()).unwrap();
    let root = document.definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == "Mutation" => Some(definition.node.kind),
        TypeSystemDefinition::Type(_) | TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    let Some(TypeKind::Object(root)) = root else { panic!("there are mutations") };
    let of_the_schema: BTreeSet<_> = root.fields.into_iter().map(|field| field.node.name.node.to_string()).collect();
    let told: BTreeSet<_> = MUTATIONS.iter().map(|(field, ..)| (*field).to_owned()).collect();
    assert_eq!(told, of_the_schema, "each mutation must be audited, and be in this table");
    for (field, action, _) in MUTATIONS {
        assert_eq!(action.replace('_', ""), field.to_uppercase(), "an action is named after its mutation");
    }
}

/// What a mutation is done to.
struct Stage {
    engineer: Value,
    code: String,
    key: Value,
}

/// Someone whose channel can be confirmed and a key that can be revoked; and what else the mutation needs.
async fn set_the_stage(app: &TestApp, field: &str) -> Stage {
    let admin = app.admin();
    let email = format!("{field}@demo.example").to_lowercase();
    let engineer = admin.add(&field.to_lowercase(), json!({ "email": email })).await["id"].clone();
    app.run_workers().await;
    let code = app.outbox().await.into_iter().rfind(|message| message.endpoint == email).unwrap().code;
    let (_, made) = execute(&admin, "createApiKey", json!({ "label": "wall", "role": "VIEWER" })).await;
    match field {
        "restoreEngineers" => drop(execute(&admin, "deleteEngineers", json!({ "ids": [engineer] })).await),
        "subscribeChannels" => app.clock.advance(Duration::minutes(1)),
        _ => {}
    }
    Stage { engineer, code, key: made["apiKey"]["id"].clone() }
}

fn input(field: &str, stage: &Stage) -> Value {
    let Stage { engineer, code, key } = stage;
    match field {
        "addEngineer" => json!({ "name": "another", "userType": "OTHER" }),
        "cancelChannels" | "subscribeChannels" => json!({ "engineerIds": [engineer], "channels": ["EMAIL"] }),
        "confirmChannel" => json!({ "engineerId": engineer, "channel": "EMAIL", "code": code }),
        "createApiKey" => json!({ "label": "wall", "role": "VIEWER" }),
        "deleteEngineers" | "restoreEngineers" => json!({ "ids": [engineer] }),
        "refreshConfirmations" => json!({}),
        "revealContact" => json!({ "engineerId": engineer, "channel": "EMAIL", "reason": "the table" }),
        "revokeApiKeys" => json!({ "ids": [key] }),
        "syncEngineers" => json!({ "directory": "hr" }),
        "updateEngineer" => json!({ "id": engineer, "alias": "Canary" }),
        field => panic!("no input for {field}"),
    }
}

/// Runs a mutation. Gives the id of the request, and the payload.
async fn execute(caller: &Caller<'_>, field: &str, input: Value) -> (String, Value) {
    let kind = field[..1].to_uppercase() + &field[1..];
    let more = match field {
        "createApiKey" => "apiKey { id }",
        "cancelChannels" | "subscribeChannels" | "deleteEngineers" | "restoreEngineers" | "revokeApiKeys" => {
            "outcomes { userError { code } }"
        }
        _ => "",
    };
    let query =
        format!("mutation($input: {kind}Input!) {{ {field}(input: $input) {{ userErrors {{ code }} {more} }} }}");
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = caller.request(Method::POST, "/graphql").json(&body).send().await.unwrap();
    let request = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let response: Value = answer.json().await.unwrap();
    (request, response["data"][field].clone())
}

async fn every_mutation_leaves_an_entry_when_it_is_done(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[]);
    for (field, action, target) in MUTATIONS {
        let stage = set_the_stage(&app, field).await;
        let (request, payload) = execute(&app.admin(), field, input(field, &stage)).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}");
        assert!(payload["outcomes"][0]["userError"].is_null(), "{field}: {payload}");
        let entry = newest(&app, 1).await.remove(0);
        assert_eq!(entry["action"], action);
        assert_eq!((&entry["outcome"], &entry["errorCode"]), (&json!("DONE"), &Value::Null), "{field}");
        assert_eq!(entry["actor"], json!({ "kind": "TOKEN", "subject": "tester", "roles": ["ADMIN"] }), "{field}");
        assert_eq!(entry["targetKind"], json!(target), "{field}");
        let id = match target {
            Some("API_KEY") if field == "createApiKey" => &payload["apiKey"]["id"],
            Some("API_KEY") => &stage.key,
            Some("ENGINEER") if field != "addEngineer" => &stage.engineer,
            _ => &entry["targetId"],
        };
        assert_eq!(entry["targetId"], *id, "{field}");
        assert_eq!(entry["targetId"].is_null(), target.is_none(), "{field}");
        assert_eq!(entry["requestId"], request.as_str(), "{field}");
        assert_eq!(entry["clientAddress"], "127.0.0.1", "{field}");
    }
}

async fn every_mutation_leaves_an_entry_when_it_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    for (field, action, target) in MUTATIONS {
        let stage = set_the_stage(&app, field).await;
        let (request, payload) = execute(&app.caller(Role::Viewer), field, input(field, &stage)).await;
        let codes = [&payload["userErrors"][0]["code"], &payload["outcomes"][0]["userError"]["code"]];
        assert!(codes.contains(&&json!("NOT_ALLOWED")), "{field}: {payload}");
        let entry = newest(&app, 1).await.remove(0);
        assert_eq!(entry["action"], action);
        assert_eq!((&entry["outcome"], &entry["errorCode"]), (&json!("REFUSED"), &json!("NOT_ALLOWED")), "{field}");
        assert_eq!(entry["actor"]["roles"], json!(["VIEWER"]), "{field}");
        assert_eq!(entry["requestId"], request.as_str(), "{field}");
        if target == Some("ENGINEER") && field != "addEngineer" {
            assert_eq!(entry["targetId"], stage.engineer, "{field}");
        }
    }
}
