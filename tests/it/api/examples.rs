//! The examples of docs/api.md: each is run, and everything that the API has is in one of them.

use std::{collections::BTreeSet, fs};

use async_graphql::parser::{
    parse_query,
    types::{OperationType, Selection},
};
use reqwest::{Method, header};
use rollcall::domain::channel::ChannelKind;
use serde_json::{Map, Value, json};

use super::{entries, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    events::Events,
};

both_dbs! {
    every_example_of_the_documentation_works
    every_root_field_has_an_example
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");

/// A document of the page, with the variables of the block that follows it.
struct Example {
    line: usize,
    document: String,
    variables: Value,
}

/// The examples of the page, in their order.
fn read_examples() -> Vec<Example> {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut lines = page.lines().enumerate().peekable();
    let mut examples: Vec<Example> = Vec::new();
    let mut is_next = false;
    while let Some((number, line)) = lines.next() {
        let mut block = || {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
            inside.collect::<Vec<_>>().join("\n")
        };
        match line.trim() {
            "```graphql" => {
                examples.push(Example { line: number + 1, document: block(), variables: json!({}) });
                is_next = true;
            }
            "```json" if is_next => {
                let example = examples.last_mut().unwrap();
                example.variables = serde_json::from_str(&block()).expect("variables");
                is_next = false;
            }
            "" => {}
            fence if fence.starts_with("```") => {
                block();
                is_next = false;
            }
            _ => is_next = false,
        }
    }
    examples
}

impl Example {
    /// The name, the kind and the root fields of each operation.
    fn operations(&self) -> Vec<(String, OperationType, Vec<String>)> {
        let parsed = parse_query(&self.document).unwrap_or_else(|error| panic!("line {}: {error}", self.line));
        let mut operations: Vec<_> = parsed.operations.iter().collect();
        operations.sort_by_key(|(_, operation)| operation.pos);
        let describe = |(name, operation): (Option<&async_graphql::Name>, &async_graphql::Positioned<_>)| {
            let operation: &async_graphql::parser::types::OperationDefinition = &operation.node;
            let fields = operation.selection_set.node.items.iter().map(|selection| match &selection.node {
                Selection::Field(field) => field.node.name.node.to_string(),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => panic!("line {}: no field", self.line),
            });
            let name = name.unwrap_or_else(|| panic!("line {}: an operation without a name", self.line));
            (name.to_string(), operation.ty, fields.collect())
        };
        operations.into_iter().map(describe).collect()
    }
}

/// A roll on which every example has something to show, and what its variables stand for.
async fn prepare(app: &TestApp, round: usize) -> Map<String, Value> {
    let admin = app.admin();
    let begin = admin.data("{ liveCursor }", json!({})).await["liveCursor"].clone();
    // A directory's people stay deleted, so each round has its own.
    app.write_directory("hr", &[&format!("u-{round},gao,Gao,IAM_USER,ACTIVE,,gao@example.com")]);
    app.sync("hr", json!({})).await;
    let runs = admin.data("{ directorySyncs { nodes { id } } }", json!({})).await;
    let lin = json!({ "mobile": "+8613800138001", "email": "lin.wei@example.com" });
    let lin = admin.add("lin", lin).await;
    app.run_workers().await;
    let message = app.last_message("+8613800138001", ChannelKind::Sms).await;
    let key = "mutation { createApiKey(input: { label: \"Monitor\", role: VIEWER }) { apiKey { id } } }";
    let key = admin.data(key, json!({})).await;
    let values = json!({
        "LIVE_CURSOR": begin,
        "ENGINEER_ID": lin["id"],
        "CODE": message.code,
        "DIRECTORY_SYNC_ID": runs["directorySyncs"]["nodes"][0]["id"],
        "API_KEY_ID": key["createApiKey"]["apiKey"]["id"],
    });
    // The limits on messages to one endpoint are not the examples' concern.
    app.clock.advance(chrono::Duration::minutes(2));
    values.as_object().unwrap().clone()
}

fn fill(variables: &Value, values: &Map<String, Value>) -> Value {
    let fill = |value: &Value| match value.as_str().and_then(|word| values.get(word)) {
        Some(found) => found.clone(),
        None => {
            let is_word = |text: &str| text.len() > 3 && text.bytes().all(|c| c.is_ascii_uppercase() || c == b'_');
            assert!(!value.as_str().is_some_and(is_word), "{value} stands for nothing");
            value.clone()
        }
    };
    variables.as_object().expect("an object").iter().map(|(name, value)| (name.clone(), fill(value))).collect()
}

/// Checks that nothing was refused, and that there is something to see.
fn check(place: &str, at: &str, value: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match name.as_str() {
            "userErrors" => assert_eq!(*value, json!([]), "{place}: {at}"),
            "userError" => assert_eq!(*value, Value::Null, "{place}: {at}"),
            _ => check(place, &format!("{at}.{name}"), value),
        }),
        Value::Array(items) => {
            assert!(
                !items.is_empty() || at.ends_with("reasons"),
                "{place}: {at} is empty, so the example shows nothing"
            );
            items.iter().for_each(|item| check(place, at, item));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn every_example_of_the_documentation_works(database: Database) {
    let examples = read_examples();
    assert!(examples.len() >= 8, "{} examples", examples.len());
    let app = TestApp::start(database).await;
    let admin = app.admin();
    for (round, example) in examples.into_iter().enumerate() {
        let values = prepare(&app, round).await;
        let variables = fill(&example.variables, &values);
        for (name, kind, fields) in example.operations() {
            let place = format!("docs/api.md, line {}, {name}", example.line);
            let body = json!({ "query": example.document, "operationName": name, "variables": variables });
            let request = admin.request(Method::POST, "/graphql").json(&body);
            let result: Value = match kind {
                OperationType::Query | OperationType::Mutation => request.send().await.unwrap().json().await.unwrap(),
                OperationType::Subscription => {
                    let request = request.header(header::ACCEPT, "text/event-stream");
                    Events::of(request.send().await.unwrap()).result().await
                }
            };
            assert!(result.get("errors").is_none(), "{place}: {result:#}");
            check(&place, "data", &result["data"]);
            for field in fields {
                assert!(!result["data"][&field].is_null(), "{place}: {field} shows nothing");
            }
        }
        // The next one finds an empty roll, and a new day.
        erase_everyone(&app).await;
        app.clock.advance(chrono::Duration::days(1));
    }
}

async fn erase_everyone(app: &TestApp) {
    let admin = app.admin();
    let people = admin.data("{ engineers(first: 100) { nodes { id } } }", json!({})).await;
    let ids: Vec<_> = entries(&people["engineers"]["nodes"]).iter().map(|person| person["id"].clone()).collect();
    let erase = "mutation($ids: [ID!]!) { deleteEngineers(input: { ids: $ids, eraseNow: true }) {
        outcomes { userError { code } } userErrors { code } } }";
    let erased = admin.data(erase, json!({ "ids": ids })).await;
    check("erasing", "data", &erased);
    app.run_workers().await;
}

async fn every_root_field_has_an_example(database: Database) {
    let app = TestApp::start(database).await;
    let roots = "{ __schema { queryType { fields { name } } mutationType { fields { name } }
        subscriptionType { fields { name } } } }";
    let schema = app.admin().data(roots, json!({})).await;
    let of =
        |root: &str| entries(&schema["__schema"][root]["fields"]).iter().map(|field| text(&field["name"])).collect();
    let all: Vec<Vec<String>> = ["queryType", "mutationType", "subscriptionType"].map(of).into();
    let all: BTreeSet<_> = all.into_iter().flatten().collect();
    let shown: BTreeSet<_> =
        read_examples().iter().flat_map(Example::operations).flat_map(|(_, _, fields)| fields).collect();
    assert_eq!(all, shown);
}
