//! The one client for what rollcall asks of others over HTTP. It follows no redirect, uses no proxy of the environment, and reads
//! no more than it was told to.

use std::{error::Error as _, time::Duration};

use reqwest::{Client, Response, Url, redirect};

/// What is told of us.
const USER_AGENT: &str = concat!("rollcall/", env!("CARGO_PKG_VERSION"));

/// An answer could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchError {
    /// Nobody answered in time, or the connection broke; why, without the URL.
    Unreachable(String),
    /// A status other than 200.
    Status(u16),
    /// A body longer than wanted.
    TooLong,
}

/// Asks others.
#[derive(Debug, Clone)]
pub(super) struct HttpClient {
    client: Client,
}

impl HttpClient {
    /// A client that waits no longer than `timeout` for a whole answer.
    ///
    /// # Errors
    /// When TLS cannot be set up, such as without any trusted certificate.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .build()
            .map_err(|error| describe(&error))?;
        Ok(Self { client })
    }

    /// The body behind a URL, of at most `limit` bytes.
    pub async fn get(&self, url: &Url, limit: usize) -> Result<Vec<u8>, FetchError> {
        let unreachable = |error: reqwest::Error| FetchError::Unreachable(describe(&error.without_url()));
        let mut response = self.client.get(url.clone()).send().await.map_err(unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        if announces_more(&response, limit) {
            return Err(FetchError::TooLong);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn announces_more(response: &Response, limit: usize) -> bool {
    response.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
}

/// The innermost reason: the outer ones only say that a request failed.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut reason = error.source();
    while let Some(inner) = reason.and_then(std::error::Error::source) {
        reason = Some(inner);
    }
    reason.map_or_else(|| error.to_string(), ToString::to_string)
}
