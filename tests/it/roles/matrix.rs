//! Every root field for every role, in the caller's account and in another, about themself and about others, as `matrix.txt`
//! says it.

mod documents;
mod table;

use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use self::{
    documents::{SUMMARY, Stage, operation},
    table::{Row, rows},
};
use super::{add, set_email, set_email_as, sync, text};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_role_gets_from_every_field_what_the_table_says
    a_stranger_gets_nothing
    an_engineer_whose_token_names_someone_of_another_account_gets_nothing
    only_an_admin_exchanges_files
}

/// Someone who asks, and the column that says what they get.
struct Asker {
    column: &'static str,
    role: Role,
    account: &'static str,
    /// Whether their token names the one who is asked about as themself.
    themself: bool,
}

/// Everyone who asks. To all but ENGINEER it makes no difference whether they ask about themself; across accounts, nobody is
/// anyone, whatever their token says.
const ASKERS: [Asker; 12] = [
    Asker { column: "VIEWER", role: Role::Viewer, account: "demo", themself: false },
    Asker { column: "VIEWER", role: Role::Viewer, account: "demo", themself: true },
    Asker { column: "OPERATOR", role: Role::Operator, account: "demo", themself: false },
    Asker { column: "OPERATOR", role: Role::Operator, account: "demo", themself: true },
    Asker { column: "ADMIN", role: Role::Admin, account: "demo", themself: false },
    Asker { column: "ADMIN", role: Role::Admin, account: "demo", themself: true },
    Asker { column: "SELF", role: Role::Engineer, account: "demo", themself: true },
    Asker { column: "OTHER", role: Role::Engineer, account: "demo", themself: false },
    Asker { column: "viewer", role: Role::Viewer, account: "other", themself: true },
    Asker { column: "operator", role: Role::Operator, account: "other", themself: true },
    Asker { column: "admin", role: Role::Admin, account: "other", themself: true },
    Asker { column: "engineer", role: Role::Engineer, account: "other", themself: false },
];

/// The server of the test.
struct Theatre {
    app: TestApp,
    /// The directory sync that is asked about.
    sync: String,
    /// Someone of the account `demo` who is not asked about.
    me: String,
    /// Someone of the account `other`.
    abroad: String,
}

impl Theatre {
    async fn open(database: Database) -> Self {
        let app = TestApp::start(database).await;
        app.write_directory("hr", &["u-1,seed,,IAM_USER,active,,"]);
        let sync = sync(&app).await;
        let me = add(&app.admin(), "me").await;
        let abroad = add(&admin_of(&app, "other"), "abroad").await;
        Self { app, sync, me, abroad }
    }

