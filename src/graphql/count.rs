//! Counting operations, by what they ask and what they were answered.

use async_graphql::{
    Response, ServerError, Value,
    parser::types::{OperationType, Selection},
};

use super::{error::ErrorCode, gate::Admitted, guard::is_field};
use crate::metrics::{Counted, Metrics, OperationKind};

/// The field of an operation that was refused before it was known, or whose field the schema does not have.
const NONE: &str = "none";

/// The field of an operation that has several, or a fragment that may.
const SEVERAL: &str = "several";

/// The code of an operation without errors.
const OK: &str = "OK";

/// An operation that is counted once, when it is over: also when whoever asked went away.
pub struct Counting {
    metrics: Metrics,
    kind: OperationKind,
    field: String,
    code: &'static str,
    /// Counts a live stream as long as it lasts.
    _streaming: Option<Counted>,
}

impl Counting {
    /// Begins with an operation that was admitted.
    pub(super) fn of(metrics: &Metrics, admitted: &Admitted) -> Self {
        let kind = kind_of(admitted.kind());
        let streaming = (kind == OperationKind::Subscription).then(|| metrics.begin_stream());
        Self { metrics: metrics.clone(), kind, field: name_field(admitted), code: OK, _streaming: streaming }
    }

    /// What kind of operation it is.
    pub(super) const fn kind(&self) -> OperationKind {
        self.kind
    }

    /// It was answered.
    pub(super) fn answered(&mut self, response: &Response) {
        self.code = name_code(response);
    }

    /// It failed.
    pub fn failed(&mut self, code: ErrorCode) {
        self.code = code.name();
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.metrics.count_operation(self.kind, &self.field, self.code);
    }
}

/// Counts what was not admitted.
pub(super) fn count_refused(metrics: &Metrics, response: &Response) {
    metrics.count_operation(OperationKind::Unknown, NONE, name_code(response));
}

const fn kind_of(kind: OperationType) -> OperationKind {
    match kind {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
    }
}

/// The root field. Words of a client are none: fields are named only as the schema names them.
fn name_field(admitted: &Admitted) -> String {
    let items = admitted.operation().map(|operation| operation.selection_set.node.items.as_slice());
    let field = match items {
        Some([only]) => match &only.node {
            Selection::Field(field) => Some(field.node.name.node.as_str()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
        },
        Some(_) | None => None,
    };
    match field {
        Some(name) if is_field(admitted.kind(), name) => name.to_owned(),
        Some(_) => NONE.to_owned(),
        None => SEVERAL.to_owned(),
    }
}

fn name_code(response: &Response) -> &'static str {
    code_of(response).map_or(OK, ErrorCode::name)
}

/// The code of the first error; `None` where there is none.
pub fn code_of(response: &Response) -> Option<ErrorCode> {
    response.errors.first().map(code_of_error)
}

/// Whether something of the response could not be had for now: asked again, it may be whole.
pub fn lacks_for_now(response: &Response) -> bool {
    response.errors.iter().any(|error| code_of_error(error) == ErrorCode::Unavailable)
}

fn code_of_error(error: &ServerError) -> ErrorCode {
    let code = match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(name)) => ErrorCode::from_name(name),
        Some(_) | None => None,
    };
    code.unwrap_or(ErrorCode::Internal)
}
