//! The changes that are told, and when they are due.

use std::{future::Future, net::SocketAddr, time::Duration};

use rollcall::domain::{
    clock::{Clock as _, SystemClock},
    id::EngineerId,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::AnyResult;

/// How many changes a second.
pub const PER_SECOND: u32 = 10;

/// For how long.
pub const SECONDS: u32 = 5;

/// How many changes in all.
pub const COUNT: u32 = PER_SECOND * SECONDS;

/// From one change to the next.
pub const EVERY: Duration = Duration::from_millis(1000 / PER_SECOND as u64);

/// The engineer whose channel changes.
pub const ENGINEER: EngineerId = EngineerId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001));

/// The live query, as a wall of dashboards asks it.
pub const QUERY: &str = "subscription Wall($filter: StatusChangeFilter) { confirmationStatusChanged(filter: $filter) \
                         { id cursor occurredAt engineerId channel from to cause } }";

/// Microseconds since 1970, which all processes of the machine agree on.
pub fn now() -> u64 {
    u64::try_from(SystemClock.now().timestamp_micros()).unwrap_or(0)
}

/// What a server process does: says where it listens, makes all changes each time a line comes, and ends with its input.
pub async fn publish<F: Future<Output = AnyResult<()>>>(
    address: SocketAddr,
    authorization: &str,
    mut make: impl FnMut(u32) -> F,
) -> AnyResult<()> {
    println!("{address} {authorization}");
    let mut lines = BufReader::new(stdin()).lines();
    while lines.next_line().await?.is_some() {
        // Time for the word to reach the clients.
        let begin = Instant::now() + Duration::from_millis(300);
        println!("{}", now() + 300_000);
        for number in 0..COUNT {
            sleep_until(begin + EVERY * number).await;
            make(number).await?;
        }
    }
    Ok(())
}

/// The place of a change in the log, as text of the same form as rollcall's cursors.
pub fn cursor(number: u32) -> String {
    format!("{}.{:x}", ENGINEER.0, number + 1)
}
