//! What GraphQL allows and the library alone refuses or forgets.

use rollcall::domain::actor::Role;
use serde_json::json;

use super::{allowed, none, refused, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typename_may_depend_on_a_variable() {
    let app = start("").await;
    let query = "query($s: Boolean!) { a: __typename @include(if: $s) viewer { ...V __typename @skip(if: $s) } }
        fragment V on Viewer { subject b: __typename @include(if: $s) @skip(if: false) }";
    for _ in 0..2 {
        let yes = json!({ "a": "Query", "viewer": { "subject": "tester", "b": "Viewer" } });
        assert_eq!(allowed(&app.admin(), query, json!({ "s": true })).await, yes);
        let no = json!({ "viewer": { "subject": "tester", "__typename": "Viewer" } });
        assert_eq!(allowed(&app.admin(), query, json!({ "s": false })).await, no);
    }
    let unused = "query($s: Boolean!) { __typename }";
    assert_eq!(refused(&app.admin(), unused, json!({ "s": true })).await.0, "GRAPHQL_VALIDATION_FAILED");
    for unknown in ["{ __typename @nothing }", "{ __typename @include(if: 4) }", "{ __typename @include }"] {
        assert_eq!(refused(&app.admin(), unknown, none()).await.0, "GRAPHQL_VALIDATION_FAILED", "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_stream_may_have_its_root_field_in_a_fragment() {
    let app = start("").await;
    let mut socket = app.admin().connect().await;
    for query in [
        "subscription { ...S } fragment S on Subscription { rosterSummaryChanged { engineers } }",
        "subscription { ... { ... on Subscription { rosterSummaryChanged { ...C } } } } fragment C on RosterSummary { engineers }",
        "subscription { ...S } fragment S on Subscription { ...T } fragment T on Subscription { rosterSummaryChanged { engineers } }",
        "subscription A { ...S } subscription B { ...S } fragment S on Subscription { rosterSummaryChanged { engineers } }",
    ] {
        let payload = json!({ "query": query, "operationName": query.contains("subscription A").then_some("A") });
        socket.send(json!({ "id": query, "type": "subscribe", "payload": payload })).await;
        assert_eq!(socket.next(query).await, json!({ "rosterSummaryChanged": { "engineers": 0 } }), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_stream_has_exactly_one_root_field() {
    let app = start("").await;
    let mut socket = app.admin().connect().await;
    for query in [
        "subscription { a: rosterSummaryChanged { id } b: rosterSummaryChanged { id } }",
        "subscription { rosterSummaryChanged { id } ...S } fragment S on Subscription { engineerChanged { cursor } }",
        "subscription { rosterSummaryChanged { id } __typename }",
        "subscription { __typename }",
        "subscription { rosterSummaryChanged { id } } fragment S on Subscription { engineerChanged { cursor } }",
    ] {
        let id = socket.subscribe(query, none()).await;
        assert_eq!(socket.refusal(&id).await, "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    let viewer = app.caller(Role::Viewer);
    let (code, _) = refused(&viewer, "subscription { ...S } fragment S on Subscription { ...S }", none()).await;
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_is_of_the_type_that_its_place_wants() {
    let app = start("").await;
    let good = [
        "query($v: Int) { engineers(first: $v) { totalCount } }",
        "query($v: Int! = 3) { engineers(first: $v) { totalCount } }",
        "query($v: ID! = \"x\") { engineer(id: $v) { id } }",
        "query($v: ID = \"x\") { engineer(id: $v) { id } }",
        "query($v: [ID!]! = []) { nodes(ids: $v) { id } }",
        "query($v: ID! = \"x\") { nodes(ids: [$v, \"y\"]) { id } }",
        "query($v: [ID!]) { engineers(filter: { ids: $v }) { totalCount } }",
        "query($v: EngineerFilter) { ...F } fragment F on Query { engineers(filter: $v) { totalCount } }",
        "query($v: Boolean = true) { __typename @include(if: $v) viewer @skip(if: $v) { subject } }",
        "mutation($v: Boolean) { deleteEngineers(input: { ids: [], eraseNow: $v }) { userErrors { code } } }",
    ];
    for query in good {
        let (_, answer) = app.admin().execute(query, none()).await;
        assert!(answer.get("data").is_some(), "{query}: {answer}");
    }
    let bad = [
        ("query($v: String) { engineers(first: $v) { totalCount } }", "String", "Int"),
        ("query($v: ID) { engineer(id: $v) { id } }", "ID", "ID!"),
        ("query($v: ID = null) { engineer(id: $v) { id } }", "ID", "ID!"),
        ("query($v: ID!) { nodes(ids: $v) { id } }", "ID!", "[ID!]!"),
        ("query($v: [ID]!) { nodes(ids: $v) { id } }", "[ID]!", "[ID!]!"),
        ("query($v: ID) { nodes(ids: [$v]) { id } }", "ID", "ID!"),
        ("query($v: String) { engineers(filter: { ids: [$v] }) { totalCount } }", "String", "ID!"),
        (
            "query($v: Int) { ...F } fragment F on Query { ... { engineers(filter: $v) { totalCount } } }",
            "Int",
            "EngineerFilter",
        ),
        ("query($v: Boolean) { __typename @include(if: $v) }", "Boolean", "Boolean!"),
        (
            "query A($v: Int) { ...F } query B($v: ID) { ...F } fragment F on Query { engineers(first: $v) { totalCount } }",
            "ID",
            "Int",
        ),
        ("subscription($v: Int) { engineerChanged(after: $v) { cursor } }", "Int", "String"),
    ];
    for (query, given, wanted) in bad {
        let (code, message) = refused(&app.admin(), query, json!({ "v": null })).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}: {message}");
        assert!(
            message.contains(&format!("\"{given}\"")) && message.contains(&format!("\"{wanted}\"")),
            "{query}: {message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_int_has_32_bits_wherever_it_stands() {
    let app = start("").await;
    let update = "mutation($v: UpdateEngineerInput!) { updateEngineer(input: $v) { userErrors { code } } }";
    let with = |version: i64| json!({ "v": { "id": "x", "version": version } });
    for (query, variables) in [
        (
            "query($v: Int) { viewer { subject } engineers(first: $v) { totalCount } }",
            json!({ "v": 2_147_483_648_i64 }),
        ),
        ("{ engineers(first: -2147483649) { totalCount } }", none()),
        ("query($v: Int = 3000000000) { engineers(first: $v) { totalCount } }", none()),
        ("{ engineers(first: 99999999999999999999) { totalCount } }", none()),
        (update, with(i64::MIN)),
        ("mutation { updateEngineer(input: { id: \"x\", version: 3000000000 }) { userErrors { code } } }", none()),
    ] {
        let (code, message) = refused(&app.admin(), query, variables).await;
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}: {message}");
    }
    let fits = allowed(&app.admin(), update, with(2_147_483_647)).await;
    assert_eq!(fits["updateEngineer"]["userErrors"][0]["code"], "NOT_FOUND");
}
