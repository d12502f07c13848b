//! The log holds no token, no contact data, no link and no code, however much of it is asked for.

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    process::{ServerProcess, run_well},
    socket::Socket,
};

const EMAIL: &str = "canary.person@demo.example";
const MOBILE: &str = "+8613912345670";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_at_trace_holds_no_token_and_no_contact_data() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let server = ServerProcess::start_logging(folder.path(), &["--log", "trace"], &log);
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket
        .subscribe("subscription { confirmationStatusChanged { to engineer { email mobile } } }", json!({}))
        .await;
    let id =
        server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let update = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let webhook = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef";
    let endpoints = json!([{ "kind": "WECOM", "value": webhook }]);
    let input = json!({ "id": id, "email": EMAIL, "mobile": MOBILE, "endpoints": endpoints });
    server.data(update, json!({ "input": input })).await;
    let mut told = Vec::new();
    while told.iter().filter(|to| **to == "PENDING").count() < 3 {
        told.push(socket.next(&changes).await["confirmationStatusChanged"]["to"].clone());
    }

    let data = folder.path().display().to_string();
    let outbox = run_well(&["outbox", "--data", &data, "--json"], &[]);
    let messages: Vec<Value> = outbox.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(messages.len(), 3);
    for message in &messages {
        let (link, code) = (message["link"].as_str().unwrap(), message["code"].as_str().unwrap());
        Client::new().post(link).form(&[("code", code)]).send().await.unwrap();
    }
    drop(server);

    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("rollcall::http"), "requests are logged: {log}");
    let mut secrets: Vec<_> = [EMAIL, MOBILE, "13912345670", "456789abcdef", "Bearer ey"].map(str::to_owned).to_vec();
    for message in &messages {
        let token = message["link"].as_str().unwrap().rsplit('/').next().unwrap();
        secrets.extend([token.to_owned(), format!("code={}", message["code"].as_str().unwrap())]);
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} stands in the log");
    }
}
