//! Mutations on many things at once, and on runs: one outcome for each thing, and refusals where they belong.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{add, entries, stranger_admin, sync_people, text, update};
use crate::harness::{
    app::{Caller, Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    deleting_and_restoring_tell_of_each_id
    only_those_who_may_delete_and_not_too_many_at_once
    subscribing_tells_of_each_channel_why_not
    cancelling_tells_of_each_channel
    people_are_named_by_ids_or_by_a_filter
    runs_are_asked_for_by_those_who_may
}

const DELETE: &str = "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) { deletedEngineerIds
    outcomes { engineerId userError { code field } } userErrors { code field } } }";
const RESTORE: &str =
    "mutation($input: RestoreEngineersInput!) { restoreEngineers(input: $input) { engineers { id name }
    outcomes { engineerId userError { code field } } userErrors { code field } } }";
pub(super) const SUBSCRIBE: &str = "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) {
    outcomes { engineerId engineer { name } channel status userError { code field params { name value } } }
    userErrors { code field } } }";
const CANCEL: &str = "mutation($input: CancelChannelsInput!) { cancelChannels(input: $input) {
    outcomes { engineerId channel status userError { code field } } userErrors { code field } } }";

pub(super) async fn run(caller: &Caller<'_>, mutation: &str, input: Value) -> Value {
    let data = caller.data(mutation, json!({ "input": input })).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

pub(super) const NOBODY: &str = "engineer:ffffffffffffffffffffffffffffffff";

/// What is told of one id: that it was done, or where there is nobody.
fn outcome(id: &Value, nobody_at: Option<[&str; 2]>) -> Value {
    let error = nobody_at.map(|field| json!({ "code": "NOT_FOUND", "field": field }));
    json!({ "engineerId": id, "userError": error })
}

async fn deleting_and_restoring_tell_of_each_id(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin =
        add(&admin, json!({ "name": "lin", "userType": "OTHER", "email": "lin@demo.example" })).await["id"].clone();
    let zhang = add(&admin, json!({ "name": "zhang", "userType": "OTHER" })).await["id"].clone();
    let foreign = add(&stranger_admin(&app), json!({ "name": "foreign", "userType": "OTHER" })).await["id"].clone();
    let ids = json!([lin, NOBODY, "nonsense", lin, foreign]);
    let deleted = run(&admin, DELETE, json!({ "ids": ids })).await;
    assert_eq!(deleted["deletedEngineerIds"], json!([lin]));
    assert_eq!(deleted["userErrors"], json!([]));
    let expected = json!([
        outcome(&lin, None),
        outcome(&json!(NOBODY), Some(["ids", "1"])),
        outcome(&json!("nonsense"), Some(["ids", "2"])),
        outcome(&foreign, Some(["ids", "4"])),
    ]);
    assert_eq!(deleted["outcomes"], expected);
    let again = run(&admin, DELETE, json!({ "ids": [lin] })).await;
    assert_eq!(again["outcomes"], json!([outcome(&lin, Some(["ids", "0"]))]), "deleted people are not there");
    assert_eq!(run(&stranger_admin(&app), RESTORE, json!({ "ids": [lin] })).await["engineers"], json!([]));

    let restored = run(&admin, RESTORE, json!({ "ids": [zhang, lin, NOBODY] })).await;
    assert_eq!(restored["engineers"], json!([{ "id": lin, "name": "lin" }]));
    let expected =
        json!([outcome(&zhang, Some(["ids", "0"])), outcome(&lin, None), outcome(&json!(NOBODY), Some(["ids", "2"])),]);
    assert_eq!(restored["outcomes"], expected);
    assert_eq!(channel(&admin.find("lin").await, "EMAIL")["status"], "REQUESTED", "all that they had is back");

    let erased = run(&admin, DELETE, json!({ "ids": [zhang], "eraseNow": true })).await;
    assert_eq!(erased["deletedEngineerIds"], json!([zhang]));
    assert_eq!(
        run(&admin, RESTORE, json!({ "ids": [zhang] })).await["outcomes"],
        json!([outcome(&zhang, Some(["ids", "0"]))])
    );
}

async fn only_those_who_may_delete_and_not_too_many_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = add(&admin, json!({ "name": "lin", "userType": "OTHER" })).await["id"].clone();
    let not_allowed = json!([{ "code": "NOT_ALLOWED", "field": null }]);
    for role in [Role::Viewer, Role::Operator] {
        let refused = run(&app.caller(role), DELETE, json!({ "ids": [lin], "eraseNow": true })).await;
        assert_eq!((&refused["userErrors"], &refused["outcomes"]), (&not_allowed, &json!([])));
    }
    for mutation in [DELETE, RESTORE] {
        let herself = app.engineer(&text(&lin));
        assert_eq!(run(&herself, mutation, json!({ "ids": [lin] })).await["userErrors"], not_allowed);
        let many: Vec<_> = (0..1_001).map(|number| format!("engineer:{number:032x}")).collect();
        let refused = run(&admin, mutation, json!({ "ids": many })).await;
        assert_eq!(refused["userErrors"], json!([{ "code": "INVALID_VALUE", "field": ["ids"] }]));
        let none = run(&admin, mutation, json!({ "ids": [] })).await;
        assert_eq!((&none["outcomes"], &none["userErrors"]), (&json!([]), &json!([])));
    }
    assert_eq!(
        entries(&run(&app.caller(Role::Operator), DELETE, json!({ "ids": [lin] })).await["deletedEngineerIds"]).len(),
        1
    );
}

