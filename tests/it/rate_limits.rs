//! How often callers may ask, over every door.

use chrono::Duration;
use reqwest::{Method, Response, StatusCode};
use rollcall::{
    auth::NewToken,
    domain::{actor::Role, channel::ChannelKind, clock::Clock as _},
};
use serde_json::{Value, json};

use crate::harness::{
    app::{Caller, Database, Setup, TestApp},
    roll::path_of,
};

const VIEWER: &str = "{ viewer { subject } }";
const SYNC: &str = "mutation { refreshConfirmations(input: {}) { userErrors { code } } }";

/// What is not limited otherwise: no rate where none is given, and no burst.
const UNLESS_GIVEN: [&str; 9] = [
    "subject_per_second",
    "subject_burst",
    "mutations_per_second",
    "mutations_burst",
    "account_per_second",
    "account_burst",
    "bad_tokens_per_minute",
    "bad_tokens_burst",
    "wrong_links_per_minute",
];

/// A server with these limits and no others.
async fn start(limits: &str) -> TestApp {
    let others = UNLESS_GIVEN.iter().filter(|name| !limits.contains(*name));
    let others: String = others.map(|name| format!("{name} = 0\n")).collect();
    let config = format!("[rate_limits]\nenabled = true\n{others}{limits}");
    TestApp::start_with(Database::sqlite(), Setup { config, ..Setup::default() }).await
}

/// An administrator of that name.
fn admin_named<'a>(app: &'a TestApp, account: &str, subject: &str) -> Caller<'a> {
    let token = NewToken {
        subject: subject.to_owned(),
        account: account.parse().expect("an account"),
        roles: vec![Role::Admin],
        engineer: None,
        expires_at: app.clock.now() + Duration::days(30),
    };
    app.caller_with(app.app.issue_token(&token).expect("a token"))
}

async fn ask(caller: &Caller<'_>, query: &str) -> Response {
    let body = json!({ "query": query });
    caller.request(Method::POST, "/graphql").json(&body).send().await.expect("an answer")
}

/// Asks, and must be let in.
async fn pass(caller: &Caller<'_>, query: &str) {
    let response = ask(caller, query).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
}

/// The wait that an answer tells: the milliseconds of its error, and the seconds of its header.
async fn read_wait(response: Response) -> (u64, u64) {
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds = response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer.get("data").is_none(), "{answer}");
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED", "{answer}");
    (extensions["retryAfterMs"].as_u64().expect("a number"), seconds)
}

