//! What is secret or personal stands in no log, no error, no metric and, but for what people are found by, in no byte of the
//! database's files, however much is logged and whatever is sent.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::HEADER,
    process::{ServerProcess, free_address, run, run_well},
    raw::holds,
    smtp::SmtpCatcher,
    socket::Socket,
};

const NAME: &str = "Zacharias-Kanarienvogel";
const EMAIL: &str = "canary.person@demo.example";
const TYPED: &str = "canary.typed@demo.example";
const MOBILE: &str = "13912345670";
const WEBHOOK_KEY: &str = "c0ffee00-89ab-cdef-0123-456789abcdef";
const HOOK: &str = "c0ffee01-89ab-cdef-0123-456789abcdef";
const HOOK_SECRET: &str = "canary-of-a-robots-secret";
const TOKEN_SECRET: &str = "canary-of-the-token-secret-0123456789";
const MUTATION_KEY: &str = "canary-of-an-idempotency-key";

/// What was said to be wrong, to whoever asked.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    /// Sends a request, and keeps what came back where it was refused.
    async fn try_request(&mut self, request: RequestBuilder) {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), format!("{:?}", response.headers()));
        let body = response.text().await.expect("a body");
        if !status.is_success() || body.contains("\"errors\"") {
            self.0.push(format!("{headers} {body}"));
        }
    }
}

/// A server at TRACE with one person, and a mail server, so that nothing lands in the outbox, which keeps all in the clear.
struct Watched {
    folder: TempDir,
    metrics: String,
    server: ServerProcess,
    mail: SmtpCatcher,
    http: Client,
}

impl Watched {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let person = format!("{HEADER}\nu-1,{NAME},,IAM_USER,active,{MOBILE},{EMAIL}\n");
        fs::write(folder.path().join("engineers.csv"), person).unwrap();
        let (mail, metrics) = (SmtpCatcher::start().await, free_address().to_string());
        let port = mail.address().port().to_string();
        let env = [
            ("ROLLCALL_AUTH__TOKEN_SECRET", TOKEN_SECRET),
            ("ROLLCALL_SMTP__HOST", "127.0.0.1"),
            ("ROLLCALL_SMTP__PORT", &port),
            ("ROLLCALL_SMTP__TLS", "none"),
            ("ROLLCALL_METRICS__ENABLED", "true"),
            ("ROLLCALL_METRICS__LISTEN", &metrics),
        ];
        let log = folder.path().join("log");
        let server = ServerProcess::start_logging(folder.path(), &env, &["--log", "trace"], &log);
        Self { folder, metrics, server, mail, http: Client::new() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.server.address));
        request.header("authorization", self.server.authorization())
    }

    fn graphql(&self, query: &str, variables: &Value) -> RequestBuilder {
        self.request(Method::POST, "/graphql").json(&json!({ "query": query, "variables": variables }))
    }

    /// The bytes of the database's files as they lie there.
    fn stored(&self) -> Vec<u8> {
        let read = |name: &str| fs::read(self.folder.path().join(name)).unwrap_or_default();
        ["rollcall.sqlite", "rollcall.sqlite-wal", "rollcall.sqlite-shm"].map(read).concat()
    }
}

const UPDATE: &str =
    "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code message } } }";

