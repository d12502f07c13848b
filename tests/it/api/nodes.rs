//! Ids, and finding anything by them.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{entries, stranger_admin, sync_people, text, update};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    every_kind_of_node_is_found_by_its_id
    an_id_of_another_kind_or_of_nothing_reads_as_null
    another_accounts_ids_read_like_unknown_ones
    an_engineer_finds_only_what_is_theirs
    nodes_keep_the_order_of_the_ids
}

const NODE: &str = "query($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";

/// One id of each kind, with the kind's name, after a sync and an edit of lin.wei.
async fn one_of_each(app: &TestApp) -> Vec<(&'static str, String)> {
    sync_people(app, &["u-1,lin.wei,,IAM_USER,active,,", "u-2,zhang.wei,,IAM_USER,active,,"]).await;
    let admin = app.admin();
    let lin = admin.find("lin.wei").await;
    update(&admin, json!({ "id": lin["id"], "email": "lin@demo.example" })).await;
    let all = "{ rosterSummary { id } statusChanges { nodes { id } } directorySyncs { nodes { id } } }";
    let data = admin.data(all, json!({})).await;
    vec![
        ("Engineer", text(&lin["id"])),
        ("Channel", text(&lin["channels"][2]["id"])),
        ("StatusChange", text(&data["statusChanges"]["nodes"][0]["id"])),
        ("DirectorySync", text(&data["directorySyncs"]["nodes"][0]["id"])),
        ("RosterSummary", text(&data["rosterSummary"]["id"])),
    ]
}

async fn every_kind_of_node_is_found_by_its_id(database: Database) {
    let app = TestApp::start(database).await;
    let known = one_of_each(&app).await;
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        for (kind, id) in &known {
            let found = app.caller(role).data(NODE, json!({ "id": id })).await["node"].clone();
            assert_eq!(found, json!({ "__typename": kind, "id": id }));
        }
    }
    let more = "query($e: ID!, $c: ID!, $s: ID!, $d: ID!, $r: ID!) {
        e: node(id: $e) { ... on Engineer { name } } c: node(id: $c) { ... on Channel { kind status endpointMasked } }
        s: node(id: $s) { ... on StatusChange { to engineer { name } cursor } }
        d: node(id: $d) { ... on DirectorySync { state counts { added } } }
        r: node(id: $r) { ... on RosterSummary { engineers } } }";
    let id = |place: usize| known[place].1.clone();
    let data = app.admin().data(more, json!({ "e": id(0), "c": id(1), "s": id(2), "d": id(3), "r": id(4) })).await;
    assert_eq!(data["e"]["name"], "lin.wei");
    assert_eq!((&data["c"]["kind"], &data["c"]["status"]), (&json!("EMAIL"), &json!("REQUESTED")));
    assert_eq!((&data["s"]["to"], &data["s"]["engineer"]["name"]), (&json!("REQUESTED"), &json!("lin.wei")));
    assert_eq!((&data["d"]["state"], &data["d"]["counts"]["added"]), (&json!("SUCCEEDED"), &json!(2)));
    assert_eq!(data["r"]["engineers"], 2);
}

async fn an_id_of_another_kind_or_of_nothing_reads_as_null(database: Database) {
    let app = TestApp::start(database).await;
    let known = one_of_each(&app).await;
    let by_kind = "query($id: ID!) { engineer(id: $id) { id } directorySync(id: $id) { id } }";
    for (kind, id) in &known {
        let data = app.admin().data(by_kind, json!({ "id": id })).await;
        assert_eq!(data["engineer"].is_null(), *kind != "Engineer", "{id}");
        assert_eq!(data["directorySync"].is_null(), *kind != "DirectorySync", "{id}");
    }
    let engineer = &known[0].1;
    let key = engineer.split_once(':').unwrap().1.to_owned();
    let malformed = [
        String::new(),
        "nonsense".to_owned(),
        key.clone(),
        format!(" {engineer}"),
        format!("{engineer} "),
        format!("{engineer}0"),
        engineer.chars().take(engineer.len() - 1).collect(),
        engineer.to_uppercase(),
        format!("person:{key}"),
        format!("status-change:{key}"),
        format!("directory-sync:{key}"),
        format!("channel:{key}"),
        format!("channel:{key}.FAX"),
        format!("channel:{key}.EMAIL.EMAIL"),
        format!("roster-summary:{key}"),
        "roster-summary:nowhere".to_owned(),
        "engineer:ffffffffffffffffffffffffffffffff".to_owned(),
        "channel:ffffffffffffffffffffffffffffffff.EMAIL".to_owned(),
        "engineer:\u{0}".to_owned(),
        "工程师".to_owned(),
        "x".repeat(10_000),
    ];
    for id in &malformed {
        assert_eq!(app.admin().data(NODE, json!({ "id": id })).await, json!({ "node": null }), "{id}");
        let data = app.admin().data(by_kind, json!({ "id": id })).await;
        assert_eq!(data, json!({ "engineer": null, "directorySync": null }), "{id}");
    }
    assert_eq!(
        app.admin().data(NODE, json!({ "id": 7 })).await,
        json!({ "node": null }),
        "GraphQL takes numbers for ids"
    );
    let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    app.admin().data(delete, json!({ "id": engineer })).await;
    for id in [engineer, &known[1].1] {
        assert_eq!(app.admin().data(NODE, json!({ "id": id })).await, json!({ "node": null }), "deleted");
    }
}

