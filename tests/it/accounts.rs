//! Two accounts on one server: what belongs to one reads to the other like what is not there.

use std::{collections::BTreeSet, sync::Arc};

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_id_of_another_account_reads_like_an_unknown_one
    the_lists_of_one_account_hold_nothing_of_the_other
    the_streams_of_one_account_tell_nothing_of_the_other
    a_cursor_of_another_account_is_of_another_log
    a_token_names_an_engineer_of_its_own_account_alone
}

/// What an account of the test holds: one id of each kind.
struct Held {
    engineer: String,
    channel: String,
    change: String,
    run: String,
    summary: String,
}

fn admin_of<'a>(app: &'a TestApp, account: &str) -> Caller<'a> {
    app.caller_with(app.token(account, &[Role::Admin], None))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn add(caller: &Caller<'_>, name: &str) -> String {
    let document =
        "mutation($input: AddEngineerInput!) { addEngineer(input: $input) { engineer { id } userErrors { code } } }";
    let input = json!({ "name": name, "userType": "OTHER", "email": format!("{name}@demo.example") });
    text(&caller.data(document, json!({ "input": input })).await["addEngineer"]["engineer"]["id"])
}

async fn set_alias(caller: &Caller<'_>, id: &str, alias: &str) {
    let document = "mutation($input: UpdateEngineerInput!) { updateEngineer(input: $input) { userErrors { code } } }";
    let data = caller.data(document, json!({ "input": { "id": id, "alias": alias } })).await;
    assert_eq!(data["updateEngineer"]["userErrors"], json!([]));
}

async fn live_cursor(caller: &Caller<'_>) -> String {
    text(&caller.data("{ liveCursor }", json!({})).await["liveCursor"])
}

/// Fills the account `other`.
async fn fill(app: &TestApp) -> Held {
    let caller = admin_of(app, "other");
    app.write_directory("other", &["u-1,foreign.lin,,IAM_USER,active,,"]);
    let sync = "mutation { syncEngineers(input: { directory: \"hr\" }) { directorySync { id } } }";
    let run = text(&caller.data(sync, json!({})).await["syncEngineers"]["directorySync"]["id"]);
    app.run_workers().await;
    let engineer = add(&caller, "foreign.chen").await;
    let held = caller
        .data("{ rosterSummary { id } statusChanges { nodes { id } } engineers { totalCount } }", json!({}))
        .await;
    assert_eq!(held["engineers"]["totalCount"], 2);
    Held {
        channel: engineer.replace("engineer:", "channel:") + ".EMAIL",
        engineer,
        change: text(&held["statusChanges"]["nodes"][0]["id"]),
        run,
        summary: text(&held["rosterSummary"]["id"]),
    }
}

/// Everything that takes an id.
const DOCUMENTS: [&str; 14] = [
    "query($id: ID!) { node(id: $id) { id __typename } }",
    "query($id: ID!) { nodes(ids: [$id, $id]) { id } }",
    "query($id: ID!) { engineer(id: $id) { id name channels { status } } }",
    "query($id: ID!) { directorySync(id: $id) { id state outcomes { totalCount } } }",
    "query($id: ID!) { engineers(filter: { ids: [$id] }) { totalCount nodes { id } } }",
    "query($id: ID!) { statusChanges(filter: { engineerIds: [$id] }) { totalCount nodes { id } } }",
    "mutation($id: ID!) { updateEngineer(input: { id: $id, alias: \"taken\" }) {
        engineer { id } userErrors { code message field params { name value } } } }",
    "mutation($id: ID!) { updateEngineer(input: { id: $id, alias: \"taken\", version: 7 }) {
        engineer { id } userErrors { code message field params { name value } } } }",
    "mutation($id: ID!) { subscribeChannels(input: { engineerIds: [$id] }) {
        outcomes { engineerId engineer { id } channel status userError { code message field } } userErrors { code } } }",
    "mutation($id: ID!) { subscribeChannels(input: { filter: { ids: [$id] }, channels: [EMAIL] }) {
        outcomes { engineerId engineer { id } channel status userError { code message field } } userErrors { code } } }",
    "mutation($id: ID!) { cancelChannels(input: { engineerIds: [$id], channels: [EMAIL] }) {
        outcomes { engineerId engineer { id } channel status userError { code message field } } userErrors { code } } }",
    "mutation($id: ID!) { confirmChannel(input: { engineerId: $id, channel: EMAIL, code: \"000000\" }) {
        engineer { id } channel { id } userErrors { code message field params { name value } } } }",
    "mutation($id: ID!) { deleteEngineers(input: { ids: [$id], eraseNow: true }) {
        deletedEngineerIds outcomes { engineerId userError { code message field params { name value } } } userErrors { code } } }",
    "mutation($id: ID!) { restoreEngineers(input: { ids: [$id] }) {
        engineers { id } outcomes { engineerId userError { code message field params { name value } } } userErrors { code } } }",
];

