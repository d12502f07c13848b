//! An engineer in the role ENGINEER sees and changes themself, and learns of nobody else.

use serde_json::{Value, json};

use super::{live_cursor, set_email, sync, text};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    an_engineer_finds_nobody_but_themself
    the_ids_of_others_read_to_an_engineer_like_unknown_ones
    the_streams_of_an_engineer_tell_of_nobody_else
}

/// A roll of three. Gives the ids of lin, who asks, and of chen.
async fn start(database: Database) -> (TestApp, Value, Value) {
    let app = TestApp::start(database).await;
    app.write_directory(
        "hr",
        &[
            "u-1,lin,Ann,IAM_USER,active,+8613800138001,lin@demo.example",
            "u-2,chen,Ben,IAM_USER,active,+8613900139002,chen@demo.example",
            "u-3,wu,Eve,IAM_USER,disabled,,wu@demo.example",
        ],
    );
    sync(&app).await;
    let (lin, chen) = (app.admin().find("lin").await["id"].clone(), app.admin().find("chen").await["id"].clone());
    (app, lin, chen)
}

async fn list(caller: &Caller<'_>, filter: Value) -> Value {
    let document = "query($filter: EngineerFilter) { engineers(filter: $filter) { totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id mobile email } } }";
    caller.data(document, json!({ "filter": filter })).await["engineers"].take()
}

async fn an_engineer_finds_nobody_but_themself(database: Database) {
    let (app, lin, chen) = start(database).await;
    let caller = app.engineer("hr:u-1");
    let nobody = list(&caller, json!({ "search": "nothing has this" })).await;
    assert_eq!(nobody["totalCount"], 0);
    for filter in [
        Value::Null,
        json!({}),
        json!({ "ids": [lin, chen] }),
        json!({ "search": "lin@demo" }),
        json!({ "search": "13800138001" }),
        json!({ "directory": "hr" }),
        json!({ "directoryStateIn": ["ACTIVE", "DISABLED"] }),
    ] {
        let found = list(&caller, filter.clone()).await;
        assert_eq!(found["totalCount"], 1, "{filter}");
        let themself = json!([{ "id": lin, "mobile": "+8613800138001", "email": "lin@demo.example" }]);
        assert_eq!(found["nodes"], themself, "{filter}");
    }
    for filter in [
        json!({ "ids": [chen] }),
        json!({ "ids": [] }),
        json!({ "search": "chen" }),
        json!({ "search": "Ben" }),
        json!({ "search": "chen@demo.example" }),
        json!({ "search": "9002" }),
        json!({ "directoryStateIn": ["DISABLED"] }),
    ] {
        assert_eq!(list(&caller, filter.clone()).await, nobody, "{filter}");
    }
    let viewer = caller.data("{ viewer { roles permissions engineer { id name } } }", json!({})).await;
    assert_eq!(
        viewer["viewer"],
        json!({ "roles": ["ENGINEER"], "permissions": [], "engineer": { "id": lin, "name": "lin" } })
    );
}

