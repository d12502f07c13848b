//! For how long one may follow, and who gets a socket at all.

use std::time::{Duration, Instant};

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{CHANGES, ENGINEERS, add, change_all, edit, follow, live_cursor, take};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
    socket::Socket,
};

both_dbs! {
    a_token_that_dies_ends_every_stream_where_nothing_happens
    a_token_that_dies_ends_a_stream_that_wants_nothing_of_what_happens
    nothing_is_told_once_the_token_is_dead
    an_engineer_who_is_disabled_loses_everything_at_once
    an_engineer_who_is_gone_loses_everything_at_once
    an_engineer_who_is_deleted_loses_everything_at_once
    a_bad_token_gets_no_socket
    a_token_of_the_upgrade_request_is_as_good_as_one_of_connection_init
}

/// A token's life, and what is allowed beyond it for clocks that differ.
const LIFE: chrono::Duration = chrono::Duration::hours(1);
const LEEWAY: chrono::Duration = rollcall::auth::LEEWAY;

/// A caller whose token has a second left.
fn caller_of_a_second(app: &TestApp) -> Caller<'_> {
    let caller = app.caller_with(app.token_for("demo", &[Role::Admin], None, LIFE));
    app.clock.advance(LIFE + LEEWAY - chrono::Duration::seconds(1));
    caller
}

/// The socket is closed, and there is no other for that caller.
async fn assert_locked_out(app: &TestApp, caller: &Caller<'_>, socket: &mut Socket) {
    let began = Instant::now();
    let code = loop {
        if let Err(code) = socket.receive_or_code().await {
            break code;
        }
    };
    assert_eq!(code, 4403);
    assert!(began.elapsed() < Duration::from_secs(5), "the socket outlived its caller's rights");
    assert_eq!(init(app, caller.authorization()).await, Err(4403));
}

async fn a_token_that_dies_ends_every_stream_where_nothing_happens(database: Database) {
    let app = TestApp::start(database).await;
    let sync = "mutation { syncEngineers(input: { directory: \"hr\" }) { directorySync { id } } }";
    let sync = app.admin().data(sync, json!({})).await["syncEngineers"]["directorySync"]["id"].clone();
    let caller = caller_of_a_second(&app);
    let summaries = "subscription { rosterSummaryChanged { id } }";
    let progress = "subscription($id: ID!) { directorySyncProgress(id: $id) { id } }";
    let mut open = Vec::new();
    for (query, tells_at_once) in [(CHANGES, false), (ENGINEERS, false), (summaries, true), (progress, true)] {
        let mut socket = caller.connect().await;
        let stream = socket.subscribe(query, json!({ "id": sync })).await;
        if tells_at_once {
            socket.next(&stream).await;
        }
        open.push((socket, stream));
    }
    app.clock.advance(chrono::Duration::seconds(1));
    for (mut socket, _) in open {
        assert_locked_out(&app, &caller, &mut socket).await;
    }
    assert_eq!(caller.error("{ viewer { subject } }", json!({})).await, "UNAUTHENTICATED");
}

async fn a_token_that_dies_ends_a_stream_that_wants_nothing_of_what_happens(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), "lin").await;
    let caller = caller_of_a_second(&app);
    let (mut socket, _) = follow(&caller, &live_cursor(&app.admin()).await, json!({ "causeIn": ["OPT_OUT"] })).await;
    app.clock.advance(chrono::Duration::seconds(1));
    let happening = async {
        for number in 0.. {
            edit(&app.admin(), &lin, json!({ "alias": format!("Lin {number}") })).await;
        }
    };
    tokio::select! {
        () = assert_locked_out(&app, &caller, &mut socket) => {}
        () = happening => {}
    }
}

async fn nothing_is_told_once_the_token_is_dead(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), "lin").await;
    let caller = app.caller_with(app.token_for("demo", &[Role::Admin], None, LIFE));
    let begin = live_cursor(&app.admin()).await;
    let (mut socket, stream) = follow(&caller, &begin, Value::Null).await;
    edit(&app.admin(), &lin, json!({ "email": "lin@demo.example" })).await;
    take(&mut socket, &stream, 1).await;
    app.clock.advance(LIFE + LEEWAY);
    edit(&app.admin(), &lin, json!({ "email": null })).await;
    // Either the change ends the stream, or the look at who may stay came first and ended the socket.
    match socket.receive_or_code().await {
        Ok(message) => assert_eq!(message["payload"][0]["extensions"]["code"], "UNAUTHENTICATED", "{message}"),
        Err(code) => assert_eq!(code, 4403),
    }
    // With a new token it goes on where it was.
    let (mut socket, stream) = follow(&app.admin(), &begin, Value::Null).await;
    assert_eq!(take(&mut socket, &stream, 2).await[1]["to"], "NOT_CONFIGURED");
}

const CHEN: &str = "u-2,chen,,IAM_USER,active,,";

/// What the directory says of lin in that state.
fn listed(state: &str) -> String {
    format!("u-1,lin,,IAM_USER,{state},,lin@demo.example")
}

/// Takes an engineer from the roll, by the directory or by hand.
async fn take_away(app: &TestApp, lin: &str, state: &str) {
    match state {
        "deleted" => return change_all(&app.admin(), "deleteEngineers", &[lin]).await,
        "gone" => app.write_directory("hr", &[CHEN]),
        state => app.write_directory("hr", &[&listed(state), CHEN]),
    }
    assert_eq!(app.sync("hr", json!({ "confirmRemovals": true })).await["state"], "SUCCEEDED");
}

