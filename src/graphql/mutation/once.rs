//! The key of an input under which it is done once.

use async_graphql::{Context, ServerResult};
use serde_json::{Map, Value as Json};

use super::refuse;
use crate::{
    domain::once::Once,
    graphql::{
        context::Caller,
        error::{Fault, Result},
        object::user_error::UserError,
    },
};

/// The name of the key in every input.
const FIELD: &str = "idempotencyKey";

/// The caller's key, together with all else that the input says; the inner error holds what is wrong with the key.
pub(super) fn read_once(
    ctx: &Context<'_>,
    caller: Caller<'_>,
    key: Option<&str>,
) -> Result<Result<Option<Once>, Vec<UserError>>> {
    let Some(key) = key else { return Ok(Ok(None)) };
    let field = ctx.field();
    let input = write_input(ctx).map_err(|_| Fault::internal())?;
    Ok(Once::new(field.name(), key, input).map(Some).map_err(|refusal| refuse(refusal, caller.locale)))
}

/// The arguments without the key, in one form whatever order they were written in and whether by variables or in the document:
/// objects are written in the order of their fields' names.
fn write_input(ctx: &Context<'_>) -> ServerResult<String> {
    let mut written = Map::new();
    for (name, value) in ctx.field().arguments()? {
        let mut value = value.into_json().unwrap_or_default();
        if let Json::Object(fields) = &mut value {
            fields.remove(FIELD);
        }
        written.insert(name.to_string(), value);
    }
    Ok(Json::Object(written).to_string())
}
