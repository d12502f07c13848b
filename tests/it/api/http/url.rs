//! Requests in the URL: they read, and that is all.

use reqwest::{Method, Response, header};
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{GRAPHQL_RESPONSE, refusal};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
    wire::RawConnection,
};

both_dbs! {
    a_query_in_the_url_is_answered_like_one_in_a_body
    a_mutation_in_the_url_changes_nothing
    what_cannot_be_read_in_a_url_is_refused_with_what_would_be_right
    a_token_in_the_url_is_none
    a_url_that_is_too_long_is_refused
    another_protocol_that_is_offered_is_passed_over
}

async fn get(caller: &Caller<'_>, parameters: &[(&str, &str)]) -> Response {
    caller.request(Method::GET, "/graphql").query(parameters).send().await.unwrap()
}

async fn a_query_in_the_url_is_answered_like_one_in_a_body(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let document = "query A($first: Int) { engineers(first: $first) { totalCount } } query B { viewer { subject } }";
    let table: [(&[(&str, &str)], Value); 5] = [
        (&[("query", "{ viewer { subject } }")], json!({ "viewer": { "subject": "tester" } })),
        (&[("query", document), ("operationName", "B")], json!({ "viewer": { "subject": "tester" } })),
        (
            &[("query", document), ("operationName", "A"), ("variables", r#"{"first":3}"#)],
            json!({ "engineers": { "totalCount": 0 } }),
        ),
        (
            &[("query", "{ __typename }"), ("variables", "null"), ("extensions", r#"{"a":1}"#)],
            json!({ "__typename": "Query" }),
        ),
        (&[("query", "{ __typename }"), ("operationName", ""), ("id", "7")], json!({ "__typename": "Query" })),
    ];
    for (parameters, data) in table {
        let response = get(&admin, parameters).await;
        assert_eq!(response.status(), 200, "{parameters:?}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({ "data": data }), "{parameters:?}");
    }
    let request = admin.request(Method::GET, "/graphql").query(&[("query", "{ nothing }")]);
    assert_eq!(refusal(request.header(header::ACCEPT, GRAPHQL_RESPONSE).send().await.unwrap()).await.0, 400);
    let head = admin.request(Method::HEAD, "/graphql").query(&[("query", "{ __typename }")]).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    let stranger = get(&app.stranger(), &[("query", "{ __typename }")]).await;
    assert_eq!(refusal(stranger).await.0, 401);
}

async fn a_mutation_in_the_url_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let add = "mutation Add { addEngineer(input: { name: \"lin\", userType: IAM_USER }) { engineer { id } } }";
    let both = format!("query Read {{ engineers {{ totalCount }} }} {add}");
    let table: [&[(&str, &str)]; 3] =
        [&[("query", add)], &[("query", add), ("operationName", "Add")], &[("query", &both), ("operationName", "Add")]];
    for parameters in table {
        for accept in ["application/json", GRAPHQL_RESPONSE, "text/event-stream", "*/*"] {
            for method in [Method::GET, Method::HEAD] {
                let request = app.admin().request(method.clone(), "/graphql").query(parameters);
                let response = request.header(header::ACCEPT, accept).send().await.unwrap();
                assert_eq!(response.headers()[header::ALLOW], "POST", "{method} {accept}");
                assert_eq!(response.status(), 405, "{method} {accept}");
                if method == Method::GET {
                    assert_eq!(refusal(response).await.1, "BAD_USER_INPUT");
                }
            }
        }
    }
    // The operation that is run decides, not what else stands in the document.
    let read: Value = get(&app.admin(), &[("query", &both), ("operationName", "Read")]).await.json().await.unwrap();
    assert_eq!(read, json!({ "data": { "engineers": { "totalCount": 0 } } }));
    // Neither does a body make a GET into a POST.
    let body = app.admin().request(Method::GET, "/graphql").json(&json!({ "query": add })).send().await.unwrap();
    assert_eq!(refusal(body).await.0, 400);
    assert!(app.events().await.is_empty());
}

async fn what_cannot_be_read_in_a_url_is_refused_with_what_would_be_right(database: Database) {
    let app = TestApp::start(database).await;
    let table: [(&[(&str, &str)], &str); 9] = [
        (&[], "query"),
        (&[("qeury", "{ __typename }")], "query"),
        (&[("query", "{ __typename }"), ("query", "{ __typename }")], "twice"),
        (&[("query", "{ __typename }"), ("variables", "{}"), ("variables", "{}")], "twice"),
        (&[("query", "{ __typename }"), ("variables", "")], "variables"),
        (&[("query", "{ __typename }"), ("variables", "{")], "variables"),
        (&[("query", "{ __typename }"), ("variables", "[]")], "object"),
        (&[("query", "{ __typename }"), ("variables", "\"{}\"")], "object"),
        (&[("query", "{ __typename }"), ("extensions", "7")], "extensions"),
    ];
    for (parameters, named) in table {
        for accept in ["application/json", GRAPHQL_RESPONSE] {
            let request = app.admin().request(Method::GET, "/graphql").query(parameters);
            let response = request.header(header::ACCEPT, accept).send().await.unwrap();
            assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with(accept));
            let (status, code, message) = refusal(response).await;
            assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"), "{parameters:?}");
            assert!(message.contains(named), "{parameters:?}: {message}");
        }
    }
}

async fn a_token_in_the_url_is_none(database: Database) {
    let app = TestApp::start(database).await;
    let token = app.token("demo", &[Role::Admin], None);
    let bearer = format!("Bearer {token}");
    for (name, value) in [("access_token", &token), ("token", &token), ("authorization", &bearer)] {
        let response = get(&app.stranger(), &[("query", "{ __typename }"), (name, value)]).await;
        assert_eq!(refusal(response).await.0, 401, "{name}");
        let posted = app.stranger().request(Method::POST, "/graphql").query(&[(name, value)]);
        let response = posted.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
        assert_eq!(refusal(response).await.0, 401, "{name}");
    }
}

async fn a_url_that_is_too_long_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let long = |length: usize| "{__typename}".to_owned() + &"+".repeat(length - "query={__typename}".len());
    let ask = async |length| {
        let path = format!("/graphql?query={}", long(length));
        app.admin().request(Method::GET, &path).send().await.unwrap()
    };
    assert_eq!(ask(16_384).await.json::<Value>().await.unwrap(), json!({ "data": { "__typename": "Query" } }));
    for length in [16_385, 20_000] {
        let (status, code, message) = refusal(ask(length).await).await;
        assert_eq!((status, code.as_str()), (414, "BAD_USER_INPUT"));
        assert!(message.contains("16384") && message.contains("POST"), "{message}");
    }
}

async fn another_protocol_that_is_offered_is_passed_over(database: Database) {
    let app = TestApp::start(database).await;
    let token = app.admin().authorization().unwrap();
    let mut connection = RawConnection::open(app.address).await;
    let request = format!(
        "GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\
         connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    );
    connection.send(request).await;
    let head = connection.read_head().await;
    assert_eq!((head.status, connection.read_body(&head).await.as_str()), (200, r#"{"data":{"__typename":"Query"}}"#));
}
