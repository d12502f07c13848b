//! What is asked of the schema itself. It costs nothing, since tools must be able to read all of it at once; but types hold fields
//! that have types, so what is asked within each other is bounded.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{FragmentDefinition, Selection, SelectionSet},
};

use super::too_complex;

/// How deep lists of the schema may lie within each other. graphql-js has the same rule (`MaxIntrospectionDepthRule`).
const MAX_LISTS: usize = 2;

/// How many values may be asked for of each type of the schema, by the lengths below. The introspection query of graphql-js asks
/// for about 1,100.
const MAX_VALUES: usize = 4_000;

/// How long the lists of the schema are, about. Types are counted as one, since the bound is for each.
const LENGTHS: [(&str, usize); 6] =
    [("fields", 8), ("inputFields", 4), ("args", 2), ("enumValues", 4), ("interfaces", 2), ("possibleTypes", 2)];

/// The lists that lead from types to types.
const LEADING_ON: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// Whether a root field asks for the schema itself.
pub(super) fn is_introspection(field: &str) -> bool {
    matches!(field, "__schema" | "__type")
}

/// Counts what is asked of the schema.
pub(super) struct Introspection<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    known: HashMap<&'a str, Asked>,
}

/// What a selection asks for.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    values: usize,
    /// How deep lists lie within each other.
    lists: usize,
}

impl<'a> Introspection<'a> {
    pub fn new(fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>) -> Self {
        Self { fragments, known: HashMap::new() }
    }

    /// How many values a selection on `__schema` or `__type` asks for.
    ///
    /// # Errors
    /// When lists lie too deep within each other.
    pub fn count(&mut self, set: &'a SelectionSet) -> Result<usize, ServerError> {
        let asked = self.ask(set);
        if asked.lists > MAX_LISTS {
            let message = format!(
                "The introspection asks for lists of fields or types {} deep; {MAX_LISTS} deep is allowed.",
                asked.lists
            );
            return Err(too_complex(message, None));
        }
        Ok(asked.values)
    }

    /// Refuses an operation that asks for too much of the schema.
    ///
    /// # Errors
    /// With the limit.
    pub fn check(values: usize, pos: Option<Pos>) -> Result<(), ServerError> {
        if values > MAX_VALUES {
            let message = format!("The introspection asks for {values} values of each type; {MAX_VALUES} are allowed.");
            return Err(too_complex(message, pos));
        }
        Ok(())
    }

    fn ask(&mut self, set: &'a SelectionSet) -> Asked {
        let mut asked = Asked::default();
        for selection in &set.items {
            let one = match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let inner = self.ask(&field.node.selection_set.node);
                    let length = LENGTHS.iter().find(|(list, _)| *list == name).map_or(1, |(_, length)| *length);
                    Asked {
                        values: inner.values.saturating_mul(length).saturating_add(1),
                        lists: inner.lists + usize::from(LEADING_ON.contains(&name)),
                    }
                }
                Selection::InlineFragment(inline) => self.ask(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.ask_fragment(&spread.node.fragment_name.node),
            };
            asked.values = asked.values.saturating_add(one.values);
            asked.lists = asked.lists.max(one.lists);
        }
        asked
    }

    fn ask_fragment(&mut self, name: &'a str) -> Asked {
        if let Some(asked) = self.known.get(name) {
            return *asked;
        }
        let Some(fragment) = self.fragments.get(name) else { return Asked::default() };
        let asked = self.ask(&fragment.node.selection_set.node);
        self.known.insert(name, asked);
        asked
    }
}
