//! Adding and editing engineers: what is taken, what is refused, at which field and with which parameters.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{ADD, UPDATE, add, entries, stranger_admin, sync_people, text, update};
use crate::harness::{
    app::{Caller, Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    someone_is_added_by_hand_with_all_that_they_bring
    everything_wrong_with_new_people_is_told_at_once_field_by_field
    nobody_is_added_by_hand_twice
    the_same_values_are_no_edit
    what_is_left_out_stays_and_null_clears
    an_edit_on_an_old_version_is_refused_and_an_unchecked_one_is_not
    only_those_who_may_edit_and_others_learn_nothing
}

/// A webhook of each robot that has a fixed one here.
pub(super) const WECOM: &str =
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0123abcd-0123-4567-89ab-0123456789ab";
pub(super) const LARK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/0123abcd-0123-4567-89ab-012345678e9f";

/// What was refused: code, field path, and parameters.
fn refused(payload: &Value) -> Vec<(String, Value, Value)> {
    assert_eq!(payload["engineer"], Value::Null, "refused, nothing is shown as changed");
    let param = |param: &Value| (text(&param["name"]), param["value"].clone());
    entries(&payload["userErrors"])
        .iter()
        .map(|error| {
            let params: serde_json::Map<_, _> = entries(&error["params"]).iter().map(param).collect();
            (text(&error["code"]), error["field"].clone(), Value::Object(params))
        })
        .collect()
}

async fn try_add(caller: &Caller<'_>, input: Value) -> Vec<(String, Value, Value)> {
    refused(&caller.data(ADD, json!({ "input": input })).await["addEngineer"])
}

pub(super) async fn try_update(caller: &Caller<'_>, input: Value) -> Vec<(String, Value, Value)> {
    refused(&caller.data(UPDATE, json!({ "input": input })).await["updateEngineer"])
}

/// Code and field path of each.
pub(super) fn places(refusals: &[(String, Value, Value)]) -> Vec<(&str, Vec<String>)> {
    let path = |field: &Value| entries(field).iter().map(text).collect();
    refusals.iter().map(|(code, field, _)| (code.as_str(), path(field))).collect()
}

pub(super) fn path(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|&part| part.to_owned()).collect()
}

async fn someone_is_added_by_hand_with_all_that_they_bring(database: Database) {
    let app = TestApp::start(database).await;
    let added = add(
        &app.admin(),
        json!({ "name": "  林薇 ", "alias": " Lin Wei ", "userType": "VIRTUAL_USER_SSO", "identityProvider": "corp-idp",
            "locale": "ZH-cn", "mobile": "138 0013 8001", "email": " Lin@Demo.EXAMPLE ",
            "endpoints": [{ "kind": "WECOM", "value": WECOM }, { "kind": "SMS", "value": "+86 138-0013-8001" }] }),
    )
    .await;
    let shown: Vec<_> =
        ["name", "alias", "userType", "identityProvider", "locale", "mobile", "email", "directoryState"]
            .iter()
            .map(|field| text(&added[field]))
            .collect();
    assert_eq!(
        shown,
        ["林薇", "Lin Wei", "VIRTUAL_USER_SSO", "corp-idp", "zh-CN", "+8613800138001", "Lin@demo.example", "ACTIVE"]
    );
    for absent in ["directory", "externalId", "syncedAt"] {
        assert_eq!(added[absent], Value::Null, "{absent}");
    }
    let statuses: Vec<_> =
        entries(&added["channels"]).iter().map(|one| (text(&one["kind"]), text(&one["status"]))).collect();
    let expected = [
        ("SMS", "REQUESTED"),
        ("VOICE", "REQUESTED"),
        ("EMAIL", "REQUESTED"),
        ("WECOM", "NOT_REQUIRED"),
        ("DINGTALK", "NOT_CONFIGURED"),
        ("LARK", "NOT_CONFIGURED"),
    ];
    assert_eq!(statuses, expected.map(|(kind, status)| (kind.to_owned(), status.to_owned())));
    let least = add(&app.admin(), json!({ "name": "x".repeat(128), "userType": "OTHER" })).await;
    assert!(entries(&least["channels"]).iter().all(|one| one["status"] == "NOT_CONFIGURED"));
    assert_eq!((&least["alias"], &least["locale"], &least["mobile"]), (&json!(null), &json!(null), &json!(null)));
}

