//! The one test binary: rules, adapters, and whole servers on both databases, through the front door.
#![cfg(test)]
#![expect(clippy::string_slice, reason = "what is cut is ASCII that the test wrote")]
#![expect(clippy::cognitive_complexity, reason = "each assertion counts, and a test tells its story in one piece")]

mod accounts;
mod api;
mod api_keys;
mod architecture;
mod audit;
mod auth_tokens;
mod bulk_file;
mod clients;
mod config;
mod confirm_page;
mod confirmation_sync;
mod contract;
mod deletion;
mod deploy;
mod directory_csv;
mod directory_sync;
mod domain;
mod end_to_end;
mod faults;
mod hand_over;
mod harness;
mod idempotency;
mod import_export;
mod limits;
mod live;
mod live_streams;
mod messages;
mod operations;
mod processes;
mod rate_limits;
mod roles;
mod schema;
mod smtp;
mod sockets;
mod subscribing;
mod token_keys;
