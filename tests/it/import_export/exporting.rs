//! What an export holds, and that it can be imported again.

use reqwest::Method;
use rollcall::domain::actor::Role;
use serde_json::{Value, json};

use super::{cells, export, import, start};
use crate::{
    directory_sync::steps::{changes_since, cursor, edit, people, roll, write},
    harness::{
        app::{Database, TestApp},
        both_dbs,
    },
};

both_dbs! {
    an_export_holds_the_roll_in_clear_and_is_kept_by_nobody
    an_export_imported_untouched_changes_nothing
    a_cell_that_a_spreadsheet_would_compute_is_guarded_and_comes_back_unharmed
    an_export_of_more_than_one_page_is_whole
    only_an_admin_exports
    deleted_people_and_other_accounts_are_not_exported
}

async fn an_export_holds_the_roll_in_clear_and_is_kept_by_nobody(database: Database) {
    let app = start(database).await;
    let response = app.admin().request(Method::GET, "/export").send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(header("content-disposition"), "attachment; filename=\"rollcall-demo.csv\"");
    assert_eq!(header("cache-control"), "no-store");
    let rows = cells(&export(&app).await);
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    let row = rows.iter().find(|row| row[0] == lin).unwrap();
    let expected = ["hr", "u-1", "lin", "林薇", "'+8613800138001", "lin@demo.example", "no", "no", "no", "ACTIVE"];
    assert_eq!(row[1..], expected);
    let states: Vec<_> = rows.iter().map(|row| (row[3].as_str(), row[10].as_str())).collect();
    assert!(states.contains(&("disabled", "DISABLED")) && states.len() == 3, "{states:?}");
}

async fn an_export_imported_untouched_changes_nothing(database: Database) {
    let app = start(database).await;
    let before = roll(&app).await;
    let since = cursor(&app).await;
    let file = format!("\u{FEFF}{}", export(&app).await);
    let report = import(&app, "", &file).await;
    let expected = json!({ "dryRun": false, "rows": 3, "changed": 0, "unchanged": 3, "messages": 0, "refused": [], "refusedMore": 0,
        "unknownColumns": [] });
    assert_eq!(report, expected);
    assert_eq!(roll(&app).await, before);
    assert_eq!(changes_since(&app, &since).await, Vec::<Value>::new());
}

async fn a_cell_that_a_spreadsheet_would_compute_is_guarded_and_comes_back_unharmed(database: Database) {
    let app = start(database).await;
    let formulas = ["=HYPERLINK(\"http://evil.example\")", "@SUM(A1)", "-", "'=1+1", "+cmd|' /C calc'!A0", "＝1"];
    for formula in formulas {
        let wu = app.admin().find("wu").await;
        edit(&app, &wu, json!({ "alias": formula })).await;
        let before = roll(&app).await;
        let file = export(&app).await;
        let rows = cells(&file);
        let cell = &rows.iter().find(|row| row[3] == "wu").unwrap()[4];
        assert_eq!(*cell, format!("'{formula}"));
        for cell in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']), "{cell}");
        }
        assert_eq!(import(&app, "", &file).await["changed"], 0, "{formula}");
        assert_eq!(roll(&app).await, before, "{formula}");
    }
}

async fn an_export_of_more_than_one_page_is_whole(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(1001));
    app.sync("hr", json!({})).await;
    let file = export(&app).await;
    let rows = cells(&file);
    let mut names: Vec<_> = rows.iter().map(|row| row[3].clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!((rows.len(), names.len()), (1001, 1001));
    assert_eq!(file.matches("external_id").count(), 1, "one header");
    let report = import(&app, "", &file).await;
    assert_eq!((&report["unchanged"], &report["changed"]), (&json!(1001), &json!(0)));
}

async fn only_an_admin_exports(database: Database) {
    let app = start(database).await;
    let lin = app.admin().find("lin").await["id"].as_str().unwrap().to_owned();
    for caller in [app.caller(Role::Viewer), app.caller(Role::Operator), app.engineer(&lin)] {
        let response = caller.request(Method::GET, "/export").send().await.unwrap();
        assert_eq!(response.status(), 403);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    assert_eq!(app.stranger().request(Method::GET, "/export").send().await.unwrap().status(), 401);
}

async fn deleted_people_and_other_accounts_are_not_exported(database: Database) {
    let app = start(database).await;
    let other = app.caller_with(app.token("other", &[Role::Admin], None));
    let response = other.request(Method::GET, "/export").send().await.unwrap();
    assert_eq!(cells(response.text().await.unwrap().trim_start_matches('\u{FEFF}')), Vec::<Vec<String>>::new());
    let lin = app.admin().find("lin").await;
    let mutation = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    app.admin().data(mutation, json!({ "id": lin["id"] })).await;
    let rows = cells(&export(&app).await);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row[3] != "lin"));
    let report = import(&app, "", &format!("id,alias\n{},x\n", lin["id"].as_str().unwrap())).await;
    assert_eq!(report["refused"][0]["code"], "NOT_FOUND", "nor can they be imported");
}
