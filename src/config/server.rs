//! Where rollcall listens, and who may talk to it.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, to_usize, trusted_proxies::TrustedProxies};
use crate::domain::table::MAX_FILE_BYTES;

/// Where rollcall listens, and who may talk to it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServerSection {
    /// The address and port to listen on. Port 0 takes a free one.
    listen: String,
    /// The URL (http or https) under which people reach this server: confirmation links begin with it. A path is allowed, a
    /// query is not.
    #[schemars(extend("x-default" = "`http://` and the address it listens on"))]
    public_url: Option<String>,
    /// The origins whose pages may call the API from a browser, over HTTP and WebSocket, besides the server's own. An origin is
    /// written as browsers send it (`https://console.example.com`); `http://localhost:*` allows every port.
    allowed_origins: Vec<String>,
    /// The addresses and networks (`10.0.0.0/8`) of proxies before this server. Only from these is `X-Forwarded-For` believed: the
    /// client is then its last entry that is no trusted proxy. A proxy must add the address that it sees to that header, or set it.
    trusted_proxies: Vec<String>,
    /// The largest GraphQL request, in bytes.
    #[schemars(range(min = 1024, max = 16_777_216))]
    max_body_bytes: u32,
    /// The largest file that can be imported over HTTP, in bytes. It is kept in the data folder while it is read.
    #[schemars(range(min = 1024, max = MAX_FILE_BYTES))]
    max_import_bytes: u32,
    /// How long a request may take to send its body, in seconds, and a second more for each 64 KiB of it.
    #[schemars(range(min = 1, max = 600))]
    body_timeout_seconds: u32,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            max_body_bytes: 65_536,
            max_import_bytes: 16 * 1024 * 1024,
            body_timeout_seconds: 15,
        }
    }
}

/// Where rollcall listens, and who may talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL under which people reach the server, as given, without a slash at its end. See [`ServerConfig::find_public_url`].
    pub public_url: Option<String>,
    /// The origins of other sites that may call the API from a browser. No two are equal.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// The proxies that are believed about where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// The largest GraphQL request, in bytes.
    pub max_body_bytes: usize,
    /// The largest import, in bytes.
    pub max_import_bytes: usize,
    /// How long a request may take to send its body, and a second more for each 64 KiB of it.
    pub body_timeout: Duration,
}

impl ServerConfig {
    /// The URL under which people reach the server, without a slash at its end: the one given, or else the address it is bound
    /// to. A server that listens on every address is reached by the loopback one.
    pub fn find_public_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| default_public_url(bound))
    }
}

pub(super) fn default_public_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("http://{address}")
}

/// An origin (RFC 6454) whose pages may call the API, or one host with any port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AllowedOrigin {
    /// This origin, as browsers send it.
    Exact(String),
    /// This scheme and host, with any port or none.
    AnyPort(String),
}

impl AllowedOrigin {
    /// Whether an `Origin` header is meant.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::AnyPort(host) => match origin.strip_prefix(host.as_str()) {
                Some("") => true,
                Some(rest) => rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()),
                None => false,
            },
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bare = text.strip_suffix(":*");
        let url = Url::parse(bare.unwrap_or(text)).ok().filter(|url| is_web(url) && url.username().is_empty());
        let Some(url) = url else {
            return Err(format!("\"{text}\" is no origin such as https://console.example.com or http://localhost:*"));
        };
        if bare.is_some() && url.port().is_some() {
            return Err(format!("\"{text}\" names two ports"));
        }
        let sent = url.origin().ascii_serialization();
        if sent != bare.unwrap_or(text) {
            let any_port = if bare.is_some() { ":*" } else { "" };
            return Err(format!("\"{text}\" is not as browsers send it; write \"{sent}{any_port}\""));
        }
        Ok(if bare.is_some() { Self::AnyPort(sent) } else { Self::Exact(sent) })
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
}

pub(super) fn parse_address(text: &str, example: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no address and port such as {example}"))
}

pub(super) fn parse_public_url(text: &str) -> Result<String, String> {
    let Some(url) = Url::parse(text).ok().filter(is_web) else {
        return Err(format!("\"{text}\" is no http or https URL such as https://rollcall.example.com"));
    };
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must have no query, no fragment and no user, only a host and perhaps a port and a path".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl ServerSection {
    pub(super) fn resolve(&mut self, findings: &mut Findings) -> Option<ServerConfig> {
        let listen = findings.accept("server.listen", parse_address(&self.listen, "127.0.0.1:8080 or [::]:8080"));
        let given = self.public_url.as_deref().map(parse_public_url);
        let public_url = given.and_then(|parsed| findings.accept("server.public_url", parsed));
        // Shown by `config print`; with port 0 the address is known only once it is bound.
        let shown = listen.filter(|address| address.port() != 0).map(default_public_url);
        self.public_url = public_url.clone().or(shown);
        Some(ServerConfig {
            allowed_origins: self.resolve_origins(findings),
            trusted_proxies: TrustedProxies::resolve(&self.trusted_proxies, findings),
            listen: listen?,
            public_url,
            max_body_bytes: to_usize(self.max_body_bytes),
            max_import_bytes: to_usize(self.max_import_bytes),
            body_timeout: Duration::from_secs(self.body_timeout_seconds.into()),
        })
    }

    fn resolve_origins(&self, findings: &mut Findings) -> Vec<AllowedOrigin> {
        let mut seen = BTreeSet::new();
        let mut origins = Vec::new();
        let mut problems = Vec::new();
        for text in &self.allowed_origins {
            if !seen.insert(text) {
                problems.push(format!("\"{text}\" is there twice"));
                continue;
            }
            match AllowedOrigin::parse(text) {
                Ok(origin) => origins.push(origin),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            findings.refuse("server.allowed_origins", problems.join("; "));
        }
        origins
    }
}
