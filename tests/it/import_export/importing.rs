//! What an import changes, and whom it refuses.

use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{fill, import, send, start};
use crate::{
    directory_sync::steps::{changes_since, cursor, message_to, people, roll, write},
    harness::{
        app::{Database, Setup, TestApp, channel},
        both_dbs,
    },
};

both_dbs! {
    an_import_edits_people_by_id_by_directory_identity_and_by_name
    a_dry_run_changes_nobody_and_tells_what_would_be
    bad_rows_are_refused_with_line_and_column_while_the_good_ones_go_on
    a_blank_keeps_and_a_hyphen_clears
    the_same_engineer_twice_is_refused
    the_same_engineer_far_apart_in_the_file_is_refused_with_the_line_of_the_first
    names_that_no_database_can_hold_are_nobodys
    a_bulk_import_logs_one_change_for_each_chunk_and_none_for_a_person
    only_an_admin_imports
    a_file_that_is_too_large_or_no_table_is_refused_whole
    an_engineer_of_another_account_is_unknown
}

async fn an_import_edits_people_by_id_by_directory_identity_and_by_name(database: Database) {
    let app = start(database).await;
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    let file = format!(
        "id,directory,external_id,name,alias,mobile,email\n\
         {lin},,,,Wei,13900139001,\n\
         ,hr,u-2,,吴,,wu@demo.example\n\
         ,,,disabled,,,new@demo.example\n"
    );
    let report = import(&app, "", &file).await;
    let expected = json!({ "dryRun": false, "rows": 3, "changed": 3, "unchanged": 0, "messages": 3, "refused": [],
        "refusedMore": 0, "unknownColumns": [] });
    assert_eq!(report, expected);
    let lin = app.admin().find("lin").await;
    assert_eq!((&lin["alias"], &lin["mobile"]), (&json!("Wei"), &json!("+8613900139001")));
    assert_eq!(lin["email"], "lin@demo.example");
    let statuses = ["SMS", "VOICE", "EMAIL"].map(|kind| channel(&lin, kind)["status"].clone());
    assert_eq!(statuses, ["REQUESTED", "REQUESTED", "UNSUBSCRIBED"]);
    let disabled = app.admin().find("disabled").await;
    assert_eq!(channel(&disabled, "EMAIL")["status"], "UNSUBSCRIBED", "who is not ACTIVE is not asked");
    app.run_workers().await;
    message_to(&app, "wu@demo.example").await;
    assert_eq!(app.outbox().await.len(), 3);
}

async fn a_dry_run_changes_nobody_and_tells_what_would_be(database: Database) {
    let app = start(database).await;
    let before = roll(&app).await;
    let since = cursor(&app).await;
    let file = "name,alias,mobile,email\nlin,Wei,+8613900139001,wei@demo.example\nwu,,,\nnobody,x,,\n";
    let planned = import(&app, "?dryRun=true", file).await;
    let counts = |report: &Value| ["rows", "changed", "unchanged", "messages"].map(|name| report[name].clone());
    assert_eq!(counts(&planned), [3, 1, 1, 3]);
    assert_eq!((&planned["dryRun"], planned["refused"].as_array().unwrap().len()), (&json!(true), 1));
    assert_eq!(roll(&app).await, before);
    app.run_workers().await;
    assert_eq!(app.outbox().await.len(), 0);
    let done = import(&app, "?dryRun=false", file).await;
    assert_eq!((counts(&done), &done["refused"]), (counts(&planned), &planned["refused"]));
    assert_eq!(app.admin().find("lin").await["alias"], "Wei");

    let before = roll(&app).await;
    for query in ["?dryrun=true", "?dryRun=yes", "?dryRun=true&x=1"] {
        let (status, answer) = send(&app.admin(), query, "name,alias\nlin,Other\n").await;
        assert_eq!((status.as_u16(), &answer["errors"][0]["extensions"]["code"]), (400, &json!("BAD_USER_INPUT")));
    }
    assert_eq!(roll(&app).await, before, "a misspelt dryRun is no import");
    let changes = changes_since(&app, &since).await;
    let one = json!({ "kind": "ROLL_CHANGED", "engineerId": null, "count": 1, "directorySync": null });
    assert_eq!(changes, [one]);
}

