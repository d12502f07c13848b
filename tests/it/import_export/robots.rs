//! Webhooks by file: they come in, and never go out.

use rollcall::config::DatabaseLocation;
use serde_json::json;

use super::{cells, export, import, send, start};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

const KEY: &str = "693a91f6-7a0b-4bc4-97a0-0ec2ab5a5aaa";
const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SECRET: &str = "SECthis0is0a0signing0secret";

both_dbs! {
    an_imported_webhook_is_sealed_and_shown_only_masked
    a_webhook_that_is_cleared_is_gone_and_a_blank_keeps_it
    a_webhook_that_is_refused_is_not_repeated
}

fn file() -> String {
    format!(
        "name,wecom,dingtalk,dingtalk_secret,lark\n\
         lin,https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY},\
         https://oapi.dingtalk.com/robot/send?access_token={TOKEN},{SECRET},\n"
    )
}

/// The database's files, where it has any of its own.
fn files(app: &TestApp) -> Option<Vec<u8>> {
    let DatabaseLocation::Sqlite(path) = &app.app.config().database.location else { return None };
    let mut bytes = std::fs::read(path).unwrap();
    bytes.extend(std::fs::read(path.with_extension("sqlite-wal")).unwrap_or_default());
    Some(bytes)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn an_imported_webhook_is_sealed_and_shown_only_masked(database: Database) {
    let app = start(database).await;
    let report = import(&app, "", &file()).await;
    assert_eq!((&report["changed"], &report["messages"]), (&json!(1), &json!(0)), "{report}");
    let lin = app.admin().find("lin").await;
    let masked = ["https://qyapi.weixin.qq.com/…5aaa", "https://oapi.dingtalk.com/…cdef"];
    for (kind, masked) in ["WECOM", "DINGTALK"].iter().zip(masked) {
        let robot = channel(&lin, kind);
        assert_eq!((&robot["status"], &robot["endpointMasked"]), (&json!("NOT_REQUIRED"), &json!(masked)));
    }
    assert_eq!(channel(&lin, "DINGTALK")["secretSet"], true);
    assert_eq!(channel(&lin, "WECOM")["secretSet"], false);
    assert_eq!(channel(&lin, "LARK")["status"], "NOT_CONFIGURED");

    let exported = export(&app).await;
    let rows = cells(&exported);
    let row = rows.iter().find(|row| row[3] == "lin").unwrap();
    assert_eq!(row[7..10], ["yes", "yes", "no"]);
    for secret in [KEY, TOKEN, SECRET] {
        for shown in [&exported, &lin.to_string(), &report.to_string()] {
            assert!(!shown.contains(secret), "{shown}");
        }
        if let Some(bytes) = files(&app) {
            assert!(!holds(&bytes, secret), "it is sealed where it is kept");
            assert!(holds(&bytes, "lin@demo.example"), "or the search finds nothing");
        }
    }
    let report = import(&app, "", &exported).await;
    assert_eq!((&report["changed"], &report["refused"]), (&json!(0), &json!([])));
    assert_eq!(channel(&app.admin().find("lin").await, "WECOM"), channel(&lin, "WECOM"));
}

async fn a_webhook_that_is_cleared_is_gone_and_a_blank_keeps_it(database: Database) {
    let app = start(database).await;
    import(&app, "", &file()).await;
    let again = import(&app, "", &file()).await;
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!(0), &json!(1)), "the same webhook is no change");
    let report = import(&app, "", "name,wecom,dingtalk,dingtalk_secret\nlin,-,,-\n").await;
    assert_eq!(report["changed"], 1);
    let lin = app.admin().find("lin").await;
    assert_eq!(channel(&lin, "WECOM")["status"], "NOT_CONFIGURED");
    assert_eq!(channel(&lin, "WECOM")["endpointMasked"], json!(null));
    let dingtalk = channel(&lin, "DINGTALK");
    assert_eq!((&dingtalk["status"], &dingtalk["secretSet"]), (&json!("NOT_REQUIRED"), &json!(false)));
}

async fn a_webhook_that_is_refused_is_not_repeated(database: Database) {
    let app = start(database).await;
    let wrong = format!("name,wecom\nlin,https://example.com/cgi-bin/webhook/send?key={KEY}\n");
    let (status, report) = send(&app.admin(), "", wrong).await;
    assert_eq!(status, 200);
    let refused = &report["refused"][0];
    let told = (&refused["line"], &refused["column"], &refused["code"]);
    assert_eq!(told, (&json!(2), &json!("wecom"), &json!("INVALID_WEBHOOK")));
    assert!(!report.to_string().contains(KEY), "{report}");
    assert_eq!(channel(&app.admin().find("lin").await, "WECOM")["status"], "NOT_CONFIGURED");
}