    /// Who is called by that asker when that one is asked about.
    fn caller(&self, asker: &Asker, target: &str) -> Caller<'_> {
        let engineer = match (asker.themself, asker.role, asker.account) {
            (true, ..) => Some(target),
            (false, Role::Engineer, "other") => Some(self.abroad.as_str()),
            (false, Role::Engineer, _) => Some(self.me.as_str()),
            (false, Role::Viewer | Role::Operator | Role::Admin, _) => None,
        };
        self.app.caller_with(self.app.token(asker.account, &[asker.role], engineer))
    }

    /// Prepares what the row is about.
    async fn set_the_stage(&self, row: &Row, asker: &Asker, number: usize) -> Stage {
        let app = &self.app;
        let target = add(&app.admin(), &format!("target.{number}")).await;
        let own_change = "query($id: ID!) { engineer(id: $id) { statusChanges(first: 1) { nodes { id } } } }";
        let change = app.admin().data(own_change, json!({ "id": target })).await;
        let (mut code, mut key) = (String::new(), String::new());
        match row.field.as_str() {
            "confirmChannel" => {
                app.run_workers().await;
                let endpoint = format!("target.{number}@demo.example");
                code = app.outbox().await.into_iter().find(|message| message.endpoint == endpoint).unwrap().code;
            }
            "restoreEngineers" if asker.column != "SELF" => {
                let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
                app.admin().data(delete, json!({ "id": target })).await;
            }
            "subscribeChannels" => {
                let cancel =
                    "mutation($id: ID!) { cancelChannels(input: { engineerIds: [$id] }) { outcomes { status } } }";
                app.admin().data(cancel, json!({ "id": target })).await;
                // The endpoint may be asked again a minute later.
                app.clock.advance(chrono::Duration::minutes(1));
            }
            "apiKeys" | "revokeApiKeys" => key = make_key(app).await,
            "node" if row.variant == "apiKey" => key = make_key(app).await,
            "node" if row.variant == "auditEntry" => {
                let newest = app.admin().data("{ auditLog(first: 1) { nodes { id } } }", json!({})).await;
                key = text(&newest["auditLog"]["nodes"][0]["id"]);
            }
            _ => {}
        }
        let change = text(&change["engineer"]["statusChanges"]["nodes"][0]["id"]);
        Stage { target, code, sync: self.sync.clone(), change, key }
    }

    /// Follows a stream over a change of the target and then one of someone else of the caller's account.
    async fn follow(&self, row: &Row, asker: &Asker, stage: &Stage) -> Value {
        let app = &self.app;
        let caller = self.caller(asker, &stage.target);
        let (document, mut variables) = operation(row, stage);
        variables["after"] = caller.data("{ liveCursor }", json!({})).await["liveCursor"].take();
        set_email(app, &stage.target, None).await;
        let another = if asker.account == "demo" { &self.me } else { &self.abroad };
        let address = stage.target.replace("engineer:", "other@") + ".example";
        for email in [None, Some(address.as_str())] {
            set_email_as(&admin_of(app, asker.account), another, email).await;
        }
        let mut socket = caller.connect().await;
        let stream = socket.subscribe(&document, variables).await;
        let mut message = socket.message(&stream).await;
        match message["type"].as_str() {
            Some("error") => json!({ "errors": message["payload"] }),
            _ => message["payload"].take(),
        }
    }

    /// What the account `demo` holds that a mutation of the table could change.
    async fn look(&self, target: &str) -> Value {
        let document = "query($id: ID!) { engineers { totalCount } directorySyncs { totalCount }
            apiKeys(last: 100) { nodes { state } } engineer(id: $id) {
            alias version updatedAt channel(kind: EMAIL) { status requestedAt } } }";
        self.app.admin().data(document, json!({ "id": target })).await
    }

    /// Runs a cell. Gives what is wrong with it.
    async fn run(&self, row: &Row, asker: &Asker, number: usize) -> Option<String> {
        let stage = self.set_the_stage(row, asker, number).await;
        let named =
            format!("{} for {} about {}", row.name(), asker.column, if asker.themself { "self" } else { "others" });
        let wanted = row.wanted(asker.column);
        if row.root == "Subscription" {
            let got = judge(&self.follow(row, asker, &stage).await, row, asker, &stage);
            return (got != wanted).then(|| format!("{named}: {got}, not {wanted}"));
        }
        let before = self.look(&stage.target).await;
        let (document, variables) = operation(row, &stage);
        let (_, response) = self.caller(asker, &stage.target).execute(&document, variables).await;
        let got = judge(&response, row, asker, &stage);
        if got != wanted {
            return Some(format!("{named}: {got}, not {wanted}"));
        }
        let changes = row.root == "Mutation"
            && got == "ok"
            && !["refreshConfirmations", "revealContact"].contains(&row.field.as_str());
        let changed = self.look(&stage.target).await != before;
        (changed != changes).then(|| format!("{named}: {got}, and changed is {changed}"))
    }
}

fn admin_of<'a>(app: &'a TestApp, account: &str) -> Caller<'a> {
    app.caller_with(app.token(account, &[Role::Admin], None))
}

/// Makes an API key. Gives its id.
async fn make_key(app: &TestApp) -> String {
    let document = "mutation { createApiKey(input: { label: \"matrix\", role: VIEWER }) { apiKey { id } } }";
    text(&app.admin().data(document, json!({})).await["createApiKey"]["apiKey"]["id"])
}

