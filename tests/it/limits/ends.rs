//! How an operation ends that breaks down or takes too long.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    a_resolver_that_panics_is_a_coded_error_and_the_server_lives
    a_mutation_that_panics_changes_nothing_and_the_next_one_works
    a_live_stream_that_panics_ends_alone
    a_query_that_takes_too_long_is_given_up
    a_mutation_that_takes_too_long_goes_on_and_says_so
    a_mutation_goes_on_when_its_caller_is_gone
}

/// What a panic says that must reach nobody.
const CANARY: &str = "canary in a panic";

/// Short enough to wait for, and long enough for what must be answered within it on a busy machine.
const SHORT: &str = "[limits]\nexecution_milliseconds = 1500\n";

/// Stops a statement. Other tasks of the thread that runs it go on, so that clocks do.
fn block(until: impl FnOnce()) {
    tokio::task::block_in_place(until);
}

/// Does something to the statements that mention a table, while it is armed.
#[derive(Clone)]
struct Statements {
    armed: Arc<AtomicBool>,
    on: &'static str,
    what: Arc<dyn Fn() + Send + Sync>,
}

impl Statements {
    fn that(on: &'static str, what: impl Fn() + Send + Sync + 'static) -> Self {
        Self { armed: Arc::default(), on, what: Arc::new(what) }
    }

    fn arm(&self, armed: bool) {
        self.armed.store(armed, Ordering::SeqCst);
    }

    async fn start(&self, database: Database, config: &str) -> TestApp {
        let this = self.clone();
        let on_statement: rollcall::store::OnStatement = Arc::new(move |sql| {
            if this.armed.load(Ordering::SeqCst) && sql.contains(this.on) {
                (this.what)();
            }
        });
        // The workers' own statements do not come into it: they run only when told to.
        TestApp::start_with(
            database,
            Setup { config: config.to_owned(), on_statement: Some(on_statement), ..Setup::default() },
        )
        .await
    }
}

const SYNCS: &str = "{ directorySyncs { totalCount } }";

const ADD: &str =
    "mutation($input: AddEngineerInput!) { addEngineer(input: $input) { engineer { id } userErrors { code } } }";

fn newcomer(name: &str) -> Value {
    json!({ "input": { "name": name, "userType": "OTHER" } })
}

/// How many people there are.
async fn count(app: &TestApp) -> Value {
    app.admin().data("{ engineers { totalCount } }", json!({})).await["engineers"]["totalCount"].clone()
}

/// Waits until there is somebody: a mutation that nobody waits for came to its end.
async fn wait_for_somebody(app: &TestApp) {
    while count(app).await == 0 {
        tokio::task::yield_now().await;
    }
}

