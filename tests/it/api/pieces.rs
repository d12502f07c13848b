//! The caller, the kinds of channels, the live cursor, and the forms of what the API gives out.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{add, each, entries, sync_people, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    the_viewer_is_told_who_they_are_and_what_they_may
    the_kinds_of_channels_say_what_their_forms_ask
    channels_come_in_the_order_of_their_kinds
    the_live_cursor_is_opaque_and_moves_with_the_log
    a_stream_goes_on_from_a_live_cursor_or_a_listed_one
    moments_are_utc_with_milliseconds
}

async fn the_viewer_is_told_who_they_are_and_what_they_may(database: Database) {
    let app = TestApp::start(database).await;
    sync_people(&app, &["u-1,lin,,OTHER,active,,"]).await;
    let query = "{ viewer { subject account { id name } roles permissions engineer { name } tokenExpiresAt } }";
    let lin = text(&app.admin().find("lin").await["id"]);
    let all = [
        "VIEW_ROLL",
        "VIEW_CONTACTS",
        "EDIT_ENGINEERS",
        "SUBSCRIBE_CHANNELS",
        "SYNC_DIRECTORIES",
        "DELETE_ENGINEERS",
        "ERASE_ENGINEERS",
        "EXCHANGE_FILES",
        "MANAGE_API_KEYS",
        "VIEW_AUDIT_LOG",
        "REVEAL_CONTACTS",
    ];
    let table = [
        (Role::Viewer, "VIEWER", &all[..1]),
        (Role::Operator, "OPERATOR", &all[..6]),
        (Role::Admin, "ADMIN", &all[..]),
    ];
    for (role, name, permissions) in table {
        let viewer = app.caller(role).data(query, json!({})).await["viewer"].clone();
        assert_eq!(viewer["subject"], "tester");
        assert_eq!(viewer["account"], json!({ "id": "demo", "name": "Demo Operations Ltd" }));
        assert_eq!((&viewer["roles"], &viewer["permissions"]), (&json!([name]), &json!(permissions)));
        assert_eq!(viewer["engineer"], Value::Null);
        let expires = text(&viewer["tokenExpiresAt"]);
        assert!(expires.starts_with("2025-02-14T08:"), "30 days on: {expires}");
    }
    let viewer = app.engineer(&lin).data(query, json!({})).await["viewer"].clone();
    assert_eq!((&viewer["roles"], &viewer["permissions"]), (&json!(["ENGINEER"]), &json!([])));
    assert_eq!(viewer["engineer"], json!({ "name": "lin" }));
    let both = app.caller_with(app.token("demo", &[Role::Viewer, Role::Engineer], Some("hr:u-1")));
    let viewer = both.data(query, json!({})).await["viewer"].clone();
    assert_eq!((&viewer["roles"], &viewer["engineer"]["name"]), (&json!(["VIEWER", "ENGINEER"]), &json!("lin")));
}

async fn the_kinds_of_channels_say_what_their_forms_ask(database: Database) {
    let app = TestApp::start(database).await;
    let query = "{ channelKinds { kind label needsConfirmation beta fields { name label hint maxLength secret } } }";
    let kinds = app.caller(Role::Viewer).data(query, json!({})).await["channelKinds"].clone();
    assert_eq!(each(&kinds, "kind"), ["SMS", "VOICE", "EMAIL", "WECOM", "DINGTALK", "LARK"]);
    let needs: Vec<_> = entries(&kinds).iter().map(|kind| kind["needsConfirmation"] == true).collect();
    assert_eq!(needs, [true, true, true, false, false, false]);
    for kind in entries(&kinds) {
        assert_eq!(kind["beta"], false);
        let robot = kind["needsConfirmation"] == false;
        let expected: &[&str] =
            if kind["kind"] == "DINGTALK" || kind["kind"] == "LARK" { &["value", "secret"] } else { &["value"] };
        assert_eq!(each(&kind["fields"], "name"), expected);
        for field in entries(&kind["fields"]) {
            assert_eq!(field["secret"], robot, "{field}");
            assert!(field["maxLength"].as_i64().unwrap() >= 32, "{field}");
        }
    }
    // What fits the form's limits is taken by the server, to the last character.
    let webhook = "https://open.larksuite.com/open-apis/bot/v2/hook/0123abcd-0123-4567-89ab-0123456789ab";
    let secret = "x".repeat(usize::try_from(kinds[5]["fields"][1]["maxLength"].as_u64().unwrap()).unwrap());
    let endpoints = json!([{ "kind": "LARK", "value": webhook, "secret": secret }]);
    assert!(webhook.len() <= usize::try_from(kinds[5]["fields"][0]["maxLength"].as_u64().unwrap()).unwrap());
    add(&app.admin(), json!({ "name": "robots", "userType": "OTHER", "endpoints": endpoints })).await;
}

