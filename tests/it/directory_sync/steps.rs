//! What the tests of the roll do again and again.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use rollcall::{
    adapter::random::SystemChance,
    domain::{chance::Chance, clock::Clock, id::AccountId},
    port::directory::DirectorySource,
    service::{Account, Core, Directory, Services},
    store::OutboxMessage,
};
use serde_json::{Value, json};

use crate::harness::app::{Caller, TestApp};

const ROLL: &str = "query($after: String) { engineers(first: 100, after: $after) { totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id name alias directory externalId directoryState userType mobile email version updatedAt
            channels { kind status } } } }";

const RUN: &str = "query($id: ID!, $after: String) { directorySync(id: $id) {
    id directory state dryRun confirmRemovals restoreDeleted requestedBy failureCode failureMessage failureDetail
    counts { total done added updated moved gone unchanged skipped messages } unknownFields
    createdAt startedAt finishedAt
    outcomes(first: 100, after: $after) { totalCount pageInfo { hasNextPage endCursor }
      nodes { outcome engineerId externalId line reasons field } } } }";

/// The account that the tests work in.
pub fn demo() -> AccountId {
    "demo".parse().unwrap()
}

/// Rows of that many people without contacts: `u-1` is `person.001`.
pub fn people(count: usize) -> Vec<String> {
    (1..=count).map(|i| format!("u-{i},person.{i:03},,IAM_USER,active,,")).collect()
}

/// Writes a directory file from owned rows.
pub fn write(app: &TestApp, directory: &str, rows: &[String]) {
    app.write_directory(directory, &rows.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Everyone on the roll, as an administrator of `demo` sees them, ordered by name.
pub async fn roll(app: &TestApp) -> Vec<Value> {
    roll_of(&app.admin()).await
}

/// Everyone on the roll of the caller's account.
pub async fn roll_of(caller: &Caller<'_>) -> Vec<Value> {
    let mut people = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = caller.data(ROLL, json!({ "after": after })).await["engineers"].clone();
        people.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], people.len());
            return people;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The names on the roll.
pub async fn names(app: &TestApp) -> Vec<String> {
    let mut names: Vec<_> = roll(app).await.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Asks for a run, which no worker begins. Gives its id.
pub async fn queue(caller: &Caller<'_>, input: Value) -> String {
    let data = caller
        .data(
            "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) {
               directorySync { id state } userErrors { code } } }",
            json!({ "input": input }),
        )
        .await;
    assert_eq!(data["syncEngineers"]["userErrors"], json!([]));
    assert_eq!(data["syncEngineers"]["directorySync"]["state"], "QUEUED");
    data["syncEngineers"]["directorySync"]["id"].as_str().unwrap().to_owned()
}

/// A run with all its outcomes.
pub async fn find_run(caller: &Caller<'_>, id: &str) -> Value {
    let mut outcomes = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut run = caller.data(RUN, json!({ "id": id, "after": after })).await["directorySync"].clone();
        outcomes.extend(run["outcomes"]["nodes"].as_array().unwrap().iter().cloned());
        if run["outcomes"]["pageInfo"]["hasNextPage"] == false {
            assert_eq!(run["outcomes"]["totalCount"], outcomes.len());
            run["outcomes"] = Value::Array(outcomes);
            return run;
        }
        after = run["outcomes"]["pageInfo"]["endCursor"].clone();
    }
}

/// Asks for a run and lets the workers do it. Gives it with all its outcomes.
pub async fn sync(app: &TestApp, caller: &Caller<'_>, input: Value) -> Value {
    let id = queue(caller, input).await;
    app.run_workers().await;
    find_run(caller, &id).await
}

/// Checks the counts of a run: those given are as given, the others are nought, all of them add up, and everyone who was not
/// as before has one outcome.
pub fn assert_counts(run: &Value, expected: &[(&str, usize)]) {
    let counts = &run["counts"];
    let mut sum = 0;
    let mut with_outcome = 0;
    for name in ["added", "updated", "moved", "gone", "unchanged", "skipped"] {
        let wanted = expected.iter().find(|(given, _)| *given == name).map_or(0, |(_, count)| *count);
        assert_eq!(counts[name], wanted, "{name}: {run:#}");
        sum += wanted;
        with_outcome += if name == "unchanged" { 0 } else { wanted };
    }
    let messages = expected.iter().find(|(given, _)| *given == "messages").map_or(0, |(_, count)| *count);
    assert_eq!(counts["messages"], messages, "messages: {run:#}");
    assert_eq!(counts["total"], sum, "{run:#}");
    let outcomes = &run["outcomes"];
    let outcomes = outcomes.as_array().or_else(|| outcomes["nodes"].as_array()).unwrap();
    assert_eq!(outcomes.len(), with_outcome, "{run:#}");
}