/// The only error of an answer, without data: its code and message.
fn only_error(answer: &Value) -> (String, String) {
    assert!(answer.get("data").is_none(), "{answer}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

async fn a_resolver_that_panics_is_a_coded_error_and_the_server_lives(database: Database) {
    let broken = Statements::that("directory_sync", || panic!("{CANARY}"));
    let app = broken.start(database, "").await;
    broken.arm(true);
    for _ in 0..3 {
        let (status, answer) = app.admin().execute(SYNCS, json!({})).await;
        assert_eq!(only_error(&answer).0, "INTERNAL", "{status}");
        assert!(!answer.to_string().contains("canary"), "{answer}");
        let partly = app.admin().execute("{ viewer { subject } directorySyncs { totalCount } }", json!({})).await.1;
        assert_eq!(only_error(&partly).0, "INTERNAL");
    }
    let mut socket = app.admin().connect().await;
    let id = socket.subscribe(SYNCS, json!({})).await;
    assert_eq!(socket.refusal(&id).await, "INTERNAL");
    assert!(app.request(Method::GET, "/health/live").send().await.unwrap().status().is_success());
    assert_eq!(count(&app).await, 0, "others are answered");
    broken.arm(false);
    let address = app.serve_metrics().await;
    let metrics = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("rollcall_panics_total{place=\"resolver\"} 7\n"), "{metrics}");
    assert_eq!(app.admin().data(SYNCS, json!({})).await["directorySyncs"]["totalCount"], 0);
    let id = socket.subscribe(SYNCS, json!({})).await;
    assert_eq!(socket.next(&id).await["directorySyncs"]["totalCount"], 0, "the socket is as good as before");
}

async fn a_mutation_that_panics_changes_nothing_and_the_next_one_works(database: Database) {
    let broken = Statements::that("INSERT INTO \"engineer\"", || panic!("{CANARY}"));
    let app = broken.start(database, "").await;
    broken.arm(true);
    let (_, answer) = app.admin().execute(ADD, newcomer("lin")).await;
    assert_eq!(only_error(&answer).0, "INTERNAL");
    assert_eq!(count(&app).await, 0);
    broken.arm(false);
    let added = app.admin().data(ADD, newcomer("lin")).await;
    assert_eq!(added["addEngineer"]["userErrors"], json!([]));
    assert_eq!(count(&app).await, 1);
}

async fn a_live_stream_that_panics_ends_alone(database: Database) {
    let broken = Statements::that("directory_sync", || panic!("{CANARY}"));
    let app = broken.start(database, "").await;
    let sync = "mutation { syncEngineers(input: { directory: \"hr\" }) { directorySync { id } } }";
    let sync = app.admin().data(sync, json!({})).await["syncEngineers"]["directorySync"]["id"].clone();
    let mut socket = app.admin().connect().await;
    let counts = socket.subscribe("subscription { rosterSummaryChanged { engineers } }", json!({})).await;
    assert_eq!(socket.next(&counts).await["rosterSummaryChanged"]["engineers"], 0);
    broken.arm(true);
    let progress = "subscription($id: ID!) { directorySyncProgress(id: $id) { state } }";
    let id = socket.subscribe(progress, json!({ "id": sync })).await;
    assert_eq!(socket.refusal(&id).await, "INTERNAL");
    broken.arm(false);
    let id = socket.subscribe(progress, json!({ "id": sync })).await;
    assert_eq!(socket.next(&id).await["directorySyncProgress"]["state"], "QUEUED");
    app.admin().data(ADD, newcomer("lin")).await;
    assert_eq!(socket.next(&counts).await["rosterSummaryChanged"]["engineers"], 1, "the other stream goes on");
}

/// A barrier behind certain statements. Who stands before it has a connection of the database.
struct Barrier {
    statements: Statements,
    /// Tells when someone stands before it.
    reached: tokio::sync::mpsc::UnboundedReceiver<()>,
    open: mpsc::Sender<()>,
}

impl Barrier {
    fn behind(on: &'static str) -> Self {
        let (open, opened) = mpsc::channel::<()>();
        let (at, reached) = tokio::sync::mpsc::unbounded_channel();
        let opened = Mutex::new(opened);
        let statements = Statements::that(on, move || {
            at.send(()).unwrap();
            // Ends when the barrier is opened, and at last when the test is gone.
            block(|| _ = opened.lock().unwrap().recv_timeout(Duration::from_secs(20)));
        });
        Self { statements, reached, open }
    }

    /// Starts a server, and puts the barrier up then: setting the database up takes statements too.
    async fn start(&self, database: Database, config: &str) -> TestApp {
        let app = self.statements.start(database, config).await;
        self.statements.arm(true);
        app
    }

    fn open(&self) {
        self.statements.arm(false);
        self.open.send(()).unwrap();
    }
}

async fn a_query_that_takes_too_long_is_given_up(database: Database) {
    let mut barrier = Barrier::behind("directory_sync");
    let app = barrier.start(database, &format!("{SHORT}[database]\nmax_connections = 1\n")).await;
    let body = json!({ "query": SYNCS });
    let first = tokio::spawn(app.admin().request(Method::POST, "/graphql").json(&body).send());
    barrier.reached.recv().await.unwrap();
    // The first one has the only connection, so that the second one waits for the database as long as it may.
    let (_, answer) = app.admin().execute("{ engineers { totalCount } }", json!({})).await;
    let (code, message) = only_error(&answer);
    assert_eq!(code, "UNAVAILABLE");
    assert!(message.contains("1.5 s"), "{message}");
    barrier.open();
    first.await.unwrap().unwrap();
    assert_eq!(count(&app).await, 0, "and others are answered again");
}

async fn a_mutation_that_takes_too_long_goes_on_and_says_so(database: Database) {
    let barrier = Barrier::behind("INSERT INTO \"engineer\"");
    let app = barrier.start(database, SHORT).await;
    let (_, answer) = app.admin().execute(ADD, newcomer("lin")).await;
    let (code, message) = only_error(&answer);
    assert_eq!(code, "UNAVAILABLE");
    assert!(message.contains("goes on") && message.contains("1.5 s"), "{message}");
    barrier.open();
    wait_for_somebody(&app).await;
    app.app.gate.wait_for_mutations().await;
    assert_eq!(count(&app).await, 1);
}

async fn a_mutation_goes_on_when_its_caller_is_gone(database: Database) {
    let mut barrier = Barrier::behind("INSERT INTO \"engineer\"");
    let app = barrier.start(database, "").await;
    let body = json!({ "query": ADD, "variables": newcomer("lin") });
    let request = app.admin().request(Method::POST, "/graphql").json(&body);
    let calling = tokio::spawn(request.send());
    barrier.reached.recv().await.unwrap();
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    barrier.open();
    wait_for_somebody(&app).await;
}
