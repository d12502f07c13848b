//! What carries messages.

pub mod outbox;
pub mod smtp;
mod smtp_reply;
