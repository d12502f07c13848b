//! Servers of this version work on while the next version changes the structure, and start on what it made.

use reqwest::Client;
use sea_orm::{ConnectionTrait as _, Database as Connector, DatabaseConnection};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::Database,
    both_dbs,
    process::{ServerProcess, run_well},
    raw,
    socket::Socket,
};

both_dbs! {
    a_server_works_on_the_structure_of_the_next_version
}

/// What a next version may do while this one runs: add columns that may be empty or have a default, tables and indexes.
const NEXT: [&str; 7] = [
    "ALTER TABLE engineer ADD COLUMN pager text",
    "ALTER TABLE channel ADD COLUMN priority integer NOT NULL DEFAULT 0",
    "ALTER TABLE event ADD COLUMN origin text",
    "ALTER TABLE channel_subscription ADD COLUMN region text",
    "CREATE TABLE shift (id text PRIMARY KEY, account text NOT NULL)",
    "CREATE INDEX engineer_by_pager ON engineer (account, pager)",
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_add_pager', 0)",
];

async fn connect(database: &Database, folder: &TempDir) -> DatabaseConnection {
    let file = format!("sqlite://{}", folder.path().join("rollcall.sqlite").display());
    Connector::connect(database.url().map_or(file, str::to_owned)).await.unwrap()
}

/// Reads, writes, and lets the workers write: an edit whose message goes out, a sync, and what a live client is told of it.
async fn work(server: &ServerProcess, number: usize) {
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket.subscribe("subscription { confirmationStatusChanged { to } }", json!({})).await;
    let ready = socket.subscribe("{ viewer { subject } }", json!({})).await;
    socket.next(&ready).await;
    let people = server.data("{ engineers(first: 5) { totalCount nodes { id } } }", json!({})).await;
    let id = &people["engineers"]["nodes"][number]["id"];
    let email = format!("number-{number}@demo.example");
    let update = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) {
        engineer { email } userErrors { code } } }";
    let edited = server.data(update, json!({ "input": { "id": id, "email": email } })).await;
    assert_eq!(edited["updateEngineer"], json!({ "engineer": { "email": email }, "userErrors": [] }));
    for expected in ["REQUESTED", "PENDING"] {
        assert_eq!(socket.next(&changes).await["confirmationStatusChanged"]["to"], expected);
    }
    let add =
        "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { userErrors { code } } }";
    let added = server.data(add, json!({ "name": format!("new {number}") })).await;
    assert_eq!(added["addEngineer"]["userErrors"], json!([]));
}

async fn readiness(server: &ServerProcess) -> (u16, Value) {
    let answer = Client::new().get(format!("http://{}/health/ready", server.address)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn a_server_works_on_the_structure_of_the_next_version(database: Database) {
    let folder = TempDir::new().unwrap();
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut server = ServerProcess::start(folder.path(), &env);
    work(&server, 0).await;
    let connection = connect(&database, &folder).await;
    for change in NEXT {
        connection.execute_unprepared(change).await.expect(change);
    }
    work(&server, 1).await;
    assert!(server.terminate());

    // It is told to migrate, and there is nothing that it could: what it does not know stays.
    let server = ServerProcess::start(folder.path(), &env);
    work(&server, 2).await;
    let (status, told) = readiness(&server).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["checks"]["migrations"], json!({ "status": "ok", "pending": 0, "newer": 1 }));
    let data = folder.path().display().to_string();
    assert_eq!(run_well(&["migrate", "--data", &data], &env), "The database was up to date.\n");
    run_well(&["sync", "--data", &data, "--account", "demo"], &env);
    assert!(run_well(&["export", "--data", &data], &env).contains("number-1@demo.example"));
    let versions = "SELECT version FROM seaql_migrations ORDER BY version DESC LIMIT 1";
    assert_eq!(raw::query(&connection, versions).await, ["m20991231_000001_add_pager"]);
    assert!(raw::query(&connection, "SELECT pager FROM engineer WHERE pager IS NOT NULL").await.is_empty());
    assert!(raw::query(&connection, "SELECT id FROM shift").await.is_empty());
}
