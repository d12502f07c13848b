//! The GraphQL schema: thin resolvers over the use cases and the store's read side.
//!
//! [`build_schema`] makes the schema once per process. A transport runs operations through [`execute`], or, for a WebSocket,
//! through a [`SessionExecutor`]; both give every operation loaders of its own, so that nothing read for one caller or one event
//! is ever seen by another. No extension of the library is registered: what has to happen around an operation is in `execute`.

mod connection;
mod context;
mod error;
mod execute;
mod limits;
mod live;
mod loader;
mod mutation;
mod node;
mod object;
mod query;
mod scalar;
mod schema;

pub use self::{
    context::{Session, prepare},
    error::ErrorCode,
    execute::{SessionExecutor, execute},
    schema::{Schema, build_schema, sdl},
};