async fn the_ids_of_others_read_to_an_engineer_like_unknown_ones(database: Database) {
    let (app, _, chen) = start(database).await;
    let chen = text(&chen);
    set_email(&app, &chen, Some("another@demo.example")).await;
    let history =
        "query($id: ID!) { engineer(id: $id) { statusChanges { nodes { id } } } directorySyncs { nodes { id } } }";
    let history = app.admin().data(history, json!({ "id": chen })).await;
    let change = text(&history["engineer"]["statusChanges"]["nodes"][0]["id"]);
    let run = text(&history["directorySyncs"]["nodes"][0]["id"]);
    let caller = app.engineer("hr:u-1");
    let unknown = "0".repeat(32);
    let channel = chen.replace("engineer:", "channel:") + ".SMS";
    let documents = [
        "query($id: ID!) { node(id: $id) { id __typename } }",
        "query($id: ID!) { nodes(ids: [$id, $id]) { id } }",
        "query($id: ID!) { engineer(id: $id) { id } }",
        "query($id: ID!) { directorySync(id: $id) { id } }",
        "query($id: ID!) { statusChanges(filter: { engineerIds: [$id] }) { totalCount nodes { id } } }",
        "mutation($id: ID!) { updateEngineer(input: { id: $id, alias: \"x\", version: 1 }) {
            engineer { id } userErrors { code message field params { name value } } } }",
        "mutation($id: ID!) { subscribeChannels(input: { engineerIds: [$id] }) {
            outcomes { engineerId engineer { id } channel status userError { code message field } } userErrors { code } } }",
        "mutation($id: ID!) { cancelChannels(input: { engineerIds: [$id], channels: [SMS, EMAIL] }) {
            outcomes { engineerId engineer { id } channel status userError { code message field } } userErrors { code } } }",
        "mutation($id: ID!) { confirmChannel(input: { engineerId: $id, channel: SMS, code: \"000000\" }) {
            channel { id } userErrors { code message field params { name value } } } }",
        "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds userErrors { code message } } }",
        "mutation($id: ID!) { restoreEngineers(input: { ids: [$id] }) { engineers { id } userErrors { code message } } }",
    ];
    for id in [chen, channel, change, run, "roster-summary:demo".to_owned()] {
        let none = match id.split_once(':').unwrap() {
            (kind, "demo") => format!("{kind}:none"),
            (kind, key) => {
                let channel: String = key.chars().skip(32).collect();
                format!("{kind}:{unknown}{channel}")
            }
        };
        for document in documents {
            let (status, others) = caller.execute(document, json!({ "id": id })).await;
            let (status_of_none, of_none) = caller.execute(document, json!({ "id": none })).await;
            let of_none: Value = serde_json::from_str(&of_none.to_string().replace(&none, &id)).unwrap();
            assert_eq!((status, others), (status_of_none, of_none), "{id} {document}");
        }
    }
}

async fn the_streams_of_an_engineer_tell_of_nobody_else(database: Database) {
    let (app, lin, chen) = start(database).await;
    let (lin, chen) = (text(&lin), text(&chen));
    let begin = live_cursor(&app).await;
    for number in 0..5 {
        set_email(&app, &chen, Some(&format!("chen.{number}@demo.example"))).await;
        app.run_workers().await;
        set_email(&app, &lin, Some(&format!("lin.{number}@demo.example"))).await;
    }
    app.write_directory(
        "hr",
        &["u-1,lin,,IAM_USER,active,,", "u-2,chen,,IAM_USER,active,,", "u-3,wu,,IAM_USER,active,,"],
    );
    sync(&app).await;
    let caller = app.engineer(&lin);
    for filter in [json!({}), json!({ "engineerIds": [lin, chen] })] {
        let document = "subscription($after: String, $filter: StatusChangeFilter) {
            confirmationStatusChanged(after: $after, filter: $filter) { engineerId engineer { name } } }";
        let mut socket = caller.connect().await;
        let stream = socket.subscribe(document, json!({ "after": begin, "filter": filter })).await;
        // Requested and handed over, but the last.
        for _ in 0..9 {
            let change = socket.next(&stream).await;
            assert_eq!(
                change["confirmationStatusChanged"],
                json!({ "engineerId": lin, "engineer": { "name": "lin" } })
            );
        }
    }
    let document = "subscription($after: String) { engineerChanged(after: $after) {
        kind engineerId engineer { name } directorySync { id } count } }";
    let mut socket = caller.connect().await;
    let stream = socket.subscribe(document, json!({ "after": begin })).await;
    for _ in 0..5 {
        let change = socket.next(&stream).await["engineerChanged"].take();
        assert_eq!((&change["kind"], &change["engineerId"]), (&json!("UPDATED"), &json!(lin)));
    }
    let last = socket.next(&stream).await["engineerChanged"].take();
    let bare =
        json!({ "kind": "ROLL_CHANGED", "engineerId": null, "engineer": null, "directorySync": null, "count": null });
    assert_eq!(last, bare, "that something changed, and no more");
}
