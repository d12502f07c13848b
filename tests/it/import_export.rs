//! Bulk edits by file, over HTTP.

mod exporting;
mod importing;
mod robots;
mod streaming;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::app::{Caller, Database, TestApp};

/// A server on whose roll are Lin with everything, Wu with nothing, and someone disabled.
async fn start(database: Database) -> TestApp {
    let app = TestApp::start(database).await;
    fill(&app).await;
    app
}

async fn fill(app: &TestApp) {
    app.write_directory(
        "hr",
        &[
            "u-1,lin,林薇,,,+8613800138001,lin@demo.example",
            "u-2,wu,,,,,",
            "u-3,disabled,,,disabled,,disabled@demo.example",
        ],
    );
    app.sync("hr", json!({})).await;
}

/// Sends a file. Gives the status and the answer.
async fn send(caller: &Caller<'_>, query: &str, file: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let request = caller.request(Method::POST, &format!("/import{query}"));
    let response = request.header("content-type", "text/csv").body(file).send().await.unwrap();
    let status = response.status();
    (status, response.json().await.expect("JSON"))
}

/// Imports a file that is taken. Gives the report.
async fn import(app: &TestApp, query: &str, file: &str) -> Value {
    let (status, report) = send(&app.admin(), query, file.to_owned()).await;
    assert_eq!(status, 200, "{report}");
    report
}

/// The export, as text without its byte order mark.
async fn export(app: &TestApp) -> String {
    let response = app.admin().request(Method::GET, "/export").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
    text.strip_prefix('\u{FEFF}').expect("the mark by which spreadsheet programs know UTF-8").to_owned()
}

/// The export's cells, row by row, without the header.
fn cells(export: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(export.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}
