//! A whole server inside the test: real HTTP on a free port, its database, and workers that run when told to.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rollcall::{
    app::{App, Migrations, Outside, ServeOptions},
    auth::{EngineerClaim, NewToken},
    config::{self, Overrides},
    domain::{actor::Role, clock::Clock as _, id::AccountId},
    http::{self, metrics_router},
    metrics::Scrape,
    port::provider::ConfirmationProvider,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{clock::TestClock, postgres, socket::Socket};

/// Two accounts that know nothing of each other. `demo` has two directories.
const CONFIG: &str = r#"
# Tests ask much, and their clocks stand still.
[rate_limits]
enabled = false

[accounts.demo]
name = "Demo Operations Ltd"
sender = "Demo <rollcall@demo.example>"
contact = "ops@demo.example"
privacy_notice = "Demo privacy notice"
time_zone = "Asia/Shanghai"
[accounts.demo.directories.hr]
kind = "csv"
path = "{dir}/hr.csv"
[accounts.demo.directories.contractors]
kind = "csv"
path = "{dir}/contractors.csv"

[accounts.other]
name = "Other Ltd"
sender = "Other <rollcall@other.example>"
contact = "ops@other.example"
[accounts.other.directories.hr]
kind = "csv"
path = "{dir}/other.csv"
"#;

/// The header of the directory files that [`TestApp::write_directory`] writes.
pub const HEADER: &str = "external_id,name,alias,user_type,state,mobile,email";

/// A database of the test's own. Cloned, it is the same PostgreSQL for a second server.
#[derive(Clone)]
pub struct Database {
    url: Option<String>,
}

impl Database {
    /// A file in the server's data folder.
    pub const fn sqlite() -> Self {
        Self { url: None }
    }

    /// A database of the test process's PostgreSQL; `None` where there is to be none.
    pub fn postgres() -> Option<Self> {
        postgres::fresh_database().map(|url| Self { url: Some(url) })
    }

    /// The same PostgreSQL by way of another port of this machine.
    pub fn by_port(&self, port: u16) -> Self {
        let url = self.url.as_ref().expect("it is PostgreSQL");
        let (before, after) = url.rsplit_once(':').expect("a port");
        let (_, database) = after.split_once('/').expect("a database");
        Self { url: Some(format!("{before}:{port}/{database}")) }
    }

    /// The port, where it is PostgreSQL.
    pub fn port(&self) -> Option<u16> {
        self.url.as_ref()?.rsplit_once(':')?.1.split_once('/')?.0.parse().ok()
    }

    /// The URL, where it is PostgreSQL.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// How a test wants its server.
#[derive(Default)]
pub struct Setup {
    /// More configuration, over the one that every test has.
    pub config: String,
    /// Stands in for the built-in provider.
    pub provider: Option<Arc<dyn ConfirmationProvider>>,
    /// Whether the workers run by themselves.
    pub working: bool,
    /// Told of each SQL statement, without its values.
    pub on_statement: Option<rollcall::store::OnStatement>,
}

/// A running server. Dropped, it stops.
pub struct TestApp {
    /// The app.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: TestClock,
    /// Where it listens.
    pub address: SocketAddr,
    http: Client,
    folder: TempDir,
    shutdown: CancellationToken,
    steps: Vec<Arc<dyn rollcall::worker::Step>>,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl TestApp {
    /// A server as every test has it.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, Setup::default()).await
    }

