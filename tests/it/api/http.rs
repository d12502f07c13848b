//! GraphQL over HTTP: what is not a request of that kind is answered in the form of GraphQL, too.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{entries, text};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

mod context;
mod deadlines;
mod events;
mod live;
mod negotiation;
mod status;
mod url;

both_dbs! {
    requests_that_are_none_are_refused_as_graphql_json
    only_json_in_utf8_is_taken
    callers_without_a_good_token_are_refused_as_graphql_json
    whatever_else_is_refused_is_refused_as_graphql_json
    bodies_that_are_no_request_are_refused_with_what_would_be_right
    the_media_type_decides_the_status_of_a_refused_document
    operations_are_chosen_by_name_and_run_one_at_a_time
    tools_can_ask_for_the_schema
}

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// Reads a refusal: JSON in the form of GraphQL, without data. Gives status, code and message.
async fn refusal(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let media_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(media_type.contains("json") && media_type.contains("charset=utf-8"), "{media_type}");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["errors"], "{body}");
    let error = &entries(&body["errors"])[0];
    (status, text(&error["extensions"]["code"]), text(&error["message"]))
}

async fn requests_that_are_none_are_refused_as_graphql_json(database: Database) {
    let app = TestApp::start(database).await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        for (path, allowed) in [
            ("/graphql", "GET, HEAD, POST"),
            ("/graphql?query={viewer{subject}}", "GET, HEAD, POST"),
            ("/graphql/ws", "GET"),
            ("/import", "POST"),
            ("/export", "GET, HEAD"),
        ] {
            let response = app.admin().request(method.clone(), path).send().await.unwrap();
            assert_eq!(response.headers()[header::ALLOW], allowed, "{method} {path}");
            let (status, code, _) = refusal(response).await;
            assert_eq!((status, code.as_str()), (405, "BAD_USER_INPUT"), "{method} {path}");
        }
    }
    for path in ["/graphql/", "/graphql/nothing", "/graphqlx"] {
        let (status, code, _) = refusal(app.admin().request(Method::POST, path).send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (404, "NOT_FOUND"), "{path}");
    }
    let elsewhere = app.request(Method::GET, "/nothing").header(header::ACCEPT, "application/json");
    assert_eq!(refusal(elsewhere.send().await.unwrap()).await.0, 404);
}

async fn only_json_in_utf8_is_taken(database: Database) {
    let app = TestApp::start(database).await;
    let body = r#"{"query":"{ viewer { subject } }"}"#;
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "application/json; charset=gb2312",
        "json",
        "",
    ] {
        let request = app.admin().request(Method::POST, "/graphql").header(header::CONTENT_TYPE, media_type).body(body);
        let (status, code, message) = refusal(request.send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (415, "BAD_USER_INPUT"), "{media_type}");
        assert!(message.contains("application/json"), "{message}");
    }
    let untyped = app.admin().request(Method::POST, "/graphql").body(body);
    assert_eq!(refusal(untyped.send().await.unwrap()).await.0, 415);
    for media_type in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
        let request = app.admin().request(Method::POST, "/graphql").header(header::CONTENT_TYPE, media_type).body(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"]["viewer"]["subject"], "tester", "{media_type}");
    }
}

async fn callers_without_a_good_token_are_refused_as_graphql_json(database: Database) {
    let app = TestApp::start(database).await;
    let good = app.admin().authorization().unwrap();
    let body = json!({ "query": "{ viewer { subject } }" });
    let table = [
        (None, "Bearer"),
        (Some("Bearer nonsense".to_owned()), "Bearer error=\"invalid_token\""),
        (Some("Basic dTpw".to_owned()), "Bearer error=\"invalid_token\""),
        (Some(good.replace("Bearer ", "")), "Bearer error=\"invalid_token\""),
        (Some(format!("{good}x")), "Bearer error=\"invalid_token\""),
        (Some(String::new()), "Bearer error=\"invalid_token\""),
    ];
    for (authorization, challenge) in table {
        for accept in ["application/json", GRAPHQL_RESPONSE] {
            let mut request = app.request(Method::POST, "/graphql").json(&body).header(header::ACCEPT, accept);
            if let Some(authorization) = &authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()[header::WWW_AUTHENTICATE], challenge);
            let (status, code, _) = refusal(response).await;
            assert_eq!((status, code.as_str()), (401, "UNAUTHENTICATED"), "{authorization:?}");
        }
    }
    let introspection = json!({ "query": "{ __schema { queryType { name } } }" });
    let response = app.request(Method::POST, "/graphql").json(&introspection).send().await.unwrap();
    assert_eq!(refusal(response).await.0, 401, "the schema is for callers, too");
}

