//! What is asked of the schema itself.

use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{allowed, none, refused, start};
use crate::harness::socket::Socket;

/// What `getIntrospectionQuery` of graphql-js 16 makes with every option on that the server knows.
const WHOLE: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
      fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef }
        isDeprecated deprecationReason }
      inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
      ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_may_ask_for_the_whole_schema() {
    let app = start("").await;
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let schema = allowed(&app.caller(role), WHOLE, none()).await["__schema"].clone();
        assert!(schema["types"].as_array().unwrap().iter().any(|one| one["name"] == "Engineer"), "{role:?}");
    }
    let mut socket = app.admin().connect().await;
    let id = socket.subscribe(WHOLE, none()).await;
    assert_eq!(socket.next(&id).await["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_may_ask_for_any_of_it() {
    let app = start("").await;
    for query in
        [WHOLE, "{ __schema { queryType { name } } }", "{ __type(name: \"Query\") { name } }", "{ __typename }"]
    {
        let body = json!({ "query": query });
        let response = app.stranger().request(Method::POST, "/graphql").json(&body).send().await.unwrap();
        assert_eq!(response.status(), 401);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
        assert!(answer.get("data").is_none(), "{answer}");
    }
    let mut socket = Socket::open_raw(app.address).await;
    socket.send(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.receive_or_code().await.unwrap_err(), 4403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_lead_to_types_are_not_followed_for_ever() {
    let app = start("").await;
    allowed(&app.admin(), "{ __schema { types { fields { type { fields { name } } } } } }", none()).await;
    for query in [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ __type(name: \"Query\") { fields { type { ofType { fields { type { ...T } } } } } } }
            fragment T on __Type { possibleTypes { name } }",
        "{ __schema { types { interfaces { possibleTypes { interfaces { name } } } } } }",
    ] {
        let (code, message) = refused(&app.admin(), query, none()).await;
        assert!(code == "QUERY_TOO_COMPLEX" && message.contains('2'), "{code}: {message}");
    }
    // Not too deep, and still too much of it.
    let again = |count: usize| {
        let schema = WHOLE.replace("query IntrospectionQuery { __schema", "fragment S on Query { __schema");
        format!("{{ {} }} {schema}", "...S ".repeat(count))
    };
    allowed(&app.admin(), &again(2), none()).await;
    let (code, message) = refused(&app.admin(), &again(6), none()).await;
    assert!(code == "QUERY_TOO_COMPLEX" && message.contains("4000"), "{code}: {message}");
}
