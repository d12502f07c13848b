//! What comes in `errors`: a code, a sentence for the developer of the client, and nothing from inside.

use reqwest::StatusCode;
use rollcall::domain::actor::Role;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::{entries, stranger_admin, sync_people, text};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    bad_documents_and_variables_get_a_code_and_a_plain_sentence
    operations_that_ask_for_too_much_are_refused_at_once
    optional_sizes_may_be_left_out_given_null_or_have_defaults
    roles_that_do_not_allow_a_list_are_told_so
    a_failing_database_tells_nothing_of_itself
}

/// What no message may hold: names of Rust, of the libraries, of SQL and of what holds values inside.
const INNER: [&str; 22] = [
    "::",
    "async_graphql",
    "rollcall",
    "sea_orm",
    "sqlx",
    "Some(",
    "None",
    "Err(",
    "Ok(",
    "panicked",
    "unwrap",
    "MaybeUndefined",
    "i32",
    "u64",
    "Vec<",
    "String(",
    "SELECT",
    "FROM",
    "relation",
    "no such",
    "syntax error at",
    "Error {",
];

/// Holds a response against what every response with errors must be. Gives the code and the message of the first.
fn check_errors(response: &Value) -> (String, String) {
    for error in entries(&response["errors"]) {
        let message = text(&error["message"]);
        assert!(!message.trim().is_empty() && !message.contains('\n'), "one line: {error}");
        for inner in INNER {
            assert!(!message.contains(inner), "{inner} in: {message}");
        }
        let extensions = error["extensions"].as_object().unwrap_or_else(|| panic!("no extensions: {error}"));
        assert_eq!(extensions.keys().collect::<Vec<_>>(), ["code"], "{error}");
    }
    let first = &response["errors"][0];
    (text(&first["extensions"]["code"]), text(&first["message"]))
}

async fn refusal(caller: &Caller<'_>, query: &str, variables: Value) -> (String, String) {
    let (status, response) = caller.execute(query, variables).await;
    assert_eq!(status, StatusCode::OK, "plain JSON is 200");
    check_errors(&response)
}