/// Puts an engineer onto the roll, for the first time or again.
async fn bring_back(app: &TestApp, lin: &str, state: &str) {
    if state == "deleted" {
        return change_all(&app.admin(), "restoreEngineers", &[lin]).await;
    }
    app.write_directory("hr", &[&listed("active"), CHEN]);
    app.sync("hr", json!({})).await;
}

/// Both resumable streams of an engineer, each after what an edit of theirs brought.
async fn open_streams(app: &TestApp, caller: &Caller<'_>, lin: &str) -> [(Socket, String); 2] {
    let begin = live_cursor(&app.admin()).await;
    let (mut changes, of_changes) = follow(caller, &begin, Value::Null).await;
    let mut engineers = caller.connect().await;
    let of_engineers = engineers.subscribe(ENGINEERS, json!({ "after": begin })).await;
    edit(&app.admin(), lin, json!({ "email": "new@demo.example" })).await;
    app.run_workers().await;
    assert_eq!(take(&mut changes, &of_changes, 2).await[1]["to"], "PENDING");
    engineers.next(&of_engineers).await;
    [(changes, of_changes), (engineers, of_engineers)]
}

/// What happens to an engineer who is taken from the roll, and brought back.
async fn lock_out(database: Database, state: &str) {
    let app = TestApp::start(database).await;
    bring_back(&app, "", "unlisted").await;
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    let begin = live_cursor(&app.admin()).await;
    let caller = app.engineer("hr:u-1");
    let open = open_streams(&app, &caller, &lin).await;
    take_away(&app, &lin, state).await;
    for (mut socket, _) in open {
        assert_locked_out(&app, &caller, &mut socket).await;
    }
    let who = "{ viewer { engineer { id } } }";
    assert_eq!(caller.error(who, json!({})).await, "FORBIDDEN");

    bring_back(&app, &lin, state).await;
    assert_eq!(caller.data(who, json!({})).await["viewer"]["engineer"]["id"], lin.as_str());
    let (mut again, stream) = follow(&caller, &begin, Value::Null).await;
    assert_eq!(take(&mut again, &stream, 1).await[0]["engineerId"], lin.as_str());
}

async fn an_engineer_who_is_disabled_loses_everything_at_once(database: Database) {
    lock_out(database, "disabled").await;
}

async fn an_engineer_who_is_gone_loses_everything_at_once(database: Database) {
    lock_out(database, "gone").await;
}

async fn an_engineer_who_is_deleted_loses_everything_at_once(database: Database) {
    lock_out(database, "deleted").await;
}

/// Tries to initialise a socket. Gives the code with which it was closed if it was.
async fn init(app: &TestApp, authorization: Option<String>) -> Result<(), u16> {
    try_init(app, None, json!({ "authorization": authorization })).await
}

async fn try_init(app: &TestApp, header: Option<String>, payload: Value) -> Result<(), u16> {
    let mut socket = Socket::open_with_header(app.address, header).await;
    socket.send(json!({ "type": "connection_init", "payload": payload })).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ viewer { subject } }" } })).await;
    match socket.receive_or_code().await {
        Ok(message) => {
            assert_eq!(message["type"], "connection_ack");
            assert_eq!(socket.next("1").await["viewer"]["subject"], "tester");
            Ok(())
        }
        Err(code) => Err(code),
    }
}

async fn a_bad_token_gets_no_socket(database: Database) {
    let app = TestApp::start(database).await;
    let stranger = TestApp::start(Database::sqlite()).await;
    let good = app.token("demo", &[Role::Admin], None);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let dead = app.token_for("demo", &[Role::Admin], None, chrono::Duration::seconds(1));
    let another_head = app.token("other", &[Role::Admin], None).rsplit_once('.').unwrap().0.to_owned();
    app.clock.advance(chrono::Duration::seconds(1) + LEEWAY);
    let bad = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer nonsense".to_owned(),
        good.clone(),
        format!("Basic {good}"),
        format!("Bearer {head}."),
        format!("Bearer {another_head}.{signature}"),
        format!("Bearer {dead}"),
        format!("Bearer {}", stranger.token("demo", &[Role::Admin], None)),
        format!("Bearer {}", app.token("nowhere", &[Role::Admin], None)),
        format!("Bearer {}", app.token("demo", &[Role::Engineer], Some("hr:nobody"))),
    ];
    for authorization in bad {
        assert_eq!(init(&app, Some(authorization.clone())).await, Err(4403), "{authorization}");
    }
    assert_eq!(init(&app, None).await, Err(4403));
    assert_eq!(init(&app, Some(format!("bearer {good}"))).await, Ok(()), "the scheme is read in any case");
}

async fn a_token_of_the_upgrade_request_is_as_good_as_one_of_connection_init(database: Database) {
    let app = TestApp::start(database).await;
    let good = app.admin().authorization();
    let bad = Some("Bearer nonsense".to_owned());
    assert_eq!(try_init(&app, good.clone(), Value::Null).await, Ok(()));
    assert_eq!(try_init(&app, good.clone(), json!({})).await, Ok(()));
    assert_eq!(try_init(&app, bad.clone(), Value::Null).await, Err(4403));
    // What connection_init says is what counts, where it says something.
    assert_eq!(try_init(&app, bad.clone(), json!({ "authorization": good })).await, Ok(()));
    assert_eq!(try_init(&app, bad.clone(), json!({ "Authorization": good })).await, Ok(()));
    assert_eq!(try_init(&app, good, json!({ "authorization": bad })).await, Err(4403));
}
