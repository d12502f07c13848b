//! What a caller takes, and what is taken from a caller.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::{GRAPHQL_RESPONSE, refusal};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    wire::RawConnection,
};

both_dbs! {
    the_most_wanted_form_is_answered_with
    what_is_not_taken_is_refused_as_graphql_json
    a_request_without_accept_gets_json
    a_body_is_taken_as_it_is_and_said_to_be_once
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

async fn the_most_wanted_form_is_answered_with(database: Database) {
    let app = TestApp::start(database).await;
    let table = [
        ("", JSON),
        ("*/*", JSON),
        (" , ,", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("APPLICATION/GraphQL-Response+JSON", GRAPHQL_RESPONSE),
        // Weights, and where they are the same the order.
        ("application/json;q=0.9, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json;q=0.899, application/graphql-response+json;q=0.9", GRAPHQL_RESPONSE),
        ("application/json ; Q=0.5 , application/graphql-response+json ; q=0.499", JSON),
        ("application/json;q=0.5, application/graphql-response+json;q=0.5", JSON),
        ("application/graphql-response+json;q=0.5, application/json;q=0.5", GRAPHQL_RESPONSE),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL_RESPONSE),
        // What is named more exactly decides over what is named less so.
        ("application/*;q=0.5, application/graphql-response+json;q=0.1", JSON),
        ("*/*, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json;q=0, */*;q=0.1", GRAPHQL_RESPONSE),
        ("application/json;charset=\"UTF-8\";q=0.3, application/json;q=0, application/*;q=0.2", JSON),
        // What we do not have, and what cannot be read, is passed over.
        ("application/json;charset=utf-16, application/graphql-response+json;q=0.1", GRAPHQL_RESPONSE),
        ("application/json;profile=x, application/graphql-response+json;q=0.1", GRAPHQL_RESPONSE),
        ("application/json;q=1.5, application/graphql-response+json;q=0.1", GRAPHQL_RESPONSE),
        ("application/json;q=x, application/graphql-response+json;q=0.001", GRAPHQL_RESPONSE),
        ("text/plain;x=\"\\\", application/json\", application/graphql-response+json", GRAPHQL_RESPONSE),
        // A stream of events is for those who name it.
        (EVENTS, EVENTS),
        ("text/*", EVENTS),
        ("application/json, text/event-stream", JSON),
        ("text/event-stream, application/json", EVENTS),
        ("application/json;q=0.5, text/event-stream", EVENTS),
        ("*/*;q=0.1, text/event-stream;q=0.05", JSON),
        // What browsers, urql and Apollo Client send.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        (
            "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
            GRAPHQL_RESPONSE,
        ),
        (
            "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9",
            GRAPHQL_RESPONSE,
        ),
    ];
    for (accept, expected) in table {
        let request = app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, accept);
        let response = request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
        let given = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        assert_eq!((response.status().as_u16(), given), (200, format!("{expected}; charset=utf-8")), "{accept}");
    }
    // Two headers are one list.
    let request = app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, "text/html");
    let request = request.header(header::ACCEPT, GRAPHQL_RESPONSE).json(&json!({ "query": "{ __typename }" }));
    let response = request.send().await.unwrap();
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with(GRAPHQL_RESPONSE));
}

async fn what_is_not_taken_is_refused_as_graphql_json(database: Database) {
    let app = TestApp::start(database).await;
    for accept in [
        "text/html",
        "application/xml, image/*",
        "json",
        "application/",
        "*/json",
        "application/json;q=0",
        "application/json;q=0.0",
        "*/*;q=0",
        "application/json;q=1.001",
        "application/json;q=0.0001",
        "application/json;charset=gb2312",
        "multipart/mixed",
    ] {
        for request in [
            app.admin().request(Method::POST, "/graphql").json(&json!({ "query": "{ __typename }" })),
            app.admin().request(Method::GET, "/graphql?query={__typename}"),
        ] {
            let response = request.header(header::ACCEPT, accept).send().await.unwrap();
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
            let (status, code, message) = refusal(response).await;
            assert_eq!((status, code.as_str()), (406, "BAD_USER_INPUT"), "{accept}");
            assert!(message.contains(GRAPHQL_RESPONSE), "{message}");
        }
    }
}

async fn a_request_without_accept_gets_json(database: Database) {
    let app = TestApp::start(database).await;
    let mut connection = RawConnection::open(app.address).await;
    let token = app.admin().authorization().unwrap();
    connection
        .send(format!("GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n"))
        .await;
    let head = connection.read_head().await;
    assert_eq!((head.status, head.header("content-type")), (200, "application/json; charset=utf-8"));
    assert_eq!(connection.read_body(&head).await, r#"{"data":{"__typename":"Query"}}"#);
}

async fn a_body_is_taken_as_it_is_and_said_to_be_once(database: Database) {
    let app = TestApp::start(database).await;
    let post = || app.admin().request(Method::POST, "/graphql").json(&json!({ "query": "{ __typename }" }));
    for encoding in ["gzip", "br", "identity, gzip", "deflate"] {
        let response = post().header(header::CONTENT_ENCODING, encoding).send().await.unwrap();
        assert_eq!(response.headers()[header::ACCEPT_ENCODING], "identity", "{encoding}");
        assert_eq!(refusal(response).await.0, 415, "{encoding}");
    }
    let plain = post().header(header::CONTENT_ENCODING, "Identity").send().await.unwrap();
    assert_eq!(plain.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));
    let twice = app.admin().request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json");
    let twice = twice.header(header::CONTENT_TYPE, "text/plain").body(r#"{"query":"{ __typename }"}"#);
    assert_eq!(refusal(twice.send().await.unwrap()).await.0, 415);
}
