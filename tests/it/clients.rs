//! Real GraphQL clients against a server: the scripts of `tests/clients`, and the helpers of `examples/clients`.

mod killed;
mod outlived;

use std::fs;

use crate::harness::{
    app::{Database, TestApp},
    both_dbs, script,
};

/// The helpers of `examples/clients`.
const HELPERS: [&str; 3] = ["graphql-ws", "urql", "apollo"];

both_dbs! {
    graphql_ws_queries_edits_and_follows
    graphql_sse_queries_edits_and_follows
    urql_queries_edits_and_follows
    apollo_client_queries_edits_and_follows
    gql_of_python_queries_edits_and_follows
}

/// Runs a script as an administrator of a server of its own.
async fn run(script: &str, database: Database) {
    let app = TestApp::start(database).await;
    let token = app.token("demo", &[rollcall::domain::actor::Role::Admin], None);
    script::run(script, app.address, &token).await;
}

async fn graphql_ws_queries_edits_and_follows(database: Database) {
    run("graphql-ws.mjs", database).await;
}

async fn graphql_sse_queries_edits_and_follows(database: Database) {
    run("graphql-sse.mjs", database).await;
}

async fn urql_queries_edits_and_follows(database: Database) {
    run("urql.mjs", database).await;
}

async fn apollo_client_queries_edits_and_follows(database: Database) {
    run("apollo.mjs", database).await;
}

async fn gql_of_python_queries_edits_and_follows(database: Database) {
    run("gql_client.py", database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_audit_of_graphql_http_passes() {
    run("audits.mjs", Database::sqlite()).await;
}

#[test]
fn each_helper_stays_under_sixty_lines() {
    for helper in HELPERS {
        let path = format!("{}/examples/clients/{helper}.mjs", env!("CARGO_MANIFEST_DIR"));
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(lines < 60, "{helper} has {lines} lines");
    }
}
