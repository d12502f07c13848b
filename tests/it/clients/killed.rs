//! The helpers of `examples/clients` while the server is killed under them.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    sync::{RwLock, watch},
    task::JoinSet,
    time::timeout,
};

use super::HELPERS;
use crate::harness::{
    app::Database,
    both_dbs,
    process::{ServerProcess, stable_address, token_command},
    script::Follower,
};

/// How often the server is killed.
const KILLS: usize = 3;

/// How many people are edited at the same time.
const WRITERS: usize = 4;

/// How many edits are acknowledged before each kill.
const EDITS: usize = 40;

/// How long so many edits may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

const UPDATE: &str = "mutation($id: ID!, $webhook: String) {
    updateEngineer(input: { id: $id, endpoints: [{ kind: WECOM, value: $webhook }] }) { userErrors { code message } } }";

const PEOPLE: &str = "{ engineers(first: 100) { nodes { id } } }";

const HISTORY: &str = "query($after: String) { statusChanges(first: 100, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } } }";

both_dbs! {
    each_helper_sees_every_change_once_and_in_order_though_the_server_is_killed_under_it
}

async fn each_helper_sees_every_change_once_and_in_order_though_the_server_is_killed_under_it(database: Database) {
    let folder = TempDir::new().expect("a folder");
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let address = stable_address();
    let start = || ServerProcess::start_at(address, folder.path(), &env);
    let server = Arc::new(RwLock::new(start()));

    let token = token_command(folder.path(), "VIEWER", "5s");
    let followers: Option<Vec<_>> =
        HELPERS.map(|helper| Follower::start(helper, address, &token)).into_iter().collect();
    let Some(mut followers) = followers else { return };
    for follower in &mut followers {
        follower.next("snapshot").await;
    }
    let before = read_history(&*server.read().await).await.len();

    let (acknowledge, mut acknowledged) = watch::channel(0);
    let people = server.read().await.data(PEOPLE, json!({})).await["engineers"]["nodes"].take();
    let mut writers = JoinSet::new();
    for person in people.as_array().expect("people").iter().take(WRITERS) {
        writers.spawn(write(server.clone(), person["id"].clone(), acknowledge.clone()));
    }
    for kill in 1..=KILLS {
        let enough = acknowledged.wait_for(|edits| *edits >= kill * EDITS);
        timeout(PATIENCE, enough).await.expect("edits in time").expect("writers");
        server.read().await.kill_beside();
        let mut server = server.write().await;
        server.kill(); // waits for its end
        *server = start();
        let history = read_history(&server).await;
        drop(server);
        // Everyone is back before the next kill, so that each kill breaks a stream of each.
        for follower in &mut followers {
            follower.reach(history.last().expect("changes")).await;
        }
    }
    writers.shutdown().await;

    let history = read_history(&*server.read().await).await;
    let written = &history[before..];
    assert!(written.len() >= KILLS * EDITS, "{} changes are no test", written.len());
    for mut follower in followers {
        follower.reach(history.last().expect("changes")).await;
        assert!(follower.seen == written, "{} saw {:#?} of {written:#?}", follower.helper, follower.seen);
        assert!(follower.tokens > KILLS, "{} asked for {} tokens", follower.helper, follower.tokens);
    }
}

/// Sets and clears the webhook of one person by turns, each time until it is acknowledged. Each changes one status.
async fn write(server: Arc<RwLock<ServerProcess>>, id: Value, acknowledge: watch::Sender<usize>) {
    for number in 0.. {
        let webhook =
            format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-{number:012}");
        let variables = json!({ "id": id, "webhook": (number % 2 == 0).then_some(webhook) });
        loop {
            let answer = server.read().await.try_execute(UPDATE, variables.clone()).await;
            if answer.is_some_and(|answer| answer["data"]["updateEngineer"]["userErrors"] == json!([])) {
                break;
            }
        }
        acknowledge.send_modify(|edits| *edits += 1);
    }
}

/// The ids of all status changes, the oldest first.
async fn read_history(server: &ServerProcess) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = server.data(HISTORY, json!({ "after": after })).await["statusChanges"].take();
        let nodes = page["nodes"].as_array().expect("nodes");
        ids.extend(nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            ids.reverse();
            return ids;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
