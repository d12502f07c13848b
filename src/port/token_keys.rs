//! Where the public keys come from that check the tokens of an identity provider.

use async_trait::async_trait;
use serde::Deserialize;

/// A key as its owner publishes it (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2): the members that matter here,
/// as they are written. What it may check is not judged yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PublishedKey {
    /// Its family, such as `RSA`, `EC` or `OKP`.
    pub kty: String,
    /// The name by which tokens point to it.
    pub kid: Option<String>,
    /// What it is for, such as `sig` or `enc`.
    #[serde(rename = "use")]
    pub usage: Option<String>,
    /// What may be done with it, such as `verify`.
    pub key_ops: Option<Vec<String>>,
    /// The only algorithm that it is for.
    pub alg: Option<String>,
    /// The curve of an EC or OKP key.
    pub crv: Option<String>,
    /// The modulus of an RSA key, in Base64 for URLs.
    pub n: Option<String>,
    /// The exponent of an RSA key, likewise.
    pub e: Option<String>,
    /// The first coordinate of an EC key, or an OKP key itself, likewise.
    pub x: Option<String>,
    /// The second coordinate of an EC key, likewise.
    pub y: Option<String>,
}

/// The keys cannot be had now. The text is for the log and for operators; it holds nothing of what was answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeysError {
    /// Nobody answered in time, or the connection broke. Says at which address, and why.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// What was asked.
        place: String,
        /// Why.
        why: String,
    },
    /// The answer has another status than 200. Redirects are not followed.
    #[error("{place} answers with status {status}")]
    Status {
        /// What was asked.
        place: String,
        /// The status.
        status: u16,
    },
    /// The answer is too long.
    #[error("{place} answers with more than {limit} bytes")]
    TooLong {
        /// What was asked.
        place: String,
        /// The most that is read.
        limit: usize,
    },
    /// The answer is not what it must be.
    #[error("{place} answers with {what}")]
    Unreadable {
        /// What was asked.
        place: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Someone who publishes public keys.
#[async_trait]
pub trait TokenKeySource: Send + Sync {
    /// All keys that are published now, those of unknown kinds included. It ends within seconds, whatever the other side does.
    ///
    /// # Errors
    /// When they cannot be had.
    async fn fetch(&self) -> Result<Vec<PublishedKey>, TokenKeysError>;
}