/// Sets what can be set, confirms it by its link, and makes an API key. Gives the secrets that came of it.
async fn work(watched: &Watched) -> Vec<String> {
    let server = &watched.server;
    let mut socket = Socket::open(server.address, Some(server.authorization())).await;
    let changes = socket
        .subscribe("subscription { confirmationStatusChanged { to engineer { email mobile } } }", json!({}))
        .await;
    let people = server.data("{ engineers(first: 1) { nodes { id email mobile } } }", json!({})).await;
    let person = &people["engineers"]["nodes"][0];
    assert_eq!((&person["email"], &person["mobile"]), (&json!(EMAIL), &json!(format!("+86{MOBILE}"))));
    let endpoints = json!([
        { "kind": "WECOM", "value": format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WEBHOOK_KEY}") },
        { "kind": "LARK", "value": format!("https://open.larksuite.com/open-apis/bot/v2/hook/{HOOK}"), "secret": HOOK_SECRET },
    ]);
    let input = json!({ "id": person["id"], "email": TYPED, "endpoints": endpoints, "idempotencyKey": MUTATION_KEY });
    let updated = server.data(UPDATE, json!({ "input": input })).await;
    assert_eq!(updated["updateEngineer"]["userErrors"], json!([]));
    while socket.next(&changes).await["confirmationStatusChanged"]["to"] != "PENDING" {}

    let (link, code) = watched.mail.next_mail().await.link_and_code();
    for (method, wrong) in [(Method::GET, "/stop"), (Method::GET, "x"), (Method::PUT, ""), (Method::HEAD, "")] {
        watched.http.request(method, format!("{link}{wrong}")).send().await.unwrap();
    }
    let other = if code == "000000" { "111111" } else { "000000" };
    for code in [other, &code, &code] {
        watched.http.post(&link).form(&[("code", code)]).send().await.unwrap();
    }
    while socket.next(&changes).await["confirmationStatusChanged"]["to"] != "CONFIRMED" {}

    let create = "mutation { createApiKey(input: { label: \"wall\", role: VIEWER }) { key userErrors { code } } }";
    let key = server.data(create, json!({})).await["createApiKey"]["key"].as_str().expect("a key").to_owned();
    let by_key = watched.graphql("{ viewer { subject } }", &json!({})).header("authorization", format!("Bearer {key}"));
    assert!(by_key.send().await.unwrap().status().is_success());
    let jwt = server.authorization().trim_start_matches("Bearer ").to_owned();
    let token = link.rsplit('/').next().expect("a token").to_owned();
    let signature = jwt.rsplit('.').next().expect("a signature").to_owned();
    vec![token, key, jwt, signature, format!("code={code}")]
}

/// Knocks at every door with something that is refused. Gives what was said.
async fn knock(watched: &Watched, secrets: &[String]) -> Told {
    let mut told = Told::default();
    let all = [NAME, EMAIL, TYPED, MOBILE, WEBHOOK_KEY, HOOK_SECRET, TOKEN_SECRET].into_iter().map(str::to_owned);
    for canary in all.chain(secrets.iter().cloned()) {
        let canary = canary.as_str();
        for query in
            [canary.to_owned(), format!("{{ engineer(id: \"{canary}\") {{ id }} }}"), format!("{{ x }} # {canary}")]
        {
            told.try_request(watched.graphql(&query, &json!({}))).await;
        }
        let engineers = "query($v: Int) { engineers(first: $v) { totalCount } }";
        told.try_request(watched.graphql(engineers, &json!({ "v": canary }))).await;
        told.try_request(watched.graphql(engineers, &json!({ "v": { canary: [canary] } }))).await;
        let update = json!({ "input": { "id": canary, "email": canary, "mobile": canary, "unknown": canary } });
        told.try_request(watched.graphql(UPDATE, &update)).await;
        told.try_request(watched.request(Method::POST, "/graphql").body(canary.to_owned())).await;
        let json = watched.request(Method::POST, "/graphql").header("content-type", "application/json");
        told.try_request(
            json.body(format!("{{\"query\": \"{{ viewer {{ subject }} }}\", \"variables\": \"{canary}\"")),
        )
        .await;
        let live = format!("subscription {{ engineerChanged(after: \"{canary}\") {{ kind }} }}");
        told.try_request(watched.graphql(&live, &json!({})).header("accept", "text/event-stream")).await;
        told.try_request(watched.request(Method::PUT, "/graphql").query(&[("query", canary)])).await;
        told.try_request(watched.request(Method::GET, "/graphql").query(&[("query", canary), ("variables", canary)]))
            .await;
        told.try_request(watched.request(Method::GET, &format!("/nowhere/{canary}"))).await;
        told.try_request(
            watched.request(Method::POST, "/import").header("content-type", "text/csv").body(canary.to_owned()),
        )
        .await;
        for authorization in [format!("Bearer {canary}x"), format!("Basic {canary}"), canary.to_owned()] {
            let stranger = watched.http.get(format!("http://{}/export", watched.server.address));
            told.try_request(stranger.header("authorization", authorization)).await;
        }
        told.0.push(refused_on_a_socket(watched, canary).await);
    }
    told
}

