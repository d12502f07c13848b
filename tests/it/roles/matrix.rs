//! Every field for every role, as `matrix.txt` says it.

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{add, live_cursor, set_email, sync, text};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_role_gets_from_every_field_what_the_table_says
    a_stranger_gets_nothing
    only_an_admin_exchanges_files
}

const MATRIX: &str = include_str!("matrix.txt");

const COLUMNS: [&str; 5] = ["VIEWER", "OPERATOR", "ADMIN", "SELF", "OTHER"];

/// A row of the table: root and field, variant, and what each column gets.
struct Row<'a> {
    root: &'a str,
    field: &'a str,
    variant: &'a str,
    wanted: Vec<&'a str>,
}

fn rows() -> Vec<Row<'static>> {
    let lines =
        MATRIX.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', ' ']) && !line.starts_with("field "));
    lines
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let (named, wanted) = words.split_at(words.len() - COLUMNS.len());
            let (root, field) = named[0].split_once('.').unwrap();
            Row { root, field, variant: named.get(1).copied().unwrap_or_default(), wanted: wanted.to_vec() }
        })
        .collect()
}

/// The fields of the roots, as the schema has them.
fn fields_of_the_schema() -> BTreeSet<String> {
    let document = parse_schema(rollcall::app::sdl()).unwrap();
    let roots = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    let roots = roots.filter(|root| ["Query", "Mutation", "Subscription"].contains(&root.name.node.as_str()));
    roots
        .flat_map(|root| {
            let TypeKind::Object(object) = root.kind else { panic!("a root is an object") };
            let name = root.name.node;
            object.fields.into_iter().map(move |field| format!("{name}.{}", field.node.name.node))
        })
        .collect()
}

#[test]
fn the_table_has_every_field_and_no_other() {
    let fields = fields_of_the_schema();
    let told: BTreeSet<_> = rows().iter().map(|row| format!("{}.{}", row.root, row.field)).collect();
    assert!(fields.len() > 20, "the schema was not read");
    assert_eq!(told, fields, "matrix.txt must say who gets what from each field");
}

/// What a document is told: ids of the one who is asked about.
struct Stage {
    target: String,
    code: String,
    sync: String,
    change: String,
    key: String,
}