async fn whatever_else_is_refused_is_refused_as_graphql_json(database: Database) {
    let config = "[rate_limits]\nenabled = true\nbad_tokens_per_minute = 1\nbad_tokens_burst = 1\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    let body = json!({ "query": "{ viewer { subject } }" });
    let lin = app.admin().add("lin", json!({})).await;
    let of_lin = app.engineer(lin["id"].as_str().unwrap());
    app.admin().delete(&lin).await;
    let socket = app.admin().request(Method::GET, "/graphql").header(header::CONNECTION, "upgrade");
    let socket = socket.header(header::UPGRADE, "websocket").header(header::ORIGIN, "https://elsewhere.example");
    let bad = || app.request(Method::POST, "/graphql").header(header::AUTHORIZATION, "Bearer nonsense").json(&body);
    let table = [
        (of_lin.request(Method::POST, "/graphql").json(&body), 403, "FORBIDDEN"),
        (socket, 403, "FORBIDDEN"),
        (app.admin().request(Method::GET, "/graphql/ws"), 426, "BAD_USER_INPUT"),
        (bad(), 401, "UNAUTHENTICATED"),
        (bad(), 429, "RATE_LIMITED"),
    ];
    for (request, status, code) in table {
        let (told, told_code, _) = refusal(request.send().await.unwrap()).await;
        assert_eq!((told, told_code.as_str()), (status, code));
    }
}

async fn bodies_that_are_no_request_are_refused_with_what_would_be_right(database: Database) {
    let app = TestApp::start(database).await;
    let post = |body: Vec<u8>| {
        let request = app.admin().request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json");
        async { refusal(request.body(body).send().await.unwrap()).await }
    };
    let deep = format!(
        r#"{{"query":"{{ viewer {{ subject }} }}","variables":{{"v":{}{}}}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let table: Vec<(&[u8], &str)> = vec![
        (b"", "query"),
        (b"   ", "query"),
        (b"null", "query"),
        (b"\"{ viewer { subject } }\"", "query"),
        (b"{ viewer { subject } }", "JSON"),
        (b"{", "JSON"),
        (b"{\"query\":\"{ viewer { subject } }\"", "JSON"),
        (b"{\"query\":\"{ viewer { subject } }\"} x", "JSON"),
        (b"{\"query\":\"{ viewer \xff { subject } }\"}", "JSON"),
        (b"\xff\xfe{\0\"\0", "query"),
        (b"{\"query\":\"\\ud800\"}", "JSON"),
        (b"{}", "query"),
        (b"{\"query\":null}", "query"),
        (b"{\"query\":7}", "query"),
        (b"{\"query\":[\"{ viewer { subject } }\"]}", "query"),
        (b"{\"query\":\"{ viewer { subject } }\",\"query\":\"{ nothing }\"}", "JSON"),
        (b"{\"query\":\"{ viewer { subject } }\",\"variables\":[]}", "variables"),
        (b"{\"query\":\"{ viewer { subject } }\",\"variables\":\"{}\"}", "variables"),
        (b"{\"query\":\"{ viewer { subject } }\",\"operationName\":7}", "operationName"),
        (b"{\"query\":\"{ viewer { subject } }\",\"extensions\":[]}", "extensions"),
        (b"[{\"query\":\"{ viewer { subject } }\"}]", "Batches"),
        (b"[]", "Batches"),
        (deep.as_bytes(), "JSON"),
    ];
    for (body, named) in table {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let (status, code, message) = post(body.to_vec()).await;
        assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"), "{shown}: {message}");
        assert!(
            message.contains(named) && !message.contains("::") && !message.contains("recursion"),
            "{shown}: {message}"
        );
    }
    let padded = |length: usize| {
        let body = r#"{"query":"{ viewer { subject } }"}"#;
        format!("{body}{}", " ".repeat(length - body.len())).into_bytes()
    };
    for length in [65_537, 1_000_000] {
        let (status, code, message) = post(padded(length)).await;
        assert_eq!((status, code.as_str()), (413, "BAD_USER_INPUT"));
        assert!(message.contains("65536"), "{message}");
    }
    let fits = app.admin().request(Method::POST, "/graphql").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(fits.body(padded(65_536)).send().await.unwrap().status(), StatusCode::OK);
    let extra = json!({ "query": "{ viewer { subject } }", "variables": null, "operationName": null, "extensions": null, "id": 7 });
    let answer: Value =
        app.admin().request(Method::POST, "/graphql").json(&extra).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "viewer": { "subject": "tester" } } }), "what is not known is passed over");
}

