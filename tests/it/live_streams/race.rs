//! Transactions that race, and two servers on one database.

use std::{sync::Arc, time::Duration};

use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{ConfirmationStatus, StatusChangeCause},
    event::{Event, StatusChange},
    id::EngineerId,
};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{add, edit, follow, live_cursor, read_log, take, text};
use crate::harness::app::{Database, Setup, TestApp};

/// What two servers of one installation share besides the database.
const SHARED: &str = r#"
[keys]
sealing_key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
index_key = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
[auth]
token_secret = "a secret that both servers know, and nobody else"
[worker]
poll_milliseconds = 20
"#;

fn confirmed(engineer: u128) -> Event {
    Event::StatusChanged(StatusChange {
        engineer: EngineerId(Uuid::from_u128(engineer)),
        channel: ChannelKind::Sms,
        from: ConfirmationStatus::Pending,
        to: ConfirmationStatus::Confirmed,
        cause: StatusChangeCause::Sync,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_began_first_and_commits_last_comes_after_what_was_seen() {
    let Some(database) = Database::postgres() else { return };
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let begin = live_cursor(&admin).await;
    let services = &app.app.services;
    let account = "demo".parse().unwrap();
    let mut late = services.store().begin(&account).await.unwrap();
    late.rows().log_bounds().await.unwrap();
    late.log(confirmed(1), services.now(), services.chance());
    let mut prompt = services.store().begin(&account).await.unwrap();
    prompt.log(confirmed(2), services.now(), services.chance());
    prompt.commit().await.unwrap();

    let (mut socket, stream) = follow(&admin, &begin, Value::Null).await;
    let seen = take(&mut socket, &stream, 1).await;
    drop(socket);
    late.commit().await.unwrap();
    let log = read_log(&app).await;
    assert_eq!(log[..1], seen);
    let (mut socket, stream) = follow(&admin, &text(&seen[0]["cursor"]), Value::Null).await;
    assert_eq!(take(&mut socket, &stream, 1).await, log[1..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overtakes_a_transaction_that_has_its_place_and_is_not_committed() {
    let Some(database) = Database::postgres() else { return };
    let app = Arc::new(TestApp::start(database).await);
    let lin = add(&app.admin(), "lin").await;
    let begin = live_cursor(&app.admin()).await;
    let (mut socket, stream) = follow(&app.admin(), &begin, Value::Null).await;
    let late = app.app.services.store().migration_connection().begin().await.unwrap();
    late.execute_unprepared("UPDATE account SET position = position + 1 WHERE id = 'demo'").await.unwrap();

    let writer = Arc::clone(&app);
    let mut overtaking = tokio::spawn(async move {
        edit(&writer.admin(), &lin, json!({ "email": "lin@demo.example" })).await;
    });
    assert!(timeout(Duration::from_millis(300), &mut overtaking).await.is_err(), "it did not wait");
    assert_eq!(live_cursor(&app.admin()).await, begin, "the end of the log is what was committed");
    late.execute_unprepared(
        "INSERT INTO event (account, position, id, occurred_at, kind, engineer_id, channel, status_from, status_to, cause)
         SELECT id, position, '00000000000000000000000000000001', '2025-01-15T08:09:10Z', 'STATUS_CHANGED',
                '00000000000000000000000000000002', 'SMS', 'PENDING', 'CONFIRMED', 'SYNC'
         FROM account WHERE id = 'demo'",
    )
    .await
    .unwrap();
    late.commit().await.unwrap();
    overtaking.await.unwrap();
    let log = read_log(&app).await;
    assert_eq!((log[0]["cause"].as_str(), log[1]["cause"].as_str()), (Some("SYNC"), Some("EDIT")));
    assert_eq!(take(&mut socket, &stream, 2).await, log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_made_through_one_server_reaches_the_clients_of_the_other() {
    let Some(database) = Database::postgres() else { return };
    let setup = || Setup { config: SHARED.to_owned(), ..Setup::default() };
    let first = TestApp::start_with(database.clone(), setup()).await;
    let second = TestApp::start_with(database, setup()).await;
    assert_ne!(first.address, second.address);
    let (here, there) = (first.admin(), second.admin());
    let begin = live_cursor(&here).await;
    assert_eq!(begin, live_cursor(&there).await, "it is one log");
    let lin = add(&here, "lin").await;
    let (mut at_first, of_first) = follow(&here, &begin, Value::Null).await;
    let (mut at_second, of_second) = follow(&there, &begin, Value::Null).await;
    for number in 0..6 {
        let writer = if number % 3 == 0 { &here } else { &there };
        edit(writer, &lin, json!({ "email": format!("{number}@demo.example") })).await;
        edit(writer, &lin, json!({ "email": null })).await;
    }
    let log = read_log(&first).await;
    assert_eq!(log.len(), 12);
    assert_eq!(take(&mut at_first, &of_first, 12).await, log);
    assert_eq!(take(&mut at_second, &of_second, 5).await, log[..5]);
    // Whoever loses one server goes on at the other.
    drop(at_second);
    let (mut moved, stream) = follow(&here, &text(&log[4]["cursor"]), Value::Null).await;
    assert_eq!(take(&mut moved, &stream, 7).await, log[5..]);
}
