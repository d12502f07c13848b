//! A directory that does not answer, or with nothing, changes nobody.

use std::sync::Arc;

use rollcall::{
    domain::actor::Role,
    port::directory::{DirectoryError, Listing},
};
use serde_json::{Value, json};

use super::steps::{Process, assert_counts, find_run, queue, roll, sync};
use crate::{
    contract::directory::FakeDirectory,
    harness::{
        app::{Database, HEADER, TestApp},
        both_dbs,
    },
};

both_dbs! {
    an_empty_or_failed_answer_changes_nobody
    a_directory_that_does_not_answer_changes_nobody
    a_run_is_refused_where_the_directory_is_unknown_or_the_role_does_not_allow_it
}

async fn start(database: Database) -> (TestApp, Vec<Value>) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,", "u-2,wu,,,,,"]);
    app.sync("hr", json!({})).await;
    let before = roll(&app).await;
    assert_eq!(before.len(), 2);
    (app, before)
}

async fn an_empty_or_failed_answer_changes_nobody(database: Database) {
    let (app, before) = start(database).await;
    let file = app.path("hr.csv");
    let cases: [(&str, Option<String>); 6] = [
        ("no file", None),
        ("an empty file", Some(String::new())),
        ("a header only", Some(format!("{HEADER}\n"))),
        ("no header", Some("u-1,lin,,,,,\n".to_owned())),
        ("a header without names", Some("external_id,mobile\nu-1,\n".to_owned())),
        ("only a row that cannot be read", Some(format!("{HEADER}\n,lin,,,,,\n"))),
    ];
    for (what, text) in cases {
        match text {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        // Not even where many may be gone.
        let run = sync(&app, &app.admin(), json!({ "directory": "hr", "confirmRemovals": true })).await;
        assert_eq!((&run["state"], &run["failureCode"]), (&json!("FAILED"), &json!("DIRECTORY_REFUSED")), "{what}");
        assert_eq!(run["failureMessage"], "The directory cannot be read; nobody was changed.", "{what}");
        assert!(run["failureDetail"].is_string() && run["finishedAt"].is_string(), "{what}: {run}");
        assert_counts(&run, &[]);
        assert_eq!(roll(&app).await, before, "{what}");
    }
    app.write_directory("hr", &["u-1,lin,,,,,", "u-2,wu,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["state"], "SUCCEEDED", "the next run is none the worse");
}

async fn a_directory_that_does_not_answer_changes_nobody(database: Database) {
    let (app, before) = start(database).await;
    let cases = [
        (Err(DirectoryError::Unavailable("it hung up".to_owned())), "DIRECTORY_UNAVAILABLE"),
        (Err(DirectoryError::Refused("wrong password".to_owned())), "DIRECTORY_REFUSED"),
        (Ok(Listing::default()), "DIRECTORY_REFUSED"),
    ];
    for (answer, code) in cases {
        let source = Arc::new(FakeDirectory::answering(answer));
        let services = Process { source: Some(source), ..Process::of(&app) }.services(&app);
        let id = queue(&app.admin(), json!({ "directory": "hr", "confirmRemovals": true })).await;
        // As the server's own process, so that it need not wait for the lease.
        assert!(services.run_due_directory_sync(app.app.owner()).await.unwrap());
        let run = find_run(&app.admin(), &id).await;
        assert_eq!((&run["state"], &run["failureCode"]), (&json!("FAILED"), &json!(code)));
        assert_eq!(roll(&app).await, before, "{code}");
    }
}

async fn a_run_is_refused_where_the_directory_is_unknown_or_the_role_does_not_allow_it(database: Database) {
    let (app, _) = start(database).await;
    let mutation = "mutation($input: SyncEngineersInput!) { syncEngineers(input: $input) {
        directorySync { id } userErrors { code field } } }";
    let unknown = json!({ "directorySync": null, "userErrors": [{ "code": "NOT_FOUND", "field": ["directory"] }] });
    // Without a name there is nothing to choose by: the account has two.
    for input in [json!({ "directory": "nowhere" }), json!({})] {
        let data = app.admin().data(mutation, json!({ "input": input })).await;
        assert_eq!(data["syncEngineers"], unknown, "{input}");
    }
    let input = json!({ "input": { "directory": "hr" } });
    for role in [Role::Viewer, Role::Engineer] {
        let id = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
        let caller = app.caller_with(app.token("demo", &[role], Some(&id)));
        let data = caller.data(mutation, input.clone()).await;
        assert_eq!(data["syncEngineers"]["userErrors"][0]["code"], "NOT_ALLOWED", "{role:?}");
    }
    let data = app.caller(Role::Operator).data(mutation, input).await;
    assert_eq!(data["syncEngineers"]["userErrors"], json!([]));
}
