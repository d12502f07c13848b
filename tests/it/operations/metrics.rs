//! The metrics: what they count, what they never tell, and the page that lists them.

use std::{collections::BTreeSet, fs, path::Path};

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{
    app::{Database, TestApp, channel},
    both_dbs,
    process::{ServerProcess, free_address, run},
};

both_dbs! {
    the_metrics_tell_how_the_roll_and_the_work_stand
    a_database_that_fails_is_told_and_the_rest_goes_on
}

/// Everything that is measured.
async fn scrape(app: &TestApp) -> String {
    let address = app.serve_metrics().await;
    let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    answer.text().await.unwrap()
}

/// The value of a metric with its labels.
#[track_caller]
fn value(text: &str, metric: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {metric} in\n{text}")).to_owned()
}

async fn the_metrics_tell_how_the_roll_and_the_work_stand(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &["u1,lin,,,,+8613800138101,lin@demo.example", "u2,mei,,,,,", "u3,bo,,,disabled,,"]);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin").await;
    app.admin()
        .data(
            "mutation($id: ID!) { subscribeChannels(input: { engineerIds: [$id], channels: [EMAIL, SMS] }) { userErrors { code } } }",
            json!({ "id": lin["id"] }),
        )
        .await;
    app.clock.advance(Duration::seconds(30));
    let text = scrape(&app).await;
    for (metric, expected) in [
        ("rollcall_database_up", "1"),
        ("rollcall_engineers{account=\"demo\"}", "3"),
        ("rollcall_engineers{account=\"other\"}", "0"),
        ("rollcall_engineers_unreachable{account=\"demo\"}", "3"),
        ("rollcall_channels{account=\"demo\",channel=\"EMAIL\",status=\"REQUESTED\"}", "1"),
        ("rollcall_channels{account=\"demo\",channel=\"EMAIL\",status=\"NOT_CONFIGURED\"}", "2"),
        ("rollcall_channels{account=\"demo\",channel=\"VOICE\",status=\"UNSUBSCRIBED\"}", "1"),
        ("rollcall_channels{account=\"demo\",channel=\"LARK\",status=\"CONFIRMED\"}", "0"),
        ("rollcall_queue_due{account=\"demo\",queue=\"hand_over\"}", "2"),
        ("rollcall_queue_oldest_due_seconds{account=\"demo\",queue=\"hand_over\"}", "30.0"),
        ("rollcall_queue_due{account=\"demo\",queue=\"cancel\"}", "0"),
        ("rollcall_queue_due{account=\"demo\",queue=\"directory_sync\"}", "0"),
        ("rollcall_directory_sync_age_seconds{account=\"demo\",directory=\"hr\"}", "30.0"),
        ("rollcall_directory_sync_duration_seconds{account=\"demo\",directory=\"hr\"}", "0.0"),
        ("rollcall_confirmation_sync_age_seconds{account=\"demo\"}", "30.0"),
        ("rollcall_confirmation_sync_duration_seconds{account=\"demo\"}", "0.0"),
    ] {
        assert_eq!(value(&text, metric), expected, "{metric}");
    }

    app.run_workers().await;
    for message in app.outbox().await {
        let answer = app.request(Method::POST, &format!("/c/{}", message.link.rsplit('/').next().unwrap()));
        answer.form(&[("code", &message.code)]).send().await.unwrap();
    }
    assert_eq!(channel(&app.admin().find("lin").await, "EMAIL")["status"], "CONFIRMED");
    app.clock.advance(Duration::seconds(30));
    let text = scrape(&app).await;
    assert_eq!(value(&text, "rollcall_channels{account=\"demo\",channel=\"EMAIL\",status=\"CONFIRMED\"}"), "1");
    assert_eq!(value(&text, "rollcall_engineers_unreachable{account=\"demo\"}"), "2");
    assert_eq!(value(&text, "rollcall_queue_due{account=\"demo\",queue=\"hand_over\"}"), "0");
    let page = "rollcall_http_requests_total{method=\"POST\",route=\"/c/{token}\",status=\"200\"}";
    assert_eq!(value(&text, page), "2");
    for personal in ["lin@demo.example", "13800138101", "lin\"", "mei"] {
        assert!(!text.contains(personal), "{personal} stands in the metrics");
    }
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
}

