//! The one way in: an operation is admitted, and then run.
//!
//! Every transport does the same two steps. [`Gate::admit`] parses, picks the operation and refuses what asks for too much; it is
//! synchronous and takes time in proportion to the document. What it hands back is run by [`Gate::execute`] or [`Gate::follow`],
//! which give the operation loaders of its own; and a query or a mutation an end.

use std::{sync::Arc, time::Instant};

use async_graphql::{
    Data, Name, Positioned, Request, Response, ServerError, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};

use super::{
    context::{Session, add_context},
    count::{Counting, count_refused},
    error::{ErrorCode, error_at, refuse_for_now},
    guard::{CacheUse, Document, Guard},
    response::complete,
    run::Runner,
    schema::Schema,
    variables::check_given,
};
use crate::{auth::Limiter, config::LimitsConfig, metrics::Metrics};

/// One request as a client sent it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The text of the document.
    pub query: String,
    /// Which of the document's operations; may be left out where there is only one.
    pub operation_name: Option<String>,
    /// The variables as they were given.
    pub variables: Variables,
}

/// The schema, and what may be asked of it. Cheap to clone; clones share their cache of documents.
#[derive(Clone)]
pub struct Gate {
    schema: Schema,
    limiter: Arc<Limiter>,
    guard: Arc<Guard>,
    runner: Runner,
    metrics: Metrics,
}

/// An operation that may be run.
#[derive(Debug, Clone)]
pub struct Admitted {
    document: Arc<Document>,
    kind: OperationType,
    operation_name: Option<String>,
    variables: Variables,
}

impl Admitted {
    /// Whether it reads, changes or follows.
    pub const fn kind(&self) -> OperationType {
        self.kind
    }

    /// The document that the operation is of.
    pub const fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// The operation's own name, also where the request did not give it; `None` where the operation has none.
    pub fn operation_name(&self) -> Option<&str> {
        self.operation_name.as_deref()
    }

    /// The operation that is run.
    pub fn operation(&self) -> Option<&OperationDefinition> {
        match &self.document.parsed().operations {
            DocumentOperations::Single(operation) => Some(&operation.node),
            DocumentOperations::Multiple(operations) => {
                operations.get(self.operation_name.as_deref()?).map(|operation| &operation.node)
            }
        }
    }

    /// The variables, as they were given.
    pub const fn variables(&self) -> &Variables {
        &self.variables
    }
}

impl Gate {
    /// The gate to a schema, which counts what callers ask and holds each operation to the limits.
    pub fn new(schema: Schema, limiter: Arc<Limiter>, limits: LimitsConfig, metrics: Metrics) -> Self {
        let runner = Runner::new(limits.execution, metrics.clone());
        Self { schema, limiter, guard: Arc::new(Guard::new(limits)), runner, metrics }
    }

    /// The schema behind the gate.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How much is kept of documents that were found good.
    pub fn cache_use(&self) -> CacheUse {
        self.guard.cache_use()
    }

    /// How many fields and spreads of documents were looked at so far to measure them. It tells the work of the guard without a clock.
    pub fn selections_measured(&self) -> u64 {
        self.guard.measured()
    }

    /// Waits until no mutation runs any more. Some may that nobody waits for; see [`Gate::execute`].
    pub async fn wait_for_mutations(&self) {
        self.runner.wait_for_mutations().await;
    }

    /// Judges an operation before anything of it is run.
    ///
    /// # Errors
    /// The whole answer: errors with codes, and no data.
    #[expect(clippy::result_large_err, reason = "the answer is sent as it is")]
    pub fn admit(&self, call: Call, session: &Session) -> Result<Admitted, Response> {
        self.admit_uncounted(call, session).inspect_err(|refused| count_refused(&self.metrics, refused))
    }