async fn everything_wrong_with_new_people_is_told_at_once_field_by_field(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let all_wrong = json!({ "name": " ", "userType": "VIRTUAL_USER_SSO", "alias": "a\u{202e}b", "locale": "fr", "mobile": "12",
        "email": "nobody", "endpoints": [{ "kind": "LARK", "value": "http://evil.example" }, { "kind": "SMS", "secret": "x" }] });
    let refusals = try_add(&admin, all_wrong).await;
    assert_eq!(
        places(&refusals),
        [
            ("INVALID_VALUE", path(&["name"])),
            ("INVALID_VALUE", path(&["identityProvider"])),
            ("INVALID_VALUE", path(&["alias"])),
            ("INVALID_VALUE", path(&["locale"])),
            ("INVALID_PHONE_NUMBER", path(&["mobile"])),
            ("INVALID_EMAIL_ADDRESS", path(&["email"])),
            ("INVALID_WEBHOOK", path(&["endpoints", "0", "value"])),
            ("INVALID_VALUE", path(&["endpoints", "1", "secret"])),
        ]
    );
    assert!(refusals.iter().all(|(_, _, params)| params["reason"].is_string()), "{refusals:?}");
    assert_eq!(refusals[2].2, json!({ "reason": "INVISIBLE_CHARACTER" }));
    assert_eq!(refusals[4].2, json!({ "reason": "TOO_SHORT" }));

    let name = |name: &str| json!({ "name": name, "userType": "OTHER" });
    let table = [
        (name(""), "name", "INVALID_VALUE"),
        (name("\t\n "), "name", "INVALID_VALUE"),
        (name("a\nb"), "name", "INVALID_VALUE"),
        (name("a\u{0}b"), "name", "INVALID_VALUE"),
        (name("a\u{1b}[31mb"), "name", "INVALID_VALUE"),
        (name("a\u{202e}b"), "name", "INVALID_VALUE"),
        (name("a\u{2066}b"), "name", "INVALID_VALUE"),
        (name("a\u{200b}b"), "name", "INVALID_VALUE"),
        (name("\u{feff}a"), "name", "INVALID_VALUE"),
        (name("a\u{2028}b"), "name", "INVALID_VALUE"),
        (name(&"名".repeat(129)), "name", "TOO_LONG"),
        (json!({ "name": "x", "userType": "OTHER", "alias": "a\rb" }), "alias", "INVALID_VALUE"),
        (json!({ "name": "x", "userType": "OTHER", "alias": "x".repeat(129) }), "alias", "TOO_LONG"),
        (
            json!({ "name": "x", "userType": "OTHER", "identityProvider": "a\u{202e}" }),
            "identityProvider",
            "INVALID_VALUE",
        ),
        (json!({ "name": "x", "userType": "VIRTUAL_USER_SSO" }), "identityProvider", "INVALID_VALUE"),
        (
            json!({ "name": "x", "userType": "VIRTUAL_USER_SSO", "identityProvider": null }),
            "identityProvider",
            "INVALID_VALUE",
        ),
        (
            json!({ "name": "x", "userType": "VIRTUAL_USER_SSO", "identityProvider": " " }),
            "identityProvider",
            "INVALID_VALUE",
        ),
        (json!({ "name": "x", "userType": "OTHER", "locale": "zh-TW" }), "locale", "INVALID_VALUE"),
        (json!({ "name": "x", "userType": "OTHER", "email": "a@b@c.example" }), "email", "INVALID_EMAIL_ADDRESS"),
        (json!({ "name": "x", "userType": "OTHER", "mobile": "+999 123456789" }), "mobile", "INVALID_PHONE_NUMBER"),
    ];
    for (input, field, code) in table {
        let refusals = try_add(&admin, input.clone()).await;
        assert_eq!(places(&refusals), [(code, path(&[field]))], "{input}");
        if code == "TOO_LONG" {
            assert_eq!(refusals[0].2, json!({ "limit": "128" }));
        }
    }
    let nobody = admin.data("{ engineers { totalCount } }", json!({})).await;
    assert_eq!(nobody["engineers"]["totalCount"], 0, "nobody was added on the way");
}

