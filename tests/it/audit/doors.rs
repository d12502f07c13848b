//! What is done past the API is in the audit log too: files, links, and what rollcall does by itself.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{changes, newest, run};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    an_import_leaves_an_entry_for_each_engineer_and_one_for_the_file
    an_export_is_recorded_before_its_first_byte
    who_answers_a_link_is_recorded_with_their_address
    what_rollcall_does_to_people_by_itself_is_recorded
}

fn actor(entry: &Value) -> (&str, &str) {
    (entry["action"].as_str().unwrap(), entry["actor"]["kind"].as_str().unwrap())
}

async fn import(app: &TestApp, query: &str, file: String) -> reqwest::StatusCode {
    let request = app.admin().request(Method::POST, &format!("/import{query}")).header("content-type", "text/csv");
    request.body(file).send().await.unwrap().status()
}

async fn an_import_leaves_an_entry_for_each_engineer_and_one_for_the_file(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({})).await["id"].clone();
    let wang = app.admin().add("wang", json!({ "alias": "Wang" })).await["id"].clone();
    let file = format!(
        "id,alias,mobile\n{},Lin,+8613800138001\n{},Wang,\nengineer:1,x,\n",
        lin.as_str().unwrap(),
        wang.as_str().unwrap()
    );
    assert_eq!(import(&app, "?dryRun=true", file.clone()).await, 200);
    let plan = newest(&app, 1).await.remove(0);
    assert_eq!(actor(&plan), ("IMPORT_ENGINEERS", "TOKEN"));
    assert_eq!(changes(&plan)["dryRun"], json!([null, "true"]));
    assert_eq!(import(&app, "", file).await, 200);
    let entries = newest(&app, 3).await;
    let counts = json!({ "rows": [null, "3"], "changed": [null, "1"], "unchanged": [null, "1"] });
    assert_eq!(changes(&entries[0]), counts);
    assert_eq!((actor(&entries[1]), &entries[1]["targetId"]), (("IMPORT_ENGINEERS", "TOKEN"), &lin));
    assert_eq!(changes(&entries[1])["mobile"], json!([null, "+86 138****8001"]));
    assert_eq!(entries[1]["requestId"], entries[0]["requestId"]);
    assert_eq!(entries[2]["id"], plan["id"], "who stayed as they were has no entry");
    assert_eq!(import(&app, "", "no table".to_owned()).await, 422);
    assert_eq!(newest(&app, 1).await[0]["errorCode"], "BAD_FILE");
}

async fn an_export_is_recorded_before_its_first_byte(database: Database) {
    let app = TestApp::start(database).await;
    let answer = app.admin().request(Method::GET, "/export").send().await.unwrap();
    let request = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let entry = newest(&app, 1).await.remove(0);
    assert_eq!(actor(&entry), ("EXPORT_ENGINEERS", "TOKEN"));
    assert_eq!(entry["requestId"], request.as_str());
}

async fn who_answers_a_link_is_recorded_with_their_address(database: Database) {
    let app = TestApp::start(database).await;
    let lin = app.admin().add("lin", json!({ "email": "lin@demo.example" })).await["id"].clone();
    app.run_workers().await;
    let message = app.outbox().await.remove(0);
    let path = format!("/c/{}", message.link.rsplit('/').next().unwrap());
    let answer = |code: &str| {
        let form = format!("code={code}");
        let request = app.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        request.body(form).send()
    };
    answer("000000").await.unwrap();
    let wrong = newest(&app, 1).await.remove(0);
    assert_eq!((actor(&wrong), &wrong["errorCode"]), (("CONFIRM_CHANNEL", "LINK"), &json!("WRONG_CODE")));
    assert_eq!((&wrong["targetId"], &wrong["clientAddress"]), (&lin, &json!("127.0.0.1")));
    answer(&message.code).await.unwrap();
    let confirmed = newest(&app, 1).await.remove(0);
    assert_eq!(actor(&confirmed), ("CONFIRM_CHANNEL", "LINK"));
    assert_eq!(changes(&confirmed), json!({ "EMAIL": ["PENDING", "CONFIRMED"] }));
    app.request(Method::POST, &format!("{path}/stop")).send().await.unwrap();
    let stopped = newest(&app, 1).await.remove(0);
    assert_eq!(actor(&stopped), ("OPT_OUT", "LINK"));
    assert_eq!(changes(&stopped), json!({ "EMAIL": ["CONFIRMED", "CANCELLED"] }));
    assert!(stopped["requestId"].is_string());
}

async fn what_rollcall_does_to_people_by_itself_is_recorded(database: Database) {
    let config = "[accounts.demo.directories.hr]\nsync_seconds = 3600".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    app.write_directory("hr", &[]);
    let lin = app.admin().add("lin", json!({})).await["id"].clone();
    run(&app.admin(), "deleteEngineers", json!({ "ids": [lin] })).await;
    app.clock.advance(Duration::hours(25));
    app.run_workers().await;
    let entries = newest(&app, 10).await;
    let of = |action: &str| entries.iter().find(|entry| entry["action"] == action).expect("an entry");
    let erased = of("ERASE_ENGINEERS");
    assert_eq!((actor(erased), &erased["targetId"]), (("ERASE_ENGINEERS", "SYSTEM"), &lin));
    assert_eq!((&erased["requestId"], &erased["clientAddress"]), (&Value::Null, &Value::Null));
    assert_eq!(actor(of("SYNC_ENGINEERS")), ("SYNC_ENGINEERS", "SYSTEM"));
    assert_eq!(of("DELETE_ENGINEERS")["changes"], json!([]), "what it said of the erased is gone");
}