/// The document of a row with its variables.
fn operation(row: &Row<'_>, stage: &Stage) -> (String, Value) {
    let Stage { target, code, sync, change, key } = stage;
    let channel = target.replace("engineer:", "channel:") + ".EMAIL";
    let payload = "userErrors { code }";
    let bulk = "userErrors { code } outcomes { userError { code } }";
    let node = |id: &str| ("query($id: ID!) { node(id: $id) { id } }".to_owned(), json!({ "id": id }));
    let by_id = |body: &str| (format!("query($id: ID!) {{ {body} }}"), json!({ "id": target }));
    let plain = |body: &str| (body.to_owned(), json!({}));
    let mutation = |kind: &str, selection: &str, input: Value| {
        let (field, rest) = (row.field, selection);
        (format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {rest} }} }}"), json!({ "input": input }))
    };
    let filter = json!({ "filter": { "ids": [target] }, "channels": ["EMAIL"] });
    let ids = json!({ "engineerIds": [target], "channels": ["EMAIL"] });
    let lift = json!({ "engineerIds": [target], "channels": ["EMAIL"], "liftOptOut": true });
    match (row.field, row.variant) {
        ("apiKeys", "") => plain("{ apiKeys { totalCount } }"),
        ("channelKinds", "") => plain("{ channelKinds { kind } }"),
        ("directorySync", "") => {
            ("query($id: ID!) { directorySync(id: $id) { id } }".to_owned(), json!({ "id": sync }))
        }
        ("directorySyncs", "") => plain("{ directorySyncs { nodes { id } } }"),
        ("engineer", "") => by_id("engineer(id: $id) { id }"),
        ("engineers", "") => plain("{ engineers(last: 100, orderBy: { field: CREATED_AT }) { nodes { id } } }"),
        ("liveCursor", "") => plain("{ liveCursor }"),
        ("node", "engineer") => node(target),
        ("node", "channel") => node(&channel),
        ("node", "statusChange") => node(change),
        ("node", "directorySync") => node(sync),
        ("node", "apiKey") => node(key),
        ("node", "rosterSummary") => node("roster-summary:demo"),
        ("nodes", "") => by_id("nodes(ids: [$id]) { id }"),
        ("rosterSummary", "") => plain("{ rosterSummary { engineers } }"),
        ("statusChanges", "") => plain("{ statusChanges(first: 100) { nodes { id: engineerId } } }"),
        ("viewer", "") => plain("{ viewer { subject } }"),
        ("addEngineer", "") => mutation(
            "AddEngineerInput",
            payload,
            json!({ "name": target.replace("engineer:", "new."), "userType": "OTHER" }),
        ),
        ("cancelChannels", "") => mutation("CancelChannelsInput", bulk, ids),
        ("cancelChannels", "filter") => mutation("CancelChannelsInput", bulk, filter),
        ("confirmChannel", "") => {
            let input = json!({ "engineerId": target, "channel": "EMAIL", "code": code });
            mutation("ConfirmChannelInput", payload, input)
        }
        ("createApiKey", "") => mutation("CreateApiKeyInput", payload, json!({ "label": "wall", "role": "VIEWER" })),
        ("deleteEngineers", "") => mutation("DeleteEngineersInput", bulk, json!({ "ids": [target] })),
        ("deleteEngineers", "eraseNow") => {
            mutation("DeleteEngineersInput", bulk, json!({ "ids": [target], "eraseNow": true }))
        }
        ("refreshConfirmations", "") => mutation("RefreshConfirmationsInput", payload, json!({})),
        ("restoreEngineers", "") => mutation("RestoreEngineersInput", bulk, json!({ "ids": [target] })),
        ("revokeApiKeys", "") => mutation("RevokeApiKeysInput", bulk, json!({ "ids": [key] })),
        ("subscribeChannels", "") => mutation("SubscribeChannelsInput", bulk, ids),
        ("subscribeChannels", "filter") => mutation("SubscribeChannelsInput", bulk, filter),
        ("subscribeChannels", "liftOptOut") => mutation("SubscribeChannelsInput", bulk, lift),
        ("syncEngineers", "") => mutation("SyncEngineersInput", payload, json!({ "directory": "hr" })),
        ("updateEngineer", "") => mutation("UpdateEngineerInput", payload, json!({ "id": target, "alias": "another" })),
        ("confirmationStatusChanged", "") => {
            plain("subscription($after: String) { confirmationStatusChanged(after: $after) { engineerId } }")
        }
        ("directorySyncProgress", "") => {
            ("subscription($id: ID!) { directorySyncProgress(id: $id) { id } }".to_owned(), json!({ "id": sync }))
        }
        ("engineerChanged", "") => {
            plain("subscription($after: String) { engineerChanged(after: $after) { engineerId } }")
        }
        ("rosterSummaryChanged", "") => plain("subscription { rosterSummaryChanged { id } }"),
        (field, variant) => panic!("no document for {field} {variant}"),
    }
}

/// What came of a query or a mutation, in the words of the table.
fn judge(response: &Value, field: &str, target: &str) -> String {
    if let Some(code) = response["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    assert!(response.get("errors").is_none(), "{response}");
    let payload = &response["data"][field];
    let list = payload["nodes"].as_array().filter(|_| field != "directorySyncs");
    let code = [&payload["userErrors"][0]["code"], &payload["outcomes"][0]["userError"]["code"]];
    if let Some(code) = code.into_iter().find_map(Value::as_str) {
        code
    } else if payload["outcomes"] == json!([]) {
        "nobody"
    } else if payload.is_null() || *payload == json!([null]) {
        "null"
    } else if list.is_some_and(|nodes| nodes.iter().all(|node| node["id"] != target)) {
        "hidden"
    } else {
        "ok"
    }
    .to_owned()
}

/// What the account holds that a mutation of the table could change.
async fn look(app: &TestApp, target: &str) -> Value {
    let document = "query($id: ID!) { engineers { totalCount } directorySyncs { totalCount }
        apiKeys(last: 100) { nodes { state } } engineer(id: $id) {
        alias version updatedAt channel(kind: EMAIL) { status requestedAt } } }";
    app.admin().data(document, json!({ "id": target })).await
}

