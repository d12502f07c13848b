//! GraphQL over WebSocket: the protocol graphql-transport-ws on `/graphql` and `/graphql/ws`.
//!
//! [`upgrade`] takes the TCP connection out of HTTP. [`connection`] is its one task, which reads and keeps the protocol's order;
//! [`wire`] is its writing side, which everyone who has a message uses at once; [`operation`] is where the results of one
//! operation go. Why this is not the library's: `docs/decisions/0041-sockets-of-our-own.md`.

mod connection;
mod init;
mod message;
mod operation;
mod run;
#[expect(clippy::module_inception, reason = "the file holds the type of that name")]
mod socket;
mod upgrade;
mod wire;

pub use self::message::{ClientMessage, InvalidMessage};
pub(super) use self::upgrade::{refuse_method, upgrade};