async fn nobody_is_added_by_hand_twice(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let person =
        |name: &str, provider: Option<&str>| json!({ "name": name, "userType": "OTHER", "identityProvider": provider });
    let twice = [("ALREADY_EXISTS", path(&["name"]))];
    let first = add(&admin, person("lin.wei", None)).await;
    assert_eq!(places(&try_add(&admin, person("lin.wei", None)).await), twice);
    assert_eq!(places(&try_add(&admin, person(" lin.wei ", None)).await), twice);
    add(&admin, person("Lin.Wei", None)).await;
    add(&admin, person("lin.wei", Some("corp-idp"))).await;
    assert_eq!(places(&try_add(&admin, person("lin.wei", Some("corp-idp"))).await), twice);
    add(&stranger_admin(&app), person("lin.wei", None)).await;
    let delete = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    admin.data(delete, json!({ "id": first["id"] })).await;
    add(&admin, person("lin.wei", None)).await;

    // People of directories are others, however many have the name.
    sync_people(
        &app,
        &["u-1,wang.wei,,OTHER,active,,", "u-2,wang.wei,,OTHER,active,,", "u-3,wang.wei,,OTHER,active,,"],
    )
    .await;
    add(&admin, person("wang.wei", None)).await;
    assert_eq!(places(&try_add(&admin, person("wang.wei", None)).await), twice);

    let (one, two) = (app.admin(), app.admin());
    let input = json!({ "input": person("at.once", None) });
    let (one, two, three) =
        tokio::join!(one.data(ADD, input.clone()), two.data(ADD, input.clone()), admin.data(ADD, input));
    let added = [one, two, three].iter().filter(|data| !data["addEngineer"]["engineer"].is_null()).count();
    assert_eq!(added, 1, "of three at once");
}

/// Someone with everything that can be edited, already asked.
async fn add_with_everything(app: &TestApp) -> Value {
    let full = json!({ "name": "lin.wei", "userType": "OTHER", "alias": "林薇", "locale": "zh-CN", "mobile": "13800138001",
        "email": "lin@demo.example", "endpoints": [{ "kind": "LARK", "value": LARK }] });
    let id = add(&app.admin(), full).await["id"].clone();
    app.run_workers().await;
    id
}

async fn the_same_values_are_no_edit(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let id = add_with_everything(&app).await;
    let before = update(&admin, json!({ "id": id })).await;
    let same = json!({ "id": id, "alias": "林薇", "locale": "zh-CN", "mobile": "+86 138 0013 8001", "email": "lin@demo.example",
        "endpoints": [{ "kind": "LARK" }, { "kind": "LARK", "value": LARK }] });
    assert_eq!(places(&try_update(&admin, same.clone()).await), [("INVALID_VALUE", path(&["endpoints", "1", "kind"]))]);
    app.clock.advance(chrono::Duration::minutes(5));
    let again = update(
        &admin,
        json!({ "id": id, "alias": "林薇", "locale": "zh", "mobile": "+86 138 0013 8001",
        "email": "lin@demo.example", "endpoints": [{ "kind": "LARK", "value": LARK }] }),
    )
    .await;
    assert_eq!(
        (&again["version"], &again["updatedAt"]),
        (&before["version"], &before["updatedAt"]),
        "the same is no edit"
    );
    assert_eq!(channel(&again, "SMS")["status"], "PENDING", "and asks for nothing");
}

async fn what_is_left_out_stays_and_null_clears(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let id = add_with_everything(&app).await;
    let all = ["alias", "locale", "mobile", "email"];
    let before = update(&admin, json!({ "id": id })).await;
    assert_eq!(all.map(|field| text(&before[field])), ["林薇", "zh-CN", "+8613800138001", "lin@demo.example"]);
    let mut expected = before.clone();
    for field in all {
        let cleared = update(&admin, json!({ "id": id, field: null })).await;
        expected[field] = Value::Null;
        assert_eq!(all.map(|field| &cleared[field]), all.map(|field| &expected[field]), "{field}");
    }
    let cleared = update(&admin, json!({ "id": id, "endpoints": [] })).await;
    assert_eq!(channel(&cleared, "LARK")["status"], "NOT_REQUIRED");
    let cleared = update(&admin, json!({ "id": id, "endpoints": null })).await;
    assert_eq!(channel(&cleared, "LARK")["status"], "NOT_REQUIRED");
    let cleared = update(&admin, json!({ "id": id, "endpoints": [{ "kind": "LARK", "value": null }] })).await;
    assert!(entries(&cleared["channels"]).iter().all(|one| one["status"] == "NOT_CONFIGURED"), "{cleared}");
    let blank = update(&admin, json!({ "id": id, "alias": "  " })).await;
    assert_eq!(blank["alias"], Value::Null);
    for (field, code) in
        [("mobile", "INVALID_PHONE_NUMBER"), ("email", "INVALID_EMAIL_ADDRESS"), ("locale", "INVALID_VALUE")]
    {
        assert_eq!(places(&try_update(&admin, json!({ "id": id, field: " " })).await), [(code, path(&[field]))]);
    }
    // Refused in one field, an edit changes none.
    let half = try_update(&admin, json!({ "id": id, "alias": "new", "mobile": "x" })).await;
    assert_eq!(places(&half), [("INVALID_PHONE_NUMBER", path(&["mobile"]))]);
    assert_eq!(update(&admin, json!({ "id": id })).await["alias"], Value::Null);
}