async fn bad_rows_are_refused_with_line_and_column_while_the_good_ones_go_on(database: Database) {
    let app = start(database).await;
    app.write_directory("contractors", &["c-2,twin,,,,,", "c-3,twin,,,,,"]);
    app.sync("contractors", json!({})).await;
    let file = "name,mobile,email,wecom,dingtalk_secret,shoe size\n\
                disabled,12,no address,http://example.com/hook,,44\n\
                nobody,,,,,\n\
                ,13800138000,,,,\n\
                twin,13800138000,,,,\n\
                wu,13800138000\n\
                wu,13800138002,,,,\n\
                disabled,,,,geheim,\n";
    let report = import(&app, "", file).await;
    assert_eq!((&report["rows"], &report["changed"]), (&json!(7), &json!(1)));
    assert_eq!(report["unknownColumns"], json!(["shoe size"]));
    let refused: Vec<_> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap(), one["column"].as_str()))
        .collect();
    let expected = [
        (2, "INVALID_PHONE_NUMBER", Some("mobile")),
        (2, "INVALID_EMAIL_ADDRESS", Some("email")),
        (2, "INVALID_WEBHOOK", Some("wecom")),
        (3, "NOT_FOUND", None),
        (4, "MISSING_KEY", None),
        (5, "INVALID_VALUE", Some("name")),
        (6, "WRONG_FIELD_COUNT", None),
        (8, "INVALID_VALUE", Some("dingtalk_secret")),
    ];
    assert_eq!(refused, expected, "{report:#}");
    for one in report["refused"].as_array().unwrap() {
        let message = one["message"].as_str().unwrap();
        assert!(message.ends_with('.') && !message.contains("geheim") && !message.contains("no address"), "{one}");
    }
    assert_eq!(app.admin().find("wu").await["mobile"], "+8613800138002");
    let disabled = app.admin().find("disabled").await;
    assert_eq!(disabled["email"], "disabled@demo.example", "of a row that is refused nothing is taken");
}

async fn a_blank_keeps_and_a_hyphen_clears(database: Database) {
    let app = start(database).await;
    let report = import(&app, "", "name,alias,mobile,email\nlin,,-,\n").await;
    assert_eq!((&report["changed"], &report["messages"]), (&json!(1), &json!(0)));
    let lin = app.admin().find("lin").await;
    let held = (&lin["alias"], &lin["mobile"], &lin["email"]);
    assert_eq!(held, (&json!("林薇"), &json!(null), &json!("lin@demo.example")));
    assert_eq!(channel(&lin, "SMS")["status"], "NOT_CONFIGURED");
    fill(&app).await;
    assert_eq!(app.admin().find("lin").await["mobile"], json!(null), "what a file cleared stays clear");
    let again = import(&app, "", "name,alias,mobile,email\nlin,林薇,-,lin@demo.example\n").await;
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!(0), &json!(1)));
}

async fn the_same_engineer_twice_is_refused(database: Database) {
    let app = start(database).await;
    let file = "directory,external_id,name,alias\n,,wu,First\nhr,u-2,,Second\n,,lin,Wei\n,,wu,Third\n";
    let report = import(&app, "", file).await;
    assert_eq!(report["changed"], 2);
    let refused: Vec<_> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(refused, [(3, "ALREADY_EXISTS"), (5, "ALREADY_EXISTS")]);
    for one in report["refused"].as_array().unwrap() {
        assert_eq!(one["message"], "The row of line 2 is already about this engineer.");
    }
    assert_eq!(app.admin().find("wu").await["alias"], "First");
}

