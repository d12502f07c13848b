//! The outside world, behind the ports.

pub mod directory;
pub mod keys;
pub mod provider;
pub mod random;
pub mod transport;
pub mod wakeup;
