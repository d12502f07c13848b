//! A client of server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use reqwest::{Response, StatusCode, header};
use serde_json::Value;

/// A stream of events that is read as it comes.
pub struct Events {
    response: Response,
    unread: String,
}

impl Events {
    /// Reads the answer to a request.
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream; charset=utf-8");
        Self { response, unread: String::new() }
    }

    /// The next event: its name and its data; `None` at the end. A comment has no name.
    pub async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(read(&event));
            }
            let chunk = self.response.chunk().await.expect("a piece of the stream")?;
            self.unread += std::str::from_utf8(&chunk).expect("text");
        }
    }

    /// The result that comes next, whatever the server says to keep the connection alive.
    pub async fn result(&mut self) -> Value {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            match name.as_str() {
                "" => {}
                "next" => return serde_json::from_str(&data).expect("JSON"),
                other => panic!("not a result but {other}"),
            }
        }
    }

    /// The data of the result that comes next, which nothing failed in.
    pub async fn data(&mut self) -> Value {
        let result = self.result().await;
        assert!(result.get("errors").is_none(), "{result}");
        result["data"].clone()
    }

    /// Checks that nothing more comes, and that the server says so.
    pub async fn assert_complete(&mut self) {
        assert_eq!(self.next().await, Some(("complete".to_owned(), String::new())));
        assert_eq!(self.next().await, None);
    }
}

fn read(event: &str) -> (String, String) {
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in event.split('\n') {
        match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
            Some(("event", value)) => value.clone_into(&mut name),
            Some(("data", value)) => data.push(value),
            Some(("", _)) => {}
            other => panic!("no field: {other:?}"),
        }
    }
    assert!(name.is_empty() || !data.is_empty(), "a browser tells nobody of an event without data");
    (name, data.join("\n"))
}
