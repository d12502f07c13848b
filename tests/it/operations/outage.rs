//! A PostgreSQL that is down, frozen, or loses its backends.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    proxy::Proxy,
};

/// How long a request may take to be told that the database is away, and how long a server may take to find it again.
const SOON: Duration = Duration::from_secs(5);

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

const QUERY: &str = "{ engineers(first: 1) { nodes { id name } } }";
const ADD: &str = "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { engineer { id } userErrors { code } } }";

/// A server whose way to the database can be cut, and one beside it whose cannot.
async fn start() -> Option<(TestApp, Proxy, TestApp)> {
    let database = Database::postgres()?;
    let proxy = Proxy::to(database.port().expect("a port")).await;
    let setup = || Setup { config: SHARED.to_owned(), ..Setup::default() };
    let app = TestApp::start_with(database.by_port(proxy.port), setup()).await;
    Some((app, proxy, TestApp::start_with(database, setup()).await))
}

/// The codes of requests that were sent at once, and that each was answered soon.
async fn codes(app: &TestApp, count: usize) -> Vec<String> {
    let caller = app.admin();
    let one = async |index: usize| {
        let began = Instant::now();
        let (query, variables) =
            if index.is_multiple_of(2) { (QUERY, json!({})) } else { (ADD, json!({ "name": "never" })) };
        let code = caller.error(query, variables).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        code
    };
    join_all((0..count).map(one)).await
}

/// Asks until there is an answer, which must be soon.
async fn wait_until_healed(app: &TestApp) {
    let began = Instant::now();
    loop {
        let (_, response) = app.admin().execute(QUERY, json!({})).await;
        if response.get("errors").is_none() {
            return;
        }
        assert!(began.elapsed() < SOON, "not healed: {response}");
    }
}

async fn check_outage(begin: fn(&Proxy)) {
    let Some((app, proxy, beside)) = start().await else { return };
    let mut socket = app.admin().connect().await;
    let changes = socket.subscribe("subscription { engineerChanged { kind engineer { name } } }", json!({})).await;
    let query = socket.subscribe(QUERY, json!({})).await;
    socket.next(&query).await;

    begin(&proxy);
    assert_eq!(codes(&app, 40).await, vec!["UNAVAILABLE"; 40]);
    let ready = app.request(Method::GET, "/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let told: Value = ready.json().await.unwrap();
    assert_eq!(told["checks"]["database"]["status"], "fail", "{told}");
    assert_eq!(app.request(Method::GET, "/health/live").send().await.unwrap().status(), StatusCode::OK);
    let export = app.admin().request(Method::GET, "/export").send().await.unwrap();
    assert_eq!(export.status(), StatusCode::SERVICE_UNAVAILABLE);
    // Nobody is cut off meanwhile, and the other server goes on.
    let added = beside.admin().data(ADD, json!({ "name": "meanwhile" })).await;
    assert_eq!(added["addEngineer"]["userErrors"], json!([]));

    proxy.open();
    wait_until_healed(&app).await;
    let change = socket.next(&changes).await["engineerChanged"].clone();
    assert_eq!(change, json!({ "kind": "CREATED", "engineer": { "name": "meanwhile" } }));
    app.admin().data(ADD, json!({ "name": "afterwards" })).await;
    assert_eq!(socket.next(&changes).await["engineerChanged"]["engineer"]["name"], "afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_is_down_requests_fail_soon_and_streams_catch_up_after() {
    check_outage(Proxy::cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_is_frozen_requests_fail_soon_and_streams_catch_up_after() {
    check_outage(Proxy::freeze).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_though_backends_are_killed_again_and_again() {
    let Some((app, _proxy, beside)) = start().await else { return };
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut acknowledged = Vec::new();
    for round in 0..10 {
        let adding = (0..8).map(|one| {
            let (app, name) = (&app, format!("person {round}-{one}"));
            async move {
                let (_, response) = app.admin().execute(ADD, json!({ "name": name })).await;
                match response["errors"][0]["extensions"]["code"].as_str() {
                    None => Some(name),
                    Some(code) => {
                        assert_eq!(code, "UNAVAILABLE", "{response}");
                        None
                    }
                }
            }
        });
        let (added, ()) = tokio::join!(join_all(adding), beside.run_sql(kill));
        acknowledged.extend(added.into_iter().flatten());
    }
    wait_until_healed(&app).await;
    wait_until_healed(&beside).await;
    for name in &acknowledged {
        app.admin().find(name).await;
    }
    assert!(!acknowledged.is_empty(), "some came through");
}
