//! Contact data: clear only for those who may see it, and no way around by searching.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{live_cursor, sync};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    a_viewer_sees_masked_contacts_wherever_engineers_are_shown
    a_viewer_who_searches_by_contact_data_gets_what_a_search_for_nothing_gets
    a_viewer_who_is_an_engineer_too_sees_only_their_own_contacts
    no_refusal_and_no_error_tells_a_contact
}

const EMAIL: &str = "canary.lin@demo.example";
const MOBILE: &str = "+8613800138001";

const LISTED: &str = "u-1,lin,,IAM_USER,active,+8613800138001,canary.lin@demo.example";

const SHOWN: &str =
    "fragment Shown on Engineer { id mobile mobileMasked email emailMasked channels { endpointMasked } }";

/// Everywhere that an engineer is shown, over HTTP.
async fn read_everything(caller: &Caller<'_>, id: &Value, run: &str) -> Value {
    let document = format!(
        "query($id: ID!, $sync: ID!) {{
            engineers {{ nodes {{ ...Shown }} edges {{ node {{ ...Shown }} }} }}
            engineer(id: $id) {{ ...Shown statusChanges {{ nodes {{ engineer {{ ...Shown }} }} }} }}
            node(id: $id) {{ ...Shown }}
            nodes(ids: [$id, $id]) {{ ...Shown }}
            statusChanges {{ nodes {{ engineer {{ ...Shown }} }} }}
            directorySync(id: $sync) {{ outcomes {{ nodes {{ engineer {{ ...Shown }} }} }} }}
            directorySyncs(first: 2) {{ nodes {{ outcomes {{ nodes {{ engineer {{ ...Shown }} }} }} }} }}
        }} {SHOWN}"
    );
    caller.data(&document, json!({ "id": id, "sync": run })).await
}

/// The same through live streams: a status change, a change of an engineer, and a run's progress.
async fn follow_everything(caller: &Caller<'_>, begin: &str, run: &str) -> Value {
    let streams = [
        "confirmationStatusChanged(after: $after) { engineer { ...Shown } }",
        "engineerChanged(after: $after, filter: { search: \"lin\" }) { engineer { ...Shown } }",
        "directorySyncProgress(id: $sync) { outcomes { nodes { engineer { ...Shown } } } }",
    ];
    let mut told = Vec::new();
    for stream in streams {
        let (variable, variables) = if stream.contains("$sync") {
            ("$sync: ID!", json!({ "sync": run }))
        } else {
            ("$after: String", json!({ "after": begin }))
        };
        let mut socket = caller.connect().await;
        let id = socket.subscribe(&format!("subscription({variable}) {{ {stream} }} {SHOWN}"), variables).await;
        told.push(socket.next(&id).await);
    }
    json!(told)
}

/// Every engineer in a response.
fn engineers_in(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) if fields.contains_key("mobileMasked") => vec![value],
        Value::Object(fields) => fields.values().flat_map(engineers_in).collect(),
        Value::Array(entries) => entries.iter().flat_map(engineers_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

async fn subscribe_email(app: &TestApp, id: &Value) {
    let document = "mutation($id: ID!) { subscribeChannels(input: { engineerIds: [$id], channels: [EMAIL] }) {
        outcomes { userError { code } } } }";
    let data = app.admin().data(document, json!({ "id": id })).await;
    assert_eq!(data["subscribeChannels"]["outcomes"], json!([{ "userError": null }]));
}

async fn set_alias(app: &TestApp, id: &Value, alias: &str) {
    let document = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let data = app.admin().data(document, json!({ "input": { "id": id, "alias": alias } })).await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]));
}

async fn a_viewer_sees_masked_contacts_wherever_engineers_are_shown(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[LISTED]);
    let run = sync(&app).await;
    let lin = app.admin().find("lin").await["id"].clone();
    let begin = live_cursor(&app).await;
    subscribe_email(&app, &lin).await;
    set_alias(&app, &lin, "Lin").await;
    for (role, clear) in [(Role::Viewer, false), (Role::Operator, true), (Role::Admin, true)] {
        let caller = app.caller(role);
        for response in [read_everything(&caller, &lin, &run).await, follow_everything(&caller, &begin, &run).await] {
            let shown = engineers_in(&response);
            assert!(shown.len() >= 3, "{response:#}");
            for engineer in shown {
                assert_eq!(engineer["mobileMasked"], "+86 138****8001");
                assert_eq!(engineer["emailMasked"], "c***@demo.example");
                let (mobile, email) = if clear { (json!(MOBILE), json!(EMAIL)) } else { (Value::Null, Value::Null) };
                assert_eq!((&engineer["mobile"], &engineer["email"]), (&mobile, &email), "{role:?}");
            }
            let whole = response.to_string();
            assert_eq!(whole.contains("canary"), clear, "{role:?}");
            assert_eq!(whole.contains("13800138001"), clear, "{role:?}");
        }
    }
}

/// What only the contact data of the person has.
const SEARCHES: [&str; 7] = [EMAIL, "CANARY.LIN", "@demo.example", MOBILE, "138 0013-8001", "8001", "+86"];

const NOTHING: &str = "nothing has this";

async fn search(caller: &Caller<'_>, text: &str) -> Value {
    let document = "query($text: String!) { engineers(filter: { search: $text }) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { name } } } }";
    let (status, response) = caller.execute(document, json!({ "text": text })).await;
    json!([status.as_u16(), response])
}