/// What came of an operation, in the words of the table.
fn judge(response: &Value, row: &Row, asker: &Asker, stage: &Stage) -> String {
    if let Some(code) = response["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    assert!(response.get("errors").is_none(), "{response}");
    let payload = &response["data"][&row.field];
    let code = [&payload["userErrors"][0]["code"], &payload["outcomes"][0]["userError"]["code"]];
    let sought = match row.field.as_str() {
        "apiKeys" => &stage.key,
        "directorySyncs" => &stage.sync,
        _ => &stage.target,
    };
    let listed =
        payload["nodes"].as_array().is_some_and(|nodes| nodes.iter().all(|node| node["id"] != sought.as_str()));
    let told = payload["engineerId"].as_str().is_some_and(|id| id != sought);
    if let Some(code) = code.into_iter().find_map(Value::as_str) {
        code
    } else if payload["outcomes"] == json!([]) {
        "nobody"
    } else if payload.is_null() || *payload == json!([null]) {
        "null"
    } else if asker.account != "demo" && !tells_of(response, stage) {
        "home"
    } else if listed || told {
        "hidden"
    } else {
        "ok"
    }
    .to_owned()
}

/// Whether an answer holds an id of the account `demo`.
fn tells_of(response: &Value, stage: &Stage) -> bool {
    let response = response.to_string();
    let Stage { target, sync, change, key, code: _ } = stage;
    let ids = [target.as_str(), sync, change, key, SUMMARY, "\"demo\""];
    ids.into_iter().any(|id| !id.is_empty() && response.contains(id))
}

async fn every_role_gets_from_every_field_what_the_table_says(database: Database) {
    let theatre = Theatre::open(database).await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for row in rows() {
        for asker in &ASKERS {
            number += 1;
            wrong.extend(theatre.run(&row, asker, number).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is asked where nobody is told anything.
fn nothing(target: String) -> Stage {
    let (code, sync, change, key) = (String::new(), target.clone(), target.clone(), target.clone());
    Stage { target, code, sync, change, key }
}

async fn a_stranger_gets_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let stage = nothing(add(&app.admin(), "lin").await);
    for row in rows() {
        let (document, variables) = operation(&row, &stage);
        let (status, response) = app.stranger().execute(&document, variables).await;
        assert_eq!(status, 401, "{}", row.name());
        assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{}", row.name());
        assert!(response.get("data").is_none(), "{response}");
    }
}

async fn an_engineer_whose_token_names_someone_of_another_account_gets_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let stage = nothing(add(&app.admin(), "lin").await);
    let caller = app.caller_with(app.token("other", &[Role::Engineer], Some(&stage.target)));
    for row in rows() {
        let (document, variables) = operation(&row, &stage);
        let (status, response) = caller.execute(&document, variables).await;
        assert_eq!(status, 403, "{}", row.name());
        assert_eq!(response["errors"][0]["extensions"]["code"], "FORBIDDEN", "{}", row.name());
        assert!(response.get("data").is_none(), "{response}");
    }
}

async fn only_an_admin_exchanges_files(database: Database) {
    let app = TestApp::start(database).await;
    let me = add(&app.admin(), "me").await;
    let callers = [
        (app.stranger(), 401),
        (app.caller(Role::Viewer), 403),
        (app.caller(Role::Operator), 403),
        (app.engineer(&me), 403),
        (app.admin(), 200),
    ];
    for (caller, status) in callers {
        let export = caller.request(Method::GET, "/export").send().await.unwrap();
        assert_eq!(export.status(), status);
        let shows = export.text().await.unwrap().contains("me@demo.example");
        assert_eq!(shows, status == 200);
        let import = caller.request(Method::POST, "/import").header("content-type", "text/csv");
        let import = import.body(format!("id,alias\n{me},by.{status}\n")).send().await.unwrap();
        assert_eq!(import.status(), status);
        let alias = app.admin().find("me").await["alias"].clone();
        assert_eq!(alias == format!("by.{status}"), status == 200, "{alias}");
    }
}
