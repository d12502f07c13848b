//! Hints that never come, and a database that fails for a while.

use std::time::Duration;

use rollcall::{live::LiveOptions, store::Store};
use tokio::time::timeout;

use super::{Bench, edits, on_both_databases, read};

on_both_databases! {
    without_any_hint_the_poll_delivers
    readers_outlive_a_database_that_fails_for_a_while
}

const POLL: LiveOptions = LiveOptions::polling(Duration::from_millis(10));

async fn without_any_hint_the_poll_delivers(store: Store) {
    let bench = Bench::start(store, POLL).await;
    let mut follow = bench.follow(None).await.unwrap();
    for _ in 0..5 {
        let committed = bench.commit(edits(2)).await;
        assert_eq!(read(&mut follow, 2).await, committed);
    }
}

async fn readers_outlive_a_database_that_fails_for_a_while(store: Store) {
    let bench = Bench::start(store, POLL).await;
    let mut follow = bench.follow(None).await.unwrap();
    let first = bench.change(2).await;
    assert_eq!(read(&mut follow, 2).await, first);
    bench.run_sql("ALTER TABLE account RENAME TO account_away").await;
    assert!(timeout(Duration::from_millis(300), follow.next()).await.is_err(), "it waits");
    bench.run_sql("ALTER TABLE account_away RENAME TO account").await;
    let second = bench.commit(edits(2)).await;
    assert_eq!(read(&mut follow, 2).await, second);
}