/// What a socket is told of bad operations, and of a message that is none.
async fn refused_on_a_socket(watched: &Watched, canary: &str) -> String {
    let mut socket = Socket::open(watched.server.address, Some(watched.server.authorization())).await;
    let mut told = String::new();
    for query in [canary.to_owned(), format!("subscription {{ engineerChanged(after: \"{canary}\") {{ kind }} }}")] {
        let id = socket.subscribe(&query, json!({ "v": canary })).await;
        let message = socket.message(&id).await.to_string();
        assert!(message.contains("error"), "{message}");
        told += &message;
    }
    socket.send(json!({ "type": canary, "payload": canary })).await;
    while let Some(message) = socket.receive().await {
        told += &message.to_string();
    }
    told
}

/// The text stands there by itself, and not within more hexadecimal digits, as which it says nothing.
fn stands_alone(bytes: &[u8], text: &str) -> bool {
    let is_alone = |neighbour: Option<&u8>| neighbour.is_none_or(|byte| !byte.is_ascii_hexdigit());
    bytes.windows(text.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        window == text.as_bytes() && is_alone(before) && is_alone(bytes.get(at + text.len()))
    })
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_nothing_personal_comes_out_where_it_should_not() {
    let watched = Watched::start().await;
    let made = work(&watched).await;
    let told = knock(&watched, &made).await;
    let folder = watched.folder.path();
    let keys = ["sealing-key", "index-key"].map(|name| read(folder, name).trim().to_owned());
    let metrics =
        watched.http.get(format!("http://{}/metrics", watched.metrics)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("rollcall_channels"), "{metrics}");
    // What commands say, and what they log, goes to whoever reads their output.
    let data = folder.display().to_string();
    fs::write(folder.join("bad.csv"), format!("name,mobile\n{NAME},{TOKEN_SECRET}{MOBILE}\n")).unwrap();
    let imported =
        run(&["import", &folder.join("bad.csv").display().to_string(), "--data", &data, "--log", "trace"], &[]);
    let commands = String::from_utf8(imported.stderr).unwrap();
    let stored = watched.stored();
    drop(watched.server);
    let log = read(folder, "log");
    assert!(log.contains("rollcall::http"), "requests are logged");

    let mut secrets = [WEBHOOK_KEY, HOOK, HOOK_SECRET, TOKEN_SECRET, MUTATION_KEY].map(str::to_owned).to_vec();
    secrets.extend(made.iter().chain(&keys).cloned());
    let personal = [NAME, EMAIL, TYPED, MOBILE];
    let mut leaks = Vec::new();
    for (place, text) in [("log", &log), ("errors", &told.0.join("\n")), ("metrics", &metrics), ("commands", &commands)]
    {
        for canary in secrets.iter().map(String::as_str).chain(personal) {
            let found = text.lines().find(|line| line.contains(canary));
            leaks.extend(found.map(|line| format!("{canary} stands in the {place}: {line}")));
        }
    }
    assert!(told.0.len() > 150, "{} refusals", told.0.len());

    // People are found by these; all else that was said stands there sealed, as a hash, or not at all.
    assert!([NAME, TYPED, MOBILE].iter().all(|text| holds(&stored, text)), "the search finds what is there");
    let kept = secrets.iter().filter(|secret| holds(&stored, secret));
    leaks.extend(kept.map(|secret| format!("{secret} stands in the database's files")));
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    let code = made.last().and_then(|code| code.strip_prefix("code=")).expect("the code");
    assert!(!stands_alone(&stored, code), "the code stands in the database's files");
    for key in keys {
        let bytes = BASE64_STANDARD.decode(&key).expect("a key");
        assert!(!stored.windows(bytes.len()).any(|window| window == bytes), "a key's bytes");
    }
    assert!(run_well(&["export", "--data", &data], &[("ROLLCALL_AUTH__TOKEN_SECRET", TOKEN_SECRET)]).contains(TYPED));
}
