//! PostgreSQL is restarted, crashes and ends its connections while people are added and followed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

use super::{Follower, add};
use crate::harness::{postgres::OwnCluster, process::ServerProcess, times};

/// How long a server may take to find its database again. In a release build on a free machine it is less than 5 s.
const SOON: Duration = Duration::from_secs(15);

/// How many clients add people at the same time.
const WRITERS: usize = 6;

/// How many people each of them adds while the fault happens.
const EACH: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_lose_nothing_while_postgresql_restarts_crashes_and_ends_connections() {
    let Some(cluster) = OwnCluster::start() else { return };
    let cluster = Arc::new(cluster);
    let (folder, url) = (TempDir::new().unwrap(), cluster.url());
    let mut server = ServerProcess::start(folder.path(), &[("ROLLCALL_DATABASE__URL", &url)]);
    let mut follower = Follower::start(&server).await;
    // A stream that begins while the database is away is refused; this one has begun.
    let mut acknowledged = vec!["before all".to_owned()];
    assert!(add(&server, &acknowledged[0]).await);
    follower.read_until(&acknowledged).await;
    for round in 0..times(3, 60) {
        let fault = {
            let cluster = Arc::clone(&cluster);
            tokio::task::spawn_blocking(move || match round % 3 {
                0 => cluster.restart("fast"),
                1 => cluster.restart("immediate"),
                _ => cluster.end_connections(),
            })
        };
        let adding = (0..WRITERS).map(async |writer| {
            let mut added = Vec::new();
            for one in 0..EACH {
                let name = format!("round {round:03} writer {writer} person {one}");
                if add(&server, &name).await {
                    added.push(name);
                }
            }
            added
        });
        let (added, fault) = tokio::join!(join_all(adding), fault);
        fault.expect("the fault happened");
        acknowledged.extend(added.into_iter().flatten());
        let healed = Instant::now();
        let name = format!("after round {round:03}");
        while !add(&server, &name).await {
            assert!(healed.elapsed() < SOON, "not healed after round {round}");
        }
        acknowledged.push(name);
        // On the same socket, which the server kept all the while.
        follower.read_until(&acknowledged).await;
    }
    let roll = "query($search: String!) { engineers(filter: { search: $search }) { totalCount } }";
    for name in &acknowledged {
        assert_eq!(server.data(roll, json!({ "search": name })).await["engineers"]["totalCount"], 1, "{name}");
    }
    assert!(server.terminate(), "it is the process that was started");
}
