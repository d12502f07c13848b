//! How large a document is once its fragments are spread.
//!
//! The library follows every spread of a fragment again and again, before its own limits apply: thirty fragments that each spread
//! the next one twice would keep a core busy for hours. Here each fragment is measured once.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{ExecutableDocument, Field, FragmentDefinition, FragmentSpread, Selection, SelectionSet},
};

use super::too_complex;
use crate::{
    config::LimitsConfig,
    graphql::error::{ErrorCode, error_at},
};

/// The most selections within each other: fields, inline fragments and spreads. It bounds what the library does call by call, and
/// is its own bound.
const MAX_NESTING: usize = 32;

/// Refuses a document that is too large, or whose fragments spread themselves or one that is not there. Each selection that it looks
/// at adds one to `measured`.
///
/// # Errors
/// What is too large, with the limit.
pub(super) fn check(
    document: &ExecutableDocument,
    limits: &LimitsConfig,
    measured: &AtomicU64,
) -> Result<(), ServerError> {
    let mut measurer = Measurer { fragments: &document.fragments, known: HashMap::new(), measured };
    let mut whole = Shape::default();
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let on_variables = operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        whole.directives += operation.directives.len() + on_variables.sum::<usize>();
        whole.add(measurer.measure(&operation.selection_set, 0)?);
    }
    judge(&whole, limits)?;
    // Those that no operation spreads are walked by the library as well.
    for name in document.fragments.keys() {
        judge(&measurer.measure_fragment(name, Pos::default(), 0)?, limits)?;
    }
    Ok(())
}

fn judge(shape: &Shape, limits: &LimitsConfig) -> Result<(), ServerError> {
    let table = [
        (shape.selections, limits.fields, "fields and spreads of fragments"),
        (shape.aliases, limits.aliases, "aliases"),
        (shape.directives, limits.directives, "directives"),
        (shape.depth, limits.depth, "levels of fields"),
    ];
    match table.into_iter().find(|(found, limit, _)| found > limit) {
        Some((found, limit, what)) => {
            Err(too_complex(format!("The document has {found} {what}; {limit} are allowed."), None))
        }
        None => Ok(()),
    }
}

/// How large a selection is.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    /// Fields, inline fragments and spreads.
    selections: usize,
    aliases: usize,
    directives: usize,
    /// Levels of fields.
    depth: usize,
    /// Levels of selections.
    nesting: usize,
}

impl Shape {
    /// Both beside each other.
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
    }
}

struct Measurer<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// What each fragment holds; `None` while it is being measured.
    known: HashMap<&'a str, Option<Shape>>,
    /// How many selections were looked at.
    measured: &'a AtomicU64,
}

impl<'a> Measurer<'a> {
    fn measure(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<Shape, ServerError> {
        let mut shape = Shape::default();
        for selection in &set.node.items {
            self.measured.fetch_add(1, Ordering::Relaxed);
            check_nesting(level, selection.pos)?;
            let mut one = match &selection.node {
                Selection::Field(field) => self.measure_field(&field.node, level)?,
                Selection::InlineFragment(inline) => self.measure(&inline.node.selection_set, level + 1)?,
                Selection::FragmentSpread(spread) => self.measure_spread(&spread.node, level)?,
            };
            one.selections = one.selections.saturating_add(1);
            one.directives = one.directives.saturating_add(selection.node.directives().len());
            one.nesting += 1;
            shape.add(one);
        }
        Ok(shape)
    }

    fn measure_field(&mut self, field: &'a Field, level: usize) -> Result<Shape, ServerError> {
        let mut shape = self.measure(&field.selection_set, level + 1)?;
        shape.aliases = shape.aliases.saturating_add(usize::from(field.alias.is_some()));
        shape.depth += 1;
        Ok(shape)
    }

    fn measure_spread(&mut self, spread: &'a FragmentSpread, level: usize) -> Result<Shape, ServerError> {
        self.measure_fragment(&spread.fragment_name.node, spread.fragment_name.pos, level + 1)
    }

    fn measure_fragment(&mut self, name: &'a Name, pos: Pos, level: usize) -> Result<Shape, ServerError> {
        let refuse = |message| Err(error_at(ErrorCode::GraphqlValidationFailed, message, Some(pos)));
        match self.known.get(name.as_str()) {
            Some(Some(shape)) => {
                check_nesting(level + shape.nesting, pos)?;
                return Ok(*shape);
            }
            Some(None) => return refuse(format!("Fragment \"{name}\" spreads itself.")),
            None => {}
        }
        let Some(fragment) = self.fragments.get(name) else {
            return refuse(format!("Unknown fragment \"{name}\"."));
        };
        self.known.insert(name, None);
        let mut shape = self.measure(&fragment.node.selection_set, level)?;
        shape.directives = shape.directives.saturating_add(fragment.node.directives.len());
        self.known.insert(name, Some(shape));
        Ok(shape)
    }
}

fn check_nesting(level: usize, pos: Pos) -> Result<(), ServerError> {
    if level > MAX_NESTING {
        let message = format!("Fields and fragments lie more than {MAX_NESTING} deep within each other.");
        return Err(too_complex(message, Some(pos)));
    }
    Ok(())
}