async fn subscribe_found(caller: &Caller<'_>, text: &str) -> Value {
    let document = "mutation($text: String!) { subscribeChannels(input: { filter: { search: $text } }) {
        outcomes { engineerId userError { code } } userErrors { code } } }";
    caller.execute(document, json!({ "text": text })).await.1
}

/// Whom a filtered stream tells of before the end of a bulk run, which it always tells of.
async fn follow_found(caller: &Caller<'_>, begin: &str, text: &str) -> Vec<Value> {
    let document = "subscription($after: String, $text: String) {
        engineerChanged(after: $after, filter: { search: $text }) { kind engineerId } }";
    let mut socket = caller.connect().await;
    let stream = socket.subscribe(document, json!({ "after": begin, "text": text })).await;
    let mut told = Vec::new();
    loop {
        let change = socket.next(&stream).await["engineerChanged"].take();
        if change["kind"] == "ROLL_CHANGED" {
            return told;
        }
        told.push(change["engineerId"].clone());
    }
}

async fn a_viewer_who_searches_by_contact_data_gets_what_a_search_for_nothing_gets(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[LISTED]);
    sync(&app).await;
    let lin = app.admin().find("lin").await["id"].clone();
    let begin = live_cursor(&app).await;
    set_alias(&app, &lin, "Lin").await;
    app.write_directory("hr", &[LISTED, "u-2,chen,,IAM_USER,active,,"]);
    sync(&app).await;
    let (viewer, operator) = (app.caller(Role::Viewer), app.caller(Role::Operator));
    let (nothing, nobody) = (search(&viewer, NOTHING).await, subscribe_found(&viewer, NOTHING).await);
    assert_eq!(nobody["data"]["subscribeChannels"]["outcomes"], json!([]));
    for text in SEARCHES {
        assert_eq!(search(&viewer, text).await, nothing, "{text}");
        assert_eq!(subscribe_found(&viewer, text).await, nobody, "{text}");
        assert_eq!(follow_found(&viewer, &begin, text).await, Vec::<Value>::new(), "{text}");
        assert_eq!(search(&operator, text).await[1]["data"]["engineers"]["totalCount"], 1, "{text}");
        assert_eq!(follow_found(&operator, &begin, text).await, std::slice::from_ref(&lin), "{text}");
    }
    assert_eq!(search(&viewer, "lin").await[1]["data"]["engineers"]["totalCount"], 1, "by name anyone finds them");
    assert_eq!(search(&operator, NOTHING).await, nothing);
}

async fn a_viewer_who_is_an_engineer_too_sees_only_their_own_contacts(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[LISTED, "u-2,chen,,IAM_USER,active,+8613900139002,chen@demo.example"]);
    sync(&app).await;
    let both = app.caller_with(app.token("demo", &[Role::Viewer, Role::Engineer], Some("hr:u-1")));
    let (lin, chen) = (both.find("lin").await, both.find("chen").await);
    assert_eq!((&lin["mobile"], &lin["email"]), (&json!(MOBILE), &json!(EMAIL)));
    assert_eq!((&chen["mobile"], &chen["email"]), (&Value::Null, &Value::Null));
    assert_eq!(chen["mobileMasked"], "+86 139****9002");
    assert_eq!(search(&both, "chen@demo").await, search(&both, NOTHING).await);
}

/// What a caller may try on someone: it is refused to some, and done for others.
const TRIES: [(&str, &str); 8] = [
    ("updateEngineer(input: { id: $id, alias: \"x\", version: 77 })", "userErrors { code message params { value } }"),
    ("updateEngineer(input: { id: $id, mobile: \"12\" })", "userErrors { code message params { value } }"),
    ("subscribeChannels(input: { engineerIds: [$id] })", "outcomes { userError { message params { value } } }"),
    (
        "subscribeChannels(input: { engineerIds: [$id], channels: [SMS] })",
        "outcomes { userError { message params { value } } }",
    ),
    (
        "cancelChannels(input: { engineerIds: [$id], channels: [LARK] })",
        "outcomes { userError { message params { value } } }",
    ),
    (
        "confirmChannel(input: { engineerId: $id, channel: SMS, code: \"000000\" })",
        "userErrors { message params { value } }",
    ),
    (
        "revealContact(input: { engineerId: $id, channel: LARK, reason: \"why\" })",
        "endpoint userErrors { message params { value } }",
    ),
    ("restoreEngineers(input: { ids: [$id] })", "outcomes { userError { message params { value } } }"),
];

async fn no_refusal_and_no_error_tells_a_contact(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &[LISTED]);
    sync(&app).await;
    let lin = app.admin().find("lin").await["id"].clone();
    app.run_workers().await;
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        for (field, selection) in TRIES {
            let document = format!("mutation($id: ID!) {{ {field} {{ {selection} }} }}");
            let (_, response) = app.caller(role).in_language("zh-CN").execute(&document, json!({ "id": lin })).await;
            let told = response.to_string();
            assert!(response["data"].is_object(), "{told}");
            assert!(!told.contains("canary") && !told.contains("13800138001"), "{role:?}: {told}");
        }
        let file = format!("id,mobile\n{},12\n", lin.as_str().unwrap());
        let import = app.caller(role).request(reqwest::Method::POST, "/import").header("content-type", "text/csv");
        let told = import.body(file).send().await.unwrap().text().await.unwrap();
        assert!(!told.contains("canary") && !told.contains("13800138001"), "{role:?}: {told}");
    }
}
