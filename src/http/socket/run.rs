//! Running an operation of a socket.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::Bytes;

use super::operation::Operation;
use crate::{
    graphql::{Call, Fault, Session},
    http::{
        HttpState,
        groups::LiveQuery,
        result::{self, Failure},
        sink::{Ending, Offer, Sink},
    },
};

/// Runs an operation in a task of its own. Its results go to the operation, and so does its end, whatever happens.
pub(super) fn start(state: &Arc<HttpState>, session: Arc<Session>, operation: Arc<Operation>, call: Call) {
    let (state, running) = (Arc::clone(state), Arc::clone(&operation));
    let task = tokio::spawn(async move {
        let mut watch = EndWatch { operation: Some(Arc::clone(&running)) };
        let ending = run(&state, session, &running, call).await;
        if let (Some(operation), Some(ending)) = (watch.operation.take(), ending) {
            operation.end(&ending);
        }
    });
    operation.runs_as(task.abort_handle());
}

/// Sees to it that a client whose operation broke down is told.
struct EndWatch {
    operation: Option<Arc<Operation>>,
}

impl Drop for EndWatch {
    fn drop(&mut self) {
        if let Some(operation) = &self.operation {
            operation.end(&Ending::Failed(Fault::internal().into()));
        }
    }
}

/// `None` where the operation goes on as a member of a group.
async fn run(state: &HttpState, session: Arc<Session>, operation: &Arc<Operation>, call: Call) -> Option<Ending> {
    match state.authenticator.still_valid(&session.actor).await {
        Ok(true) => {}
        Ok(false) => return Some(Ending::Failed(Fault::unauthenticated().into())),
        Err(error) => return Some(Ending::Failed(Fault::from(error).into())),
    }
    let admitted = match state.gate.admit(call, &session) {
        Ok(admitted) => admitted,
        Err(refused) => return Some(Ending::Failed(Failure::of(&refused))),
    };
    match admitted.kind() {
        OperationType::Query | OperationType::Mutation => {
            let response = state.gate.execute(admitted, &session).await;
            match result::read(&response) {
                Ok(result) => deliver(operation, &result).await,
                Err(failure) => Some(Ending::Failed(failure)),
            }
        }
        OperationType::Subscription => {
            let query = LiveQuery::new(admitted, session);
            let sink: Arc<dyn Sink> = Arc::clone(operation) as Arc<dyn Sink>;
            match state.groups.follow(query, sink).await {
                Ok(membership) => {
                    operation.joined(membership);
                    None
                }
                Err(ending) => ending,
            }
        }
    }
}

/// Waits for room and hands the one result on.
async fn deliver(operation: &Operation, result: &Bytes) -> Option<Ending> {
    loop {
        operation.ready().await.ok()?;
        match operation.offer(result) {
            Offer::Taken => return Some(Ending::Complete),
            Offer::Full => {}
            Offer::Gone => return None,
        }
    }
}