/// Asks, and must be refused. Gives the wait.
async fn wait(caller: &Caller<'_>, query: &str) -> (u64, u64) {
    read_wait(ask(caller, query).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_may_ask_so_often_and_is_told_when_to_ask_again() {
    let app = start("subject_per_second = 4\nsubject_burst = 6").await;
    let (lin, wang) = (admin_named(&app, "demo", "lin"), admin_named(&app, "demo", "wang"));
    for _ in 0..6 {
        pass(&lin, VIEWER).await;
    }
    assert_eq!(wait(&lin, VIEWER).await, (250, 1));
    assert_eq!(wait(&lin, "{ no GraphQL").await, (250, 1), "the document is not even looked at");
    pass(&wang, VIEWER).await;
    pass(&admin_named(&app, "other", "lin"), VIEWER).await;
    app.clock.advance(Duration::milliseconds(249));
    assert_eq!(wait(&lin, VIEWER).await, (1, 1));
    app.clock.advance(Duration::milliseconds(1));
    pass(&lin, VIEWER).await;
    assert_eq!(wait(&lin, VIEWER).await, (250, 1));
    app.clock.advance(Duration::hours(1));
    for _ in 0..6 {
        pass(&lin, VIEWER).await;
    }
    assert_eq!(wait(&lin, VIEWER).await, (250, 1), "no more than the burst comes in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_media_types_tell_it_with_the_same_status() {
    let app = start("subject_per_second = 1").await;
    let admin = app.admin();
    pass(&admin, VIEWER).await;
    for media_type in ["application/json", "application/graphql-response+json"] {
        let request = admin.request(Method::POST, "/graphql").header("accept", media_type);
        let response = request.json(&json!({ "query": VIEWER })).send().await.expect("an answer");
        assert_eq!(read_wait(response).await, (1000, 1), "{media_type}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutations_are_counted_besides() {
    let app = start("subject_per_second = 100\nmutations_per_second = 1\nmutations_burst = 3").await;
    let admin = app.admin();
    for _ in 0..3 {
        pass(&admin, SYNC).await;
    }
    assert_eq!(wait(&admin, SYNC).await, (1000, 1));
    for _ in 0..10 {
        pass(&admin, VIEWER).await;
    }
    app.clock.advance(Duration::seconds(1));
    pass(&admin, SYNC).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_a_limit_for_all_its_subjects_and_what_is_refused_counts_for_nobody() {
    let app = start("subject_per_second = 2\naccount_per_second = 5").await;
    let [lin, wang, zhang] = ["lin", "wang", "zhang"].map(|name| admin_named(&app, "demo", name));
    for _ in 0..2 {
        pass(&lin, VIEWER).await;
        pass(&wang, VIEWER).await;
    }
    for _ in 0..20 {
        assert_eq!(wait(&lin, VIEWER).await, (500, 1), "refused for the subject, so the account loses nothing");
    }
    pass(&zhang, VIEWER).await;
    assert_eq!(wait(&zhang, VIEWER).await, (200, 1), "refused for the account");
    app.clock.advance(Duration::milliseconds(200));
    pass(&zhang, VIEWER).await;
    pass(&admin_named(&app, "other", "lin"), VIEWER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_told_and_stays_open_and_shares_the_limit_with_http() {
    let app = start("subject_per_second = 1\nsubject_burst = 2").await;
    let admin = app.admin();
    let mut socket = admin.connect().await;
    let first = socket.subscribe(VIEWER, json!({})).await;
    socket.next(&first).await;
    pass(&admin, VIEWER).await;
    for query in [VIEWER, "subscription { rosterSummaryChanged { engineers } }"] {
        let refused = socket.subscribe(query, json!({})).await;
        let message = socket.message(&refused).await;
        let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
        let extensions = &errors[0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["retryAfterMs"]), (&json!("RATE_LIMITED"), &json!(1000)));
    }
    app.clock.advance(Duration::seconds(1));
    let later = socket.subscribe(VIEWER, json!({})).await;
    socket.next(&later).await;
    assert_eq!(wait(&admin, VIEWER).await, (1000, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_counted_too() {
    let app = start("subject_per_second = 1\nsubject_burst = 2").await;
    let admin = app.admin();
    let export = async || admin.request(Method::GET, "/export").send().await.expect("an answer");
    assert_eq!(export().await.status(), StatusCode::OK);
    pass(&admin, VIEWER).await;
    assert_eq!(read_wait(export().await).await, (1000, 1));
    let import = admin.request(Method::POST, "/import").header("content-type", "text/csv").body("name\n");
    assert_eq!(read_wait(import.send().await.expect("an answer")).await, (1000, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_tokens_of_an_address_are_counted_and_good_ones_pass_all_the_same() {
    let app = start("bad_tokens_per_minute = 2\nbad_tokens_burst = 3").await;
    let admin = app.admin();
    let send = async |token: &str, from: &str| {
        let request = app.request(Method::POST, "/graphql").header("authorization", format!("Bearer {token}"));
        let request = request.header("x-forwarded-for", from).json(&json!({ "query": VIEWER }));
        request.send().await.expect("an answer")
    };
    for _ in 0..3 {
        assert_eq!(send("nonsense", "192.0.2.1").await.status(), StatusCode::UNAUTHORIZED);
        let stranger = ask(&app.stranger(), VIEWER).await;
        assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED, "none at all is no bad one");
    }
    assert_eq!(read_wait(send("nonsense", "192.0.2.1").await).await, (30_000, 30));
    let export = app.request(Method::GET, "/export").header("authorization", "Bearer nonsense");
    assert_eq!(read_wait(export.send().await.expect("an answer")).await, (30_000, 30));
    assert_eq!(read_wait(send("nonsense", "192.0.2.2").await).await, (30_000, 30), "nobody is asked to vouch");
    pass(&admin, VIEWER).await;
    app.clock.advance(Duration::seconds(30));
    assert_eq!(send("nonsense", "192.0.2.1").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send("nonsense", "192.0.2.1").await.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_each_client_counts_for_itself_and_a_network_of_ipv6_as_one() {
    let app = start("bad_tokens_per_minute = 2\n[server]\ntrusted_proxies = ['127.0.0.1']").await;
    let send = async |from: &str| {
        let request = app.request(Method::POST, "/graphql").header("authorization", "Bearer nonsense");
        let request = request.header("x-forwarded-for", from).json(&json!({ "query": VIEWER }));
        request.send().await.expect("an answer").status().as_u16()
    };
    for (address, expected) in [
        ("192.0.2.1", 401),
        ("192.0.2.1", 401),
        ("192.0.2.1", 429),
        ("192.0.2.2", 401),
        ("2001:db8:1:2::1", 401),
        ("2001:db8:1:2:ffff::2", 401),
        ("2001:db8:1:2::3", 429),
        ("2001:db8:1:3::1", 401),
    ] {
        assert_eq!(send(address).await, expected, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_lead_nowhere_are_counted_and_whoever_opened_too_many_learns_nothing_of_a_good_one() {
    const EMAIL: &str = "lin.wei@demo.example";
    let app = start("wrong_links_per_minute = 3\n[server]\ntrusted_proxies = ['127.0.0.1']").await;
    app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    let good = path_of(&app.last_message(EMAIL, ChannelKind::Email).await.link);
    let wrong = "/c/AAAAAAAAAAAAAAAAAAAAAA";
    let open = async |method: Method, path: &str, from: &str| {
        let request = app.request(method, path).header("x-forwarded-for", from);
        request.send().await.expect("an answer")
    };
    let status = async |method: Method, path: &str, from: &str| open(method, path, from).await.status().as_u16();
    for _ in 0..5 {
        assert_eq!(status(Method::GET, &good, "192.0.2.1").await, 200, "a good one is not counted");
    }
    for (method, path) in [(Method::GET, wrong), (Method::POST, wrong), (Method::HEAD, "/c/%FF")] {
        let expected = if method == Method::POST { 415 } else { 404 };
        assert_eq!(status(method, path, "192.0.2.1").await, expected);
    }
    let mut pages = Vec::new();
    for (method, path) in [
        (Method::GET, wrong.to_owned()),
        (Method::GET, good.clone()),
        (Method::POST, good.clone()),
        (Method::POST, format!("{good}/stop")),
        (Method::POST, format!("{wrong}/stop")),
    ] {
        let response = open(method, &path, "192.0.2.1").await;
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"20".parse().unwrap()));
        pages.push(response.text().await.expect("a page"));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    assert!(pages[0].contains("Please wait a minute"), "{}", pages[0]);
    assert_eq!(app.changes().await.len(), 2, "asked, and nothing since");
    assert_eq!(status(Method::GET, &good, "192.0.2.2").await, 200, "others are let in");
    app.clock.advance(Duration::seconds(20));
    assert_eq!(status(Method::GET, &good, "192.0.2.1").await, 200);
    assert_eq!(status(Method::GET, wrong, "192.0.2.1").await, 404);
    assert_eq!(status(Method::GET, &good, "192.0.2.1").await, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_does_not_meet_the_limits_that_hold_by_default() {
    let config = "[rate_limits]\nenabled = true\n".to_owned();
    let app = TestApp::start_with(Database::sqlite(), Setup { config, ..Setup::default() }).await;
    let admin = app.admin();
    for _ in 0..100 {
        pass(&admin, VIEWER).await;
        pass(&admin, SYNC).await;
    }
    assert_eq!(wait(&admin, VIEWER).await, (20, 1), "the clock stands still");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_can_be_switched_off() {
    let config = "[rate_limits]\nenabled = false\nsubject_per_second = 1\nmutations_per_second = 1".to_owned();
    let app = TestApp::start_with(Database::sqlite(), Setup { config, ..Setup::default() }).await;
    let admin = app.admin();
    for _ in 0..10 {
        pass(&admin, SYNC).await;
    }
    let other = start("").await;
    for _ in 0..300 {
        pass(&other.admin(), VIEWER).await;
    }
}
