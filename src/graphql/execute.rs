//! Running an operation for a caller.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::{
    StreamExt, future,
    stream::{self, BoxStream},
};

use super::{
    context::{Session, prepare},
    error::{Fault, complete_code},
    schema::Schema,
};
use crate::auth::Authenticator;

/// Runs one query or mutation. The caller was authenticated just now.
pub async fn execute(schema: &Schema, request: Request, session: &Session) -> Response {
    match prepare(schema, request, session).await {
        Ok(request) => complete(schema.execute(request).await),
        Err(refused) => complete(refused),
    }
}

/// Runs the operations of one WebSocket. Each one gets loaders of its own, and the caller is checked again before it.
#[derive(Clone)]
pub struct SessionExecutor {
    schema: Schema,
    session: Session,
}

impl SessionExecutor {
    /// Runs operations for the caller whom `connection_init`, or the upgrade request, named.
    pub const fn new(schema: Schema, session: Session) -> Self {
        Self { schema, session }
    }

    async fn check(&self) -> Result<(), Response> {
        let valid = match self.schema.data::<Arc<Authenticator>>() {
            Some(authenticator) => authenticator.still_valid(&self.session.actor).await,
            None => false,
        };
        if valid { Ok(()) } else { Err(Response::from_errors(vec![Fault::unauthenticated().into_server_error()])) }
    }

    async fn prepare(&self, request: Request) -> Result<Request, Response> {
        self.check().await?;
        prepare(&self.schema, request, &self.session).await
    }
}

impl Executor for SessionExecutor {
    async fn execute(&self, request: Request) -> Response {
        match self.prepare(request).await {
            Ok(request) => complete(self.schema.execute(request).await),
            Err(refused) => complete(refused),
        }
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let executor = self.clone();
        let responses = async move {
            match executor.prepare(request).await {
                Ok(request) => {
                    executor.schema.execute_stream_with_session_data(request, session_data.unwrap_or_default())
                }
                Err(refused) => stream::once(future::ready(refused)).boxed(),
            }
        };
        stream::once(responses).flatten().map(complete).boxed()
    }
}

/// Sees to it that every error carries a code.
fn complete(mut response: Response) -> Response {
    response.errors.iter_mut().for_each(complete_code);
    response
}
