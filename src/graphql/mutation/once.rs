//! The key of an input under which it is done once.

use async_graphql::{Context, ServerResult};
use serde_json::Value as Json;

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

/// The arguments without the key, in one form whatever order they were written in and whether by variables or in the document.
fn write_input(ctx: &Context<'_>) -> ServerResult<String> {
    let arguments = ctx.field().arguments()?;
    let mut written: Vec<_> = arguments
        .into_iter()
        .map(|(name, value)| {
            let mut value = value.into_json().unwrap_or_default();
            if let Json::Object(fields) = &mut value {
                fields.remove(FIELD);
            }
            (name.to_string(), sort(value))
        })
        .collect();
    written.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(Json::from_iter(written).to_string())
}

/// The same with the fields of every object in alphabetical order.
fn sort(value: Json) -> Json {
    match value {
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sort(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Json::from_iter(fields)
        }
        Json::Array(items) => items.into_iter().map(sort).collect(),
        plain @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => plain,
    }
}
