//! Changing the sealing key beside running servers.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sea_orm::{ConnectionTrait as _, Database as Connection, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::Database,
    both_dbs,
    process::{ServerProcess, run, run_well, start},
};

both_dbs! {
    the_sealing_key_is_changed_beside_a_server_that_goes_on
    a_change_that_was_killed_in_the_middle_hurts_nobody_and_is_finished_later
}

/// An installation of the demonstration, by the command line.
struct Installation {
    folder: TempDir,
    url: Option<String>,
}

impl Installation {
    fn new(database: &Database) -> Self {
        Self { folder: TempDir::new().unwrap(), url: database.url().map(str::to_owned) }
    }

    fn env(&self) -> Vec<(&str, &str)> {
        self.url.iter().map(|url| ("ROLLCALL_DATABASE__URL", url.as_str())).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self) -> ServerProcess {
        ServerProcess::start(self.folder.path(), &self.env())
    }

    fn data(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Makes the key that comes next, without which PostgreSQL's servers are asked for nothing.
    fn make_next(&self) {
        if self.url.is_some() && !self.path("sealing-key.next").exists() {
            let told = run(&["keys", "rotate", "--everywhere", "--data", &self.data()], &self.env());
            assert_eq!(told.status.code(), Some(2), "what was made just now is nowhere else");
        }
    }

    fn rotate(&self, more: &[&str]) -> String {
        self.make_next();
        let data = self.data();
        let arguments: Vec<_> =
            ["keys", "rotate", "--everywhere", "--data", &data].into_iter().chain(more.iter().copied()).collect();
        run_well(&arguments, &self.env())
    }

    async fn connect(&self) -> DatabaseConnection {
        let file = format!("sqlite://{}", self.path("rollcall.sqlite").display());
        Connection::connect(self.url.clone().unwrap_or(file)).await.unwrap()
    }
}

/// How many values are sealed with which key.
async fn count_by_key(connection: &DatabaseConnection) -> BTreeMap<String, usize> {
    let sql = "SELECT webhook_sealed AS sealed FROM channel UNION ALL SELECT secret_sealed FROM channel
               UNION ALL SELECT endpoint_sealed FROM channel_subscription";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let mut counts = BTreeMap::new();
    for row in connection.query_all_raw(statement).await.unwrap() {
        if let Some(sealed) = row.try_get::<Option<String>>("", "sealed").unwrap() {
            *counts.entry(sealed.split(':').next().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

fn webhook(number: usize) -> String {
    format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=01234567-89ab-cdef-0123-{number:012}")
}

async fn list(server: &ServerProcess) -> Vec<Value> {
    let nodes = server.data("{ engineers(first: 25) { nodes { id } } }", json!({})).await["engineers"]["nodes"].clone();
    nodes.as_array().unwrap().iter().map(|node| node["id"].clone()).collect()
}

/// Sets a robot, which opens the one that is kept, and an e-mail address, which is asked.
async fn set(server: &ServerProcess, id: &Value, number: usize) {
    let update = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let endpoints = json!([
        { "kind": "WECOM", "value": webhook(number) },
        { "kind": "LARK", "value": format!("https://open.larksuite.com/open-apis/bot/v2/hook/01234567-89ab-cdef-0123-{number:012}"), "secret": "a-secret" },
    ]);
    let input = json!({ "id": id, "email": format!("person-{number}@demo.example"), "endpoints": endpoints });
    let updated = server.data(update, json!({ "input": input })).await;
    assert_eq!(updated["updateEngineer"]["userErrors"], json!([]));
}

async fn the_sealing_key_is_changed_beside_a_server_that_goes_on(database: Database) {
    let installation = Installation::new(&database);
    let mut server = installation.serve();
    let people = list(&server).await;
    for (number, id) in people.iter().take(5).enumerate() {
        set(&server, id, number).await;
    }
    let connection = installation.connect().await;
    let before = count_by_key(&connection).await;
    assert_eq!(before.len(), 1, "{before:?}");
    let old = before.keys().next().unwrap();
    let first = fs::read_to_string(installation.path("sealing-key")).unwrap();
    if database.url().is_some() {
        // Others may work with the database, and would not find the new key.
        let told = run(&["keys", "rotate", "--data", &installation.data()], &installation.env());
        assert_eq!(told.status.code(), Some(2));
        let told = String::from_utf8(told.stderr).unwrap();
        assert!(told.contains("sealing-key.next") && told.contains("--everywhere"), "{told}");
        assert_eq!(count_by_key(&connection).await, before);
    }

    let told = installation.rotate(&[]);
    assert!(told.contains("--retire"), "{told}");
    let after = count_by_key(&connection).await;
    assert_eq!(after.values().sum::<usize>(), before.values().sum::<usize>());
    assert!(!after.contains_key(old) && after.len() == 1, "{after:?}");
    assert_eq!(fs::read_to_string(installation.path("sealing-key")).unwrap(), first, "the old key is still there");
    // The server has never heard of the new key: it opens with it, and seals with it.
    for (number, id) in people.iter().take(10).enumerate() {
        set(&server, id, number).await;
    }
    let later = count_by_key(&connection).await;
    assert!(!later.contains_key(old) && later.values().sum::<usize>() > after.values().sum(), "{later:?}");

    let next = fs::read_to_string(installation.path("sealing-key.next")).unwrap();
    let told = installation.rotate(&["--retire"]);
    assert!(told.contains("0 rows were sealed anew") && told.contains("removed"), "{told}");
    assert_eq!(fs::read_to_string(installation.path("sealing-key")).unwrap(), next);
    assert!(!installation.path("sealing-key.next").exists());
    set(&server, &people[11], 11).await;
    assert!(server.terminate());
    let server = installation.serve();
    for (number, id) in people.iter().take(10).enumerate() {
        set(&server, id, number).await;
    }
    let data = installation.data();
    let refused = run(&["keys", "rotate", "--everywhere", "--retire", "--data", &data], &installation.env());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && told.contains("no old sealing key"), "{told}");
    assert!(!installation.path("sealing-key.next").exists(), "a third key was made");
    installation.rotate(&[]);
    let again = count_by_key(&connection).await;
    assert!(again.len() == 1 && !again.contains_key(later.keys().next().unwrap()), "a third key: {again:?}");
}

/// People with robots, enough for many transactions.
const MANY: usize = 1_200;

async fn a_change_that_was_killed_in_the_middle_hurts_nobody_and_is_finished_later(database: Database) {
    let installation = Installation::new(&database);
    drop(installation.serve());
    let directory = installation.path("engineers.csv");
    let mut listed = fs::read_to_string(&directory).unwrap();
    let columns = listed.lines().next().unwrap().split(',').count();
    let mut robots = "external_id,directory,wecom\n".to_owned();
    for number in 0..MANY {
        writeln!(listed, "more-{number},person {number}{}", ",".repeat(columns - 2)).unwrap();
        writeln!(robots, "more-{number},hr,{}", webhook(number)).unwrap();
    }
    fs::write(&directory, listed).unwrap();
    fs::write(installation.path("robots.csv"), robots).unwrap();
    let (data, env) = (installation.data(), installation.env());
    run_well(&["sync", "--data", &data], &env);
    run_well(&["import", &installation.path("robots.csv").display().to_string(), "--data", &data], &env);
    let connection = installation.connect().await;
    let mut cut_off = false;
    for _ in 0..5 {
        let before = count_by_key(&connection).await;
        let old = before.keys().next().unwrap();
        installation.make_next();
        let mut rotating = start(&["keys", "rotate", "--everywhere", "--data", &data], &env);
        while count_by_key(&connection).await.len() < 2 && rotating.try_wait().unwrap().is_none() {}
        rotating.kill().unwrap();
        rotating.wait().unwrap();
        let after = count_by_key(&connection).await;
        assert_eq!(after.values().sum::<usize>(), MANY);
        if after.len() == 2 && after[old] > 0 {
            cut_off = true;
            break;
        }
        installation.rotate(&["--retire"]);
    }
    assert!(cut_off, "it was never caught in the middle");

    // What is sealed with either key opens: the import compares each row with what is kept, and finds nothing to do.
    let told = run_well(&["import", &installation.path("robots.csv").display().to_string(), "--data", &data], &env);
    assert!(told.contains(&format!("people unchanged {MANY}")), "{told}");
    let told = installation.rotate(&["--retire"]);
    assert!(told.contains("removed"), "{told}");
    let counts = count_by_key(&connection).await;
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [MANY], "{counts:?}");
    let told = run_well(&["import", &installation.path("robots.csv").display().to_string(), "--data", &data], &env);
    assert!(told.contains(&format!("people unchanged {MANY}")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_cannot_be_opened_is_told_and_keeps_the_old_key_from_being_removed() {
    let installation = Installation::new(&Database::sqlite());
    let server = installation.serve();
    let people = list(&server).await;
    set(&server, &people[0], 0).await;
    drop(server);
    let connection = installation.connect().await;
    let key = count_by_key(&connection).await.keys().next().unwrap().clone();
    let damage =
        format!("UPDATE channel SET webhook_sealed = '{key}:AAAA' WHERE kind = 'WECOM' AND webhook_sealed IS NOT NULL");
    connection.execute_unprepared(&damage).await.unwrap();
    for more in [&[][..], &["--retire"]] {
        let data = installation.data();
        let arguments: Vec<_> = ["keys", "rotate", "--data", &data].into_iter().chain(more.iter().copied()).collect();
        let refused = run(&arguments, &[]);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert_ne!(refused.status.code(), Some(0), "{told}");
        assert!(told.contains("cannot be opened"), "{told}");
        assert!(installation.path("sealing-key.next").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_the_configuration_is_changed_by_exchanging_two() {
    let installation = Installation::new(&Database::sqlite());
    let keys = ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="];
    let (one, two) = (
        [("ROLLCALL_KEYS__SEALING_KEY", keys[0])],
        [("ROLLCALL_KEYS__SEALING_KEY", keys[1]), ("ROLLCALL_KEYS__PREVIOUS_SEALING_KEY", keys[0])],
    );
    let server = ServerProcess::start(installation.folder.path(), &one);
    set(&server, &list(&server).await[0], 0).await;
    let connection = installation.connect().await;
    let before = count_by_key(&connection).await;
    let data = installation.data();
    let refused = run(&["keys", "rotate", "--data", &data], &one);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && told.contains("keys.previous_sealing_key"), "{told}");
    drop(server);

    let server = ServerProcess::start(installation.folder.path(), &two);
    set(&server, &list(&server).await[1], 1).await;
    assert_eq!(count_by_key(&connection).await.len(), 1, "until it is changed, all seal with the first");
    run_well(&["keys", "rotate", "--data", &data], &two);
    let after = count_by_key(&connection).await;
    assert!(after.len() == 1 && after.keys().next() != before.keys().next(), "{after:?}");
    drop(server);
    let alone = [("ROLLCALL_KEYS__SEALING_KEY", keys[1])];
    let server = ServerProcess::start(installation.folder.path(), &alone);
    set(&server, &list(&server).await[0], 0).await;
}

/// A column that is sealed and not sealed anew would be lost with the old key.
#[test]
fn every_sealed_column_is_sealed_anew() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reseal = fs::read_to_string(root.join("src/store/reseal.rs")).unwrap();
    let mut columns = 0;
    for file in fs::read_dir(root.join("entity/src")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for column in text.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()) {
            if column.ends_with("_sealed") {
                let variant: String = column.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
                assert!(reseal.contains(&format!("Column::{variant}")), "{column}");
                columns += 1;
            }
        }
    }
    assert!(columns >= 3, "they are found");
}
