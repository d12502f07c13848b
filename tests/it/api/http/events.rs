//! GraphQL over server-sent events: one answer for one operation.

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::{GRAPHQL_RESPONSE, refusal};
use crate::{
    api::add,
    harness::{
        app::{Caller, Database, TestApp},
        both_dbs,
        events::Events,
    },
};

both_dbs! {
    a_query_is_one_result_and_the_end
    a_mutation_is_carried_by_post_alone
    a_live_stream_is_carried_by_get_and_by_post_and_can_be_resumed
    a_document_that_is_refused_is_told_of_in_the_stream
    a_request_that_is_none_is_refused_before_any_stream
    a_live_stream_is_refused_where_nothing_can_carry_it
    a_stream_is_for_callers_who_take_one_whatever_they_would_rather_have
}

const EVENTS: &str = "text/event-stream";
const CHANGES: &str =
    "subscription($after: String) { engineerChanged(after: $after) { cursor kind engineer { name } } }";

fn post(caller: &Caller<'_>, query: &str, variables: &Value) -> RequestBuilder {
    let body = json!({ "query": query, "variables": variables });
    caller.request(Method::POST, "/graphql").header(header::ACCEPT, EVENTS).json(&body)
}

fn get(caller: &Caller<'_>, query: &str, variables: &Value) -> RequestBuilder {
    let parameters = [("query", query), ("variables", &variables.to_string())];
    caller.request(Method::GET, "/graphql").header(header::ACCEPT, EVENTS).query(&parameters)
}

async fn open(request: RequestBuilder) -> Events {
    Events::of(request.send().await.unwrap())
}

async fn a_query_is_one_result_and_the_end(database: Database) {
    let app = TestApp::start(database).await;
    for request in [post, get] {
        let response = request(&app.admin(), "{ viewer { subject } }", &json!({})).send().await.unwrap();
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let text = response.text().await.unwrap();
        assert_eq!(
            text,
            "event: next\ndata: {\"data\":{\"viewer\":{\"subject\":\"tester\"}}}\n\nevent: complete\ndata: \n\n"
        );
    }
}

async fn a_mutation_is_carried_by_post_alone(database: Database) {
    let app = TestApp::start(database).await;
    let mutation = "mutation { addEngineer(input: { name: \"lin\", userType: IAM_USER }) { engineer { name } } }";
    let refused = get(&app.admin(), mutation, &json!({})).send().await.unwrap();
    assert_eq!(refused.headers()[header::ALLOW], "POST");
    assert_eq!(refusal(refused).await.0, 405);
    assert!(app.events().await.is_empty());
    let mut events = open(post(&app.admin(), mutation, &json!({}))).await;
    assert_eq!(events.data().await, json!({ "addEngineer": { "engineer": { "name": "lin" } } }));
    events.assert_complete().await;
}

async fn a_live_stream_is_carried_by_get_and_by_post_and_can_be_resumed(database: Database) {
    let app = TestApp::start(database).await;
    let begin = app.admin().data("{ liveCursor }", json!({})).await["liveCursor"].clone();
    let mut cursors = Vec::new();
    for request in [get, post] {
        let mut events = open(request(&app.admin(), CHANGES, &json!({ "after": begin }))).await;
        if cursors.is_empty() {
            for name in ["lin", "gao", "wu"] {
                add(&app.admin(), json!({ "name": name, "userType": "IAM_USER" })).await;
            }
        }
        for name in ["lin", "gao", "wu"] {
            let change = events.data().await["engineerChanged"].clone();
            assert_eq!((&change["kind"], &change["engineer"]["name"]), (&json!("CREATED"), &json!(name)));
            cursors.push(change["cursor"].clone());
        }
    }
    assert_eq!(cursors[..3], cursors[3..]);
    let mut resumed = open(get(&app.admin(), CHANGES, &json!({ "after": cursors[1] }))).await;
    assert_eq!(resumed.data().await["engineerChanged"]["cursor"], cursors[2], "nothing is lost or comes twice");
}

async fn a_document_that_is_refused_is_told_of_in_the_stream(database: Database) {
    let app = TestApp::start(database).await;
    let follow = "subscription { confirmationStatusChanged(after: \"nonsense\") { cursor } }";
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { __typename }", "BAD_USER_INPUT"),
        (follow, "BAD_USER_INPUT"),
    ] {
        for request in [post, get] {
            let mut events = open(request(&app.admin(), query, &json!({}))).await;
            let result = events.result().await;
            assert_eq!(result["errors"][0]["extensions"]["code"], code, "{query}");
            assert!(result.get("data").is_none(), "{result}");
            events.assert_complete().await;
        }
    }
}

async fn a_request_that_is_none_is_refused_before_any_stream(database: Database) {
    let app = TestApp::start(database).await;
    let query = json!({ "query": CHANGES });
    let table = [
        (app.stranger().request(Method::POST, "/graphql").json(&query), 401),
        (app.admin().request(Method::POST, "/graphql").body(query.to_string()), 415),
        (app.admin().request(Method::POST, "/graphql").json(&json!([query])), 400),
        (app.admin().request(Method::POST, "/graphql").json(&json!({ "query": 7 })), 400),
        (app.admin().request(Method::GET, "/graphql"), 400),
        (app.admin().request(Method::PUT, "/graphql").json(&query), 405),
        (app.admin().request(Method::DELETE, "/graphql?operationId=1"), 405),
    ];
    for (request, status) in table {
        let response = request.header(header::ACCEPT, EVENTS).send().await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
        assert_eq!(refusal(response).await.0, status);
    }
}

async fn a_live_stream_is_refused_where_nothing_can_carry_it(database: Database) {
    let app = TestApp::start(database).await;
    for accept in
        ["application/json", GRAPHQL_RESPONSE, "*/*", "text/event-stream;q=0, application/json", "multipart/mixed, */*"]
    {
        for request in [post, get] {
            let mut request = request(&app.admin(), CHANGES, &json!({})).build().unwrap();
            request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
            let response = reqwest::Client::new().execute(request).await.unwrap();
            let (status, code, message) = refusal(response).await;
            assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"), "{accept}");
            assert!(message.contains(EVENTS) && message.contains("WebSocket"), "{message}");
        }
    }
}

async fn a_stream_is_for_callers_who_take_one_whatever_they_would_rather_have(database: Database) {
    let app = TestApp::start(database).await;
    let accept = "application/json, text/event-stream;q=0.1";
    let body = |query: &str| json!({ "query": query });
    let request = |query: &str| {
        app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, accept).json(&body(query)).send()
    };
    let read = request("{ __typename }").await.unwrap();
    assert_eq!(read.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
    let mut events = Events::of(request("subscription { rosterSummaryChanged { engineers } }").await.unwrap());
    assert_eq!(events.data().await, json!({ "rosterSummaryChanged": { "engineers": 0 } }));
}