    /// A server as this test wants it.
    pub async fn start_with(database: Database, setup: Setup) -> Self {
        let folder = TempDir::new().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let base = CONFIG.replace("{dir}", &folder.path().display().to_string());
        let mut overrides =
            Overrides { data_dir: Some(folder.path().to_owned()), listen: Some(address), ..Overrides::default() };
        overrides.extra = setup.config.replace("{dir}", &folder.path().display().to_string()).parse().expect("TOML");
        let env = database.url.iter().map(|url| ("ROLLCALL_DATABASE__URL".to_owned(), url.clone()));
        let config = config::load(Some(&base), None, env, overrides).expect("the configuration");

        let clock = TestClock::new();
        let outside = Outside {
            clock: Arc::new(clock.clone()),
            provider: setup.provider,
            on_statement: setup.on_statement,
            ..Outside::system()
        };
        let app = App::open(config, outside, Migrations::Apply).await.expect("the app");
        let shutdown = CancellationToken::new();
        let options = ServeOptions::default();
        app.run_live(shutdown.clone());
        let steps = app.steps(&options);
        if setup.working {
            app.run_workers(shutdown.clone(), &options);
        }
        let state = Arc::new(app.http_state(address, &options));
        let (drain, stop) = (state.drain.clone(), shutdown.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = http::serve_main(listener, state) => {}
                // Nobody waits for the sockets of a test that is over.
                () = stop.cancelled() => drain.cancel(),
            }
        });
        let http = Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { app: Arc::new(app), clock, address, http, folder, shutdown, steps }
    }

    /// Opens the listener of the metrics. Tells where it is.
    pub async fn serve_metrics(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scrape = Scrape::new(self.app.metrics().clone(), self.app.services.clone());
        let state = self.app.http_state(self.address, &ServeOptions::default());
        let routes = metrics_router(scrape, &state.readiness);
        let stop = self.shutdown.clone();
        tokio::spawn(http::serve(listener, routes, stop));
        address
    }

    /// A file in the server's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a directory file: `hr`, `contractors`, or `other` for the account of that name.
    pub fn write_directory(&self, name: &str, rows: &[&str]) {
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        std::fs::write(self.path(&format!("{name}.csv")), text).expect("writing a directory");
    }

    /// Runs every worker until nothing is due any more.
    pub async fn run_workers(&self) {
        let mut rounds = 0;
        loop {
            let mut more = false;
            for step in &self.steps {
                more |= step.run().await.expect("a worker's step");
            }
            if !more {
                return;
            }
            rounds += 1;
            assert!(rounds < 1_000, "the workers find no end");
        }
    }

    /// Runs one step of one worker. Tells whether there may be more.
    pub async fn run_worker(&self, name: &str) -> Result<bool, rollcall::service::ServiceError> {
        let step = self.steps.iter().find(|step| step.name() == name).expect("a worker of that name");
        step.run().await
    }

    /// Syncs a directory of the account `demo` through the API and the workers. Gives the run as it ended.
    pub async fn sync(&self, directory: &str, more: Value) -> Value {
        let mut input = json!({ "directory": directory });
        let fields = more.as_object().cloned().unwrap_or_default();
        input.as_object_mut().expect("an object").extend(fields);
        let data = self
            .admin()
            .data(
                "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) { directorySync { id } userErrors { code } } }",
                json!({ "input": input }),
            )
            .await;
        assert_eq!(data["syncEngineers"]["userErrors"], json!([]));
        let id = data["syncEngineers"]["directorySync"]["id"].clone();
        self.run_workers().await;
        self.admin()
            .data(
                "query($id: ID!) { directorySync(id: $id) { state dryRun failureCode
                   counts { total done added updated moved gone unchanged skipped messages }
                   unknownFields
                   outcomes(first: 100) { nodes { outcome externalId line reasons engineer { id name } } } } }",
                json!({ "id": id }),
            )
            .await["directorySync"]
            .clone()
    }

    /// Runs a statement on the database, past everything.
    pub async fn run_sql(&self, statement: &str) {
        let connection = self.app.services.store().migration_connection();
        sea_orm::ConnectionTrait::execute_unprepared(connection, statement).await.expect(statement);
    }

    /// A token.
    pub fn token(&self, account: &str, roles: &[Role], engineer: Option<&str>) -> String {
        self.token_for(account, roles, engineer, chrono::Duration::hours(24 * 30))
    }

    /// A token that lives so long.
    pub fn token_for(&self, account: &str, roles: &[Role], engineer: Option<&str>, ttl: chrono::Duration) -> String {
        let token = NewToken {
            subject: "tester".to_owned(),
            account: account.parse::<AccountId>().expect("an account"),
            roles: roles.to_vec(),
            engineer: engineer.map(|text| text.parse::<EngineerClaim>().expect("an engineer")),
            expires_at: self.clock.now() + ttl,
        };
        self.app.issue_token(&token).expect("a token")
    }

    /// A caller with that role in the account `demo`.
    pub fn caller(&self, role: Role) -> Caller<'_> {
        self.caller_with(self.token("demo", &[role], None))
    }

    /// A caller with that token.
    pub fn caller_with(&self, token: String) -> Caller<'_> {
        Caller { app: self, token: Some(token), language: None }
    }

    /// An administrator of the account `demo`.
    pub fn admin(&self) -> Caller<'_> {
        self.caller(Role::Admin)
    }

    /// An engineer of the account `demo`, in the role ENGINEER.
    pub fn engineer(&self, id: &str) -> Caller<'_> {
        self.caller_with(self.token("demo", &[Role::Engineer], Some(id)))
    }

    /// Someone without a token.
    pub fn stranger(&self) -> Caller<'_> {
        Caller { app: self, token: None, language: None }
    }

    /// A request to the server.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// What the outbox holds, the oldest first.
    pub async fn outbox(&self) -> Vec<rollcall::store::OutboxMessage> {
        let account = "demo".parse().expect("an account");
        self.app.services.list_outbox(&account, 10_000).await.expect("the outbox")
    }
}