async fn bad_documents_and_variables_get_a_code_and_a_plain_sentence(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let engineers = "query($v: Int) { engineers(first: $v) { totalCount } }";
    let filter = "query($v: EngineerFilter) { engineers(filter: $v) { totalCount } }";
    let edit = "mutation($v: UpdateEngineerInput!) { updateEngineer(input: $v) { engineer { id } } }";
    let delete = "mutation($v: DeleteEngineersInput!) { deleteEngineers(input: $v) { deletedEngineerIds } }";
    let invalid = "GRAPHQL_VALIDATION_FAILED";
    let table = [
        ("", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ viewer { subject } } }", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ engineers(first: \"unterminated) { totalCount } }", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("DROP TABLE users", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("{ viewer }", json!({}), invalid),
        ("{ viewer { subject { x } } }", json!({}), invalid),
        ("{ nothing }", json!({}), invalid),
        ("{ engineers { nodes { passwordHash } } }", json!({}), invalid),
        ("{ engineers(size: 3) { totalCount } }", json!({}), invalid),
        ("{ engineer { id } }", json!({}), invalid),
        ("{ engineers(orderBy: { field: SHOE_SIZE }) { totalCount } }", json!({}), invalid),
        ("{ engineers(first: \"ten\") { totalCount } }", json!({}), invalid),
        ("{ engineers(first: 1.5) { totalCount } }", json!({}), invalid),
        ("{ engineers(filter: { shoeSize: 4 }) { totalCount } }", json!({}), invalid),
        ("query($v: Nothing) { engineers(first: $v) { totalCount } }", json!({}), invalid),
        ("query($v: String) { engineers(first: $v) { totalCount } }", json!({}), invalid),
        ("{ engineers(first: $v) { totalCount } }", json!({}), invalid),
        ("{ ...Missing }", json!({}), invalid),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", json!({}), invalid),
        ("mutation { nothing }", json!({}), invalid),
        (engineers, json!({ "v": "ten" }), invalid),
        (engineers, json!({ "v": 1.5 }), invalid),
        (engineers, json!({ "v": true }), invalid),
        (engineers, json!({ "v": [1] }), invalid),
        (engineers, json!({ "v": 3_000_000_000_i64 }), invalid),
        // The library's validation lets this one pass; the field refuses it.
        (filter, json!({ "v": "all" }), "BAD_USER_INPUT"),
        (filter, json!({ "v": { "shoeSize": 4 } }), invalid),
        (filter, json!({ "v": { "search": 4 } }), invalid),
        (filter, json!({ "v": { "channel": "FAX" } }), invalid),
        (filter, json!({ "v": { "statusIn": ["CONFIRMED", "MAYBE"] } }), invalid),
        (filter, json!({ "v": { "statusIn": [null] } }), invalid),
        (filter, json!({ "v": { "ids": [{}] } }), invalid),
        (edit, json!({}), "BAD_USER_INPUT"),
        (edit, json!({ "v": null }), "BAD_USER_INPUT"),
        ("query($v: ID!) { viewer { subject } engineer(id: $v) { id } }", json!({}), "BAD_USER_INPUT"),
        (edit, json!({ "v": {} }), invalid),
        (edit, json!({ "v": { "id": "x", "version": "one" } }), invalid),
        (edit, json!({ "v": { "id": "x", "alias": 4 } }), invalid),
        (edit, json!({ "v": { "id": "x", "endpoints": [{ "kind": "FAX" }] } }), invalid),
        (edit, json!({ "v": { "id": "x", "endpoints": [{ "value": "x" }] } }), invalid),
        (delete, json!({ "v": { "ids": [null] } }), invalid),
        (delete, json!({ "v": { "ids": [], "eraseNow": "yes" } }), invalid),
    ];
    for (query, variables, code) in table {
        let (got, message) = refusal(&admin, query, variables.clone()).await;
        assert_eq!(got, code, "{query} with {variables}: {message}");
    }
    let (code, message) = refusal(&admin, "{ engineers { nodes { nme } } }", json!({})).await;
    assert_eq!(code, invalid);
    assert!(message.contains("nme") && message.contains("Engineer"), "it names the field and the type: {message}");
}

async fn operations_that_ask_for_too_much_are_refused_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let code = async |query: String| refusal(&app.admin(), &query, json!({})).await.0;
    let deep = format!(
        "{{ engineer(id: \"x\") {{ {} id {} }} }}",
        "statusChanges { nodes { engineer { ".repeat(6),
        "} } } ".repeat(6)
    );
    assert_eq!(code(deep).await, "QUERY_TOO_COMPLEX");
    let wide = "{ engineers(first: 100) { nodes { statusChanges(first: 100) { nodes { id } } } } }";
    assert_eq!(code(wide.to_owned()).await, "QUERY_TOO_COMPLEX");
    let aliases: String = (0..60).map(|number| format!("a{number}: __typename ")).collect();
    let spreads = "...A ".repeat(100);
    assert_eq!(code(format!("{{ {spreads} }} fragment A on Query {{ {aliases} }}")).await, "QUERY_TOO_COMPLEX");
    // Each fragment spreads the next one twice: walked without a memory, the last one comes up a million times.
    let fan: String = (0..20)
        .map(|number| format!("fragment F{number} on Query {{ ...F{next} ...F{next} }} ", next = number + 1))
        .collect();
    let began = std::time::Instant::now();
    let fan = format!("{{ ...F0 }} {fan} fragment F20 on Query {{ viewer {{ subject }} }}");
    assert_eq!(code(fan).await, "QUERY_TOO_COMPLEX");
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "it took {:?}", began.elapsed());
    let nested = format!("{}x{}", "{ a ".repeat(2_000), " }".repeat(2_000));
    let refused = code(nested).await;
    assert!(
        ["QUERY_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"].contains(&refused.as_str()),
        "{refused}"
    );

    let page = "{ engineers(first: 100) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { id name alias userType identityProvider directory externalId directoryState locale mobile
        mobileMasked email emailMasked subscribable reachability version createdAt updatedAt syncedAt channels { id kind status
        usable restricted subscribable notSubscribableReason endpointMasked secretSet requestedAt expiresAt confirmedAt
        checkedAt nextRequestAt failureCode failureMessage } } } } }";
    assert_eq!(
        admin.data(page, json!({})).await["engineers"]["totalCount"],
        0,
        "a full page with everything is allowed"
    );
}

