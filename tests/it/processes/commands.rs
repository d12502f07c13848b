//! The commands, as a person or a script runs them.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    process::{ServerProcess, free_address, run, run_well},
    socket::Socket,
};

/// The text of a path.
fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_job_works_by_the_commands_of_the_readme() {
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    let server = ServerProcess::start(folder.path(), &[]);
    let roll = server.data("{ engineers(first: 1) { totalCount nodes { id } } }", json!({})).await;
    assert_eq!(roll["engineers"]["totalCount"], 25, "the roll is there before the server answers");

    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket.subscribe("subscription { confirmationStatusChanged { to cause } }", json!({})).await;
    let ready = socket.subscribe("{ viewer { subject } }", json!({})).await;
    socket.next(&ready).await;
    let update = "mutation($id: ID!) { updateEngineer(input: { id: $id, email: \"someone@demo.example\" }) { userErrors { code } } }";
    server.data(update, json!({ "id": roll["engineers"]["nodes"][0]["id"] })).await;
    for expected in ["REQUESTED", "PENDING"] {
        assert_eq!(socket.next(&changes).await["confirmationStatusChanged"]["to"], expected);
    }

    let outbox = run_well(&["outbox", "--data", &data, "--json"], &[]);
    let message: Value = serde_json::from_str(outbox.lines().last().expect("a message")).unwrap();
    assert_eq!(message["channel"], "EMAIL");
    assert_eq!(message["endpoint"], "someone@demo.example");
    assert!(message["sentAt"].as_str().unwrap().ends_with('Z'));
    let (link, code) = (message["link"].as_str().unwrap(), message["code"].as_str().unwrap());
    assert!(link.starts_with(&format!("http://{}/c/", server.address)), "{link}");
    let answer = reqwest::Client::new().post(link).form(&[("code", code)]).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let confirmed = socket.next(&changes).await["confirmationStatusChanged"].clone();
    assert_eq!(confirmed, json!({ "to": "CONFIRMED", "cause": "LINK" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_ends_well_and_a_second_start_keeps_the_data() {
    let folder = TempDir::new().unwrap();
    let mut server = ServerProcess::start(folder.path(), &[]);
    let query = "{ engineers(first: 1) { nodes { id alias } } }";
    let id = server.data(query, json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let update = "mutation($id: ID!) { updateEngineer(input: { id: $id, alias: \"kept\" }) { userErrors { code } } }";
    server.data(update, json!({ "id": id })).await;
    assert!(server.terminate());

    let server = ServerProcess::start(folder.path(), &[]);
    assert_eq!(server.data(query, json!({})).await["engineers"]["nodes"][0]["alias"], "kept");
}

#[test]
fn a_second_server_on_the_same_file_is_refused_with_a_clear_message() {
    let folder = TempDir::new().unwrap();
    let _server = ServerProcess::start(folder.path(), &[]);
    let second =
        run(&["serve", "--demo", "--listen", &free_address().to_string(), "--data", &text(folder.path())], &[]);
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains("another rollcall server already uses") && told.contains("--data"), "{told}");
}

#[test]
fn a_taken_port_is_named_with_the_flag_that_changes_it_and_nothing_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let refused = run(&["serve", "--demo", "--listen", &format!("127.0.0.1:{port}"), "--data", &text(&data)], &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains(&port.to_string()) && told.contains("--listen"), "{told}");
    assert!(!data.join("rollcall.sqlite").exists());
}

#[test]
fn an_outdated_postgresql_is_refused_unless_told_to_migrate() {
    let Some(url) = crate::harness::postgres::fresh_database() else { return };
    let folder = TempDir::new().unwrap();
    let (data, env) = (text(folder.path()), [("ROLLCALL_DATABASE__URL", url.as_str())]);
    let refused = run(&["serve", "--demo", "--listen", &free_address().to_string(), "--data", &data], &env);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("rollcall migrate") && told.contains("--migrate"), "{told}");
    run_well(&["migrate", "--data", &data], &env);
    run_well(&["sync", "--data", &data, "--account", "demo"], &env);
}

#[test]
fn a_token_is_printed_alone_with_only_a_data_folder() {
    let folder = TempDir::new().unwrap();
    let token = run_well(
        &["token", "--data", &text(folder.path()), "--account", "demo", "--role", "VIEWER", "--ttl", "90s"],
        &[],
    );
    assert_eq!(token.lines().count(), 1, "{token}");
    assert_eq!(token.trim().split('.').count(), 3);
}

#[test]
fn people_are_exported_and_imported_beside_a_running_server() {
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    let _server = ServerProcess::start(folder.path(), &[]);
    let exported = run_well(&["export", "--data", &data], &[]);
    assert_eq!(exported.lines().count(), 26, "a header and 25 people");
    let file = folder.path().join("edits.csv");
    std::fs::write(&file, "external_id,directory,alias\nu-1001,hr,first alias\nu-9999,hr,nobody\n").unwrap();
    let plan = run(&["import", &text(&file), "--dry-run", "--data", &data], &[]);
    assert_eq!(plan.status.code(), Some(2), "a row was refused");
    let told = String::from_utf8(plan.stdout).unwrap();
    assert!(told.contains("line 3"), "the refused row is named: {told}");
    assert!(!run_well(&["export", "--data", &data], &[]).contains("first alias"), "a plan changes nobody");
    assert_eq!(run(&["import", &text(&file), "--data", &data], &[]).status.code(), Some(2));
    assert!(run_well(&["export", "--data", &data], &[]).contains("first alias"));
}

#[test]
fn the_schema_and_the_configuration_are_printed_and_checked() {
    let schema = run_well(&["schema"], &[]);
    assert!(schema.contains("type Subscription"));
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    run_well(&["config", "check", "--demo", "--data", &data], &[]);
    let secret = [("ROLLCALL_AUTH__TOKEN_SECRET", "0123456789abcdef0123456789abcdef")];
    let printed = run_well(&["config", "print", "--demo", "--data", &data], &secret);
    assert!(printed.contains("***") && !printed.contains("0123456789abcdef"), "{printed}");
    let misspelt = [("ROLLCALL_SERVER__LISTN", "127.0.0.1:1")];
    let refused = run(&["config", "check", "--demo", "--data", &data], &misspelt);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("LISTEN") || told.contains("listen"), "the nearest name: {told}");
}

#[test]
fn a_key_that_was_lost_is_named_and_no_new_one_is_made() {
    let folder = TempDir::new().unwrap();
    drop(ServerProcess::start(folder.path(), &[]));
    let key = folder.path().join("sealing-key");
    std::fs::remove_file(&key).unwrap();
    let data = text(folder.path());
    let refused = run(&["serve", "--demo", "--listen", &free_address().to_string(), "--data", &data], &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("sealing-key") && told.contains("backup"), "{told}");
    assert!(!key.exists());
}
