//! Who asks for confirmations.

pub mod builtin;
pub mod message;
