//! What rollcall needs from the outside, as small traits named after the need. Each has a contract suite in `tests/it`.

pub mod directory;
pub mod keys;
pub mod provider;
pub mod token_keys;
pub mod transport;
pub mod wakeup;