/// The column's caller, whom the row is asked about, and what goes before.
async fn set_the_stage(app: &TestApp, row: &Row<'_>, column: &str, number: usize, sync: &str) -> Stage {
    let target = add(&app.admin(), &format!("target.{number}")).await;
    let own_change = "query($id: ID!) { engineer(id: $id) { statusChanges(first: 1) { nodes { id } } } }";
    let change = app.admin().data(own_change, json!({ "id": target })).await;
    let (mut code, mut key) = (String::new(), String::new());
    match row.field {
        "confirmChannel" => {
            app.run_workers().await;
            let endpoint = format!("target.{number}@demo.example");
            code = app.outbox().await.into_iter().find(|message| message.endpoint == endpoint).unwrap().code;
        }
        "restoreEngineers" if column != "SELF" => {
            let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
            app.admin().data(delete, json!({ "id": target })).await;
        }
        "revokeApiKeys" => key = make_key(app).await,
        "subscribeChannels" => {
            let cancel = "mutation($id: ID!) { cancelChannels(input: { engineerIds: [$id] }) { outcomes { status } } }";
            app.admin().data(cancel, json!({ "id": target })).await;
            // The endpoint may be asked again a minute later.
            app.clock.advance(chrono::Duration::minutes(1));
        }
        "node" if row.variant == "apiKey" => key = make_key(app).await,
        _ => {}
    }
    let change = text(&change["engineer"]["statusChanges"]["nodes"][0]["id"]);
    Stage { target, code, sync: sync.to_owned(), change, key }
}

/// Makes an API key. Gives its id.
async fn make_key(app: &TestApp) -> String {
    let document = "mutation { createApiKey(input: { label: \"matrix\", role: VIEWER }) { apiKey { id } } }";
    text(&app.admin().data(document, json!({})).await["createApiKey"]["apiKey"]["id"])
}

/// Follows a stream over a change of the target and then one of someone else.
async fn follow(app: &TestApp, caller: &Caller<'_>, row: &Row<'_>, stage: &Stage, other: &str) -> String {
    let (document, mut variables) = operation(row, stage);
    variables["after"] = json!(live_cursor(app).await);
    set_email(app, &stage.target, None).await;
    set_email(app, other, None).await;
    set_email(app, other, Some(&(stage.target.replace("engineer:", "other@") + ".example"))).await;
    let mut socket = caller.connect().await;
    let stream = socket.subscribe(&document, variables).await;
    let message = socket.message(&stream).await;
    let refusal = if message["type"] == "error" { &message["payload"][0] } else { &message["payload"]["errors"][0] };
    let told = &message["payload"]["data"][row.field]["engineerId"];
    match refusal["extensions"]["code"].as_str() {
        Some(code) => code.to_owned(),
        None if told.is_null() || *told == stage.target.as_str() => "ok".to_owned(),
        None => "hidden".to_owned(),
    }
}

async fn every_role_gets_from_every_field_what_the_table_says(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,seed,,IAM_USER,active,,"]);
    let sync = sync(&app).await;
    let me = add(&app.admin(), "me").await;
    let mut wrong = Vec::new();
    for (line, row) in rows().iter().enumerate() {
        for (place, (column, wanted)) in COLUMNS.iter().zip(&row.wanted).enumerate() {
            let number = line * COLUMNS.len() + place;
            let stage = set_the_stage(&app, row, column, number, &sync).await;
            let caller = match *column {
                "SELF" => app.engineer(&stage.target),
                "OTHER" => app.engineer(&me),
                role => app.caller(Role::from_name(role).unwrap()),
            };
            let before = look(&app, &stage.target).await;
            let got = if row.root == "Subscription" {
                follow(&app, &caller, row, &stage, &me).await
            } else {
                let (document, variables) = operation(row, &stage);
                let (_, response) = caller.execute(&document, variables).await;
                judge(&response, row.field, &stage.target)
            };
            if got != *wanted {
                wrong.push(format!("{}.{} {} for {column}: {got}, not {wanted}", row.root, row.field, row.variant));
            }
            let changes = row.root == "Mutation" && got == "ok" && row.field != "refreshConfirmations";
            if row.root != "Subscription" && (look(&app, &stage.target).await != before) != changes {
                wrong.push(format!(
                    "{}.{} {} for {column}: {got} and changed is {}",
                    row.root, row.field, row.variant, !changes
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn a_stranger_gets_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let target = add(&app.admin(), "lin").await;
    let (code, sync, change, key) = (String::new(), target.clone(), target.clone(), target.clone());
    let stage = Stage { target, code, sync, change, key };
    for row in rows() {
        let (document, variables) = operation(&row, &stage);
        let (status, response) = app.stranger().execute(&document, variables).await;
        assert_eq!(status, 401, "{}", row.field);
        assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{}", row.field);
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
