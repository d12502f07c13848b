//! What every operation is given: who asks, in which language, and loaders of its own.

use async_graphql::{Context, Request, Response, dataloader::DataLoader};

use super::{
    error::{Fault, Result},
    loader::{NodeLoader, new_node_loader},
    schema::Schema,
};
use crate::{
    domain::{
        account::Locale,
        actor::{Actor, Credential, Forbidden, Permission, Sight},
        event::Cursor,
        id::{AccountId, EngineerId},
        request::RequestContext,
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
    /// The request, or the socket, that they ask by: the audit log names it.
    pub request: Option<RequestContext>,
}

impl Session {
    /// The same rights and language without the person and the end of their token: what an execution is given that several callers
    /// share. Whoever shares it sees to it that each of them may.
    pub fn shared(&self) -> Self {
        let credential = Credential::Token;
        let actor = Actor { subject: String::new(), expires_at: None, credential, ..self.actor.clone() };
        Self { actor, locale: self.locale, request: None }
    }
}

/// What was read before anything else of the operation.
pub(super) struct RequestStart {
    /// The end of the event log; absent where the document does not ask for it.
    live_cursor: Option<Result<Cursor>>,
}

/// Adds what an operation works with: reads the live cursor if the document's text names it, and adds the session and fresh loaders. Nothing of
/// it may be used for another operation.
///
/// # Errors
/// The whole answer, where the server cannot do so.
pub(super) async fn add_context(
    schema: &Schema,
    request: Request,
    text: &str,
    session: &Session,
) -> Result<Request, Response> {
    let (Some(services), Some(live)) = (schema.data::<Services>(), schema.data::<Live>()) else {
        return Err(Response::from_errors(vec![Fault::internal().into_server_error()]));
    };
    // A change that is committed while the operation reads lies after this cursor, so a client that follows from it misses none.
    let live_cursor = if text.contains("liveCursor") {
        Some(live.head_cursor(&session.actor.account).await.map_err(Fault::from))
    } else {
        None
    };
    Ok(request
        .data(services.for_request(session.request))
        .data(session.clone())
        .data(RequestStart { live_cursor })
        .data(new_node_loader(services, &session.actor.account)))
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
