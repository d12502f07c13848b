//! Asks a server of this machine how it is, as a probe does.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::Url;
use serde::Deserialize;

use super::http_client::{FetchError, HttpClient};

/// How long the answer may take: the server itself waits 2 s for its database.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What a server that can serve says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServerHealth {
    /// `ready` or `degraded`.
    pub status: String,
    checks: BTreeMap<String, CheckOutcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct CheckOutcome {
    status: String,
    why: Option<String>,
}

impl ServerHealth {
    /// The checks that are not well, with what is wrong.
    pub fn list_troubles(&self) -> Vec<String> {
        let troubles = self.checks.iter().filter(|(_, check)| check.status != "ok");
        troubles.map(|(name, check)| format!("{name}: {}", check.why.as_deref().unwrap_or(&check.status))).collect()
    }
}

/// The URL at which a server that listens there says whether it is ready.
pub fn readiness_url(listen: SocketAddr) -> String {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => listen,
    };
    format!("http://{address}/health/ready")
}

/// Asks the server that listens there.
///
/// # Errors
/// When it does not answer, or cannot serve; the text says which.
pub async fn ask_server(listen: SocketAddr) -> Result<ServerHealth, String> {
    let url = readiness_url(listen);
    let parsed = Url::parse(&url).map_err(|error| error.to_string())?;
    let answer = HttpClient::new(TIMEOUT)?.get(&parsed, LONGEST_ANSWER).await;
    let body = answer.map_err(|error| match error {
        FetchError::Unreachable(why) => format!("no server answers at {url}: {why}"),
        FetchError::Status(status) => format!("the server is not ready: {url} answers {status} and says why"),
        FetchError::TooLong => format!("what answers at {url} is no rollcall server"),
    })?;
    serde_json::from_slice(&body).map_err(|_| format!("what answers at {url} is no rollcall server"))
}
