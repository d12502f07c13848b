//! The variables of an operation, before it is run.

use async_graphql::{
    Name, Positioned, ServerError, Value, Variables,
    parser::types::{BaseType, ExecutableDocument, OperationDefinition, VariableDefinition},
};

use super::error::{ErrorCode, error_at};

/// Refuses an operation that lacks a variable it needs, and gives null for each `Int` of the document that may be left out.
///
/// The library computes the cost of a page from `first` and `last`, of the operations beside the one that is run as well, and
/// refuses a variable there that is left out, which GraphQL allows. Nothing in the schema tells an `Int` that is null from one that
/// is left out.
pub(super) fn complete(
    document: &ExecutableDocument,
    run: &OperationDefinition,
    mut given: Variables,
) -> Result<Variables, ServerError> {
    for Positioned { node: definition, pos } in &run.variable_definitions {
        if is_missing(definition, &given) {
            let (name, kind) = (&definition.name.node, &definition.var_type.node);
            let message = format!("Variable \"${name}\" of type \"{kind}\" must be given.");
            return Err(error_at(ErrorCode::BadUserInput, message, Some(*pos)));
        }
    }
    let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    for Positioned { node: definition, .. } in definitions {
        if is_optional_number(definition) {
            given.entry(Name::clone(&definition.name.node)).or_insert(Value::Null);
        }
    }
    Ok(given)
}

/// The library finds out where the variable is used, after it ran what comes before.
fn is_missing(definition: &VariableDefinition, given: &Variables) -> bool {
    let may_be_left_out = definition.default_value.is_some();
    let is_null = given.get(&definition.name.node).map_or(!may_be_left_out, |value| *value == Value::Null);
    !definition.var_type.node.nullable && is_null
}

fn is_optional_number(definition: &VariableDefinition) -> bool {
    let kind = &definition.var_type.node;
    let is_number = matches!(&kind.base, BaseType::Named(name) if name == "Int");
    is_number && kind.nullable && definition.default_value.is_none()
}
