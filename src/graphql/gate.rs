//! The one way in: an operation is admitted, and then run.
//!
//! Every transport does the same two steps. [`Gate::admit`] parses, picks the operation and refuses what asks for too much; it is
//! synchronous and takes time in proportion to the document. What it hands back is run by [`Gate::execute`] or [`Gate::follow`],
//! which give the operation loaders of its own.

use std::{sync::Arc, time::Instant};

use async_graphql::{
    Data, Name, Positioned, Request, Response, ServerError, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{
    context::{Session, add_context},
    count::{Counting, count_refused},
    error::{ErrorCode, complete_code, error_at, parse_error, refuse_for_now},
    limits,
    schema::Schema,
    variables,
};
use crate::{auth::Limiter, metrics::Metrics};

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

/// The schema, and what may be asked of it. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    schema: Schema,
    limiter: Arc<Limiter>,
    metrics: Metrics,
}

/// A document and its text.
#[derive(Debug)]
pub struct Document {
    text: String,
    parsed: ExecutableDocument,
}

impl Document {
    /// The text, as the client sent it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text says.
    pub const fn parsed(&self) -> &ExecutableDocument {
        &self.parsed
    }
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
        match &self.document.parsed.operations {
            DocumentOperations::Single(operation) => Some(&operation.node),
            DocumentOperations::Multiple(operations) => {
                operations.get(self.operation_name.as_deref()?).map(|operation| &operation.node)
            }
        }
    }

    /// The variables. Those of type `Int` that may be left out are null if they were.
    pub const fn variables(&self) -> &Variables {
        &self.variables
    }
}

impl Gate {
    /// The gate to a schema, which counts what callers ask.
    pub const fn new(schema: Schema, limiter: Arc<Limiter>, metrics: Metrics) -> Self {
        Self { schema, limiter, metrics }
    }

    /// The schema behind the gate.
    pub const fn schema(&self) -> &Schema {
        &self.schema
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
        let admitted = self.judge(call).map_err(|error| Response::from_errors(vec![error]))?;
        if admitted.kind == OperationType::Mutation {
            self.limiter.admit_mutation(&session.actor).map_err(refuse_for_now)?;
        }
        Ok(admitted)
    }

    fn judge(&self, call: Call) -> Result<Admitted, ServerError> {
        let parsed = parse_query(&call.query).map_err(|error| parse_error(&error.into()))?;
        limits::check(&parsed)?;
        let (name, operation) = choose_operation(&parsed, call.operation_name.as_deref())?;
        let kind = operation.node.ty;
        let operation_name = name.map(ToString::to_string);
        let variables = variables::complete(&parsed, &operation.node, call.variables)?;
        let document = Arc::new(Document { text: call.query, parsed });
        Ok(Admitted { document, kind, operation_name, variables })
    }

    /// Runs a query or a mutation.
    pub async fn execute(&self, admitted: Admitted, session: &Session) -> Response {
        let mut counting = Counting::of(&self.metrics, &admitted);
        let began = Instant::now();
        let response = match self.ready(&admitted, session).await {
            Ok(request) => complete(self.schema.execute(request).await),
            Err(refused) => refused,
        };
        counting.answered(&response);
        self.metrics.time_operation(counting.kind(), began.elapsed());
        response
    }

    /// The responses of a live stream; a query or a mutation has one.
    pub fn follow(&self, admitted: Admitted, session: &Session) -> BoxStream<'static, Response> {
        self.follow_with(admitted, session, Arc::default())
    }

    /// [`Gate::follow`], with data for the resolvers.
    pub fn follow_with(&self, admitted: Admitted, session: &Session, data: Arc<Data>) -> BoxStream<'static, Response> {
        let mut counting = Counting::of(&self.metrics, &admitted);
        let (gate, session) = (self.clone(), session.clone());
        let begin = async move {
            match gate.ready(&admitted, &session).await {
                Ok(request) => gate.schema.execute_stream_with_session_data(request, data),
                Err(refused) => stream::iter([refused]).boxed(),
            }
        };
        let counted = move |response| {
            let response = complete(response);
            counting.answered(&response);
            response
        };
        stream::once(begin).flatten().map(counted).boxed()
    }

    async fn ready(&self, admitted: &Admitted, session: &Session) -> Result<Request, Response> {
        let document = &admitted.document;
        let mut request = Request::new(document.text.as_str()).variables(admitted.variables.clone());
        request.operation_name.clone_from(&admitted.operation_name);
        request.set_parsed_query(document.parsed.clone());
        add_context(&self.schema, request, session).await
    }
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

/// Sees to it that every error carries a code.
fn complete(mut response: Response) -> Response {
    response.errors.iter_mut().for_each(complete_code);
    response
}
