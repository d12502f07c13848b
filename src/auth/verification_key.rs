//! What a published key may check. The key decides, together with the configuration; a token only points to it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::{config::TokenAlgorithm, port::token_keys::PublishedKey};

/// The shortest and the longest RSA key, in bits. Shorter ones are weak (RFC 7518, section 3.3); longer ones cost much to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The length of a coordinate of P-256, and of an Ed25519 key, in bytes.
const COORDINATE: usize = 32;

/// Why a published key checks nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// It is of another family, on another curve, or for an algorithm that is not supported.
    #[error("it is of a kind that is not supported")]
    Kind,
    /// The configuration does not list its algorithm.
    #[error("its algorithm is not one of auth.algorithms")]
    NotAllowed,
    /// It is published for something else than checking signatures.
    #[error("it is not for checking signatures")]
    Purpose,
    /// It is too short or too long.
    #[error("it is too short or too long")]
    Size,
    /// A part of it is missing or cannot be read.
    #[error("it is damaged")]
    Damaged,
}

/// A public key and the one algorithm that it checks.
#[derive(Debug, Clone)]
pub struct VerificationKey {
    /// The name by which tokens point to it.
    pub kid: Option<String>,
    /// What it checks.
    pub algorithm: TokenAlgorithm,
    pub(super) key: DecodingKey,
}

impl VerificationKey {
    /// Judges a published key.
    ///
    /// # Errors
    /// When it checks nothing here.
    pub fn judge(published: &PublishedKey, allowed: &[TokenAlgorithm]) -> Result<Self, UnusableKey> {
        let algorithm = find_algorithm(published).ok_or(UnusableKey::Kind)?;
        if !allowed.contains(&algorithm) {
            return Err(UnusableKey::NotAllowed);
        }
        let may_sign = published.usage.as_deref().is_none_or(|usage| usage == "sig");
        let may_verify = published.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !may_sign || !may_verify {
            return Err(UnusableKey::Purpose);
        }
        let key = match algorithm {
            TokenAlgorithm::Rs256 => read_rsa(published)?,
            TokenAlgorithm::Es256 => read_p256(published)?,
            TokenAlgorithm::EdDsa => read_ed25519(published)?,
        };
        Ok(Self { kid: published.kid.clone(), algorithm, key })
    }

    /// What the library calls the algorithm.
    pub(super) const fn library_algorithm(&self) -> Algorithm {
        match self.algorithm {
            TokenAlgorithm::Rs256 => Algorithm::RS256,
            TokenAlgorithm::Es256 => Algorithm::ES256,
            TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// The one algorithm of a key: its kind has only one here, and what it says of itself must agree. A shared secret (`oct`) has none.
fn find_algorithm(published: &PublishedKey) -> Option<TokenAlgorithm> {
    let (algorithm, names): (_, &[&str]) = match (published.kty.as_str(), published.crv.as_deref()) {
        ("RSA", _) => (TokenAlgorithm::Rs256, &["RS256"]),
        ("EC", Some("P-256")) => (TokenAlgorithm::Es256, &["ES256"]),
        // RFC 9864 names it after the curve.
        ("OKP", Some("Ed25519")) => (TokenAlgorithm::EdDsa, &["EdDSA", "Ed25519"]),
        (_, _) => return None,
    };
    published.alg.as_deref().is_none_or(|alg| names.contains(&alg)).then_some(algorithm)
}

fn read_rsa(published: &PublishedKey) -> Result<DecodingKey, UnusableKey> {
    let (modulus, exponent) = (decode(published.n.as_deref())?, decode(published.e.as_deref())?);
    let modulus: Vec<u8> = modulus.into_iter().skip_while(|byte| *byte == 0).collect();
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !RSA_BITS.contains(&(modulus.len() * 8).saturating_sub(unused)) {
        return Err(UnusableKey::Size);
    }
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn read_p256(published: &PublishedKey) -> Result<DecodingKey, UnusableKey> {
    let (x, y) = (decode(published.x.as_deref())?, decode(published.y.as_deref())?);
    if x.len() != COORDINATE || y.len() != COORDINATE {
        return Err(UnusableKey::Size);
    }
    // The form of a point that is not compressed (SEC 1, section 2.3.3), which the library takes as it is.
    Ok(DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
}

fn read_ed25519(published: &PublishedKey) -> Result<DecodingKey, UnusableKey> {
    let x = decode(published.x.as_deref())?;
    if x.len() != COORDINATE {
        return Err(UnusableKey::Size);
    }
    Ok(DecodingKey::from_ed_der(&x))
}

fn decode(part: Option<&str>) -> Result<Vec<u8>, UnusableKey> {
    part.and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or(UnusableKey::Damaged)
}