async fn the_same_engineer_far_apart_in_the_file_is_refused_with_the_line_of_the_first(database: Database) {
    let app = start(database).await;
    let nobody = "nobody,x\n".repeat(450);
    let report = import(&app, "", &format!("name,alias\nwu,First\n{nobody}wu,Second\n")).await;
    assert_eq!(
        (&report["rows"], &report["changed"], report["refused"].as_array().unwrap().len()),
        (&json!(452), &json!(1), 451)
    );
    let last = &report["refused"][450];
    assert_eq!((&last["line"], &last["code"]), (&json!(453), &json!("ALREADY_EXISTS")));
    assert_eq!(last["message"], "The row of line 2 is already about this engineer.");
    assert_eq!(app.admin().find("wu").await["alias"], "First");
}

async fn names_that_no_database_can_hold_are_nobodys(database: Database) {
    let app = start(database).await;
    let report = import(&app, "", "name,directory,external_id,alias\nl\0in,,,x\n,hr,u-\0,x\nwu,,,Wu\n").await;
    assert_eq!(report["changed"], 1, "{report}");
    let codes: Vec<_> = report["refused"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, ["NOT_FOUND"; 2]);
}

async fn a_bulk_import_logs_one_change_for_each_chunk_and_none_for_a_person(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(450));
    app.sync("hr", json!({})).await;
    let since = cursor(&app).await;
    let mut file = "directory,external_id,alias\n".to_owned();
    file.extend((1..=450).map(|i| format!("hr,u-{i},Alias {i}\n")));
    let report = import(&app, "", &file).await;
    assert_eq!((&report["changed"], &report["refused"]), (&json!(450), &json!([])));
    let changes = changes_since(&app, &since).await;
    assert!(changes.iter().all(|change| change["kind"] == "ROLL_CHANGED"), "{changes:?}");
    let counts: Vec<_> = changes.iter().map(|change| change["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [200, 200, 50]);
}

async fn only_an_admin_imports(database: Database) {
    let app = start(database).await;
    let before = roll(&app).await;
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    let file = "name,alias\nlin,Stranger\n";
    for caller in [app.caller(Role::Viewer), app.caller(Role::Operator), app.engineer(&lin)] {
        for query in ["", "?dryRun=true"] {
            let (status, answer) = send(&caller, query, file).await;
            assert_eq!((status.as_u16(), &answer["errors"][0]["extensions"]["code"]), (403, &json!("FORBIDDEN")));
        }
    }
    let (status, answer) = send(&app.stranger(), "", file).await;
    assert_eq!((status.as_u16(), &answer["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(roll(&app).await, before);
}

async fn a_file_that_is_too_large_or_no_table_is_refused_whole(database: Database) {
    let config = "[server]\nmax_import_bytes = 1024\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    fill(&app).await;
    let before = roll(&app).await;
    let mut file = "name,alias\nlin,Wei\n".to_owned();
    file += &"\n".repeat(1024 - file.len());
    let (status, answer) = send(&app.admin(), "", format!("{file}\n")).await;
    assert_eq!((status.as_u16(), &answer["errors"][0]["extensions"]["code"]), (413, &json!("BAD_USER_INPUT")));
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("1024 bytes"), "{answer}");
    for wrong in ["", "mobile,email\n1,2\n", "name,mobile,mobile\nlin,1,2\n"] {
        let (status, answer) = send(&app.admin(), "", wrong).await;
        assert_eq!((status.as_u16(), &answer["errors"][0]["extensions"]["code"]), (422, &json!("BAD_USER_INPUT")));
    }
    let request = app.admin().request(reqwest::Method::POST, "/import").header("content-type", "application/json");
    assert_eq!(request.body(file.clone()).send().await.unwrap().status(), 415);
    assert_eq!(roll(&app).await, before);
    assert_eq!(import(&app, "", &file).await["changed"], 1, "a file of just the limit is taken");
}

async fn an_engineer_of_another_account_is_unknown(database: Database) {
    let app = start(database).await;
    let before = roll(&app).await;
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    let file = format!("id,directory,external_id,name,alias\n{lin},,,,x\n,hr,u-1,,x\n,,,lin,x\n");
    let (status, report) = send(&other, "", file).await;
    assert_eq!((status.as_u16(), &report["changed"]), (200, &json!(0)));
    let codes: Vec<_> = report["refused"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, ["NOT_FOUND"; 3]);
    assert_eq!(roll(&app).await, before);
}
