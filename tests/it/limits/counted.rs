//! Operations are counted by their root field and their code, and by nothing that a client made up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{none, start};
use crate::harness::app::TestApp;

/// How often each kind of operation was answered.
async fn counts(app: &TestApp) -> BTreeMap<String, u64> {
    let address = app.serve_metrics().await;
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("rollcall_operations_total{")?.split_once("} "));
    lines.map(|(labels, count)| (labels.replace('"', ""), count.parse().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_are_counted_by_what_the_schema_calls_them() {
    let app = start("").await;
    let admin = app.admin();
    for query in [
        "{ secretAlias: engineers { totalCount } }",
        "query SecretName { ...F } fragment F on Query { engineers(first: 1) { totalCount } ... { engineers(first: 1) { totalCount } } }",
        "{ viewer { subject } liveCursor }",
        "{ secretField }",
        "{ __typename }",
        "{ secretParse",
        "{ ...SecretFragment }",
        "{ engineers(first: 101) { totalCount } }",
        "mutation { restoreEngineers(input: { ids: [] }) { userErrors { code } } }",
    ] {
        admin.execute(query, none()).await;
    }
    let mut socket = admin.connect().await;
    let expired = "subscription($after: String) { engineerChanged(after: $after) { cursor } }";
    let id = socket.subscribe(expired, json!({ "after": "nothing" })).await;
    assert_ne!(socket.refusal(&id).await, Value::Null);
    let counted = counts(&app).await;
    let expected = [
        ("kind=mutation,field=restoreEngineers,code=OK", 1),
        ("kind=query,field=engineers,code=BAD_USER_INPUT", 1),
        ("kind=query,field=engineers,code=OK", 1),
        ("kind=query,field=none,code=GRAPHQL_VALIDATION_FAILED", 1),
        ("kind=query,field=none,code=OK", 1),
        ("kind=query,field=several,code=OK", 2),
        ("kind=subscription,field=engineerChanged,code=BAD_USER_INPUT", 1),
        ("kind=unknown,field=none,code=GRAPHQL_PARSE_FAILED", 1),
        ("kind=unknown,field=none,code=GRAPHQL_VALIDATION_FAILED", 1),
    ];
    assert_eq!(counted, expected.map(|(labels, count)| (labels.to_owned(), count)).into());
}
