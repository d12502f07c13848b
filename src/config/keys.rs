//! The keys that seal what is stored.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    findings::Findings,
    secret::{Key, Secret},
};

/// The keys that seal what is stored. Each is 32 random bytes in Base64 (`openssl rand -base64 32`). All servers of one
/// installation need the same; whoever loses them loses what they sealed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeysSection {
    /// The key that seals webhooks and the endpoints of confirmation requests.
    #[schemars(extend("x-default" = "generated into the data folder"))]
    sealing_key: Option<Secret>,
    /// A file that holds the sealing key, instead of `sealing_key`.
    sealing_key_file: Option<PathBuf>,
    /// A second sealing key, with which values may still be sealed while the two are exchanged; see `rollcall keys rotate`.
    previous_sealing_key: Option<Secret>,
    /// A file that holds the second sealing key, instead of `previous_sealing_key`.
    previous_sealing_key_file: Option<PathBuf>,
    /// The key of the hashes by which endpoints and confirmation codes are looked up. It must never change.
    #[schemars(extend("x-default" = "generated into the data folder"))]
    index_key: Option<Secret>,
    /// A file that holds the index key, instead of `index_key`.
    index_key_file: Option<PathBuf>,
}

/// The keys that seal what is stored. A key that is `None` is generated into the data folder.
#[derive(Debug, Clone, Default)]
pub struct KeysConfig {
    /// The key that seals webhooks and endpoints.
    pub sealing_key: Option<Key>,
    /// A second sealing key.
    pub previous_sealing_key: Option<Key>,
    /// The key of the hashes by which endpoints and codes are looked up.
    pub index_key: Option<Key>,
}

impl KeysSection {
    pub(super) fn resolve(&self, findings: &mut Findings) -> KeysConfig {
        KeysConfig {
            sealing_key: take_key(
                findings,
                "keys.sealing_key",
                self.sealing_key.as_ref(),
                self.sealing_key_file.as_ref(),
            ),
            previous_sealing_key: take_key(
                findings,
                "keys.previous_sealing_key",
                self.previous_sealing_key.as_ref(),
                self.previous_sealing_key_file.as_ref(),
            ),
            index_key: take_key(findings, "keys.index_key", self.index_key.as_ref(), self.index_key_file.as_ref()),
        }
    }
}

fn take_key(findings: &mut Findings, path: &str, given: Option<&Secret>, file: Option<&PathBuf>) -> Option<Key> {
    let secret = findings.take_secret(path, given, file)?;
    let at = if given.is_some() { path.to_owned() } else { format!("{path}_file") };
    findings.accept(&at, parse_key(&secret))
}

fn parse_key(secret: &Secret) -> Result<Key, String> {
    let bytes =
        STANDARD.decode(secret.expose()).map_err(|_| "must be 32 bytes in Base64, but is not Base64".to_owned())?;
    let length = bytes.len();
    bytes.try_into().map(Key::new).map_err(|_| format!("must be 32 bytes in Base64, but has {length}"))
}