/// An id of that kind that nothing has.
fn unknown_like(id: &str) -> String {
    match id.split_once(':').unwrap() {
        ("roster-summary", _) => "roster-summary:nobody".to_owned(),
        (kind, key) => {
            let channel: String = key.chars().skip(32).collect();
            format!("{kind}:{}{channel}", "0".repeat(32))
        }
    }
}

async fn every_id_of_another_account_reads_like_an_unknown_one(database: Database) {
    let app = TestApp::start(database).await;
    let held = fill(&app).await;
    let owner = admin_of(&app, "other");
    let everything = "{ engineers { nodes { id name alias version updatedAt channels { status requestedAt } } } directorySyncs { nodes { id state } } }";
    let before = owner.data(everything, json!({})).await;
    for id in [&held.engineer, &held.channel, &held.change, &held.run, &held.summary] {
        let own = owner.data(DOCUMENTS[0], json!({ "id": id })).await;
        assert_eq!(own["node"]["id"], id.as_str(), "its owner sees it");
        let unknown = unknown_like(id);
        for document in DOCUMENTS {
            let (status, foreign) = app.admin().execute(document, json!({ "id": id })).await;
            let (status_of_unknown, of_unknown) = app.admin().execute(document, json!({ "id": unknown })).await;
            let of_unknown: Value = serde_json::from_str(&of_unknown.to_string().replace(&unknown, id)).unwrap();
            assert_eq!((status, foreign), (status_of_unknown, of_unknown), "{id} {document}");
        }
        let progress = "subscription($id: ID!) { directorySyncProgress(id: $id) { id } }";
        let mut socket = app.admin().connect().await;
        let stream = socket.subscribe(progress, json!({ "id": id })).await;
        let foreign = socket.message(&stream).await["payload"].take();
        let stream = socket.subscribe(progress, json!({ "id": unknown })).await;
        assert_eq!(foreign, socket.message(&stream).await["payload"]);
        assert!(foreign.to_string().contains("BAD_USER_INPUT"), "{foreign}");
    }
    assert_eq!(owner.data(everything, json!({})).await, before, "nothing was touched");
}

async fn the_lists_of_one_account_hold_nothing_of_the_other(database: Database) {
    let app = TestApp::start(database).await;
    let held = fill(&app).await;
    add(&app.admin(), "lin").await;
    let document = "query($after: String) { viewer { account { id } } rosterSummary { engineers }
        engineers(first: 100, after: $after) { totalCount nodes { name } } statusChanges(first: 100) { totalCount nodes { engineer { name } } }
        directorySyncs { totalCount } }";
    let of_demo = app.admin().data(document, json!({})).await;
    let wanted = json!({
        "viewer": { "account": { "id": "demo" } },
        "rosterSummary": { "engineers": 1 },
        "engineers": { "totalCount": 1, "nodes": [{ "name": "lin" }] },
        "statusChanges": { "totalCount": 1, "nodes": [{ "engineer": { "name": "lin" } }] },
        "directorySyncs": { "totalCount": 0 },
    });
    assert_eq!(of_demo, wanted);
    // A page cursor of the other account names a place in an order, and opens nothing.
    let foreign = admin_of(&app, "other").data("{ engineers(first: 1) { pageInfo { endCursor } } }", json!({})).await;
    let after = foreign["engineers"]["pageInfo"]["endCursor"].clone();
    let beyond = app.admin().data(document, json!({ "after": after })).await;
    assert!(!beyond.to_string().contains("foreign"), "{beyond}");
    for search in ["foreign", "foreign.chen@demo.example", "u-1"] {
        let document = "query($search: String) { engineers(filter: { search: $search }) { totalCount } }";
        let found = app.admin().data(document, json!({ "search": search })).await;
        assert_eq!(found["engineers"]["totalCount"], 0, "{search}");
    }
    assert_eq!(
        app.admin().data("query($id: ID!) { engineer(id: $id) { id } }", json!({ "id": held.engineer })).await["engineer"],
        Value::Null
    );
}

