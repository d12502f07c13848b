//! A storage that takes no writes.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::{Database, TestApp},
    process::{ServerProcess, run_well},
    socket::Socket,
};

const QUERY: &str = "{ engineers { totalCount } }";
const ADD: &str = "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { engineer { id } userErrors { code } } }";

/// How large a file of that process may grow.
fn limit_files(server: &ServerProcess, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let limited = Command::new("prlimit").args(["--pid", &server.id().to_string(), &limit]).status().expect("prlimit");
    assert!(limited.success());
}

async fn ready(server: &ServerProcess) -> (StatusCode, Value) {
    let answer = Client::new().get(format!("http://{}/health/ready", server.address)).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_is_full_writes_fail_with_one_code_and_reads_go_on() {
    let folder = TempDir::new().unwrap();
    // What the system sends to a process whose file grew too large would end it; a full disk sends nothing.
    let server = ServerProcess::start_after("trap '' XFSZ", folder.path());
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket.subscribe("subscription { engineerChanged { engineer { name } } }", json!({})).await;
    let query = socket.subscribe(QUERY, json!({})).await;
    socket.next(&query).await;
    server.data(ADD, json!({ "name": "before" })).await;
    assert_eq!(socket.next(&changes).await["engineerChanged"]["engineer"]["name"], "before");

    limit_files(&server, "4096");
    for _ in 0..5 {
        let refused = server.try_execute(ADD, json!({ "name": "never" })).await.expect("an answer");
        let error = &refused["errors"][0];
        assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{refused}");
        assert!(error["message"].as_str().unwrap().contains("storage is full"), "{refused}");
        assert_eq!(server.data(QUERY, json!({})).await["engineers"]["totalCount"], 26, "reads go on");
    }
    let (status, told) = ready(&server).await;
    assert_eq!((status, &told["status"]), (StatusCode::OK, &json!("degraded")), "{told}");
    assert_eq!(told["checks"]["storage"]["status"], "warn", "{told}");

    limit_files(&server, "unlimited");
    let began = Instant::now();
    while server.try_execute(ADD, json!({ "name": "after" })).await.expect("an answer").get("errors").is_some() {
        assert!(began.elapsed() < Duration::from_secs(10), "it heals without a restart");
    }
    assert_eq!(socket.next(&changes).await["engineerChanged"]["engineer"]["name"], "after", "the socket stayed");
    drop(server);

    let server = ServerProcess::start(folder.path(), &[]);
    assert_eq!(server.data(QUERY, json!({})).await["engineers"]["totalCount"], 27);
    let people = run_well(&["export", "--data", &folder.path().display().to_string()], &[]);
    assert!(people.contains("after") && !people.contains("never"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_disk_of_postgresql_is_full_writes_fail_with_one_code_and_reads_go_on() {
    let Some(database) = Database::postgres() else { return };
    let app = TestApp::start(database).await;
    // A cluster has one disk for all tests, so this one says of itself that it is full.
    app.run_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
    )
    .await;
    for table in ["engineer", "installation"] {
        app.run_sql(&format!("CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()")).await;
    }
    let (_, refused) = app.admin().execute(ADD, json!({ "name": "never" })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("storage is full") && !message.contains("extend"), "{message}");
    assert_eq!(app.admin().data(QUERY, json!({})).await["engineers"]["totalCount"], 0);
    let ready = app.request(reqwest::Method::GET, "/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(ready.json::<Value>().await.unwrap()["status"], "degraded");
}