/// Each outcome in short: the engineer's name, channel, status, and why not.
fn told(payload: &Value) -> Vec<String> {
    assert_eq!(payload["userErrors"], json!([]));
    let short = |outcome: &Value| {
        let name = outcome["engineer"]["name"].as_str().unwrap_or("-");
        let reason = outcome["userError"]["code"].as_str().unwrap_or("done");
        format!("{name} {} {} {reason}", text(&outcome["channel"]), text(&outcome["status"]))
    };
    entries(&payload["outcomes"]).iter().map(short).collect()
}

pub(super) async fn fill(app: &TestApp) -> (Value, Value) {
    sync_people(
        app,
        &[
            "u-1,lin,,OTHER,active,+8613800138001,lin@demo.example",
            "u-2,off,,OTHER,disabled,,off@demo.example",
            "u-3,empty,,OTHER,active,,",
        ],
    )
    .await;
    (app.admin().find("lin").await["id"].clone(), app.admin().find("off").await["id"].clone())
}

async fn subscribing_tells_of_each_channel_why_not(database: Database) {
    let app = TestApp::start(database).await;
    let (lin, off) = fill(&app).await;
    let admin = app.admin();
    let webhook = "https://open.feishu.cn/open-apis/bot/v2/hook/0123abcd-0123-4567-89ab-0123456789ab";
    update(&admin, json!({ "id": lin, "endpoints": [{ "kind": "LARK", "value": webhook }] })).await;
    let input = json!({ "engineerIds": [lin, off, NOBODY, "nonsense"], "channels": ["EMAIL", "SMS", "LARK", "EMAIL"] });
    let done = run(&admin, SUBSCRIBE, input.clone()).await;
    assert_eq!(
        told(&done),
        [
            "lin SMS REQUESTED done",
            "lin EMAIL REQUESTED done",
            "lin LARK NOT_REQUIRED NOT_NEEDED",
            "off SMS NOT_CONFIGURED NO_ENDPOINT",
            "off EMAIL UNSUBSCRIBED ENGINEER_INACTIVE",
            "off LARK NOT_CONFIGURED NOT_NEEDED",
            "- SMS NOT_CONFIGURED NOT_FOUND",
            "- EMAIL NOT_CONFIGURED NOT_FOUND",
            "- LARK NOT_CONFIGURED NOT_FOUND",
            "- SMS NOT_CONFIGURED NOT_FOUND",
            "- EMAIL NOT_CONFIGURED NOT_FOUND",
            "- LARK NOT_CONFIGURED NOT_FOUND",
        ]
    );
    assert_eq!(done["outcomes"][6]["userError"]["field"], json!(["engineerIds", "2"]));
    assert_eq!(done["outcomes"][9]["userError"]["field"], json!(["engineerIds", "3"]));
    let again = run(&admin, SUBSCRIBE, json!({ "engineerIds": [lin], "channels": ["EMAIL"] })).await;
    assert_eq!(told(&again), ["lin EMAIL REQUESTED IN_PROGRESS"]);
    app.run_workers().await;
    let soon = run(&admin, SUBSCRIBE, json!({ "engineerIds": [lin], "channels": ["EMAIL"] })).await;
    assert_eq!(told(&soon), ["lin EMAIL PENDING RATE_LIMITED"]);
    let params = json!([{ "name": "nextRequestAt", "value": "2025-01-15T08:10:10.000Z" }]);
    assert_eq!(soon["outcomes"][0]["userError"]["params"], params);
    let all = run(&admin, SUBSCRIBE, json!({ "engineerIds": [lin, off] })).await;
    assert_eq!(told(&all), ["lin VOICE REQUESTED done"], "left out, only what can be asked for is");

    let herself = app.engineer(&text(&lin));
    assert_eq!(
        run(&herself, SUBSCRIBE, json!({ "engineerIds": [off], "channels": ["EMAIL"] })).await["outcomes"][0]["userError"]
            ["code"],
        "NOT_FOUND"
    );
    let lift = run(&herself, SUBSCRIBE, json!({ "engineerIds": [lin], "liftOptOut": true })).await;
    assert_eq!(lift["userErrors"], json!([{ "code": "NOT_ALLOWED", "field": ["liftOptOut"] }]));
    let viewer =
        run(&app.caller(Role::Viewer), SUBSCRIBE, json!({ "engineerIds": [lin], "channels": ["EMAIL"] })).await;
    assert_eq!(viewer["outcomes"][0]["userError"]["code"], "NOT_ALLOWED");
}

