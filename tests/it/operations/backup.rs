//! Copies of the database, and what comes of bringing one back.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::Database,
    process::{ServerProcess, run, run_well},
    socket::Socket,
};

const ADD: &str =
    "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { userErrors { code } } }";
const WEBHOOK: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-456789abcdef";

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What a command that must fail told.
fn refuse(arguments: &[&str], env: &[(&str, &str)]) -> String {
    let refused = run(arguments, env);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    told
}

async fn add(server: &ServerProcess, name: &str) {
    let added = server.data(ADD, json!({ "name": name })).await;
    assert_eq!(added["addEngineer"]["userErrors"], json!([]), "{name}");
}

async fn is_there(server: &ServerProcess, name: &str) -> bool {
    let query = "query($name: String!) { engineers(filter: { search: $name }) { nodes { name } } }";
    let found = server.data(query, json!({ "name": name })).await;
    found["engineers"]["nodes"].as_array().unwrap().iter().any(|node| node["name"] == name)
}

async fn live_cursor(server: &ServerProcess) -> Value {
    server.data("{ liveCursor }", json!({})).await["liveCursor"].clone()
}

/// Sets a chat robot of the first person; where it is the same as before, the one that is kept must have been opened.
async fn set_robot(server: &ServerProcess) {
    let id =
        server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await["engineers"]["nodes"][0]["id"].clone();
    let update = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let endpoints = json!([{ "kind": "WECOM", "value": WEBHOOK }]);
    let updated = server.data(update, json!({ "input": { "id": id, "endpoints": endpoints } })).await;
    assert_eq!(updated["updateEngineer"]["userErrors"], json!([]));
}

async fn resume_code(server: &ServerProcess, after: &Value) -> Value {
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let query = "subscription($after: String) { engineerChanged(after: $after) { kind } }";
    let stream = socket.subscribe(query, json!({ "after": after })).await;
    socket.refusal(&stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_beside_a_busy_server_is_brought_back_with_new_event_logs() {
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    let backup = folder.path().join("copy of #1.sqlite");
    let mut server = ServerProcess::start(folder.path(), &[]);
    set_robot(&server).await;
    add(&server, "before").await;
    let before = live_cursor(&server).await;
    let busy = async {
        for number in 0..100 {
            add(&server, &format!("meanwhile {number}")).await;
        }
    };
    let (arguments, to) = (data.clone(), text(&backup));
    let copying = tokio::task::spawn_blocking(move || run_well(&["backup", "--to", &to, "--data", &arguments], &[]));
    let ((), told) = tokio::join!(busy, async { copying.await.unwrap() });
    assert!(told.contains("sealing key"), "it says what it opens with: {told}");
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    add(&server, "after").await;
    let after = live_cursor(&server).await;

    let told = refuse(&["backup", "--to", &text(&backup), "--data", &data], &[]);
    assert!(told.contains("already"), "{told}");
    let told = refuse(&["restore", &text(&backup), "--force", "--data", &data], &[]);
    assert!(told.contains("another rollcall server already uses"), "{told}");
    assert!(server.terminate());
    let told = refuse(&["restore", &text(&backup), "--data", &data], &[]);
    assert!(told.contains("--force"), "{told}");
    let told = run_well(&["restore", &text(&backup), "--force", "--data", &data], &[]);
    let replaced = told.split("kept as ").nth(1).and_then(|rest| rest.split(';').next()).expect(&told).to_owned();

    let mut server = ServerProcess::start(folder.path(), &[]);
    assert!(is_there(&server, "before").await);
    assert!(!is_there(&server, "after").await);
    for cursor in [&before, &after] {
        assert_eq!(resume_code(&server, cursor).await, "CURSOR_EXPIRED");
    }
    set_robot(&server).await;
    assert!(server.terminate());

    // What was put aside is a database too.
    run_well(&["restore", &replaced, "--force", "--data", &data], &[]);
    let server = ServerProcess::start(folder.path(), &[]);
    assert!(is_there(&server, "after").await);
    assert_eq!(resume_code(&server, &after).await, "CURSOR_EXPIRED", "that log is another again");
}

#[test]
fn what_is_no_whole_backup_of_this_installation_is_refused_and_nothing_is_changed() {
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    drop(ServerProcess::start(folder.path(), &[]));
    let backup = text(&folder.path().join("backup"));
    run_well(&["backup", "--to", &backup, "--data", &data], &[]);
    let bytes = fs::read(&backup).unwrap();
    let (cut, scribbled, words) =
        (folder.path().join("cut"), folder.path().join("scribbled"), folder.path().join("words"));
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let mut damaged = bytes.clone();
    damaged[8192..12288].fill(7);
    fs::write(&scribbled, damaged).unwrap();
    fs::write(&words, "this is no database").unwrap();
    let untouched = fs::read(folder.path().join("rollcall.sqlite")).unwrap();
    for (file, why) in [(&cut, "damaged"), (&scribbled, "damaged"), (&words, "no SQLite database")] {
        let told = refuse(&["restore", &text(file), "--force", "--data", &data], &[]);
        assert!(told.contains("cannot be restored") && told.contains(why), "{told}");
    }
    let told = refuse(&["restore", "nowhere", "--force", "--data", &data], &[]);
    assert!(told.contains("nowhere cannot be read"), "{told}");

    let other = TempDir::new().unwrap();
    drop(ServerProcess::start(other.path(), &[]));
    let told = refuse(&["restore", &backup, "--force", "--data", &text(other.path())], &[]);
    assert!(told.contains("another index_key"), "{told}");
    let empty = TempDir::new().unwrap();
    fs::write(empty.path().join("engineers.csv"), "").unwrap();
    let told = refuse(&["restore", &backup, "--data", &text(empty.path())], &[]);
    assert!(told.contains("sealing-key") && !empty.path().join("sealing-key").exists(), "{told}");
    assert_eq!(fs::read(folder.path().join("rollcall.sqlite")).unwrap(), untouched);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("restoring")), "{left:?}");
}

#[test]
fn a_database_in_use_is_not_taken_for_a_backup() {
    let folder = TempDir::new().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let other = TempDir::new().unwrap();
    let told = refuse(
        &["restore", &text(&folder.path().join("rollcall.sqlite")), "--demo", "--data", &text(other.path())],
        &[],
    );
    assert!(told.contains("rollcall backup"), "{told}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_other_programs_brought_back_is_given_new_event_logs() {
    let Some(database) = Database::postgres() else { return };
    let env = [("ROLLCALL_DATABASE__URL", database.url().unwrap())];
    let folder = TempDir::new().unwrap();
    let data = text(folder.path());
    let server = ServerProcess::start(folder.path(), &env);
    let told = refuse(&["backup", "--to", "nowhere", "--data", &data], &env);
    assert!(told.contains("pg_dump") && told.contains("--new-epoch"), "{told}");
    let told = refuse(&["restore", "nowhere", "--data", &data], &env);
    assert!(told.contains("pg_restore"), "{told}");

    let before = live_cursor(&server).await;
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let stream = socket.subscribe("subscription { engineerChanged { kind } }", json!({})).await;
    let ready = socket.subscribe("{ viewer { subject } }", json!({})).await;
    socket.next(&ready).await;
    run_well(&["restore", "--new-epoch", "--data", &data], &env);
    assert_eq!(socket.refusal(&stream).await, "CURSOR_EXPIRED", "a running server notices");
    assert_eq!(resume_code(&server, &before).await, "CURSOR_EXPIRED");
}
