//! What is left of an erased person: in the tables, and in the bytes of the files.

use serde_json::{Value, json};

use super::{delete_all, restore};
use crate::{
    directory_sync::steps::{answer, confirm_email, edit, sync},
    harness::{
        app::{Database, TestApp},
        both_dbs,
        raw::{everything, holds},
    },
};

/// What may not be left, each in the forms in which it may be stored.
const PERSONAL: [&str; 9] = [
    "Zebulon.Quartermain",
    "zebulon.quartermain",
    "Zebby",
    "zebby",
    "13800138777",
    "13900139777",
    "zeb@listed.example",
    "zeb@typed.example",
    "quartermain-idp",
];

both_dbs! {
    nothing_personal_is_left_of_an_erased_person_but_the_directory_identity
    nothing_personal_is_left_when_the_time_to_restore_is_over
}

fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    PERSONAL.iter().filter(|text| holds(bytes, text)).copied().collect()
}

/// A server that knows as much as it can of one person: seeds, edits, a confirmation with its record, requests that wait,
/// runs that name them, and a robot.
async fn start(database: Database) -> (TestApp, Value) {
    let app = TestApp::start(database).await;
    std::fs::write(
        app.path("hr.csv"),
        "external_id,name,alias,identity_provider,mobile,email\n\
         u-1,Zebulon.Quartermain,Zebby,quartermain-idp,13800138777,zeb@listed.example\n\
         u-2,wu,,,,wu@demo.example\n",
    )
    .unwrap();
    app.sync("hr", json!({})).await;
    let zeb = app.admin().find("Zebulon.Quartermain").await;
    confirm_email(&app, &zeb).await;
    edit(&app, &zeb, json!({ "email": "zeb@typed.example" })).await;
    app.run_workers().await;
    assert_eq!(answer(&app, "zeb@typed.example").await, 200);
    let robot = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7a0b-4bc4-97a0-0ec2ab5a5aaa";
    let edits = json!({ "mobile": "+8613900139777", "endpoints": [{ "kind": "WECOM", "value": robot }] });
    edit(&app, &zeb, edits).await;
    app.clock.advance(chrono::Duration::minutes(1));
    let wu = app.admin().find("wu").await;
    confirm_email(&app, &wu).await;
    (app, zeb)
}

async fn nothing_personal_is_left_of_an_erased_person_but_the_directory_identity(database: Database) {
    let (app, zeb) = start(database).await;
    let before = found_in(&everything(&app).await);
    for held in ["Zebulon.Quartermain", "Zebby", "13900139777", "zeb@typed.example", "quartermain-idp"] {
        assert!(before.contains(&held), "{held} is stored before, or the search finds nothing");
    }
    delete_all(&app, &[&zeb], true).await;
    app.run_workers().await;
    assert_eq!(found_in(&everything(&app).await), [""; 0]);

    let run = sync(&app, &app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(run["counts"]["skipped"], 1);
    assert_eq!(found_in(&everything(&app).await), [""; 0], "nor does a later sync write any of it");
    let outbox = app.outbox().await;
    assert!(outbox.iter().all(|message| message.endpoint == "wu@demo.example"), "their messages went too");
    assert_eq!(outbox.len(), 1, "and nobody else's");
}

async fn nothing_personal_is_left_when_the_time_to_restore_is_over(database: Database) {
    let (app, zeb) = start(database).await;
    delete_all(&app, &[&zeb], false).await;
    app.run_workers().await;
    assert!(found_in(&everything(&app).await).contains(&"zeb@typed.example"), "until then they can be restored");
    app.clock.advance(chrono::Duration::hours(24));
    app.run_workers().await;
    assert_eq!(found_in(&everything(&app).await), [""; 0]);
    let refused = restore(&app.admin(), &[&zeb]).await;
    assert_eq!(refused["outcomes"][0]["userError"]["code"], "NOT_FOUND");
}
