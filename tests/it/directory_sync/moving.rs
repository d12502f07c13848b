//! People who move between directories, and two directories that list the same person.

use serde_json::json;

use super::steps::{assert_counts, confirm_email, names, outcome, roll, sync};
use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
};

both_dbs! {
    a_person_found_by_email_moves_and_keeps_their_confirmations
    a_person_found_by_name_moves
    a_person_added_by_hand_is_taken_over
    two_people_of_one_name_are_nobodys_match
    two_directories_do_not_take_people_from_each_other
    a_person_whom_the_other_directory_lost_comes_back
}

async fn a_person_found_by_email_moves_and_keeps_their_confirmations(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,Lin,,,+8613800138001,lin@demo.example", "u-2,wu,,,,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    confirm_email(&app, &lin).await;

    app.write_directory("contractors", &["c-9,lin.contractor,,IAM_USER,,,LIN@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "contractors" })).await;
    assert_counts(&run, &[("moved", 1)]);
    assert_eq!(outcome(&run, "c-9"), ("MOVED", vec!["MATCHED_BY_EMAIL", "NAME_CHANGED", "USER_TYPE_CHANGED"]));
    let moved = app.admin().find("lin.contractor").await;
    assert_eq!(moved["id"], lin["id"]);
    assert_eq!((&moved["directory"], &moved["externalId"]), (&json!("contractors"), &json!("c-9")));
    assert_eq!((&moved["mobile"], &moved["email"]), (&lin["mobile"], &json!("lin@demo.example")));
    assert_eq!(channel(&moved, "EMAIL")["status"], "CONFIRMED");
    assert_eq!(channel(&moved, "EMAIL")["usable"], true);

    app.write_directory("hr", &["u-2,wu,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_counts(&run, &[("unchanged", 1)]);
    assert_eq!(app.admin().find("lin.contractor").await["directoryState"], "ACTIVE", "no longer of hr, so not gone");
}

async fn a_person_found_by_name_moves(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example", "u-2,wu,,,,,wu@demo.example"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    app.write_directory("contractors", &["c-1,lin,,,,,", "c-2,wu,,,,,another@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "contractors" })).await;
    assert_counts(&run, &[("moved", 1), ("added", 1)]);
    assert_eq!(outcome(&run, "c-1"), ("MOVED", vec!["MATCHED_BY_NAME"]));
    assert_eq!(outcome(&run, "c-2"), ("ADDED", vec![]), "one name and two addresses are two people");
    assert_eq!(app.admin().find("lin").await["id"], lin["id"]);
    assert_eq!(names(&app).await, ["lin", "wu", "wu"]);
}

async fn a_person_added_by_hand_is_taken_over(database: Database) {
    let app = TestApp::start(database).await;
    let added = app
        .admin()
        .data(
            "mutation { addEngineer(input: { name: \"by.hand\", userType: OTHER, email: \"hand@demo.example\" }) {
               engineer { id } userErrors { code } } }",
            json!({}),
        )
        .await;
    app.write_directory("hr", &["u-1,by.directory,,,,,hand@demo.example"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("MOVED", vec!["MATCHED_BY_EMAIL", "NAME_CHANGED"]));
    let taken = app.admin().find("by.directory").await;
    assert_eq!(taken["id"], added["addEngineer"]["engineer"]["id"]);
    assert_eq!((&taken["directory"], &taken["externalId"]), (&json!("hr"), &json!("u-1")));
}

async fn two_people_of_one_name_are_nobodys_match(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,", "u-2,lin,,,,,"]);
    app.sync("hr", json!({})).await;
    app.write_directory("contractors", &["c-1,lin,,,,,"]);
    let run = sync(&app, &app.admin(), json!({ "directory": "contractors" })).await;
    assert_counts(&run, &[("added", 1)]);
    assert_eq!(roll(&app).await.len(), 3);
}

async fn two_directories_do_not_take_people_from_each_other(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example", "u-2,only.hr,,,,,"]);
    app.write_directory("contractors", &["c-1,lin,,,,,lin@demo.example", "c-2,only.contractors,,,,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    let run = sync(&app, &app.admin(), json!({ "directory": "contractors" })).await;
    assert_counts(&run, &[("moved", 1), ("added", 1)]);
    for _ in 0..2 {
        let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
        assert_counts(&run, &[("unchanged", 1), ("skipped", 1)]);
        assert_eq!(outcome(&run, "u-1"), ("SKIPPED", vec!["MOVED_AWAY"]));
        let run = sync(&app, &app.admin(), json!({ "directory": "contractors" })).await;
        assert_counts(&run, &[("unchanged", 2)]);
    }
    let now = app.admin().find("lin").await;
    assert_eq!((&now["id"], &now["directory"], &now["version"]), (&lin["id"], &json!("contractors"), &lin["version"]));
    assert_eq!(names(&app).await, ["lin", "only.contractors", "only.hr"]);
    for one in roll(&app).await {
        assert_eq!(one["directoryState"], "ACTIVE", "{one}");
    }
}

async fn a_person_whom_the_other_directory_lost_comes_back(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u-1,lin,,,,,lin@demo.example"]);
    app.write_directory("contractors", &["c-1,lin,,,,,lin@demo.example", "c-2,other,,,,,"]);
    app.sync("hr", json!({})).await;
    app.sync("contractors", json!({})).await;
    app.write_directory("contractors", &["c-2,other,,,,,"]);
    app.sync("contractors", json!({ "confirmRemovals": true })).await;
    assert_eq!(app.admin().find("lin").await["directoryState"], "GONE");
    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(outcome(&run, "u-1"), ("MOVED", vec!["REVIVED"]));
    let lin = app.admin().find("lin").await;
    assert_eq!((&lin["directory"], &lin["directoryState"]), (&json!("hr"), &json!("ACTIVE")));
}
