//! Where the keys come from that seal what is stored.

/// A key for AES-256-GCM with the id that is stored beside what it sealed.
#[derive(Clone)]
pub struct SealingKey {
    /// Names the key: 1 to 16 characters.
    pub id: String,
    /// The key.
    pub key: [u8; 32],
}

/// The keys of one installation.
pub trait KeySource: Send + Sync {
    /// All sealing keys, the one that a new database begins with first. Never empty. With which of them is sealed is the
    /// database's to say.
    fn sealing_keys(&self) -> Vec<SealingKey>;

    /// The key of the keyed hashes by which endpoints and codes are looked up. It never changes.
    fn index_key(&self) -> [u8; 32];
}
