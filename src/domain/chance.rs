//! Randomness, brought in from outside like the time.

/// A source of random bytes fit for secrets.
pub trait Chance: Send + Sync {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}
