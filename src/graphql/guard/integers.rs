//! An `Int` has 32 bits (GraphQL's specification, section 3.5.1). The library finds that out where a value is used, after it ran
//! what comes before.

use async_graphql::{
    Number, Pos, ServerError, Value, Variables,
    parser::types::{BaseType, OperationDefinition, Type},
};

use super::fields::Fields;
use crate::graphql::error::{ErrorCode, error_at};

/// Whether an integer is wanted and this is one that does not fit. What is no integer is the validation's to refuse.
pub(super) fn is_out_of_range(number: &Number, kind: &Type) -> bool {
    let is_wanted = matches!(&kind.base, BaseType::Named(name) if name == "Int");
    let is_integer = number.is_i64() || number.is_u64();
    is_wanted && is_integer && number.as_i64().is_none_or(|number| i32::try_from(number).is_err())
}

/// Refuses a number that does not fit.
pub(super) fn refuse(number: &Number, pos: Pos) -> ServerError {
    let message = format!("{number} is no Int: {} to {} are.", i32::MIN, i32::MAX);
    error_at(ErrorCode::GraphqlValidationFailed, message, Some(pos))
}

/// Looks for such numbers in the variables, wherever in them an `Int` is wanted.
///
/// # Errors
/// The first one.
pub(super) fn check_given(operation: &OperationDefinition, given: &Variables) -> Result<(), ServerError> {
    let fields = Fields::of_schema();
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let default = variable.default_value.as_ref().map(|value| &value.node);
        let value = given.get(&variable.name.node).or(default);
        let found = value.and_then(|value| find(value, &variable.var_type.node, fields));
        if let Some(number) = found {
            return Err(refuse(number, definition.pos));
        }
    }
    Ok(())
}

fn find<'a>(value: &'a Value, kind: &Type, fields: &Fields) -> Option<&'a Number> {
    match value {
        Value::Number(number) => is_out_of_range(number, kind).then_some(number),
        Value::List(entries) => match &kind.base {
            BaseType::List(kind) => entries.iter().find_map(|entry| find(entry, kind, fields)),
            BaseType::Named(_) => None,
        },
        Value::Object(given) => {
            let input = fields.find_input(kind)?;
            given.iter().find_map(|(name, value)| find(value, &input.get(name.as_str())?.kind, fields))
        }
        Value::Null | Value::String(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => None,
    }
}
