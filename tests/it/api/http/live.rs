//! Live streams by server-sent events: how many there may be, and how they end.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use rollcall::{
    auth::{LEEWAY, NewToken},
    domain::{
        actor::Role,
        channel::ChannelKind,
        clock::Clock as _,
        confirmation::{ConfirmationStatus, StatusChangeCause},
        event::{Event, StatusChange},
        id::EngineerId,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::refusal;
use crate::{
    api::{add, text},
    harness::{
        app::{Caller, Database, Setup, TestApp},
        both_dbs,
        events::Events,
        process::ServerProcess,
        wire::RawConnection,
    },
};

both_dbs! {
    streams_and_sockets_of_one_subject_are_counted_together
    a_server_carries_so_many_streams_and_sockets_and_no_more
    a_stream_ends_when_its_callers_token_key_or_place_on_the_roll_does
    streams_share_one_execution_and_each_begins_where_it_left_off
    a_quiet_stream_is_kept_alive
    a_client_that_does_not_read_is_cut_and_its_place_is_free
    a_server_that_stops_ends_streams_so_that_their_clients_come_back
}

const WALL: &str = "subscription { rosterSummaryChanged { engineers } }";
const CHANGES: &str = "subscription($after: String) { engineerChanged(after: $after) { cursor kind } }";

async fn start(database: Database, sockets: &str) -> TestApp {
    let config = format!("[sockets]\n{sockets}\n");
    TestApp::start_with(database, Setup { config, ..Setup::default() }).await
}

fn request(caller: &Caller<'_>, query: &str, variables: &Value) -> RequestBuilder {
    let body = json!({ "query": query, "variables": variables });
    caller.request(Method::POST, "/graphql").header(header::ACCEPT, "text/event-stream").json(&body)
}

async fn live_cursor(caller: &Caller<'_>) -> String {
    text(&caller.data("{ liveCursor }", json!({})).await["liveCursor"])
}

async fn ask(caller: &Caller<'_>) -> Response {
    request(caller, WALL, &json!({})).send().await.unwrap()
}

/// Opens a stream that tells something at once.
async fn open(caller: &Caller<'_>) -> Events {
    let mut events = Events::of(ask(caller).await);
    events.data().await;
    events
}

/// Opens a stream as soon as there is a place for it.
async fn open_in_time(caller: &Caller<'_>) -> Events {
    let began = Instant::now();
    loop {
        let response = ask(caller).await;
        if response.status() == StatusCode::OK {
            return Events::of(response);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "the place of a client that is gone is not free");
        tokio::task::yield_now().await;
    }
}

fn admin_named<'a>(app: &'a TestApp, subject: &str) -> Caller<'a> {
    let token = NewToken {
        subject: subject.to_owned(),
        account: "demo".parse().unwrap(),
        roles: vec![Role::Admin],
        engineer: None,
        expires_at: app.clock.now() + chrono::Duration::days(30),
    };
    app.caller_with(app.app.issue_token(&token).unwrap())
}

async fn streams_and_sockets_of_one_subject_are_counted_together(database: Database) {
    let app = start(database, "per_subject = 2").await;
    let (lin, gao) = (admin_named(&app, "lin"), admin_named(&app, "gao"));
    let first = open(&lin).await;
    let mut socket = lin.connect().await;
    let stream = socket.subscribe(WALL, json!({})).await;
    socket.next(&stream).await;
    let (status, code, _) = refusal(ask(&lin).await).await;
    assert_eq!((status, code.as_str()), (429, "RATE_LIMITED"));
    lin.data("{ viewer { subject } }", json!({})).await;
    open(&gao).await;
    drop(first);
    open_in_time(&lin).await;
}

async fn a_server_carries_so_many_streams_and_sockets_and_no_more(database: Database) {
    let app = start(database, "per_server = 2").await;
    let _first = open(&admin_named(&app, "lin")).await;
    let second = open(&admin_named(&app, "gao")).await;
    let wu = admin_named(&app, "wu");
    let (status, code, _) = refusal(ask(&wu).await).await;
    assert_eq!((status, code.as_str()), (503, "UNAVAILABLE"));
    wu.data("{ viewer { subject } }", json!({})).await;
    drop(second);
    open_in_time(&wu).await;
}

/// The stream tells that its caller may not go on, and is over, within five seconds.
async fn assert_locked_out(events: &mut Events) {
    let began = Instant::now();
    let result = events.result().await;
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{result}");
    assert!(result.get("data").is_none(), "{result}");
    events.assert_complete().await;
    assert!(began.elapsed() < Duration::from_secs(5), "the stream outlived its caller's rights");
}

async fn a_stream_ends_when_its_callers_token_key_or_place_on_the_roll_does(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let short = app.caller_with(app.token_for("demo", &[Role::Admin], None, chrono::Duration::hours(1)));
    let make = "mutation { createApiKey(input: { label: \"Wall\", role: VIEWER }) { key apiKey { id } } }";
    let made = admin.data(make, json!({})).await["createApiKey"].clone();
    let key = app.caller_with(text(&made["key"]));
    let lin = add(&admin, json!({ "name": "lin", "userType": "IAM_USER" })).await;
    let engineer = app.engineer(lin["id"].as_str().unwrap());
    let begin = json!({ "after": live_cursor(&admin).await });
    let follow = async |caller: &Caller<'_>| Events::of(request(caller, CHANGES, &begin).send().await.unwrap());
    let (mut of_token, mut of_key, mut of_lin) = (follow(&short).await, open(&key).await, follow(&engineer).await);
    let revoke = "mutation($ids: [ID!]!) { revokeApiKeys(input: { ids: $ids }) { userErrors { code } } }";
    admin.data(revoke, json!({ "ids": [made["apiKey"]["id"]] })).await;
    assert_locked_out(&mut of_key).await;
    admin.delete(&lin).await;
    // It may be told that it happened, and nothing after it.
    let began = Instant::now();
    loop {
        let result = of_lin.result().await;
        if result.get("errors").is_some() {
            assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{result}");
            break;
        }
        assert_eq!(result["data"]["engineerChanged"]["kind"], "DELETED");
    }
    of_lin.assert_complete().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(of_token.data().await["engineerChanged"]["kind"], "DELETED");
    app.clock.advance(chrono::Duration::hours(1) + LEEWAY);
    assert_locked_out(&mut of_token).await;
}

