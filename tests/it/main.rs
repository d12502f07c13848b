//! The one test binary: rules, adapters, and whole servers on both databases, through the front door.
#![cfg(test)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod architecture;
mod auth_tokens;
mod bulk_file;
mod config;
mod directory_csv;
mod domain;
mod end_to_end;
mod harness;
mod live;
mod messages;
// mod schema;
mod smtp;
