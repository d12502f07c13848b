//! The rules of rollcall, pure: no clock, no randomness, no database, no async. What they need comes in as arguments.

pub mod account;
pub mod actor;
pub mod api_key;
pub mod audit;
pub mod chance;
pub mod channel;
pub mod clock;
pub mod confirmation;
pub mod endpoint;
pub mod engineer;
pub mod event;
pub mod html;
pub mod id;
pub(crate) mod named;
pub mod once;
pub mod rate;
pub mod refusal;
pub mod request;
pub mod resend;
pub mod retention;
pub mod roster;
pub mod table;
pub mod text;
pub mod ttl;
pub mod wording;
