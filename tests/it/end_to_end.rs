//! The main job from end to end: real HTTP, a real WebSocket, a real SMTP conversation, on both databases.

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
    smtp::SmtpCatcher,
};

const CHANGES: &str = "subscription { confirmationStatusChanged { cursor engineerId channel from to cause } }";

const UPDATE: &str = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) {
    engineer { id version channels { kind status } } userErrors { code field message } } }";

both_dbs! {
    a_person_is_synced_edited_asked_and_confirms_and_every_step_streams
}

async fn a_person_is_synced_edited_asked_and_confirms_and_every_step_streams(database: Database) {
    let mail = SmtpCatcher::start().await;
    let smtp = format!("[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", mail.address().port());
    let app = TestApp::start_with(database, Setup { config: smtp, ..Setup::default() }).await;
    app.write_directory("hr", &["u-1,lin.wei,林薇,IAM_USER,active,+8613800138001,old@demo.example"]);
    let run = app.sync("hr", json!({})).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}");
    assert_eq!(run["counts"]["added"], 1);

    let admin = app.admin();
    let lin = admin.find("lin.wei").await;
    assert_eq!(channel(&lin, "EMAIL")["status"], "UNSUBSCRIBED");
    let mut socket = admin.connect().await;
    let changes = socket.subscribe(CHANGES, json!({})).await;
    // The stream begins where it was opened: the answer to another operation on the socket proves that it is open.
    let viewer = socket.subscribe("{ viewer { subject } }", json!({})).await;
    socket.next(&viewer).await;

    let input = json!({ "id": lin["id"], "version": lin["version"], "email": "Lin.Wei@Demo.Example" });
    let updated = admin.data(UPDATE, json!({ "input": input })).await;
    assert_eq!(updated["updateEngineer"]["userErrors"], json!([]));
    let requested = socket.next(&changes).await["confirmationStatusChanged"].clone();
    assert_eq!(
        (&requested["from"], &requested["to"], &requested["cause"]),
        (&json!("UNSUBSCRIBED"), &json!("REQUESTED"), &json!("EDIT"))
    );

    app.run_workers().await;
    let pending = socket.next(&changes).await["confirmationStatusChanged"].clone();
    assert_eq!((&pending["to"], &pending["cause"]), (&json!("PENDING"), &json!("PROVIDER_ACCEPTED")));
    let message = mail.next_mail().await;
    assert_eq!(message.to, ["Lin.Wei@demo.example"]);
    let text = message.part("text/plain").expect("a text");
    let link = text.split_whitespace().find(|word| word.contains("/c/")).expect("a link").to_owned();
    let code = text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).expect("a code").to_owned();
    let path = link.split_once("/c/").map(|(_, token)| format!("/c/{token}")).expect("a path");

    let page = app.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(channel(&admin.find("lin.wei").await, "EMAIL")["status"], "PENDING", "looking confirms nothing");
    let answer = app.request(Method::POST, &path).form(&[("code", code.as_str())]).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let confirmed = socket.next(&changes).await["confirmationStatusChanged"].clone();
    assert_eq!((&confirmed["to"], &confirmed["cause"]), (&json!("CONFIRMED"), &json!("LINK")));
    assert_eq!(channel(&admin.find("lin.wei").await, "EMAIL")["status"], "CONFIRMED");
}
