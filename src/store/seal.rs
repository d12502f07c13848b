//! Sealing: values that are credentials or outlive their use are kept encrypted, and endpoints are looked up by keyed hashes.
//!
//! A sealed value is text: the key's id, a colon, and base64 of nonce, ciphertext and tag (AES-256-GCM, NIST SP 800-38D). The
//! row's identity is associated data, so a value copied into another row does not open. With which key is sealed is written in the
//! database, so that no process goes on with an old one: see `reseal`.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time, digest, hmac, rand,
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::StoreError;
use crate::domain::id::AccountId;

/// A sealing key with its id.
pub type NamedKey = (String, [u8; 32]);

/// Looks for the sealing keys again. Empty where they cannot be had.
pub type ReloadKeys = Arc<dyn Fn() -> Vec<NamedKey> + Send + Sync>;

/// The keys that a [`Sealer`] works with.
#[derive(Clone)]
pub struct SealerKeys {
    /// The sealing keys with their ids, the one that a new database begins with first. Never empty.
    pub sealing: Vec<NamedKey>,
    /// The key of the keyed hashes.
    pub index: [u8; 32],
    /// Asked where a value names a sealing key that is not known: another process may have begun to seal with a new one.
    pub reload: Option<ReloadKeys>,
}

/// Seals and opens values, and makes the keyed hashes.
pub struct Sealer {
    keys: RwLock<Vec<(String, Arc<LessSafeKey>)>>,
    reload: Option<ReloadKeys>,
    index: hmac::Key,
}

/// Seals with the key that the database names.
pub(super) struct Seal {
    id: String,
    key: Arc<LessSafeKey>,
}

impl Seal {
    /// The key's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals `value` for the place that `identity` names.
    pub fn seal(&self, identity: &str, value: &str) -> Result<String, StoreError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| StoreError::Unseal("the system gives no randomness"))?;
        let mut sealed = value.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(identity.as_bytes()), &mut sealed)
            .map_err(|_| StoreError::Unseal("sealing failed"))?;
        let mut bytes = nonce.to_vec();
        bytes.append(&mut sealed);
        Ok(format!("{}:{}", self.id, STANDARD_NO_PAD.encode(bytes)))
    }
}

impl Sealer {
    /// A sealer with these keys.
    ///
    /// # Errors
    /// When there is no sealing key.
    pub fn new(keys: &SealerKeys) -> Result<Self, StoreError> {
        let sealing = open_keys(&keys.sealing)?;
        if sealing.is_empty() {
            return Err(StoreError::Unseal("there is no sealing key"));
        }
        Ok(Self {
            keys: RwLock::new(sealing),
            reload: keys.reload.clone(),
            index: hmac::Key::new(hmac::HMAC_SHA256, &keys.index),
        })
    }

    /// What seals with the key of that id.
    pub(super) fn seal_with(&self, id: &str) -> Result<Seal, StoreError> {
        Ok(Seal { id: id.to_owned(), key: self.find_key(id)? })
    }

    /// Opens what was sealed for the place that `identity` names.
    pub(super) fn open(&self, identity: &str, sealed: &str) -> Result<String, StoreError> {
        let (id, text) = sealed.split_once(':').ok_or(StoreError::Unseal("it is not sealed"))?;
        let key = self.find_key(id)?;
        let mut bytes = STANDARD_NO_PAD.decode(text).map_err(|_| StoreError::Unseal("it is damaged"))?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(StoreError::Unseal("it is damaged"))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| StoreError::Unseal("it is damaged"))?;
        let opened = key
            .open_in_place(nonce, Aad::from(identity.as_bytes()), sealed)
            .map_err(|_| StoreError::Unseal("it is damaged, or was sealed for another row"))?;
        String::from_utf8(opened.to_vec()).map_err(|_| StoreError::Unseal("it is damaged"))
    }

    /// The key of that id, looked for again where it is not known.
    fn find_key(&self, id: &str) -> Result<Arc<LessSafeKey>, StoreError> {
        if let Some(key) = self.find_known(id) {
            return Ok(key);
        }
        if let Some(reload) = &self.reload {
            let found = open_keys(&reload())?;
            if !found.is_empty() {
                // No code that holds the lock can leave the list half changed.
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = found;
            }
        }
        self.find_known(id).ok_or(StoreError::Unseal("its key is not at hand"))
    }

    fn find_known(&self, id: &str) -> Option<Arc<LessSafeKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(known, _)| known == id).map(|(_, key)| Arc::clone(key))
    }

    /// The keyed hash by which an endpoint of an account is looked up.
    pub fn endpoint_key(&self, account: &AccountId, endpoint: &str) -> String {
        self.hash(&["endpoint", account.as_str(), &endpoint.to_lowercase()])
    }

    /// The keyed hash of a confirmation code. A bare hash of six digits would be no secret.
    pub fn code_hash(&self, generation: &str, code: &str) -> String {
        self.hash(&["code", generation, code])
    }

    /// Whether that is the code of the generation, in a time that does not depend on how much of it is right.
    pub fn code_matches(&self, generation: &str, code: &str, hash: &str) -> bool {
        constant_time::verify_slices_are_equal(self.code_hash(generation, code).as_bytes(), hash.as_bytes()).is_ok()
    }

    /// The keyed hash of what a caller gave with a mutation.
    pub(super) fn once_hash(&self, parts: &[&str]) -> String {
        self.hash(&[&["once"], parts].concat())
    }

    /// The keyed hash by which an API key is looked up.
    pub(super) fn api_key_hash(&self, key: &str) -> String {
        self.hash(&["api-key", key])
    }

    /// What tells whether two processes work with the same index key.
    pub(super) fn index_fingerprint(&self) -> String {
        self.hash(&["fingerprint"])
    }

    /// The id of the key that a new database begins with.
    pub(super) fn first_key(&self) -> String {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.first().map(|(id, _)| id.clone()).unwrap_or_default()
    }

    /// Whether a key is at hand.
    pub(super) fn knows_key(&self, id: &str) -> bool {
        self.find_key(id).is_ok()
    }

    fn hash(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.index);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        hex(context.sign().as_ref())
    }
}

/// The hash by which a link's token is looked up. The token has 128 bits of randomness, so a bare hash is enough.
pub fn token_hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

fn open_keys(keys: &[NamedKey]) -> Result<Vec<(String, Arc<LessSafeKey>)>, StoreError> {
    let open_key = |(id, key): &NamedKey| {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| StoreError::Unseal("a key is not usable"))?;
        Ok((id.clone(), Arc::new(LessSafeKey::new(key))))
    };
    keys.iter().map(open_key).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
