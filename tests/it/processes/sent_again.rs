//! A caller who got no answer since the server was killed sends the same again.

use std::fmt::Write as _;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{
    app::{Database, HEADER},
    both_dbs,
    process::ServerProcess,
};

both_dbs! {
    a_bulk_request_that_a_kill_cut_off_is_finished_when_it_is_sent_again
}

/// Several chunks.
const PEOPLE: usize = 900;

const SUBSCRIBE: &str = "mutation { subscribeChannels(input: { filter: { channel: EMAIL, statusIn: [UNSUBSCRIBED] },
    channels: [EMAIL], idempotencyKey: \"all of them\" }) { outcomes { status userError { code } } userErrors { code } } }";

const ASKED: &str = "{ statusChanges(first: 0, filter: { channelIn: [EMAIL], causeIn: [SUBSCRIBED] }) { totalCount } }";

async fn count_asked(server: &ServerProcess) -> u64 {
    server.data(ASKED, json!({})).await["statusChanges"]["totalCount"].as_u64().expect("a number")
}

async fn a_bulk_request_that_a_kill_cut_off_is_finished_when_it_is_sent_again(database: Database) {
    let folder = TempDir::new().expect("a folder");
    let mut people = format!("{HEADER}\n");
    for number in 0..PEOPLE {
        writeln!(people, "u-{number},p{number:03},,OTHER,active,,p{number}@demo.example").expect("a line");
    }
    std::fs::write(folder.path().join("engineers.csv"), people).expect("a directory");
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut server = ServerProcess::start(folder.path(), &env);
    {
        let cut_off = async {
            while count_asked(&server).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = cut_off => {}
            // All of it may be done before the first look.
            _ = server.try_execute(SUBSCRIBE, json!({})) => {}
        }
    }
    server.kill();
    let server = ServerProcess::start(folder.path(), &env);
    for _ in 0..2 {
        let payload = server.data(SUBSCRIBE, json!({})).await["subscribeChannels"].clone();
        assert_eq!(payload["userErrors"], json!([]));
        let outcomes = payload["outcomes"].as_array().expect("outcomes");
        assert_eq!(outcomes.len(), PEOPLE);
        assert!(outcomes.iter().all(|one| *one == json!({ "status": "REQUESTED", "userError": null })));
        assert_eq!(count_asked(&server).await, PEOPLE as u64, "each is asked once");
    }
}
