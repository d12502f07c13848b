//! What every implementation of a port must keep to, shown on each of them and on the fakes.

pub mod directory;
mod provider;
mod transport;
