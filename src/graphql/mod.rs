//! The GraphQL schema: thin resolvers over the use cases and the store's read side.
//!
//! [`build_schema`] makes the schema once per process. A transport hands every operation to the [`Gate`], which
//! judges it, runs it and gives it loaders of its own, so that nothing read for one caller or one event is ever seen by another. No
//! extension of the library is registered: what has to happen around an operation is in the gate.

mod connection;
mod context;
mod count;
mod error;
mod gate;
mod guard;
mod live;
mod loader;
mod mutation;
mod node;
mod object;
mod query;
mod response;
mod run;
mod scalar;
mod schema;
mod variables;

pub(crate) use self::error::Fault;
pub use self::{
    context::Session,
    count::{Counting, code_of, lacks_for_now},
    error::{ErrorCode, UNWRITABLE},
    gate::{Admitted, Call, Gate},
    guard::{CacheUse, Document, Guard},
    live::course::{Course, Sharing},
    schema::{Schema, build_schema, sdl},
};
