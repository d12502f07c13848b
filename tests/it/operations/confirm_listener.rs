//! The confirm page on a listener of its own.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::process::{ServerProcess, free_address, run_well};

async fn status(url: String) -> StatusCode {
    Client::new().get(url).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_confirm_page_alone_is_served_on_its_own_listener_and_no_more_beside_the_api() {
    let folder = TempDir::new().unwrap();
    let confirm = free_address().to_string();
    let server = ServerProcess::start(folder.path(), &[("ROLLCALL_CONFIRM__LISTEN", &confirm)]);
    let id =
        server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let update = "mutation($id: ID!) { updateEngineer(input: { id: $id, email: \"apart@demo.example\" }) { userErrors { code } } }";
    server.data(update, json!({ "id": id })).await;
    let query = "query($id: ID!) { engineer(id: $id) { channel(kind: EMAIL) { status } } }";
    while server.data(query, json!({ "id": id })).await["engineer"]["channel"]["status"] != "PENDING" {}
    let outbox = run_well(&["outbox", "--data", &folder.path().display().to_string(), "--json"], &[]);
    let message: Value = serde_json::from_str(outbox.lines().last().unwrap()).unwrap();
    let link = message["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("http://{confirm}/c/")), "links lead there: {link}");

    for path in ["/", "/playground", "/graphql", "/graphql/ws", "/export", "/health/ready", "/metrics"] {
        assert_eq!(status(format!("http://{confirm}{path}")).await, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(status(format!("http://{confirm}/health/live")).await, StatusCode::OK);
    let beside = link.replace(&confirm, &server.address.to_string());
    assert_eq!(status(beside).await, StatusCode::NOT_FOUND, "not beside the API");
    let answer = Client::new().post(link).form(&[("code", message["code"].as_str().unwrap())]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(server.data(query, json!({ "id": id })).await["engineer"]["channel"]["status"], "CONFIRMED");
}