async fn an_edit_on_an_old_version_is_refused_and_an_unchecked_one_is_not(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    sync_people(&app, &["u-1,lin.wei,,OTHER,active,,lin@demo.example"]).await;
    let lin = admin.find("lin.wei").await;
    let (id, version) = (lin["id"].clone(), lin["version"].as_i64().unwrap());
    let edited = update(&admin, json!({ "id": id, "version": version, "alias": "one" })).await;
    assert_eq!(edited["version"], version + 1);
    for stale in [version, version + 2, -1] {
        let refusals = try_update(&admin, json!({ "id": id, "version": stale, "alias": "two" })).await;
        let conflict =
            ("VERSION_CONFLICT".to_owned(), json!(["version"]), json!({ "version": (version + 1).to_string() }));
        assert_eq!(refusals, [conflict]);
    }
    assert_eq!(admin.find("lin.wei").await["alias"], "one");
    assert_eq!(update(&admin, json!({ "id": id, "alias": "three" })).await["version"], version + 2);
    assert_eq!(update(&admin, json!({ "id": id, "version": null, "alias": "four" })).await["version"], version + 3);
    // Only edits count: not what happens to the channels, and not what the directory says.
    let subscribe = "mutation($id: ID!) { subscribeChannels(input: { engineerIds: [$id], channels: [EMAIL] }) { outcomes { status } } }";
    assert_eq!(
        admin.data(subscribe, json!({ "id": id })).await["subscribeChannels"]["outcomes"][0]["status"],
        "REQUESTED"
    );
    app.run_workers().await;
    sync_people(&app, &["u-1,lin.wei,,OTHER,disabled,,lin@demo.example"]).await;
    let lin = admin.find("lin.wei").await;
    assert_eq!((&lin["version"], &lin["directoryState"]), (&json!(version + 3), &json!("DISABLED")));
}

async fn only_those_who_may_edit_and_others_learn_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add(&app.admin(), json!({ "name": "lin.wei", "userType": "OTHER" })).await["id"].clone();
    let zhang = add(&app.admin(), json!({ "name": "zhang.wei", "userType": "OTHER" })).await["id"].clone();
    let edit = |id: &Value| json!({ "id": id, "alias": "new" });
    let code =
        |refusals: Vec<(String, Value, Value)>| refusals.into_iter().map(|(code, _, _)| code).collect::<Vec<_>>();
    assert_eq!(code(try_update(&app.caller(Role::Viewer), edit(&lin)).await), ["NOT_ALLOWED"]);
    assert_eq!(
        code(try_add(&app.caller(Role::Viewer), json!({ "name": "x", "userType": "OTHER" })).await),
        ["NOT_ALLOWED"]
    );
    assert_eq!(
        code(try_add(&app.engineer(&text(&lin)), json!({ "name": "x", "userType": "OTHER" })).await),
        ["NOT_ALLOWED"]
    );
    for unknown in [json!("engineer:ffffffffffffffffffffffffffffffff"), json!("nonsense"), json!("")] {
        for caller in [app.admin(), app.engineer(&text(&lin)), app.caller(Role::Operator)] {
            assert_eq!(places(&try_update(&caller, edit(&unknown)).await), [("NOT_FOUND", path(&["id"]))]);
        }
    }
    assert_eq!(places(&try_update(&stranger_admin(&app), edit(&lin)).await), [("NOT_FOUND", path(&["id"]))]);
    assert_eq!(places(&try_update(&app.engineer(&text(&lin)), edit(&zhang)).await), [("NOT_FOUND", path(&["id"]))]);
    assert_eq!(update(&app.engineer(&text(&lin)), edit(&lin)).await["alias"], "new");
    assert_eq!(update(&app.caller(Role::Operator), edit(&zhang)).await["alias"], "new");
}
