//! The mail server.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{findings::Findings, secret::Secret};

/// The mail server that carries confirmation messages. Without this section they land in the outbox, where nobody is reached.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SmtpSection {
    /// The server's host name.
    #[schemars(extend("x-required" = true))]
    host: Option<String>,
    /// The server's port.
    #[schemars(range(min = 1, max = 65535), extend("x-default" = "587 with starttls, 465 with tls, 25 with none"))]
    port: Option<u16>,
    /// How the connection is encrypted.
    tls: SmtpTls,
    /// The user name to log in with; no login without it.
    username: Option<String>,
    /// The password to log in with.
    password: Option<Secret>,
    /// A file that holds the password, instead of `password`.
    password_file: Option<PathBuf>,
    /// How long to wait for the server, in seconds.
    #[schemars(range(min = 1, max = 300))]
    timeout_seconds: u32,
    /// A PEM file with certificates to trust besides those of the system, for a server of one's own.
    ca_file: Option<PathBuf>,
}

impl Default for SmtpSection {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: SmtpTls::StartTls,
            username: None,
            password: None,
            password_file: None,
            timeout_seconds: 15,
            ca_file: None,
        }
    }
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins in the clear and must change to TLS before anything else (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// Not at all.
    None,
}

impl SmtpTls {
    const fn default_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// How to log in to the mail server.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// The mail server.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The host name.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// How to log in, if at all.
    pub credentials: Option<SmtpCredentials>,
    /// How long to wait for the server.
    pub timeout: Duration,
    /// Certificates in PEM to trust besides those of the system.
    pub extra_certificates: Option<String>,
}

impl SmtpSection {
    pub(super) fn resolve(&mut self, findings: &mut Findings) -> SmtpConfig {
        let port = *self.port.get_or_insert(self.tls.default_port());
        SmtpConfig {
            host: findings.take_line("smtp.host", self.host.as_deref().unwrap_or_default()),
            port,
            tls: self.tls,
            credentials: self.resolve_credentials(findings),
            timeout: Duration::from_secs(self.timeout_seconds.into()),
            extra_certificates: self.resolve_certificates(findings),
        }
    }

    fn resolve_credentials(&self, findings: &mut Findings) -> Option<SmtpCredentials> {
        let password = findings.take_secret("smtp.password", self.password.as_ref(), self.password_file.as_ref());
        let username = self.username.as_deref().map(|name| findings.take_line("smtp.username", name));
        // A password that was refused is not missing.
        let refused = findings.is_refused("smtp.password") || findings.is_refused("smtp.password_file");
        match (username, password) {
            (Some(username), Some(password)) => Some(SmtpCredentials { username, password }),
            (Some(_), None) if !refused => {
                findings.refuse("smtp.username", "needs smtp.password or smtp.password_file beside it");
                None
            }
            (None, Some(_)) => {
                findings.refuse("smtp.username", "must be given, since there is a password");
                None
            }
            (Some(_) | None, None) => None,
        }
    }

    fn resolve_certificates(&self, findings: &mut Findings) -> Option<String> {
        let file = self.ca_file.as_ref()?;
        let pem = findings.take_file("smtp.ca_file", file)?;
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            findings.refuse("smtp.ca_file", format!("the file {} holds no certificate in PEM", file.display()));
        }
        Some(pem)
    }
}