async fn channels_come_in_the_order_of_their_kinds(database: Database) {
    let app = TestApp::start(database).await;
    add(
        &app.admin(),
        json!({ "name": "lin", "userType": "OTHER", "email": "lin@demo.example", "mobile": "13800138001" }),
    )
    .await;
    let query =
        "{ channelKinds { kind } engineers { nodes { channels { kind } email: channel(kind: EMAIL) { kind status id }
        lark: channel(kind: LARK) { kind status id endpointMasked } } } }";
    let data = app.admin().data(query, json!({})).await;
    let node = &data["engineers"]["nodes"][0];
    assert_eq!(each(&node["channels"], "kind"), each(&data["channelKinds"], "kind"));
    assert_eq!((&node["email"]["kind"], &node["email"]["status"]), (&json!("EMAIL"), &json!("REQUESTED")));
    assert_eq!((&node["lark"]["kind"], &node["lark"]["status"]), (&json!("LARK"), &json!("NOT_CONFIGURED")));
    assert_ne!(node["email"]["id"], node["lark"]["id"]);
}

async fn the_live_cursor_is_opaque_and_moves_with_the_log(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let cursor = || async { text(&app.admin().data("{ liveCursor }", json!({})).await["liveCursor"]) };
    let first = cursor().await;
    assert_eq!(first, cursor().await, "nothing happened in between");
    assert!(first.parse::<i64>().is_err(), "a number would invite counting: {first}");
    assert!(first.len() < 100 && first.bytes().all(|byte| byte.is_ascii_graphic()), "{first}");
    add(&admin, json!({ "name": "lin", "userType": "OTHER", "email": "lin@demo.example" })).await;
    let second = cursor().await;
    assert_ne!(first, second);
    let aliased = admin.data("{ a: liveCursor ...F } fragment F on Query { b: liveCursor }", json!({})).await;
    assert_eq!(aliased, json!({ "a": second, "b": second }));
    let viewer = app.caller_with(app.token("other", &[Role::Viewer], None)).data("{ liveCursor }", json!({})).await;
    let log = |cursor: &str| cursor.split_once('.').map(|(log, _)| log.to_owned());
    assert_ne!(log(&text(&viewer["liveCursor"])), log(&first), "another account's log is another");
}

async fn a_stream_goes_on_from_a_live_cursor_or_a_listed_one(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let cursor = || async { text(&app.admin().data("{ liveCursor }", json!({})).await["liveCursor"]) };
    let first = cursor().await;
    add(&admin, json!({ "name": "lin", "userType": "OTHER", "email": "lin@demo.example" })).await;
    let second = cursor().await;
    let stream = "subscription($after: String) { confirmationStatusChanged(after: $after) { to cursor } }";
    let mut socket = admin.connect().await;
    let from_first = socket.subscribe(stream, json!({ "after": first })).await;
    let told = socket.next(&from_first).await["confirmationStatusChanged"].clone();
    assert_eq!(told["to"], "REQUESTED");
    let listed = admin.data("{ statusChanges { nodes { cursor } } }", json!({})).await;
    assert_eq!(
        listed["statusChanges"]["nodes"][0]["cursor"], told["cursor"],
        "a listed change resumes where it stands"
    );
    let from_second = socket.subscribe(stream, json!({ "after": second })).await;
    app.run_workers().await;
    assert_eq!(socket.next(&from_second).await["confirmationStatusChanged"]["to"], "PENDING");
    for bad in ["", "nonsense", "7", &format!("{first}0.")] {
        let stream = socket.subscribe(stream, json!({ "after": bad })).await;
        assert_eq!(socket.refusal(&stream).await, "BAD_USER_INPUT", "{bad}");
    }
}

async fn moments_are_utc_with_milliseconds(database: Database) {
    let app = TestApp::start(database).await;
    app.clock.advance(chrono::Duration::microseconds(7_500));
    let id = add(&app.admin(), json!({ "name": "lin", "userType": "OTHER", "email": "lin@demo.example" })).await["id"]
        .clone();
    app.run_workers().await;
    let query =
        "query($id: ID!) { engineer(id: $id) { createdAt updatedAt channel(kind: EMAIL) { requestedAt expiresAt } } }";
    let engineer = app.admin().data(query, json!({ "id": id })).await["engineer"].clone();
    let moments = [&engineer["createdAt"], &engineer["updatedAt"], &engineer["channel"]["requestedAt"]];
    assert_eq!(moments.map(text), ["2025-01-15T08:09:10.007Z"; 3]);
    assert_eq!(text(&engineer["channel"]["expiresAt"]), "2025-01-17T08:09:10.007Z");
}
