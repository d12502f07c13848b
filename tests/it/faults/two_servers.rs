//! Two servers on one PostgreSQL, with a client on each. One is killed and comes back.

use futures_util::future::join_all;
use tempfile::TempDir;

use super::{Follower, add};
use crate::harness::{postgres::fresh_database, process::ServerProcess, times};

/// How many clients of each server add people at the same time.
const WRITERS: usize = 4;

/// Adds people by both servers at once. Gives those who were acknowledged.
async fn add_by_both(servers: [&ServerProcess; 2], round: &str, each: usize) -> Vec<String> {
    let writer = async |index: usize| {
        let mut added = Vec::new();
        for one in 0..each {
            let name = format!("{round} writer {index} person {one}");
            if add(servers[index % 2], &name).await {
                added.push(name);
            }
        }
        added
    };
    join_all((0..2 * WRITERS).map(writer)).await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_two_servers_see_the_same_in_the_same_order_though_one_is_killed() {
    let Some(url) = fresh_database() else { return };
    let folder = TempDir::new().unwrap();
    let start = || ServerProcess::start(folder.path(), &[("ROLLCALL_DATABASE__URL", &url)]);
    let (mut one, other) = (start(), start());
    let mut followers = [Follower::start(&one).await, Follower::start(&other).await];
    let mut acknowledged = Vec::new();
    for round in 0..times(2, 40) {
        acknowledged.extend(add_by_both([&one, &other], &format!("round {round}"), 5).await);
        // The kill comes while both are at it; what its clients were not told is theirs to ask.
        let killed = format!("kill {round}");
        let (added, ()) = tokio::join!(add_by_both([&one, &other], &killed, 5), async {
            followers[0].read_until(&acknowledged).await;
            one.kill_beside();
        });
        acknowledged.extend(added);
        one.kill();
        one = start();
        followers[0].go_on_at(&one).await;
        acknowledged.extend(add_by_both([&one, &other], &format!("back {round}"), 2).await);
        // The last one of all, by which both end at the same place.
        let last = format!("end of {round}");
        assert!(add(&other, &last).await);
        acknowledged.push(last);
        for follower in &mut followers {
            follower.read_until(&acknowledged).await;
        }
        assert_eq!(followers[0].names, followers[1].names);
        assert_eq!(followers[0].cursor, followers[1].cursor);
    }
    let by_the_other = acknowledged.iter().filter(|name| name.contains("writer 1")).count();
    assert!(by_the_other >= 2 * 12, "the other server served all the while: {by_the_other}");
}
