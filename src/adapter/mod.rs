//! The outside world, behind the ports.

pub mod directory;
mod http_client;
pub mod jwks;
pub mod keys;
pub mod own_server;
pub mod provider;
pub mod random;
pub mod transport;
pub mod wakeup;