async fn cancelling_tells_of_each_channel(database: Database) {
    let app = TestApp::start(database).await;
    let (lin, off) = fill(&app).await;
    let admin = app.admin();
    run(&admin, SUBSCRIBE, json!({ "engineerIds": [lin], "channels": ["EMAIL", "SMS"] })).await;
    app.run_workers().await;
    let input = json!({ "engineerIds": [lin, NOBODY], "channels": ["EMAIL", "DINGTALK", "WECOM"] });
    assert_eq!(
        told(&run(&admin, CANCEL, input).await),
        [
            "- EMAIL UNSUBSCRIBED done",
            "- WECOM NOT_CONFIGURED NOT_NEEDED",
            "- DINGTALK NOT_CONFIGURED NOT_NEEDED",
            "- EMAIL NOT_CONFIGURED NOT_FOUND",
            "- WECOM NOT_CONFIGURED NOT_FOUND",
            "- DINGTALK NOT_CONFIGURED NOT_FOUND",
        ]
    );
    let rest = run(&admin, CANCEL, json!({ "engineerIds": [lin, off] })).await;
    assert_eq!(told(&rest), ["- SMS UNSUBSCRIBED done"], "left out, only what was asked for is cancelled");
    let viewer = run(&app.caller(Role::Viewer), CANCEL, json!({ "engineerIds": [lin], "channels": ["SMS"] })).await;
    assert_eq!(viewer["outcomes"][0]["userError"]["code"], "NOT_ALLOWED");
}

