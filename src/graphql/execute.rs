//! Running the operations of a WebSocket for a caller.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::{
    StreamExt, future,
    stream::{self, BoxStream},
};

use super::{
    context::Session,
    error::Fault,
    gate::{Admitted, Call, Gate},
};
use crate::auth::Authenticator;

/// Runs the operations of one WebSocket. Each one gets loaders of its own, and the caller is checked again before it.
#[derive(Clone)]
pub struct SessionExecutor {
    gate: Gate,
    session: Session,
}

impl SessionExecutor {
    /// Runs operations for the caller whom `connection_init`, or the upgrade request, named.
    pub const fn new(gate: Gate, session: Session) -> Self {
        Self { gate, session }
    }

    async fn check(&self) -> Result<(), Response> {
        let valid = match self.gate.schema().data::<Arc<Authenticator>>() {
            Some(authenticator) => authenticator.still_valid(&self.session.actor).await,
            None => false,
        };
        if valid { Ok(()) } else { Err(Response::from_errors(vec![Fault::unauthenticated().into_server_error()])) }
    }

    async fn admit(&self, request: Request) -> Result<Admitted, Response> {
        self.check().await?;
        let Request { query, operation_name, variables, .. } = request;
        self.gate.admit(Call { query, operation_name, variables }, &self.session)
    }
}

impl Executor for SessionExecutor {
    async fn execute(&self, request: Request) -> Response {
        match self.admit(request).await {
            Ok(admitted) => self.gate.execute(admitted, &self.session).await,
            Err(refused) => refused,
        }
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let executor = self.clone();
        let responses = async move {
            match executor.admit(request).await {
                Ok(admitted) => {
                    executor.gate.follow_with(admitted, &executor.session, session_data.unwrap_or_default())
                }
                Err(refused) => stream::once(future::ready(refused)).boxed(),
            }
        };
        stream::once(responses).flatten().boxed()
    }
}
