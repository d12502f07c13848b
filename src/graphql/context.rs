//! What every operation is given: who asks, in which language, and loaders of its own.

use async_graphql::{
    Context, Name, Pos, Positioned, Request, Response, ServerError, Value, Variables,
    dataloader::DataLoader,
    parser::types::{BaseType, ExecutableDocument, VariableDefinition},
};

use super::{
    error::{ErrorCode, Fault, Result, error_at, parse_error},
    limits,
    loader::{NodeLoader, new_node_loader},
    schema::Schema,
};
use crate::{
    domain::{
        account::Locale,
        actor::{Actor, Forbidden, Permission, Sight},
        event::Cursor,
        id::{AccountId, EngineerId},
    },
    live::Live,
    service::Services,
    store::Store,
};

/// Who asks, and in which language they are answered.
#[derive(Debug, Clone)]
pub struct Session {
    /// The caller.
    pub actor: Actor,
    /// The language of messages to people.
    pub locale: Locale,
}

/// What was read before anything else of the operation.
pub(super) struct RequestStart {
    /// The end of the event log; absent where the document does not ask for it.
    live_cursor: Option<Result<Cursor>>,
}

/// Readies an operation: refuses what asks for too much, reads the live cursor if it is asked for, and adds the session and fresh
/// loaders. Nothing of it may be used for another operation.
///
/// # Errors
/// The whole answer, where the document cannot be executed.
pub async fn prepare(schema: &Schema, mut request: Request, session: &Session) -> Result<Request, Response> {
    let (Some(services), Some(live)) = (schema.data::<Services>(), schema.data::<Live>()) else {
        return Err(Response::from_errors(vec![Fault::internal().into_server_error()]));
    };
    let operation = request.operation_name.clone();
    let document = request.parsed_query().map_err(|error| Response::from_errors(vec![parse_error(&error)]))?;
    limits::check(document).map_err(|error| Response::from_errors(vec![error]))?;
    let needed = list_needed_variables(document, operation.as_deref());
    let numbers = list_optional_numbers(document);
    if let Some(missing) = needed.iter().find(|variable| variable.is_missing(&request.variables)) {
        return Err(Response::from_errors(vec![missing.error()]));
    }
    for name in numbers {
        request.variables.entry(name).or_insert(Value::Null);
    }
    // A change that is committed while the operation reads lies after this cursor, so a client that follows from it misses none.
    let live_cursor = if request.query.contains("liveCursor") {
        Some(live.head_cursor(&session.actor.account).await.map_err(Fault::from))
    } else {
        None
    };
    Ok(request
        .data(session.clone())
        .data(RequestStart { live_cursor })
        .data(new_node_loader(services, &session.actor.account)))
}

/// The variables of type `Int` that may be left out.
///
/// The library computes the cost of a page from `first` and `last`, and refuses a variable there that is left out, which GraphQL
/// allows. Such a variable is given as null instead; nothing in the schema tells an `Int` that is null from one that is left out.
fn list_optional_numbers(document: &ExecutableDocument) -> Vec<Name> {
    let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    let optional = definitions.map(|definition| &definition.node).filter(|definition| {
        let kind = &definition.var_type.node;
        let is_number = matches!(&kind.base, BaseType::Named(name) if name == "Int");
        is_number && kind.nullable && definition.default_value.is_none()
    });
    optional.map(|definition| definition.name.node.clone()).collect()
}

/// A variable whose type is not nullable.
struct NeededVariable {
    name: Name,
    kind: String,
    has_default: bool,
    pos: Pos,
}

impl NeededVariable {
    /// The library finds out where the variable is used, after it ran what comes before.
    fn is_missing(&self, given: &Variables) -> bool {
        given.get(&self.name).map_or(!self.has_default, |value| *value == Value::Null)
    }

    fn error(&self) -> ServerError {
        let message = format!("Variable \"${}\" of type \"{}\" must be given.", self.name, self.kind);
        error_at(ErrorCode::BadUserInput, message, Some(self.pos))
    }
}

/// The variables that must be given to the operation that is run.
fn list_needed_variables(document: &ExecutableDocument, operation: Option<&str>) -> Vec<NeededVariable> {
    let is_run = |name: Option<&Name>| operation.is_none() || name.map(Name::as_str) == operation;
    let run = document.operations.iter().filter(|(name, _)| is_run(*name));
    let definitions = run.flat_map(|(_, operation)| &operation.node.variable_definitions);
    let needed = definitions.filter(|definition| !definition.node.var_type.node.nullable);
    let read = |Positioned { node, pos }: &Positioned<VariableDefinition>| NeededVariable {
        name: node.name.node.clone(),
        kind: node.var_type.node.to_string(),
        has_default: node.default_value.is_some(),
        pos: *pos,
    };
    needed.map(read).collect()
}

/// The caller and what their operation works with.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub services: &'a Services,
    pub actor: &'a Actor,
    pub locale: Locale,
}

impl<'a> Caller<'a> {
    /// The caller of this operation.
    pub fn of(ctx: &Context<'a>) -> Result<Self> {
        let session = data::<Session>(ctx)?;
        Ok(Self { services: data(ctx)?, actor: &session.actor, locale: session.locale })
    }

    pub fn store(&self) -> &'a Store {
        self.services.store()
    }

    pub const fn account(&self) -> &'a AccountId {
        &self.actor.account
    }

    /// What the caller sees of a list of people: `None` for everyone, else only that engineer.
    pub fn only(&self) -> Result<Option<EngineerId>> {
        match self.actor.sight() {
            Sight::WholeRoll => Ok(None),
            Sight::Only(id) => Ok(Some(id)),
            Sight::Nobody => Err(Forbidden.into()),
        }
    }

    /// Whether the caller sees the whole roll, its syncs and its counts.
    pub fn views_roll(&self) -> bool {
        self.actor.may(Permission::ViewRoll)
    }
}

/// What the schema or the operation was given.
pub(super) fn data<'a, T: Send + Sync + 'static>(ctx: &Context<'a>) -> Result<&'a T> {
    ctx.data_opt().ok_or_else(|| {
        tracing::error!(what = std::any::type_name::<T>(), "An operation ran without its context");
        Fault::internal()
    })
}

/// The loader of this operation.
pub(super) fn loader<'a>(ctx: &Context<'a>) -> Result<&'a DataLoader<NodeLoader>> {
    data(ctx)
}

/// The end of the event log before anything of the operation was read.
pub(super) fn live_cursor(ctx: &Context<'_>) -> Result<Cursor> {
    data::<RequestStart>(ctx)?.live_cursor.clone().unwrap_or_else(|| Err(Fault::internal()))
}