async fn optional_sizes_may_be_left_out_given_null_or_have_defaults(database: Database) {
    let app = TestApp::start(database).await;
    let rows: Vec<_> = (0..30).map(|number| format!("u-{number},p{number:02},,OTHER,active,,")).collect();
    sync_people(&app, &rows.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let table = [
        ("query($n: Int, $a: String) { engineers(first: $n, after: $a) { nodes { id } } }", json!({}), 20),
        (
            "query($n: Int, $a: String) { engineers(first: $n, after: $a) { nodes { id } } }",
            json!({ "n": null, "a": null }),
            20,
        ),
        ("query($n: Int) { engineers(first: $n) { nodes { id } } }", json!({ "n": 7 }), 7),
        ("query($n: Int = 3) { engineers(first: $n) { nodes { id } } }", json!({}), 3),
        ("query($n: Int = 3) { engineers(first: $n) { nodes { id } } }", json!({ "n": 25 }), 25),
        ("query($n: Int!) { engineers(last: $n) { nodes { id } } }", json!({ "n": 0 }), 0),
        ("query($f: Int, $l: Int) { engineers(first: $f, last: $l) { nodes { id } } }", json!({ "l": 5 }), 5),
        ("{ engineers(first: null, last: null, filter: null, orderBy: null) { nodes { id } } }", json!({}), 20),
    ];
    for (query, variables, expected) in table {
        let data = app.admin().data(query, variables.clone()).await;
        assert_eq!(entries(&data["engineers"]["nodes"]).len(), expected, "{query} with {variables}");
    }
}

async fn roles_that_do_not_allow_a_list_are_told_so(database: Database) {
    let app = TestApp::start(database).await;
    sync_people(&app, &["u-1,lin.wei,,IAM_USER,active,,"]).await;
    let lin = text(&app.admin().find("lin.wei").await["id"]);
    let herself = app.engineer(&lin);
    for field in ["rosterSummary { engineers }", "directorySyncs { totalCount }"] {
        let query = format!("{{ viewer {{ subject }} {field} }}");
        let (code, message) = refusal(&herself, &query, json!({})).await;
        assert_eq!((code.as_str(), message.as_str()), ("FORBIDDEN", "Your role does not allow this."));
    }
    assert_eq!(
        app.caller(Role::Viewer).data("{ directorySyncs { totalCount } }", json!({})).await["directorySyncs"]["totalCount"],
        1
    );
    assert_eq!(
        stranger_admin(&app).data("{ rosterSummary { engineers } }", json!({})).await["rosterSummary"]["engineers"],
        0
    );
}

async fn a_failing_database_tells_nothing_of_itself(database: Database) {
    let app = TestApp::start(database).await;
    sync_people(&app, &["u-1,lin.wei,,IAM_USER,active,,"]).await;
    let connection = app.app.services.store().migration_connection();
    connection.execute_unprepared("ALTER TABLE engineer RENAME TO engineer_elsewhere").await.unwrap();
    let queries = [
        "{ engineers { totalCount } }",
        "{ engineers { nodes { id } } }",
        "{ rosterSummary { engineers } }",
        "{ node(id: \"engineer:ffffffffffffffffffffffffffffffff\") { id } }",
        "mutation { addEngineer(input: { name: \"x\", userType: OTHER }) { userErrors { code } } }",
    ];
    for query in queries {
        let (code, message) = refusal(&app.admin(), query, json!({})).await;
        assert_eq!(code, "UNAVAILABLE", "{message}");
        assert!(!message.contains("engineer_elsewhere"), "{message}");
    }
    let (_, response) = app.admin().execute("{ viewer { subject } engineers { totalCount } }", json!({})).await;
    assert_eq!(response["errors"][0]["path"], json!(["engineers"]), "{response}");
}
