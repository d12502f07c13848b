//! Whether variables, and integers, are of the types that their places want (GraphQL's specification, section 5.8.5).
//!
//! The library has a rule for it that never sees a value: what joins its rules into one (`VisitorCons`) does not hand them on.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{
        BaseType, Directive, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet, Type,
        VariableDefinition,
    },
};
use async_graphql_value::{ConstValue, Value};

use super::{
    fields::{Fields, Place},
    integers::{is_out_of_range, refuse},
    name_root,
};
use crate::graphql::error::{ErrorCode, error_at};

/// Refuses a document that uses a variable where its type does not fit.
///
/// # Errors
/// The first such use, with both types.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
    for (_, operation) in document.operations.iter() {
        let mut checker = Checker {
            fields: Fields::of_schema(),
            fragments: &document.fragments,
            variables: &operation.node.variable_definitions,
            seen: HashSet::new(),
        };
        checker.check_directives(&operation.node.directives)?;
        checker.check_set(&operation.node.selection_set.node, name_root(operation.node.ty))?;
    }
    Ok(())
}

struct Checker<'a> {
    fields: &'static Fields,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a [Positioned<VariableDefinition>],
    /// The fragments that were checked with these variables.
    seen: HashSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn check_set(&mut self, set: &'a SelectionSet, on: &str) -> Result<(), ServerError> {
        for selection in &set.items {
            self.check_directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.check_field(&field.node, on)?,
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| condition.node.on.node.as_str());
                    self.check_set(&inline.node.selection_set.node, on)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.fragments.get(name).filter(|_| self.seen.insert(name)) {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.check_set(&fragment.node.selection_set.node, on)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn check_field(&mut self, field: &'a Field, on: &str) -> Result<(), ServerError> {
        let fields = self.fields;
        // What the schema does not have is the validation's to refuse.
        let Some(info) = fields.find(on, &field.name.node) else { return Ok(()) };
        for (name, value) in &field.arguments {
            if let Some(place) = info.arguments.get(name.node.as_str()) {
                self.check_value(&value.node, place, value.pos)?;
            }
        }
        self.check_set(&field.selection_set.node, &info.of)
    }

    fn check_directives(&self, directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
        let is_known =
            |directive: &&Positioned<Directive>| matches!(directive.node.name.node.as_str(), "skip" | "include");
        let Some(kind) = Type::new("Boolean!") else { return Ok(()) };
        let place = Place { kind, has_default: false };
        let mut conditions = directives.iter().filter(is_known).filter_map(|known| known.node.get_argument("if"));
        conditions.try_for_each(|condition| self.check_value(&condition.node, &place, condition.pos))
    }

    fn check_value(&self, value: &Value, place: &Place, pos: Pos) -> Result<(), ServerError> {
        match value {
            Value::Variable(name) => self.check_variable(name, place, pos),
            Value::List(entries) => match &place.kind.base {
                BaseType::List(kind) => {
                    let place = Place { kind: (**kind).clone(), has_default: false };
                    entries.iter().try_for_each(|entry| self.check_value(entry, &place, pos))
                }
                BaseType::Named(_) => Ok(()),
            },
            Value::Object(given) => {
                let input = self.fields.find_input(&place.kind);
                let placed = given.iter().filter_map(|(name, value)| Some((input?.get(name.as_str())?, value)));
                placed.into_iter().try_for_each(|(place, value)| self.check_value(value, place, pos))
            }
            Value::Number(number) if is_out_of_range(number, &place.kind) => Err(refuse(number, pos)),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => Ok(()),
        }
    }

    fn check_variable(&self, name: &Name, place: &Place, pos: Pos) -> Result<(), ServerError> {
        let mut definitions = self.variables.iter().map(|definition| &definition.node);
        let Some(variable) = definitions.find(|definition| definition.name.node == *name) else { return Ok(()) };
        let (given, wanted) = (&variable.var_type.node, &place.kind);
        let default = variable.default_value.as_ref().map(|value| &value.node);
        // What may be left out still fits where there is a value instead.
        let has_value = place.has_default || default.is_some_and(|value| *value != ConstValue::Null);
        if fits(given, wanted) || (has_value && base_fits(given, wanted)) {
            return Ok(());
        }
        let message = format!("Variable \"${name}\" of type \"{given}\" is used where \"{wanted}\" is expected.");
        Err(error_at(ErrorCode::GraphqlValidationFailed, message, Some(pos)))
    }
}

fn fits(given: &Type, wanted: &Type) -> bool {
    (wanted.nullable || !given.nullable) && base_fits(given, wanted)
}

fn base_fits(given: &Type, wanted: &Type) -> bool {
    match (&given.base, &wanted.base) {
        (BaseType::Named(given), BaseType::Named(wanted)) => given == wanted,
        (BaseType::List(given), BaseType::List(wanted)) => fits(given, wanted),
        (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => false,
    }
}
