//! What commands do is in the audit log, and one of them writes it out.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::Database,
    both_dbs,
    process::{ServerProcess, run, run_well},
};

both_dbs! {
    what_commands_do_is_recorded_and_written_out_by_another
}

async fn what_commands_do_is_recorded_and_written_out_by_another(database: Database) {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    let env: Vec<_> = database.url().map(|url| ("ROLLCALL_DATABASE__URL", url)).into_iter().collect();
    let rollcall = |arguments: &[&str]| run_well(&[arguments, &["--data", &data]].concat(), &env);
    let export = |more: &[&str]| -> Vec<Value> {
        let lines = rollcall(&[&["audit", "export"], more].concat());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    // Makes a token.
    let server = ServerProcess::start(folder.path(), &env);
    let roll = server.data("{ engineers(first: 1) { nodes { id } } }", json!({})).await;
    let update =
        "mutation($id: ID!) { updateEngineer(input: { id: $id, mobile: \"+8613800138001\" }) { userErrors { code } } }";
    server.data(update, json!({ "id": roll["engineers"]["nodes"][0]["id"] })).await;
    rollcall(&["export"]);
    rollcall(&["sync"]);
    // With PostgreSQL the first one only makes the key.
    run(&["keys", "rotate", "--data", &data], &env);
    rollcall(&["keys", "rotate", "--everywhere"]);

    let entries = export(&[]);
    let of = |action: &str| entries.iter().rfind(|entry| entry["action"] == action).expect(action);
    for action in ["ISSUE_TOKEN", "EXPORT_ENGINEERS", "SYNC_ENGINEERS", "ROTATE_KEYS", "EXPORT_AUDIT_LOG"] {
        let actor = json!({ "kind": "COMMAND_LINE", "subject": "command line", "roles": ["ADMIN"] });
        assert_eq!(of(action)["actor"], actor, "{action}");
        assert_eq!((&of(action)["requestId"], &of(action)["clientAddress"]), (&Value::Null, &Value::Null), "{action}");
        assert_eq!((&of(action)["account"], &of(action)["outcome"]), (&json!("demo"), &json!("DONE")));
    }
    let token = of("ISSUE_TOKEN")["after"].clone();
    assert_eq!((&token["subject"], &token["roles"]), (&json!("command line"), &json!("ADMIN")));
    let edit = of("UPDATE_ENGINEER");
    assert_eq!((&edit["actor"]["kind"], &edit["after"]["mobile"]), (&json!("TOKEN"), &json!("+86 138****8001")));
    assert_eq!(edit["clientAddress"], "127.0.0.1");
    assert!(entries.iter().map(|it| it["occurredAt"].as_str().unwrap()).is_sorted(), "oldest first");

    let middle = of("SYNC_ENGINEERS")["occurredAt"].as_str().unwrap();
    let (since, before) = (export(&["--from", middle]), export(&["--until", middle]));
    assert!(since.iter().any(|entry| entry["id"] == of("SYNC_ENGINEERS")["id"]));
    assert!(!before.is_empty() && before.iter().all(|entry| entry["occurredAt"].as_str().unwrap() < middle));
    assert_eq!(export(&["--until", "2020-01-01"]), Vec::<Value>::new());
    let refused = run(&["audit", "export", "--from", "yesterday", "--data", &data], &env);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("2026-11-24T08:30:00Z"));
}