    #[expect(clippy::result_large_err, reason = "the answer is sent as it is")]
    fn admit_uncounted(&self, call: Call, session: &Session) -> Result<Admitted, Response> {
        // Before the document is looked at, and once more when it is known to change something.
        self.limiter.admit_operation(&session.actor).map_err(refuse_for_now)?;
        let admitted = self.judge(call).map_err(|error| self.complete(Response::from_errors(vec![error])))?;
        if admitted.kind == OperationType::Mutation {
            self.limiter.admit_mutation(&session.actor).map_err(refuse_for_now)?;
        }
        Ok(admitted)
    }

    fn judge(&self, call: Call) -> Result<Admitted, ServerError> {
        let document = self.guard.read(call.query)?;
        let (name, operation) = choose_operation(document.parsed(), call.operation_name.as_deref())?;
        check_given(&operation.node, &call.variables)?;
        self.guard.judge(&document, &operation.node, &call.variables)?;
        let (kind, operation_name) = (operation.node.ty, name.map(ToString::to_string));
        Ok(Admitted { document, kind, operation_name, variables: call.variables })
    }

    /// Runs a query or a mutation, and answers within the time that an operation may take. A query is given up then; a mutation goes
    /// on, as it does when whoever asked is gone.
    pub async fn execute(&self, admitted: Admitted, session: &Session) -> Response {
        let mut counting = Counting::of(&self.metrics, &admitted);
        let began = Instant::now();
        let run = run(self.clone(), admitted.clone(), session.clone());
        let answer = match admitted.kind {
            // The library says that a live stream is nothing for one answer.
            OperationType::Query | OperationType::Subscription => self.runner.run_query(run).await,
            OperationType::Mutation => self.runner.run_mutation(run).await,
        };
        counting.answered(&answer);
        self.metrics.time_operation(counting.kind(), began.elapsed());
        answer
    }

    /// Counts a live stream, which may be served by an execution that others share, for as long as what is returned lives.
    pub fn count_stream(&self, admitted: &Admitted) -> Counting {
        Counting::of(&self.metrics, admitted)
    }

    /// The responses of a live query, with data for its resolver.
    pub fn follow(&self, admitted: Admitted, session: &Session, data: Arc<Data>) -> BoxStream<'static, Response> {
        let (gate, session) = (self.clone(), session.clone());
        let begin = async move {
            let responses = match gate.ready(&admitted, &session).await {
                Ok(request) => gate.schema.execute_stream_with_session_data(request, data),
                Err(refused) => stream::once(ready(refused)).boxed(),
            };
            responses.map(move |response| gate.complete(response))
        };
        self.runner.run_stream(stream::once(begin).flatten())
    }

    /// The library looks at the text only for its extensions, of which there are none.
    async fn ready(&self, admitted: &Admitted, session: &Session) -> Result<Request, Response> {
        let document = &admitted.document;
        let mut request = Request::new("").variables(admitted.variables.clone());
        request.operation_name.clone_from(&admitted.operation_name);
        request.set_parsed_query(document.parsed().clone());
        add_context(&self.schema, request, document.text(), session).await
    }

    fn complete(&self, response: Response) -> Response {
        complete(response, self.guard.limits().errors)
    }
}

async fn run(gate: Gate, admitted: Admitted, session: Session) -> Response {
    gate.complete(match gate.ready(&admitted, &session).await {
        Ok(request) => gate.schema.execute(request).await,
        Err(refused) => refused,
    })
}

type Chosen<'a> = (Option<&'a Name>, &'a Positioned<OperationDefinition>);

fn choose_operation<'a>(document: &'a ExecutableDocument, wanted: Option<&str>) -> Result<Chosen<'a>, ServerError> {
    let refuse = |message: String| error_at(ErrorCode::GraphqlValidationFailed, message, None);
    let mut operations = document.operations.iter();
    let Some(wanted) = wanted else {
        return match (operations.next(), operations.next()) {
            (Some(only), None) => Ok(only),
            (_, _) => Err(refuse("The document has several operations; operationName must say which.".to_owned())),
        };
    };
    operations
        .find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted))
        .ok_or_else(|| refuse(format!("The document has no operation named \"{wanted}\".")))
}
