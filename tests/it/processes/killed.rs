//! `kill -9` at any moment loses no acknowledged mutation and leaves no half-written state.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{app::Database, both_dbs, process::ServerProcess, raw, times};

/// How often the server is killed, in `make test` and in `make soak`.
const KILLS: [usize; 2] = [6, 200];

/// The most edits that are acknowledged before a kill.
const EDITS: usize = 140;

/// How many people are edited at the same time.
const WRITERS: usize = 8;

const UPDATE: &str = "mutation($input: UpdateEngineerInput!) {
    updateEngineer(input: $input) { engineer { version } userErrors { code } } }";

const STATE: &str = "{ engineers(first: 10) { nodes { id name alias email version
    channel(kind: EMAIL) { status } statusChanges(first: 50) { nodes { channel from to cause } } } } }";

both_dbs! {
    a_server_that_is_killed_at_any_moment_loses_no_acknowledged_edit_and_leaves_none_half_done
}

async fn a_server_that_is_killed_at_any_moment_loses_no_acknowledged_edit_and_leaves_none_half_done(
    database: Database,
) {
    let folder = TempDir::new().expect("a folder");
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut acknowledged: BTreeMap<String, u32> = BTreeMap::new();
    let [few, many] = KILLS;
    for kill in 0..times(few, many) {
        let mut server = ServerProcess::start(folder.path(), &env);
        check(&server, &acknowledged).await;
        // Another number of edits each time, so that the kill meets other moments of the server's work.
        edit_until_killed(&mut server, &mut acknowledged, 5 + kill * 7 % EDITS).await;
    }
    let server = ServerProcess::start(folder.path(), &env);
    check(&server, &acknowledged).await;
    if database.url().is_none() {
        let file = format!("sqlite://{}", folder.path().join("rollcall.sqlite").display());
        let connection = sea_orm::Database::connect(file).await.expect("a connection");
        assert_eq!(raw::query(&connection, "PRAGMA integrity_check").await, ["ok"]);
    }
    assert!(acknowledged.values().sum::<u32>() > 0, "nothing was acknowledged, so nothing was tested");
}

/// Edits people, several at a time, and kills the server in the middle of it after `edits` acknowledgements.
async fn edit_until_killed(server: &mut ServerProcess, acknowledged: &mut BTreeMap<String, u32>, edits: usize) {
    let people = server.data(STATE, json!({})).await;
    let nodes = people["engineers"]["nodes"].as_array().expect("people").clone();
    let mut answers = 0;
    {
        let mut running: FuturesUnordered<_> = nodes
            .iter()
            .take(WRITERS)
            .map(|node| edit(server, node["id"].as_str().expect("an id").to_owned(), number_of(node) + 1))
            .collect();
        while let Some((id, number, answered)) = running.next().await {
            assert!(answered, "the server is alive");
            acknowledged.insert(id.clone(), number);
            answers += 1;
            if answers >= edits {
                break;
            }
            running.push(edit(server, id, number + 1));
        }
        // Dropped here with edits under way: their answers are never seen.
    }
    server.kill();
}

/// Sets alias and e-mail address to the same number in one mutation. Tells whether it was acknowledged.
async fn edit(server: &ServerProcess, id: String, number: u32) -> (String, u32, bool) {
    let key = id.rsplit(':').next().unwrap_or_default().to_owned();
    let input = json!({ "id": id, "alias": format!("edit {number}"), "email": format!("{key}.{number}@demo.example") });
    let response = server.try_execute(UPDATE, json!({ "input": input })).await;
    let answered = response.is_some_and(|response| {
        response["data"]["updateEngineer"]["userErrors"] == json!([]) && response.get("errors").is_none()
    });
    (id, number, answered)
}

/// The number of the last edit that shows in the alias.
fn number_of(node: &Value) -> u32 {
    let alias = node["alias"].as_str().unwrap_or_default();
    alias.strip_prefix("edit ").and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Reads everything twice until both readings are equal: an answer is put together from several reads, between which the workers
/// go on.
async fn read_at_rest(server: &ServerProcess) -> Value {
    loop {
        let first = server.data(STATE, json!({})).await;
        if first == server.data(STATE, json!({})).await {
            return first;
        }
    }
}

/// Everything acknowledged is there, alias and address are of the same edit, and the log tells the status that stands.
async fn check(server: &ServerProcess, acknowledged: &BTreeMap<String, u32>) {
    let people = read_at_rest(server).await;
    for node in people["engineers"]["nodes"].as_array().expect("people") {
        let id = node["id"].as_str().expect("an id");
        let number = number_of(node);
        if let Some(least) = acknowledged.get(id) {
            assert!(number >= *least, "edit {least} of {id} was acknowledged, and edit {number} stands");
        }
        if number > 0 {
            let email = node["email"].as_str().expect("an address");
            assert!(email.contains(&format!(".{number}@")), "{email} is not of edit {number}");
        }
        let changes = node["statusChanges"]["nodes"].as_array().expect("changes");
        let last = changes.iter().find(|change| change["channel"] == "EMAIL");
        if let Some(last) = last {
            assert_eq!(last["to"], node["channel"]["status"], "{node:#}");
        }
        let of_mail: Vec<_> = changes.iter().filter(|change| change["channel"] == "EMAIL").collect();
        for pair in of_mail.windows(2) {
            assert_eq!(pair[0]["from"], pair[1]["to"], "the history of {id} has a gap");
        }
    }
}
