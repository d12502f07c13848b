//! The contract of the hints, on the hints within one process.

use std::{sync::Arc, time::Duration};

use rollcall::{adapter::wakeup::in_process::InProcessWakeup, port::wakeup::Wakeup};
use tokio::time::timeout;

use super::{NO_POLL, PATIENCE};

#[tokio::test]
async fn a_hint_between_two_waits_ends_the_second_for_everyone() {
    let wakeup = InProcessWakeup::new();
    let mut waiters = [wakeup.subscribe(), wakeup.subscribe(), wakeup.subscribe()];
    for _ in 0..2 {
        wakeup.wake();
        wakeup.wake();
        for waiter in &mut waiters {
            timeout(PATIENCE, waiter.wait(NO_POLL)).await.expect("it was woken");
        }
    }
}

#[tokio::test]
async fn many_hints_end_one_wait() {
    let wakeup = InProcessWakeup::new();
    let mut waiter = wakeup.subscribe();
    wakeup.wake();
    wakeup.wake();
    waiter.wait(NO_POLL).await;
    assert!(timeout(Duration::from_millis(20), waiter.wait(NO_POLL)).await.is_err(), "it waits");
}

#[tokio::test]
async fn a_wait_given_up_loses_no_hint() {
    let wakeup = InProcessWakeup::new();
    let mut waiter = wakeup.subscribe();
    assert!(timeout(Duration::from_millis(1), waiter.wait(NO_POLL)).await.is_err());
    wakeup.wake();
    timeout(PATIENCE, waiter.wait(NO_POLL)).await.expect("it was woken");
}

#[tokio::test]
async fn a_hint_ends_a_wait_that_runs() {
    let wakeup = Arc::new(InProcessWakeup::new());
    let mut waiter = wakeup.subscribe();
    let waits = timeout(PATIENCE, waiter.wait(NO_POLL));
    let wakes = async { wakeup.wake() };
    // In this order: the wait is pending when the hint comes.
    let (woken, ()) = tokio::join!(biased; waits, wakes);
    woken.expect("it was woken");
}

#[tokio::test]
async fn without_a_hint_a_wait_ends_by_itself_even_when_nobody_can_wake() {
    let wakeup = InProcessWakeup::new();
    let mut waiter = wakeup.subscribe();
    let short = Duration::from_millis(20);
    timeout(PATIENCE, waiter.wait(short)).await.expect("it ends");
    drop(wakeup);
    assert!(timeout(short, waiter.wait(NO_POLL)).await.is_err(), "it does not spin");
    timeout(PATIENCE, waiter.wait(short)).await.expect("it ends");
}
