//! What every request is given, whatever it asks for.

use std::collections::BTreeSet;

use reqwest::{Method, header};
use uuid::Uuid;

use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_answer_names_its_request_and_forbids_guessing_and_keeping
}

async fn every_answer_names_its_request_and_forbids_guessing_and_keeping(database: Database) {
    let app = TestApp::start(database).await;
    let chosen = "01234567-89ab-7cde-8fab-0123456789ab";
    let mut ids = BTreeSet::new();
    let paths =
        ["/", "/graphql", "/graphql/ws", "/graphql/nothing", "/nothing", "/health/live", "/c/x", "/import", "/export"];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::HEAD, Method::DELETE] {
            let response = app.request(method.clone(), path).header("x-request-id", chosen).send().await.unwrap();
            let headers = response.headers();
            let id = headers["x-request-id"].to_str().unwrap().to_owned();
            assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7, "{method} {path}: {id}");
            assert_ne!(id, chosen, "a caller does not choose what stands in our records");
            assert!(ids.insert(id), "{method} {path}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{method} {path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{method} {path}");
        }
    }
}
