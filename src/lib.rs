//! rollcall keeps the roll of an organisation's O&M engineers and the proof that each of them can be reached.
//!
//! # The layers
//!
//! Each module is a room; `tests/it/architecture.rs` fails on an import that this map does not allow.
//!
//! | room | what it is | may use |
//! | --- | --- | --- |
//! | [`domain`] | pure rules, no clock, no database, no async | nothing of rollcall |
//! | [`config`] | the typed configuration | domain |
//! | [`port`] | what rollcall needs from the outside, as traits | domain |
//! | [`store`] | all SQL; rows to domain values and back | domain, entity |
//! | [`service`] | one use case a file: load, ask the domain, store state and event in one transaction | domain, port, store |
//! | [`adapter`] | the outside, behind the ports | domain, port, config, store |
//! | [`live`] | the event log read as streams | domain, store, port |
//! | [`auth`] | a token or an API key becomes an [`Actor`](domain::actor::Actor) | domain, port, config, store |
//! | [`metrics`] | what a process counts and measures, for Prometheus | domain, service |
//! | [`graphql`] | the schema: thin resolvers | domain, service, live, auth, metrics, config, the store's read side |
//! | [`http`] | router, GraphQL over HTTP, server-sent events and WebSocket, confirm page, start page, import and export | graphql, service, live, auth, metrics, config, domain |
//! | [`worker`] | the loops that do what the rows ask for | domain, service, port, metrics; the runner also store |
//! | [`app`] | the assembler: the only file that names adapters | everything |
//! | [`cli`] | the commands | app, config, domain, migration |

pub mod adapter;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod live;
pub mod metrics;
pub mod port;
pub mod service;
pub mod store;
pub mod worker;