async fn another_accounts_ids_read_like_unknown_ones(database: Database) {
    let app = TestApp::start(database).await;
    let known = one_of_each(&app).await;
    let other = stranger_admin(&app);
    let ids: Vec<_> = known.iter().map(|(_, id)| id).collect();
    assert_eq!(other.data(NODES, json!({ "ids": ids })).await["nodes"], json!([null, null, null, null, null]));
    for (_, id) in &known {
        assert_eq!(other.data(NODE, json!({ "id": id })).await, json!({ "node": null }));
    }
    let lists = "{ engineers { totalCount } statusChanges { totalCount } directorySyncs { totalCount } }";
    for list in ["engineers", "statusChanges", "directorySyncs"] {
        assert_eq!(other.data(lists, json!({})).await[list]["totalCount"], 0, "{list}");
    }
}

async fn an_engineer_finds_only_what_is_theirs(database: Database) {
    let app = TestApp::start(database).await;
    let known = one_of_each(&app).await;
    let zhang = text(&app.admin().find("zhang.wei").await["id"]);
    let kinds = |nodes: &Value| entries(nodes).iter().map(|node| node["__typename"].clone()).collect::<Vec<_>>();
    let ids: Vec<_> = known.iter().map(|(_, id)| id.clone()).chain([zhang.clone()]).collect();
    let herself = app.engineer(&known[0].1).data(NODES, json!({ "ids": ids })).await;
    assert_eq!(
        kinds(&herself["nodes"]),
        [json!("Engineer"), json!("Channel"), json!("StatusChange"), json!(null), json!(null), json!(null)]
    );
    let another = app.engineer(&zhang).data(NODES, json!({ "ids": ids })).await;
    assert_eq!(
        kinds(&another["nodes"]),
        [json!(null), json!(null), json!(null), json!(null), json!(null), json!("Engineer")]
    );
    for field in ["rosterSummary { engineers }", "directorySyncs { totalCount }"] {
        assert_eq!(app.engineer(&zhang).error(&format!("{{ {field} }}"), json!({})).await, "FORBIDDEN");
    }
}

async fn nodes_keep_the_order_of_the_ids(database: Database) {
    let app = TestApp::start(database).await;
    let known = one_of_each(&app).await;
    let id = |place: usize| known[place].1.as_str();
    let ids =
        [id(4), "nonsense", id(0), id(3), id(0), "engineer:ffffffffffffffffffffffffffffffff", id(2), id(1), id(4)];
    let found = app.admin().data(NODES, json!({ "ids": ids })).await["nodes"].clone();
    let got: Vec<_> = entries(&found).iter().map(|node| node["id"].as_str()).collect();
    assert_eq!(
        got,
        [Some(id(4)), None, Some(id(0)), Some(id(3)), Some(id(0)), None, Some(id(2)), Some(id(1)), Some(id(4))]
    );
    assert_eq!(app.admin().data(NODES, json!({ "ids": [] })).await["nodes"], json!([]));
    let many = |count: usize| json!({ "ids": vec!["nonsense"; count] });
    assert_eq!(entries(&app.admin().data(NODES, many(100)).await["nodes"]).len(), 100);
    assert_eq!(app.admin().error(NODES, many(101)).await, "BAD_USER_INPUT");
}