async fn a_database_that_fails_is_told_and_the_rest_goes_on(database: Database) {
    let app = TestApp::start(database).await;
    app.run_sql("ALTER TABLE channel RENAME TO channel_away").await;
    app.request(Method::GET, "/nowhere").send().await.unwrap();
    let text = scrape(&app).await;
    assert_eq!(value(&text, "rollcall_database_up"), "0");
    assert_eq!(value(&text, "rollcall_http_requests_total{method=\"GET\",route=\"(no route)\",status=\"404\"}"), "1");
    assert!(!text.contains("rollcall_engineers{"), "no old numbers: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_sockets_and_streams_are_counted() {
    let app = TestApp::start(Database::sqlite()).await;
    let admin = app.admin();
    for query in ["{ viewer { subject } }", "{ viewer { subject } liveCursor }", "{ nothing }", "{"] {
        admin.execute(query, json!({})).await;
    }
    let mut socket = admin.connect().await;
    let stream = socket.subscribe("subscription { rosterSummaryChanged { id } }", json!({})).await;
    socket.next(&stream).await;
    let text = scrape(&app).await;
    for (metric, expected) in [
        ("operations_total{kind=\"query\",field=\"viewer\",code=\"OK\"}", "1"),
        ("operations_total{kind=\"query\",field=\"several\",code=\"OK\"}", "1"),
        ("operations_total{kind=\"query\",field=\"none\",code=\"GRAPHQL_VALIDATION_FAILED\"}", "1"),
        ("operations_total{kind=\"unknown\",field=\"none\",code=\"GRAPHQL_PARSE_FAILED\"}", "1"),
        ("operation_duration_seconds_count{kind=\"query\"}", "3"),
        ("sockets", "1"),
        ("sockets_opened_total", "1"),
        ("live_streams", "1"),
    ] {
        assert_eq!(value(&text, &format!("rollcall_{metric}")), expected, "{metric}");
    }

    let refused = socket.subscribe("subscription { directorySyncProgress(id: \"no id\") { id } }", json!({})).await;
    assert_eq!(socket.refusal(&refused).await, "BAD_USER_INPUT");
    drop(socket);
    let ended = "rollcall_operations_total{kind=\"subscription\",field=\"rosterSummaryChanged\",code=\"OK\"}";
    let text = loop {
        let text = scrape(&app).await;
        if text.contains(ended) && value(&text, "rollcall_sockets") == "0" {
            break text;
        }
    };
    assert_eq!(value(&text, ended), "1");
    assert_eq!(value(&text, "rollcall_live_streams"), "0");
    let refused =
        "rollcall_operations_total{kind=\"subscription\",field=\"directorySyncProgress\",code=\"BAD_USER_INPUT\"}";
    assert_eq!(value(&text, refused), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_of_clients_are_no_labels() {
    let app = TestApp::start(Database::sqlite()).await;
    app.request(Method::from_bytes(b"EVIL").unwrap(), "/evil-path").send().await.unwrap();
    app.admin().execute("query EvilName { evilAlias: viewer { subject } evilField }", json!({})).await;
    let text = scrape(&app).await;
    assert!(!text.to_lowercase().contains("evil"), "{text}");
    assert!(text.contains("method=\"other\""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_its_metrics_on_a_listener_of_their_own() {
    let folder = TempDir::new().unwrap();
    let metrics = free_address().to_string();
    let env = [("ROLLCALL_METRICS__ENABLED", "true"), ("ROLLCALL_METRICS__LISTEN", &metrics)];
    let server = ServerProcess::start(folder.path(), &env);
    let text = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    assert_eq!(value(&text, "rollcall_engineers{account=\"demo\"}"), "25");
    let ready = reqwest::get(format!("http://{metrics}/health/ready")).await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    let main = reqwest::get(format!("http://{}/metrics", server.address)).await.unwrap();
    assert_eq!(main.status(), StatusCode::NOT_FOUND, "not beside the API");

    let other = TempDir::new().unwrap();
    let data = other.path().display().to_string();
    let refused = run(&["serve", "--demo", "--listen", "127.0.0.1:0", "--data", &data], &env);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains(&metrics) && told.contains("metrics.listen"), "{told}");
}

/// The table of docs/operations.md names every metric, and none that is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_page_lists_every_metric() {
    let app = TestApp::start(Database::sqlite()).await;
    app.write_directory("hr", &["u1,lin,,,,,"]);
    app.sync("hr", json!({})).await;
    // A metric with labels is told once there is something to tell.
    let metrics = app.app.metrics();
    metrics.expect_worker("prune");
    metrics.count_closed_socket(1001);
    let text = scrape(&app).await;
    let counted: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect();
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `rollcall_"));
    let listed: BTreeSet<_> = rows.map(|row| format!("rollcall_{}", row.split('`').next().unwrap())).collect();
    assert_eq!(listed, counted);
}
