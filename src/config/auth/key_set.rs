//! The public keys of an identity provider: where they are, and what they may sign.

use std::time::Duration;

use reqwest::Url;

use super::AuthSection;
use crate::{config::findings::Findings, domain::named::named};

named! {
    /// An algorithm that signs tokens with a private key (RFC 7518, section 3.1; RFC 8037).
    pub enum TokenAlgorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256, by an RSA key of at least 2048 bits.
        Rs256 = "RS256",
        /// ECDSA with P-256 and SHA-256.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

/// The public keys of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetConfig {
    /// Where they are.
    pub location: KeySetLocation,
    /// What they may sign. Never empty; each once.
    pub algorithms: Vec<TokenAlgorithm>,
    /// How often they are read again.
    pub refresh: Duration,
}

/// Where public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetLocation {
    /// A JWK set at that URL.
    Jwks(Url),
    /// A JWK set that the metadata of an OpenID Connect provider names (OpenID Connect Discovery 1.0, section 4).
    Oidc {
        /// The issuer, as its tokens and its metadata must name it.
        issuer: String,
        /// Where the metadata is.
        metadata: Url,
    },
}

impl KeySetLocation {
    /// What is asked first.
    pub const fn url(&self) -> &Url {
        match self {
            Self::Jwks(url) | Self::Oidc { metadata: url, .. } => url,
        }
    }

    /// The setting that names it.
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Jwks(_) => "auth.jwks_url",
            Self::Oidc { .. } => "auth.oidc_issuer",
        }
    }
}

/// Whether what comes from there cannot be changed on the way.
pub fn is_https(url: &Url) -> bool {
    url.scheme() == "https" && url.host_str().is_some_and(|host| !host.is_empty())
}

/// Whether it is plain HTTP that does not leave this machine.
pub fn is_loopback_http(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    url.scheme() == "http" && is_local
}

impl AuthSection {
    pub(super) fn resolve_key_set(&self, findings: &mut Findings) -> Option<KeySetConfig> {
        let algorithms = self.resolve_algorithms(findings);
        let location = match (&self.jwks_url, &self.oidc_issuer) {
            (Some(_), Some(_)) => {
                findings.refuse("auth.jwks_url", "cannot stand beside auth.oidc_issuer; keep one of them");
                None
            }
            (Some(url), None) => findings.accept("auth.jwks_url", parse_url(url)).map(KeySetLocation::Jwks),
            (None, Some(issuer)) => findings.accept("auth.oidc_issuer", parse_issuer(issuer)),
            (None, None) => None,
        };
        let refresh = Duration::from_secs(self.key_refresh_seconds.into());
        Some(KeySetConfig { location: location?, algorithms, refresh })
    }

    fn resolve_algorithms(&self, findings: &mut Findings) -> Vec<TokenAlgorithm> {
        let Some(names) = &self.algorithms else { return TokenAlgorithm::ALL.to_vec() };
        let mut algorithms = Vec::new();
        for name in names {
            match TokenAlgorithm::from_name(name) {
                Some(algorithm) if algorithms.contains(&algorithm) => {}
                Some(algorithm) => algorithms.push(algorithm),
                None => {
                    let known = TokenAlgorithm::ALL.map(TokenAlgorithm::name).join(", ");
                    findings.refuse("auth.algorithms", format!("must be of {known}, but has \"{name}\""));
                }
            }
        }
        if names.is_empty() {
            findings.refuse("auth.algorithms", "must name at least one algorithm");
        }
        algorithms
    }
}

fn parse_url(text: &str) -> Result<Url, String> {
    let Some(url) = Url::parse(text).ok().filter(|url| is_https(url) || is_loopback_http(url)) else {
        return Err(format!("\"{text}\" is no https URL; plain http is allowed only to this machine, for development"));
    };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must have no user and no fragment".to_owned());
    }
    Ok(url)
}

fn parse_issuer(text: &str) -> Result<KeySetLocation, String> {
    let url = parse_url(text)?;
    if url.query().is_some() {
        return Err("must have no query".to_owned());
    }
    // OpenID Connect Discovery 1.0, section 4.1: without the slash at the issuer's end.
    let metadata = format!("{}/.well-known/openid-configuration", text.trim_end_matches('/'));
    let metadata = parse_url(&metadata)?;
    Ok(KeySetLocation::Oidc { issuer: text.to_owned(), metadata })
}
