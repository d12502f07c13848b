//! How many entries a field's arguments ask for, whether they are written out or come as variables.

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Field, OperationDefinition, VariableDefinition},
};
use async_graphql_value::Value as Written;

use crate::graphql::connection::{DEFAULT_SIZE, MAX_SIZE};

/// How many things a mutation is taken to concern that names them by a filter. How many they are is known only when it runs.
const BY_FILTER: usize = 100;

/// The variables of an operation.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    given: &'a Variables,
    definitions: &'a [Positioned<VariableDefinition>],
}

/// A value that stands in the document, or in a variable.
#[derive(Clone, Copy)]
enum Given<'a> {
    Written(&'a Written),
    Variable(&'a Value),
}

impl<'a> Scope<'a> {
    /// The variables that an operation was given.
    pub fn of(operation: &'a OperationDefinition, given: &'a Variables) -> Self {
        Self { given, definitions: &operation.variable_definitions }
    }

    /// The size of a page, as `first` or `last` asks for it. More than a page may hold is refused by the list itself.
    pub fn read_page(self, field: &'a Field) -> usize {
        let size = |name| self.find(field, name).and_then(|given| self.read_integer(given));
        let size = size("first").or_else(|| size("last")).unwrap_or_else(|| DEFAULT_SIZE.into());
        usize::try_from(size.clamp(0, MAX_SIZE.into())).unwrap_or(0)
    }

    /// How many ids the argument holds.
    pub fn count_ids(self, field: &'a Field, argument: &str) -> usize {
        self.find(field, argument).and_then(|given| self.count(given)).unwrap_or(0)
    }

    /// How many things the argument `input` of a mutation names.
    pub fn count_input(self, field: &'a Field) -> usize {
        let Some(input) = self.find(field, "input") else { return 1 };
        let is_ids = |name: &str| name == "ids" || name.ends_with("Ids");
        let counts = self.entries(input).filter(|(name, _)| is_ids(name));
        let ids = counts.filter_map(|(_, ids)| self.count(ids)).max();
        let mut filters = self.entries(input).filter(|(name, _)| *name == "filter");
        let by_filter = filters.any(|(_, filter)| !self.is_null(filter)).then_some(BY_FILTER);
        ids.into_iter().chain(by_filter).max().unwrap_or(1)
    }

    fn find(self, field: &'a Field, argument: &str) -> Option<Given<'a>> {
        self.resolve(&field.get_argument(argument)?.node)
    }

    /// The value itself, where a variable stands for it; `None` where that was not given.
    fn resolve(self, value: &'a Written) -> Option<Given<'a>> {
        let Written::Variable(name) = value else { return Some(Given::Written(value)) };
        let default = || {
            let definition = self.definitions.iter().find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        };
        self.given.get(name).or_else(default).map(Given::Variable)
    }

    fn is_null(self, given: Given<'_>) -> bool {
        matches!(given, Given::Written(Written::Null) | Given::Variable(Value::Null))
    }

    fn read_integer(self, given: Given<'_>) -> Option<i64> {
        match given {
            Given::Written(Written::Number(number)) | Given::Variable(Value::Number(number)) => number.as_i64(),
            Given::Written(_) | Given::Variable(_) => None,
        }
    }

    /// The length of a list. What is no list and not null stands for a list of one.
    fn count(self, given: Given<'_>) -> Option<usize> {
        match given {
            Given::Written(Written::List(entries)) => Some(entries.len()),
            Given::Variable(Value::List(entries)) => Some(entries.len()),
            _ if self.is_null(given) => None,
            Given::Written(_) | Given::Variable(_) => Some(1),
        }
    }

    /// The fields of an input object.
    fn entries(self, given: Given<'a>) -> Box<dyn Iterator<Item = (&'a str, Given<'a>)> + 'a> {
        match given {
            Given::Written(Written::Object(fields)) => Box::new(
                fields.iter().filter_map(move |(name, value)| Some((Name::as_str(name), self.resolve(value)?))),
            ),
            Given::Variable(Value::Object(fields)) => {
                Box::new(fields.iter().map(|(name, value)| (Name::as_str(name), Given::Variable(value))))
            }
            Given::Written(_) | Given::Variable(_) => Box::new(std::iter::empty()),
        }
    }
}