async fn streams_share_one_execution_and_each_begins_where_it_left_off(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let metrics = app.serve_metrics().await;
    let groups = async || {
        let text = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with("rollcall_live_groups ")).map(ToOwned::to_owned);
        line.expect("the number of groups")
    };
    let begin = json!(live_cursor(&admin).await);
    let follow =
        async |after: &Value| Events::of(request(&admin, CHANGES, &json!({ "after": after })).send().await.unwrap());
    let mut prompt = [follow(&begin).await, follow(&begin).await, follow(&begin).await];
    let mut socket = admin.connect().await;
    let stream = socket.subscribe(CHANGES, json!({ "after": begin })).await;
    let mut cursors = Vec::new();
    for name in ["lin", "gao", "wu"] {
        add(&admin, json!({ "name": name, "userType": "IAM_USER" })).await;
        let told = socket.next(&stream).await;
        for events in &mut prompt {
            assert_eq!(events.data().await, told, "the same for all");
        }
        cursors.push(told["engineerChanged"]["cursor"].clone());
    }
    assert_eq!(groups().await, "rollcall_live_groups 1");
    let mut resumed = follow(&cursors[0]).await;
    for cursor in &cursors[1..] {
        assert_eq!(resumed.data().await["engineerChanged"]["cursor"], *cursor);
    }
}

async fn a_quiet_stream_is_kept_alive(database: Database) {
    let app = start(database, "ping_seconds = 1").await;
    let begin = json!({ "after": live_cursor(&app.admin()).await });
    let mut events = Events::of(request(&app.admin(), CHANGES, &begin).send().await.unwrap());
    for _ in 0..2 {
        assert_eq!(events.next().await, Some((String::new(), String::new())), "a comment");
    }
    // It still tells what happens.
    add(&app.admin(), json!({ "name": "lin", "userType": "IAM_USER" })).await;
    assert_eq!(events.data().await["engineerChanged"]["kind"], "CREATED");
}

/// How many events there are to tell, and how long each is at least: more than the kernel keeps for a client, a few megabytes.
const EVENTS: u128 = 2_000;
const SIZE: usize = 12_000;

async fn a_client_that_does_not_read_is_cut_and_its_place_is_free(database: Database) {
    let app = start(database, "ping_seconds = 1\nstall_timeout_seconds = 1\nper_server = 1").await;
    let admin = app.admin();
    let begin = live_cursor(&admin).await;
    let account = "demo".parse().unwrap();
    let mut tx = app.app.services.store().begin(&account).await.unwrap();
    for number in 0..EVENTS {
        let change = StatusChange {
            engineer: EngineerId(Uuid::from_u128(number)),
            channel: ChannelKind::Email,
            from: ConfirmationStatus::Pending,
            to: ConfirmationStatus::Confirmed,
            cause: StatusChangeCause::Link,
        };
        tx.log(Event::StatusChanged(change), app.clock.now(), &rollcall::adapter::random::SystemChance);
    }
    tx.commit().await.unwrap();
    // The keys of a response may be as long as a document allows.
    let fields: Vec<_> = (0..8).map(|n| format!("{}{n}: id", "a".repeat(SIZE / 8))).collect();
    let query = format!(
        "subscription($after: String) {{ confirmationStatusChanged(after: $after) {{ {} }} }}",
        fields.join(" ")
    );
    let body = json!({ "query": query, "variables": { "after": begin } }).to_string();
    let mut stalled = RawConnection::open(app.address).await;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         accept: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
        admin.authorization().unwrap(),
        body.len()
    );
    stalled.send(head).await;
    let head = stalled.read_head().await;
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream; charset=utf-8"));
    assert_eq!(ask(&admin).await.status(), StatusCode::SERVICE_UNAVAILABLE, "there is one place, and it is taken");
    open_in_time(&admin).await;
}

async fn a_server_that_stops_ends_streams_so_that_their_clients_come_back(database: Database) {
    let folder = TempDir::new().unwrap();
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let mut server = ServerProcess::start(folder.path(), &env);
    let mut streams = Vec::new();
    for _ in 0..10 {
        let request = reqwest::Client::new().post(format!("http://{}/graphql", server.address));
        let request = request.header(header::AUTHORIZATION, server.authorization());
        let request = request.header(header::ACCEPT, "text/event-stream").json(&json!({ "query": WALL }));
        let mut events = Events::of(request.send().await.unwrap());
        events.data().await;
        streams.push(events);
    }
    let began = Instant::now();
    server.ask_to_end();
    for mut events in streams {
        // No `complete`: a client that reads it does not come back.
        while let Some((name, _)) = events.next().await {
            assert_eq!(name, "", "nothing but comments");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(server.wait(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
