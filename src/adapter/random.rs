//! Randomness from the operating system.

use std::process;

use aws_lc_rs::rand;

use crate::domain::chance::Chance;

/// The system's generator of random bytes, through AWS-LC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    /// Fills the whole slice, or ends the process.
    ///
    /// A system that gives no randomness does not begin to: its generator is missing, or kept from this process. Trying
    /// again would hang without a word, and going on would hand out secrets that can be guessed. Ending at once is safe,
    /// since nothing acknowledged is lost by it.
    fn fill(&self, bytes: &mut [u8]) {
        if rand::fill(bytes).is_err() {
            // Not by the log, which may be buffered.
            eprintln!(
                "rollcall: the operating system gives no random bytes, so that no secret would be safe; stopping"
            );
            process::abort();
        }
    }
}
