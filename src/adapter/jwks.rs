//! The public keys of an identity provider: a JWK set (RFC 7517, section 5) at a URL, which the metadata of an OpenID Connect
//! provider may name (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::http_client::{FetchError, HttpClient};
use crate::{
    config::{KeySetConfig, KeySetLocation, is_https, is_loopback_http},
    port::token_keys::{PublishedKey, TokenKeySource, TokenKeysError},
};

/// How long one answer may take.
pub const TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer, in bytes. A set of three RSA keys has about 2,000, with certificates 10,000.
pub const LONGEST_ANSWER: usize = 1024 * 1024;

/// Fetches a JWK set.
#[derive(Debug, Clone)]
pub struct JwksSource {
    client: HttpClient,
    location: KeySetLocation,
}

/// What matters of a JWK set. Keys are read one by one: one that is of no use does not spoil the others (RFC 7517, section 5).
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

/// What matters of a provider's metadata (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl JwksSource {
    /// Fetches from there. No answer may take longer than `timeout`; [`TIMEOUT`] is meant.
    ///
    /// # Errors
    /// When TLS cannot be set up. The text is for people.
    pub fn new(config: &KeySetConfig, timeout: Duration) -> Result<Self, String> {
        let client = HttpClient::new(timeout)
            .map_err(|why| format!("the identity provider cannot be asked for its keys: {why}"))?;
        Ok(Self { client, location: config.location.clone() })
    }

    /// Where the keys are.
    async fn find_set(&self) -> Result<Url, TokenKeysError> {
        let (issuer, metadata) = match &self.location {
            KeySetLocation::Jwks(url) => return Ok(url.clone()),
            KeySetLocation::Oidc { issuer, metadata } => (issuer, metadata),
        };
        let found: Metadata = self.read(metadata, "what is no metadata of an OpenID Connect provider").await?;
        let wrong = |what| TokenKeysError::Unreadable { place: show(metadata), what };
        if found.issuer != *issuer {
            return Err(wrong("the metadata of another issuer"));
        }
        // Over TLS all the way, or, for development, within this machine all the way.
        let trusted = |url: &Url| is_https(url) || (is_loopback_http(metadata) && is_loopback_http(url));
        let url = Url::parse(&found.jwks_uri).ok().filter(trusted);
        url.ok_or_else(|| wrong("a jwks_uri that is no https URL"))
    }

    async fn read<T: DeserializeOwned>(&self, url: &Url, otherwise: &'static str) -> Result<T, TokenKeysError> {
        let place = show(url);
        let body = match self.client.get(url, LONGEST_ANSWER).await {
            Ok(body) => body,
            Err(FetchError::Unreachable(why)) => return Err(TokenKeysError::Unreachable { place, why }),
            Err(FetchError::Status(status)) => return Err(TokenKeysError::Status { place, status }),
            Err(FetchError::TooLong) => return Err(TokenKeysError::TooLong { place, limit: LONGEST_ANSWER }),
        };
        serde_json::from_slice(&body).map_err(|_| TokenKeysError::Unreadable { place, what: otherwise })
    }
}

/// A URL for logs: what follows the path may be a secret.
fn show(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

#[async_trait]
impl TokenKeySource for JwksSource {
    async fn fetch(&self) -> Result<Vec<PublishedKey>, TokenKeysError> {
        let url = self.find_set().await?;
        let set: JwkSet = self.read(&url, "what is no JWK set").await?;
        Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }
}