const CHANGES: usize = 60;

/// Edits someone again and again, and then someone else for the first time, whose change ends the streams below.
async fn write(app: Arc<TestApp>, account: &'static str) -> BTreeSet<String> {
    let caller = admin_of(&app, account);
    let id = add(&caller, &format!("{account}.lin")).await;
    for number in 0..CHANGES {
        set_alias(&caller, &id, &format!("{number}")).await;
    }
    let last = add(&caller, "last").await;
    BTreeSet::from([id, last])
}

/// Whom the streams of an account tell of, up to the one who comes last.
async fn read(caller: &Caller<'_>, begin: &str, field: &str) -> (BTreeSet<String>, usize) {
    let mut socket = caller.connect().await;
    let document =
        format!("subscription($after: String) {{ {field}(after: $after) {{ engineerId engineer {{ name }} }} }}");
    let stream = socket.subscribe(&document, json!({ "after": begin })).await;
    let (mut told, mut count) = (BTreeSet::new(), 0);
    loop {
        let change = socket.next(&stream).await[field].take();
        told.insert(text(&change["engineerId"]));
        count += 1;
        if change["engineer"]["name"] == "last" {
            return (told, count);
        }
    }
}

async fn the_streams_of_one_account_tell_nothing_of_the_other(database: Database) {
    let app = Arc::new(TestApp::start(database).await);
    let (demo, other) = (admin_of(&app, "demo"), admin_of(&app, "other"));
    let (of_demo, of_other) = (live_cursor(&demo).await, live_cursor(&other).await);
    let writing = [tokio::spawn(write(Arc::clone(&app), "demo")), tokio::spawn(write(Arc::clone(&app), "other"))];
    let (changes, engineers) = ("confirmationStatusChanged", "engineerChanged");
    let (one, two, three, four) = tokio::join!(
        read(&demo, &of_demo, engineers),
        read(&other, &of_other, engineers),
        read(&demo, &of_demo, changes),
        read(&other, &of_other, changes),
    );
    let [in_demo, in_other] = writing;
    let (in_demo, in_other) = (in_demo.await.unwrap(), in_other.await.unwrap());
    assert!(in_demo.is_disjoint(&in_other));
    assert_eq!(one, (in_demo.clone(), CHANGES + 2));
    assert_eq!(two, (in_other.clone(), CHANGES + 2));
    assert_eq!(three, (in_demo, 2));
    assert_eq!(four, (in_other, 2));
}

async fn a_cursor_of_another_account_is_of_another_log(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app).await;
    add(&app.admin(), "lin").await;
    for (caller, foreign) in [(app.admin(), admin_of(&app, "other")), (admin_of(&app, "other"), app.admin())] {
        let cursor = live_cursor(&foreign).await;
        for field in ["confirmationStatusChanged", "engineerChanged"] {
            let document = format!("subscription($after: String) {{ {field}(after: $after) {{ cursor }} }}");
            let mut socket = caller.connect().await;
            let stream = socket.subscribe(&document, json!({ "after": cursor })).await;
            assert_eq!(socket.refusal(&stream).await, "CURSOR_EXPIRED");
        }
    }
}

async fn a_token_names_an_engineer_of_its_own_account_alone(database: Database) {
    let app = TestApp::start(database).await;
    let held = fill(&app).await;
    let who = "{ viewer { engineer { id } } }";
    for engineer in [held.engineer.as_str(), "hr:u-1"] {
        let at_home = app.caller_with(app.token("other", &[Role::Engineer], Some(engineer)));
        assert!(at_home.data(who, json!({})).await["viewer"]["engineer"]["id"].is_string());
        let abroad = app.caller_with(app.token("demo", &[Role::Engineer], Some(engineer)));
        assert_eq!(abroad.error(who, json!({})).await, "FORBIDDEN");
        // Another role goes on, without being anyone.
        let both = app.caller_with(app.token("demo", &[Role::Viewer, Role::Engineer], Some(engineer)));
        assert_eq!(both.data(who, json!({})).await["viewer"]["engineer"], Value::Null);
    }
}