/// What a run did to the person of that external id, and why.
pub fn outcome<'a>(run: &'a Value, external_id: &str) -> (&'a str, Vec<&'a str>) {
    let outcomes = run["outcomes"].as_array().unwrap();
    let found: Vec<_> = outcomes.iter().filter(|one| one["externalId"] == external_id).collect();
    assert_eq!(found.len(), 1, "one outcome of {external_id}: {run:#}");
    (found[0]["outcome"].as_str().unwrap(), texts(&found[0]["reasons"]))
}

/// A list of texts.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Edits an engineer by hand. Gives them as they are then.
pub async fn edit(app: &TestApp, who: &Value, mut fields: Value) -> Value {
    fields["id"] = who["id"].clone();
    let data = app
        .admin()
        .data(
            "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) {
               engineer { name } userErrors { code field } } }",
            json!({ "input": fields }),
        )
        .await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]));
    app.admin().find(data["updateEngineer"]["engineer"]["name"].as_str().unwrap()).await
}

/// The last message to that endpoint.
pub async fn message_to(app: &TestApp, endpoint: &str) -> OutboxMessage {
    let outbox = app.outbox().await;
    outbox.into_iter().rfind(|message| message.endpoint == endpoint).expect("a message")
}

/// The path of a message's link on the server.
pub fn path_of(message: &OutboxMessage) -> String {
    let (_, token) = message.link.split_once("/c/").expect("a link");
    format!("/c/{token}")
}

/// The person behind an endpoint opens the link of the last message and types its code. Gives the status of the answer.
pub async fn answer(app: &TestApp, endpoint: &str) -> u16 {
    let message = message_to(app, endpoint).await;
    let form = [("code", message.code.as_str())];
    app.request(Method::POST, &path_of(&message)).form(&form).send().await.unwrap().status().as_u16()
}

/// Has a person's e-mail address asked, and confirmed by them.
pub async fn confirm_email(app: &TestApp, who: &Value) {
    let data = app
        .admin()
        .data(
            "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) {
               outcomes { userError { code } } userErrors { code } } }",
            json!({ "input": { "engineerIds": [who["id"]], "channels": ["EMAIL"] } }),
        )
        .await;
    let done = json!({ "outcomes": [{ "userError": null }], "userErrors": [] });
    assert_eq!(data["subscribeChannels"], done);
    app.run_workers().await;
    assert_eq!(answer(app, who["email"].as_str().unwrap()).await, 200);
}

/// The log's end.
pub async fn cursor(app: &TestApp) -> Value {
    app.admin().data("{ liveCursor }", json!({})).await["liveCursor"].clone()
}

/// The changes of engineers since a cursor. Adds someone to the roll, whose change marks the end.
pub async fn changes_since(app: &TestApp, cursor: &Value) -> Vec<Value> {
    let admin = app.admin();
    let marker = admin
        .data(
            "mutation { addEngineer(input: { name: \"the.marker\", userType: OTHER }) {
               engineer { id } userErrors { code } } }",
            json!({}),
        )
        .await["addEngineer"]["engineer"]["id"]
        .clone();
    let mut socket = admin.connect().await;
    let query = "subscription($after: String) { engineerChanged(after: $after) {
        kind engineerId count directorySync { id } } }";
    let changes = socket.subscribe(query, json!({ "after": cursor })).await;
    let mut seen = Vec::new();
    loop {
        let change = socket.next(&changes).await["engineerChanged"].clone();
        if change["engineerId"] == marker {
            return seen;
        }
        seen.push(change);
    }
}

/// The use cases as another process has them: over the same database, with a directory, a clock and a chance of the test's own.
pub struct Process {
    /// Stands in for the directory `hr` of `demo`.
    pub source: Option<Arc<dyn DirectorySource>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
}

impl Process {
    /// With everything as the server has it.
    pub fn of(app: &TestApp) -> Self {
        Self { source: None, clock: Arc::new(app.clock.clone()), chance: Arc::new(SystemChance) }
    }

    /// The use cases.
    pub fn services(self, app: &TestApp) -> Services {
        let theirs = app.app.services.account(&demo()).unwrap();
        let source = self.source.unwrap_or_else(|| Arc::clone(&theirs.directories["hr"].source));
        let account = Account {
            settings: theirs.settings.clone(),
            provider: Arc::clone(&theirs.provider),
            directories: BTreeMap::from([("hr".to_owned(), Directory { source, sync_every: None })]),
        };
        Services::new(Core {
            store: app.app.services.store().clone(),
            clock: self.clock,
            chance: self.chance,
            accounts: BTreeMap::from([(demo(), account)]),
            link_lifetime: app.app.services.link_lifetime(),
            retention: app.app.services.retention(),
        })
    }
}