async fn the_media_type_decides_the_status_of_a_refused_document(database: Database) {
    let app = TestApp::start(database).await;
    let table = [
        ("*/*", 200),
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        (GRAPHQL_RESPONSE, 400),
        ("application/graphql-response+json, application/json;q=0.9", 400),
        ("application/json, application/graphql-response+json;q=0.9", 200),
    ];
    for query in ["{ nothing }", "{", "query($v: Int) { engineers(first: $w) { totalCount } }"] {
        for (accept, expected) in table {
            let request = app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, accept);
            let response = request.json(&json!({ "query": query })).send().await.unwrap();
            let media_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            assert_eq!(media_type.starts_with(GRAPHQL_RESPONSE), expected == 400, "{accept}: {media_type}");
            let (status, code, _) = refusal(response).await;
            assert_eq!(status, expected, "{accept}");
            assert!(code.starts_with("GRAPHQL_"), "{code}");
        }
    }
    // A variable that must be given is looked for before anything runs.
    for variables in [json!({}), json!({ "id": null })] {
        let body = json!({ "query": "query($id: ID!) { __typename }", "variables": variables });
        let request = app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, GRAPHQL_RESPONSE);
        let (status, code, message) = refusal(request.json(&body).send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"));
        assert!(message.contains("$id") && message.contains("ID!"), "{message}");
    }
    // A field that fails is another thing: there is data, and the status says that the request was good.
    let partly = json!({ "query": "{ viewer { subject } a: engineers(first: 101) { totalCount } }" });
    let request = app.admin().request(Method::POST, "/graphql").header(header::ACCEPT, GRAPHQL_RESPONSE).json(&partly);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let body: Value = response.json().await.unwrap();
    assert_eq!((&body["data"], &body["errors"][0]["path"]), (&json!(null), &json!(["a"])), "{body}");
}

async fn operations_are_chosen_by_name_and_run_one_at_a_time(database: Database) {
    let app = TestApp::start(database).await;
    let document = "query A { viewer { subject } } query B { liveCursor }";
    let run = |name: Value| {
        let request =
            app.admin().request(Method::POST, "/graphql").json(&json!({ "query": document, "operationName": name }));
        async { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(run(json!("A")).await["data"], json!({ "viewer": { "subject": "tester" } }));
    assert!(run(json!("B")).await["data"]["liveCursor"].is_string());
    for unknown in [json!("C"), json!(""), json!(null)] {
        let refused = run(unknown.clone()).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{unknown}: {refused}");
        assert!(refused.get("data").is_none());
    }
    // A number that only the other operation uses may be left out, too.
    let beside = "query A { viewer { subject } } query B($first: Int) { engineers(first: $first) { totalCount } }";
    let request = app.admin().request(Method::POST, "/graphql");
    let request = request.json(&json!({ "query": beside, "operationName": "A" }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "data": { "viewer": { "subject": "tester" } } }));
    let live = app.admin().execute("subscription { rosterSummaryChanged { engineers } }", json!({})).await.1;
    assert!(live["errors"][0]["extensions"]["code"].is_string(), "a live stream is not for HTTP: {live}");
    assert!(live["data"].is_null(), "{live}");
    let typename = app.admin().data("query { __typename ... @include(if: false) { liveCursor } }", json!({})).await;
    assert_eq!(typename, json!({ "__typename": "Query" }));
}

/// The introspection query that graphql-js makes, shortened by what has no depth.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name }
    subscriptionType { name } types { ...FullType } directives { name locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description
      args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue }
      interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
      ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn tools_can_ask_for_the_schema(database: Database) {
    let app = TestApp::start(database).await;
    let schema = app.admin().data(INTROSPECTION, json!({})).await["__schema"].clone();
    let root = |name: &str| text(&schema[name]["name"]);
    assert_eq!(
        [root("queryType"), root("mutationType"), root("subscriptionType")],
        ["Query", "Mutation", "Subscription"]
    );
    assert!(entries(&schema["types"]).len() > 60);
}
