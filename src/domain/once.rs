//! Keys under which a mutation is done once, however often it is sent.

use chrono::TimeDelta;

use super::{
    endpoint::Reason,
    refusal::{Refusal, RefusalCode},
};

/// The longest key, in characters.
pub const MAX_KEY: usize = 255;

/// How long a key is remembered.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// A mutation that its caller may send again: under the same key and with the same input it is done once. It may hold contact data
/// in its input, so that it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Once {
    mutation: String,
    key: String,
    input: String,
}

impl Once {
    /// Judges a key. `input` is all else that the caller says, in a form that is the same whenever the same is meant.
    ///
    /// # Errors
    /// When the key is empty or too long, or holds control characters.
    pub fn new(mutation: &str, key: &str, input: String) -> Result<Self, Refusal> {
        let refuse = |refusal: Refusal| Err(refusal.at(&["idempotencyKey"]));
        if key.chars().count() > MAX_KEY {
            return refuse(Refusal::new(RefusalCode::TooLong).with("limit", MAX_KEY));
        }
        if key.is_empty() {
            return refuse(Refusal::new(RefusalCode::InvalidValue).because(Reason::Empty));
        }
        if key.chars().any(char::is_control) {
            return refuse(Refusal::new(RefusalCode::InvalidValue).because(Reason::ControlCharacter));
        }
        Ok(Self { mutation: mutation.to_owned(), key: key.to_owned(), input })
    }

    /// The name of the mutation.
    pub fn mutation(&self) -> &str {
        &self.mutation
    }

    /// The caller's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// All else that the caller says.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The key was used with another input.
    pub fn refuse_other_input() -> Refusal {
        Refusal::new(RefusalCode::IdempotencyKeyReused).at(&["idempotencyKey"])
    }
}
