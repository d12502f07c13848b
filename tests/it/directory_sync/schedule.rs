//! Runs by schedule.

use chrono::Duration;
use serde_json::{Value, json};

use super::steps::queue;
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    a_directory_with_a_schedule_is_read_when_its_time_has_come
    a_run_by_hand_counts_and_a_dry_run_does_not
}

async fn start(database: Database) -> TestApp {
    let config = "[accounts.demo.directories.hr]\nsync_seconds = 3600\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    app.write_directory("hr", &["u-1,lin,,,,,"]);
    app
}

/// The runs of `demo`, newest first, once the workers are idle.
async fn runs(app: &TestApp) -> Vec<Value> {
    app.run_workers().await;
    app.run_workers().await;
    let query = "{ directorySyncs(first: 50) { nodes { directory state requestedBy dryRun createdAt } } }";
    app.admin().data(query, json!({})).await["directorySyncs"]["nodes"].as_array().unwrap().clone()
}

async fn a_directory_with_a_schedule_is_read_when_its_time_has_come(database: Database) {
    let app = start(database).await;
    let first = runs(&app).await;
    assert_eq!(first.len(), 1, "a directory that was never read is due, and one without a schedule is not");
    assert_eq!((&first[0]["directory"], &first[0]["state"]), (&json!("hr"), &json!("SUCCEEDED")));
    assert_eq!((&first[0]["requestedBy"], &first[0]["dryRun"]), (&json!(null), &json!(false)));
    app.admin().find("lin").await;

    app.clock.advance(Duration::seconds(3599));
    assert_eq!(runs(&app).await.len(), 1);
    app.clock.advance(Duration::seconds(1));
    assert_eq!(runs(&app).await.len(), 2);
    app.clock.advance(Duration::hours(5));
    assert_eq!(runs(&app).await.len(), 3, "what was missed is made up for once");

    // Nobody is at work: a run that waits is not asked for again.
    let services = &app.app.services;
    app.clock.advance(Duration::hours(1));
    assert_eq!(services.schedule_directory_syncs(app.app.owner()).await.unwrap(), 1);
    app.clock.advance(Duration::minutes(59));
    assert_eq!(services.schedule_directory_syncs(app.app.owner()).await.unwrap(), 0);
    // And one process at a time keeps to the schedule.
    assert_eq!(runs(&app).await.len(), 4);
    app.clock.advance(Duration::hours(2));
    assert_eq!(services.schedule_directory_syncs(app.app.owner()).await.unwrap(), 1);
    assert_eq!(services.schedule_directory_syncs("another process").await.unwrap(), 0);
}

async fn a_run_by_hand_counts_and_a_dry_run_does_not(database: Database) {
    let app = start(database).await;
    queue(&app.admin(), json!({ "directory": "hr" })).await;
    assert_eq!(runs(&app).await.len(), 1, "the run by hand is the first");
    app.clock.advance(Duration::minutes(59));
    queue(&app.admin(), json!({ "directory": "hr", "dryRun": true })).await;
    assert_eq!(runs(&app).await.len(), 2);
    app.clock.advance(Duration::minutes(1));
    let runs = runs(&app).await;
    assert_eq!(runs.len(), 3, "the dry run read nothing onto the roll");
    assert_eq!((&runs[0]["requestedBy"], &runs[0]["createdAt"]), (&json!(null), &json!("2025-01-15T09:09:10.000Z")));
}