/// Someone who calls the API.
#[derive(Clone)]
pub struct Caller<'a> {
    app: &'a TestApp,
    token: Option<String>,
    language: Option<&'static str>,
}

impl Caller<'_> {
    /// The same in another language.
    pub fn in_language(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    /// The caller's `Authorization`.
    pub fn authorization(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    /// A request to the server in the caller's name.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.app.request(method, path);
        if let Some(authorization) = self.authorization() {
            request = request.header("authorization", authorization);
        }
        if let Some(language) = self.language {
            request = request.header("accept-language", language);
        }
        request
    }

    /// Runs an operation. Gives the status and the response.
    pub async fn execute(&self, query: &str, variables: Value) -> (StatusCode, Value) {
        let body = json!({ "query": query, "variables": variables });
        let response = self.request(Method::POST, "/graphql").json(&body).send().await.expect("an answer");
        let status = response.status();
        (status, response.json().await.expect("JSON"))
    }

    /// Runs an operation that must succeed. Gives its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let (status, response) = self.execute(query, variables).await;
        assert!(response.get("errors").is_none(), "{status}: {response:#}");
        response["data"].clone()
    }

    /// Runs an operation that must fail. Gives the code of its first error.
    pub async fn error(&self, query: &str, variables: Value) -> String {
        let (_, response) = self.execute(query, variables).await;
        let code = &response["errors"][0]["extensions"]["code"];
        code.as_str().unwrap_or_else(|| panic!("no coded error: {response:#}")).to_owned()
    }

    /// Opens a WebSocket in the caller's name.
    pub async fn connect(&self) -> Socket {
        Socket::open(self.app.address, self.authorization()).await
    }

    /// The engineer of that name, with channels.
    pub async fn find(&self, name: &str) -> Value {
        let data = self.data(FIND, json!({ "search": name })).await;
        let nodes = data["engineers"]["nodes"].as_array().expect("nodes").clone();
        let found: Vec<_> = nodes.into_iter().filter(|node| node["name"] == name).collect();
        assert_eq!(found.len(), 1, "one person named {name}");
        found[0].clone()
    }
}

/// What [`Caller::find`] asks for.
const FIND: &str = "query($search: String!) { engineers(filter: { search: $search }) { nodes {
    id name alias directory externalId directoryState userType mobile email mobileMasked emailMasked
    subscribable reachability version
    channels { id kind status usable subscribable notSubscribableReason endpointMasked secretSet
               requestedAt expiresAt confirmedAt nextRequestAt failureCode } } } }";

/// The channel of that kind.
pub fn channel<'a>(engineer: &'a Value, kind: &str) -> &'a Value {
    let channels = engineer["channels"].as_array().expect("channels");
    channels.iter().find(|channel| channel["kind"] == kind).expect("every kind is there")
}
