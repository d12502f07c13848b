//! Whether the server lives, and whether it can work.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    a_server_is_ready_when_its_database_is
    a_server_that_ends_is_not_ready
    a_sync_that_does_not_come_is_told_and_the_server_stays_ready
    a_structure_of_a_newer_version_is_told_and_the_server_stays_ready
}

async fn ready(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.request(Method::GET, "/health/ready").send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (answer.status(), answer.json().await.unwrap())
}

async fn a_server_is_ready_when_its_database_is(database: Database) {
    let app = TestApp::start_with(database, Setup { working: true, ..Setup::default() }).await;
    let (status, told) = ready(&app).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(told["status"], "ready", "{told}");
    for check in ["database", "migrations", "drain", "tail", "workers", "storage", "confirmationSync"] {
        assert_eq!(told["checks"][check]["status"], "ok", "{check}: {told}");
    }
    app.run_sql("DELETE FROM seaql_migrations WHERE version LIKE '%000009%'").await;
    app.clock.advance(Duration::seconds(2));
    let (status, told) = ready(&app).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told["status"], "unready");
    assert_eq!(told["checks"]["migrations"]["pending"], 1, "{told}");
    let alive = app.request(Method::GET, "/health/live").send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK, "it lives all the same");
}

async fn a_server_that_ends_is_not_ready(database: Database) {
    let app = TestApp::start(database).await;
    assert_eq!(ready(&app).await.0, StatusCode::OK);
    let metrics = app.serve_metrics().await;
    app.app.drain().cancel();
    let answer = reqwest::get(format!("http://{metrics}/health/ready")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told["checks"]["drain"]["status"], "fail", "{told}");
    let refused = app.request(Method::GET, "/health/ready").send().await;
    assert!(refused.is_err_and(|error| error.is_connect()), "the main door takes no connections any more");
}

async fn a_sync_that_does_not_come_is_told_and_the_server_stays_ready(database: Database) {
    let app = TestApp::start(database).await;
    app.run_workers().await;
    app.clock.advance(Duration::minutes(29));
    let (_, told) = ready(&app).await;
    assert_eq!(told["checks"]["confirmationSync"], json!({ "status": "ok", "ageSeconds": 29 * 60 }));
    app.clock.advance(Duration::minutes(2));
    let (status, told) = ready(&app).await;
    assert_eq!((status, &told["status"]), (StatusCode::OK, &json!("degraded")), "{told}");
    assert_eq!(told["checks"]["confirmationSync"]["ageSeconds"], 31 * 60, "{told}");
    app.run_workers().await;
    app.clock.advance(Duration::seconds(2));
    assert_eq!(ready(&app).await.1["status"], "ready");
}

async fn a_structure_of_a_newer_version_is_told_and_the_server_stays_ready(database: Database) {
    let app = TestApp::start(database).await;
    app.run_sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_of_the_future', 0)")
        .await;
    let (status, told) = ready(&app).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told["checks"]["migrations"], json!({ "status": "ok", "pending": 0, "newer": 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_costs_little_however_often_it_is_asked() {
    let counted = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&counted);
    let on_statement: rollcall::store::OnStatement = std::sync::Arc::new(move |_: &str| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let setup = Setup { on_statement: Some(on_statement), ..Setup::default() };
    let app = TestApp::start_with(Database::sqlite(), setup).await;
    ready(&app).await;
    let once = counted.load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..50 {
        ready(&app).await;
    }
    assert_eq!(
        counted.load(std::sync::atomic::Ordering::Relaxed),
        once,
        "the clock stands still, so nothing is asked again"
    );
}