async fn people_are_named_by_ids_or_by_a_filter(database: Database) {
    let app = TestApp::start(database).await;
    let (lin, _) = fill(&app).await;
    let admin = app.admin();
    let at_ids = json!([{ "code": "INVALID_VALUE", "field": ["engineerIds"] }]);
    for mutation in [SUBSCRIBE, CANCEL] {
        for input in
            [json!({}), json!({ "engineerIds": [lin], "filter": {} }), json!({ "engineerIds": null, "filter": null })]
        {
            let refused = run(&admin, mutation, input).await;
            assert_eq!((&refused["userErrors"], &refused["outcomes"]), (&at_ids, &json!([])));
        }
        let many: Vec<_> = (0..1_001).map(|number| format!("engineer:{number:032x}")).collect();
        assert_eq!(run(&admin, mutation, json!({ "engineerIds": many })).await["userErrors"], at_ids);
        assert_eq!(run(&admin, mutation, json!({ "engineerIds": [] })).await["outcomes"], json!([]));
        assert_eq!(run(&admin, mutation, json!({ "filter": { "ids": [] } })).await["outcomes"], json!([]));
        assert_eq!(run(&admin, mutation, json!({ "engineerIds": [lin], "channels": [] })).await["outcomes"], json!([]));
    }
    let by_filter = run(&admin, SUBSCRIBE, json!({ "filter": { "search": "13800138001" } })).await;
    assert_eq!(told(&by_filter), ["lin SMS REQUESTED done", "lin VOICE REQUESTED done", "lin EMAIL REQUESTED done"]);
    assert_eq!(
        run(&app.engineer(&text(&lin)), CANCEL, json!({ "filter": {} })).await["outcomes"].as_array().unwrap().len(),
        3
    );
    let viewer = run(&app.caller(Role::Viewer), SUBSCRIBE, json!({ "filter": { "search": "13800138001" } })).await;
    assert_eq!(told(&viewer), [""; 0], "a VIEWER finds nobody by their number");
}

async fn runs_are_asked_for_by_those_who_may(database: Database) {
    let app = TestApp::start(database).await;
    let sync = "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) {
        directorySync { id directory state dryRun confirmRemovals restoreDeleted requestedBy counts { total done } startedAt }
        userErrors { code field } } }";
    let queued = run(&app.caller(Role::Operator), sync, json!({ "directory": "hr", "dryRun": true })).await;
    let shown = queued["directorySync"].clone();
    assert_eq!(
        (&shown["state"], &shown["dryRun"], &shown["requestedBy"], &shown["startedAt"]),
        (&json!("QUEUED"), &json!(true), &json!("tester"), &json!(null))
    );
    let at_directory = json!([{ "code": "NOT_FOUND", "field": ["directory"] }]);
    for unknown in
        [json!({ "directory": "HR" }), json!({ "directory": "" }), json!({ "directory": "h\u{0}r" }), json!({})]
    {
        let refused = run(&app.admin(), sync, unknown).await;
        assert_eq!((&refused["userErrors"], &refused["directorySync"]), (&at_directory, &json!(null)));
    }
    assert_eq!(
        run(&stranger_admin(&app), sync, json!({})).await["directorySync"]["directory"],
        "hr",
        "the only one there is"
    );
    let refresh = "mutation($input: RefreshConfirmationsInput!) { refreshConfirmations(input: $input) {
        confirmationSync { wantedAt startedAt completedAt } clientMutationId userErrors { code field } } }";
    let wished = run(&app.admin(), refresh, json!({ "clientMutationId": "a \u{0} b" })).await;
    assert_eq!(wished["confirmationSync"]["wantedAt"], "2025-01-15T08:09:10.000Z");
    assert_eq!(wished["clientMutationId"], "a \u{0} b");
    app.run_workers().await;
    let not_allowed = json!([{ "code": "NOT_ALLOWED", "field": null }]);
    sync_people(&app, &["u-1,lin,,OTHER,active,,"]).await;
    let lin = text(&app.admin().find("lin").await["id"]);
    for caller in [app.caller(Role::Viewer), app.engineer(&lin)] {
        assert_eq!(run(&caller, sync, json!({ "directory": "hr" })).await["userErrors"], not_allowed);
        assert_eq!(run(&caller, refresh, json!({})).await["userErrors"], not_allowed);
    }
}
