//! An import over HTTP is not held in memory, and leaves nothing where it does not arrive whole.

use std::{fs, path::Path, time::Duration};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{import, start};
use crate::{
    directory_sync::steps::roll,
    harness::{
        app::{Database, TestApp},
        both_dbs,
        process::ServerProcess,
    },
};

both_dbs! {
    an_upload_that_is_cut_off_changes_nobody_and_leaves_no_file
    a_report_lists_ten_thousand_refusals_and_counts_the_rest
}

/// What a person sees in the server's folder.
fn files(app: &TestApp) -> Vec<String> {
    let entries = fs::read_dir(app.path("")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Waits until this process, which is the server, holds so many files without a name open in the server's folder. No answer tells
/// the moment.
#[cfg(target_os = "linux")]
async fn wait_for_nameless_files(app: &TestApp, wanted: usize) {
    let folder = app.path("");
    let count = || {
        let links =
            fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        links.filter(|file| file.starts_with(&folder) && file.to_string_lossy().ends_with("(deleted)")).count()
    };
    let counted = async {
        while count() != wanted {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), counted).await.expect("the file to come and go");
}

async fn an_upload_that_is_cut_off_changes_nobody_and_leaves_no_file(database: Database) {
    let app = start(database).await;
    let (before, listed) = (roll(&app).await, files(&app));
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /import HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: text/csv\r\ncontent-length: 200000\r\n\r\n",
        app.address,
        app.admin().authorization().unwrap(),
    );
    let part = format!("name,alias\nlin,Stranger\nwu,Stranger\n{}", "nobody,x\n".repeat(10_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(part.as_bytes()).await.unwrap();
    #[cfg(target_os = "linux")]
    wait_for_nameless_files(&app, 1).await;
    assert_eq!(files(&app), listed, "not even while it arrives is it in the folder by a name");
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(roll(&app).await, before);
    assert_eq!(files(&app), listed);
    #[cfg(target_os = "linux")]
    wait_for_nameless_files(&app, 0).await;
    assert_eq!(import(&app, "", "name,alias\nlin,Wei\n").await["changed"], 1);
}

async fn a_report_lists_ten_thousand_refusals_and_counts_the_rest(database: Database) {
    let app = start(database).await;
    let file = format!("name,alias\n{}lin,Wei\n", "nobody,x\n".repeat(10_020));
    let report = import(&app, "", &file).await;
    assert_eq!(report["refused"].as_array().unwrap().len(), 10_000);
    assert_eq!((&report["refused"][9_999]["line"], &report["refusedMore"]), (&json!(10_001), &json!(20)));
    assert_eq!((&report["rows"], &report["changed"]), (&json!(10_021), &json!(1)));
}

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// By how much the server may grow over the import of 48 MiB. A server that held the body would grow by all of it; rows, SQL
/// and the report take some.
const MAY_GROW: usize = 16 * MIB;

/// What the kernel says of the memory of a process, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
async fn upload(server: &ServerProcess, file: String) -> (StatusCode, Value) {
    let request = Client::new()
        .post(format!("http://{}/import", server.address))
        .header("authorization", server.authorization())
        .header("content-type", "text/csv");
    let response = request.body(file).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_a_server_does_not_grow_with_the_file() {
    let folder = TempDir::new().unwrap();
    let server = ServerProcess::start(folder.path(), &[("ROLLCALL_SERVER__MAX_IMPORT_BYTES", "67108864")]);
    let row = |place: usize| format!("stranger.{place},{}\n", "x".repeat(4_000));
    let file = |rows: usize| "name,notes\n".to_owned() + &(0..rows).map(row).collect::<String>() + "lin,\n";
    // What is allocated once is there before it is counted.
    assert_eq!(upload(&server, file(500)).await.0, 200);
    fs::write(Path::new("/proc").join(server.id().to_string()).join("clear_refs"), "5").unwrap();
    let before = peak_memory(server.id());
    let large = file(48 * MIB / 4_000);
    assert!(large.len() > 48 * MIB);
    let (status, report) = timeout(Duration::from_secs(300), upload(&server, large)).await.unwrap();
    assert_eq!((status.as_u16(), &report["rows"]), (200, &json!(48 * MIB / 4_000 + 1)));
    let grown = peak_memory(server.id()).saturating_sub(before);
    println!("before {} KiB, grown by {} KiB", before / 1024, grown / 1024);
    assert!(grown < MAY_GROW, "the server grew by {} MiB", grown / MIB);
}
