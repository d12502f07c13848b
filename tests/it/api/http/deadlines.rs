//! Requests that do not come to their end.

use std::time::{Duration, Instant};

use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
    wire::RawConnection,
};

both_dbs! {
    a_body_that_does_not_come_is_not_waited_for
}

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let app = TestApp::start(Database::sqlite()).await;
    let began = Instant::now();
    let mut connections = Vec::new();
    for beginning in ["G", "GET /graphql?query={__typename} HTTP/1.1\r\nhost: x\r\nx-more: "] {
        let mut connection = RawConnection::open(app.address).await;
        connection.send(beginning).await;
        connections.push(connection);
    }
    for mut connection in connections {
        assert!(connection.is_closed().await);
    }
    let took = began.elapsed();
    assert!(HEAD < took + Duration::from_secs(1) && took < 2 * HEAD, "{took:?}");
}

async fn a_body_that_does_not_come_is_not_waited_for(database: Database) {
    let config = "[server]\nbody_timeout_seconds = 1\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    let token = app.admin().authorization().unwrap();
    let form = "application/x-www-form-urlencoded";
    let table = [
        ("/graphql", "application/json", "content-length: 100", "{\"query\":", "application/json; charset=utf-8"),
        (
            "/graphql",
            "application/json",
            "transfer-encoding: chunked",
            "5\r\n{\"que\r\n",
            "application/json; charset=utf-8",
        ),
        ("/import", "text/csv", "content-length: 100", "external_id,", "application/json; charset=utf-8"),
        ("/c/AAAAAAAAAAAAAAAAAAAAAA", form, "content-length: 100", "code=12", "text/html; charset=utf-8"),
    ];
    for (path, media_type, length, beginning, answered) in table {
        let mut connection = RawConnection::open(app.address).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: {media_type}\r\n{length}\r\n\r\n"
        );
        connection.send(head).await;
        connection.send(beginning).await;
        let head = connection.read_head().await;
        assert_eq!((head.status, head.header("content-type")), (408, answered), "{path}");
        let body = connection.read_body(&head).await;
        if answered.starts_with("application/json") {
            assert!(body.contains("\"code\":\"BAD_USER_INPUT\"") && body.contains("in time"), "{body}");
        }
        assert!(connection.is_closed().await, "what comes late is not taken for another request");
    }
}
