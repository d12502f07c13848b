//! The variables of an operation, before it is run.

use async_graphql::{
    Positioned, ServerError, Value, Variables,
    parser::types::{OperationDefinition, VariableDefinition},
};

use super::error::{ErrorCode, error_at};

/// Refuses an operation that lacks a variable it needs.
///
/// The library finds that out where the variable is used, after it ran what comes before.
pub(super) fn check_given(operation: &OperationDefinition, given: &Variables) -> Result<(), ServerError> {
    let mut definitions = operation.variable_definitions.iter();
    let Some(Positioned { node, pos }) = definitions.find(|definition| is_missing(&definition.node, given)) else {
        return Ok(());
    };
    let message = format!("Variable \"${}\" of type \"{}\" must be given.", node.name.node, node.var_type.node);
    Err(error_at(ErrorCode::BadUserInput, message, Some(*pos)))
}

fn is_missing(definition: &VariableDefinition, given: &Variables) -> bool {
    let may_be_left_out = definition.default_value.is_some();
    let is_null = given.get(&definition.name.node).map_or(!may_be_left_out, |value| *value == Value::Null);
    !definition.var_type.node.nullable && is_null
}
