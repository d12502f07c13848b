//! Where channels end: what editing them takes, refuses and shows.

use serde_json::{Value, json};

use super::{
    add,
    mutations::{LARK, WECOM, path, places, try_update},
    update,
};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    sms_and_voice_share_the_mobile
    webhooks_and_secrets_are_taken_and_never_shown
}

fn dingtalk(end: &str) -> String {
    format!("https://oapi.dingtalk.com/robot/send?access_token={end:0>64}")
}

async fn sms_and_voice_share_the_mobile(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let id = add(&admin, json!({ "name": "lin.wei", "userType": "OTHER" })).await["id"].clone();
    let (one, same, two) = ("13800138001", "+86 138-0013-8001", "13800138002");
    let sms = |value: Value| json!({ "kind": "SMS", "value": value });
    let voice = |value: Value| json!({ "kind": "VOICE", "value": value });
    let email = |value: Value| json!({ "kind": "EMAIL", "value": value });
    let taken =
        update(&admin, json!({ "id": id, "mobile": one, "endpoints": [sms(json!(same)), voice(json!(one))] })).await;
    assert_eq!(taken["mobile"], "+8613800138001");
    for kind in ["SMS", "VOICE"] {
        assert_eq!(channel(&taken, kind)["endpointMasked"], "+86 138****8001");
    }
    let conflicts = [
        (json!({ "id": id, "endpoints": [sms(json!(one)), voice(json!(two))] }), ["endpoints", "1", "value"]),
        (
            json!({ "id": id, "endpoints": [voice(json!(one)), email(json!(null)), sms(json!(null))] }),
            ["endpoints", "2", "value"],
        ),
        (json!({ "id": id, "mobile": one, "endpoints": [sms(json!(two))] }), ["endpoints", "0", "value"]),
        (json!({ "id": id, "mobile": null, "endpoints": [voice(json!(two))] }), ["endpoints", "0", "value"]),
        (
            json!({ "id": id, "email": "a@demo.example", "endpoints": [email(json!("b@demo.example"))] }),
            ["endpoints", "0", "value"],
        ),
    ];
    for (input, field) in conflicts {
        assert_eq!(places(&try_update(&admin, input.clone()).await), [("INVALID_VALUE", path(&field))], "{input}");
    }
    let moved =
        update(&admin, json!({ "id": id, "endpoints": [voice(json!(two)), email(json!("a@demo.example"))] })).await;
    assert_eq!((&moved["mobile"], &moved["email"]), (&json!("+8613800138002"), &json!("a@demo.example")));
    let cleared = update(&admin, json!({ "id": id, "endpoints": [sms(json!(null))] })).await;
    assert_eq!((&cleared["mobile"], &cleared["email"]), (&json!(null), &json!("a@demo.example")));
    assert_eq!(channel(&cleared, "VOICE")["status"], "NOT_CONFIGURED");
}

async fn webhooks_and_secrets_are_taken_and_never_shown(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let id = add(&admin, json!({ "name": "robots", "userType": "OTHER" })).await["id"].clone();
    let robot = |kind: &str, fields: Value| {
        let mut endpoint = json!({ "kind": kind });
        endpoint.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "id": id, "endpoints": [endpoint] })
    };
    let shown = |engineer: &Value| {
        let robot = channel(engineer, "DINGTALK");
        (robot["status"].clone(), robot["endpointMasked"].clone(), robot["secretSet"].clone())
    };
    let secret = "SECdeadbeefdeadbeef";
    let steps = [
        (
            json!({ "value": dingtalk("a1b2") }),
            (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…a1b2"), json!(false)),
        ),
        (json!({ "secret": secret }), (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…a1b2"), json!(true))),
        (
            json!({ "value": dingtalk("c3d4") }),
            (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…c3d4"), json!(true)),
        ),
        (json!({ "secret": null }), (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…c3d4"), json!(false))),
        (
            json!({ "value": dingtalk("e5f6"), "secret": secret }),
            (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…e5f6"), json!(true)),
        ),
        (json!({}), (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…e5f6"), json!(true))),
        (json!({ "value": null }), (json!("NOT_CONFIGURED"), json!(null), json!(false))),
        (
            json!({ "value": dingtalk("0a0b") }),
            (json!("NOT_REQUIRED"), json!("https://oapi.dingtalk.com/…0a0b"), json!(false)),
        ),
    ];
    for (fields, expected) in steps {
        let engineer = update(&admin, robot("DINGTALK", fields.clone())).await;
        assert_eq!(shown(&engineer), expected, "{fields}");
        let all = engineer.to_string();
        assert!(!all.contains("0000000a1b2") && !all.contains("access_token") && !all.contains("deadbeef"), "{all}");
    }
    let table = [
        ("DINGTALK", json!({ "value": LARK }), "value", "INVALID_WEBHOOK", "WRONG_HOST"),
        ("LARK", json!({ "value": LARK.replace("https", "http") }), "value", "INVALID_WEBHOOK", "NOT_HTTPS"),
        ("LARK", json!({ "value": format!("{LARK}x") }), "value", "INVALID_WEBHOOK", "WRONG_KEY"),
        ("LARK", json!({ "value": format!(" {LARK}") }), "value", "INVALID_WEBHOOK", "FORBIDDEN_CHARACTER"),
        ("WECOM", json!({ "value": format!("{WECOM}&x=1") }), "value", "INVALID_WEBHOOK", "EXTRA_PARAMETER"),
        ("WECOM", json!({ "value": "" }), "value", "INVALID_WEBHOOK", "EMPTY"),
        ("WECOM", json!({ "value": WECOM, "secret": "x" }), "secret", "INVALID_VALUE", "NO_SECRET"),
        ("DINGTALK", json!({ "secret": "deadbeef" }), "secret", "INVALID_VALUE", "WRONG_PREFIX"),
        ("DINGTALK", json!({ "secret": "SEC with space" }), "secret", "INVALID_VALUE", "FORBIDDEN_CHARACTER"),
    ];
    for (kind, fields, field, code, reason) in table {
        let refusals = try_update(&admin, robot(kind, fields.clone())).await;
        let expected = (code.to_owned(), json!(["endpoints", "0", field]), json!({ "reason": reason }));
        assert_eq!(refusals, [expected], "{kind} {fields}");
    }
    // A secret without a webhook signs nothing: it is refused instead of being lost.
    let orphan = try_update(&admin, robot("LARK", json!({ "secret": "deadbeef" }))).await;
    assert_eq!(places(&orphan), [("NO_ENDPOINT", path(&["endpoints", "0", "value"]))]);
}
