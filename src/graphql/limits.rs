//! What an operation may ask for at once, judged on the parsed document before the library walks it.
//!
//! The library follows every spread of a fragment again and again, before its own limits apply: twenty fragments that each spread
//! the next one twice keep a core busy for seconds. Here each fragment is counted once.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

use super::error::{ErrorCode, error_at};

/// The most fields of an operation, each counted as often as the fragments that hold it are spread.
const MAX_FIELDS: usize = 5_000;

/// The deepest nesting of fields. The introspection query of graphql-js is 15 deep.
pub(super) const MAX_DEPTH: usize = 15;

/// The highest cost of an operation: a field costs 1, and a page of a list costs what it holds, times its size. A page of 100
/// engineers with all their fields and channels costs about 4,500.
pub(super) const MAX_COMPLEXITY: usize = 5_000;

/// The most directives on one field.
pub(super) const MAX_DIRECTIVES: usize = 10;

/// Refuses a document that asks for too much or whose fragments spread themselves.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
    let mut counter = Counter { fragments: &document.fragments, known: HashMap::new() };
    for (_, operation) in document.operations.iter() {
        let fields = counter.count(&operation.node.selection_set)?;
        if fields > MAX_FIELDS {
            let message = format!("The operation asks for {fields} fields; {MAX_FIELDS} are allowed.");
            return Err(error_at(ErrorCode::QueryTooComplex, message, Some(operation.pos)));
        }
    }
    Ok(())
}

struct Counter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The fields of each fragment; `None` while the fragment is being counted.
    known: HashMap<&'a str, Option<usize>>,
}

impl<'a> Counter<'a> {
    fn count(&mut self, set: &'a Positioned<SelectionSet>) -> Result<usize, ServerError> {
        let mut fields = 0_usize;
        for selection in &set.node.items {
            let more = match &selection.node {
                Selection::Field(field) => self.count(&field.node.selection_set)?.saturating_add(1),
                Selection::InlineFragment(inline) => self.count(&inline.node.selection_set)?,
                Selection::FragmentSpread(spread) => self.count_fragment(&spread.node.fragment_name)?,
            };
            fields = fields.saturating_add(more);
        }
        Ok(fields)
    }

    fn count_fragment(&mut self, name: &'a Positioned<Name>) -> Result<usize, ServerError> {
        let key = name.node.as_str();
        match self.known.get(key) {
            Some(Some(fields)) => return Ok(*fields),
            Some(None) => {
                let message = format!("Fragment \"{key}\" spreads itself.");
                return Err(error_at(ErrorCode::GraphqlValidationFailed, message, Some(name.pos)));
            }
            None => {}
        }
        // An unknown fragment is the validation's to refuse.
        let Some(fragment) = self.fragments.get(key) else { return Ok(0) };
        self.known.insert(key, None);
        let fields = self.count(&fragment.node.selection_set)?;
        self.known.insert(key, Some(fields));
        Ok(fields)
    }
}
