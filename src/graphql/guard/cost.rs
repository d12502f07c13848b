//! What an operation costs: how many objects and scalars its answer may hold, with the variables as they were given.
//!
//! A scalar costs 0, an object 1, a list what its entries cost, as often as `first` or `last` or the number of ids says. What
//! `@skip` and `@include` leave out counts as if it were there. The schema itself is measured apart.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, ServerError, Variables,
    parser::types::{
        Field, FragmentDefinition, FragmentSpread, InlineFragment, OperationDefinition, Selection, SelectionSet,
    },
};

use super::{
    arguments::Scope,
    document::Document,
    fields::{Entries, FieldInfo, Fields, Holds},
    introspection::{Introspection, is_introspection},
    name_root, too_complex,
};
use crate::{config::LimitsConfig, graphql::error::Fault};

/// Refuses an operation of a document that was measured, where it costs too much.
///
/// # Errors
/// What is too much, with the limit.
pub(super) fn check(
    document: &Document,
    operation: &OperationDefinition,
    variables: &Variables,
    limits: &LimitsConfig,
) -> Result<(), ServerError> {
    let root = name_root(operation.ty);
    let fields = Fields::of_schema();
    if !fields.has_type(root) {
        return Err(Fault::internal().into_server_error());
    }
    let fragments = &document.parsed.fragments;
    let mut counter = Counter {
        fields,
        fragments,
        scope: Scope::of(operation, variables),
        known: HashMap::new(),
        introspection: Introspection::new(fragments),
    };
    let Sum { once: Bill { objects, values, introspected }, .. } =
        counter.count(&operation.selection_set.node, root)?;
    let pos = Some(operation.selection_set.pos);
    if objects > limits.cost {
        let message = format!(
            "The operation costs {objects}; {} is allowed. Each object costs 1, as often as the pages and lists around it are \
             long: ask for fewer at once, or for less of each.",
            limits.cost
        );
        return Err(too_complex(message, pos));
    }
    if values > limits.values {
        let message = format!("The answer may hold {values} values; {} are allowed.", limits.values);
        return Err(too_complex(message, pos));
    }
    Introspection::check(introspected, pos)
}

/// What a selection may hold.
#[derive(Debug, Clone, Copy, Default)]
struct Bill {
    objects: usize,
    values: usize,
    /// What is asked of the schema itself.
    introspected: usize,
}

impl Bill {
    fn plus(self, other: Self) -> Self {
        Self {
            objects: self.objects.saturating_add(other.objects),
            values: self.values.saturating_add(other.values),
            introspected: self.introspected.saturating_add(other.introspected),
        }
    }

    fn times(self, count: usize) -> Self {
        Self {
            objects: self.objects.saturating_mul(count),
            values: self.values.saturating_mul(count),
            introspected: self.introspected.saturating_mul(count),
        }
    }
}

/// What a selection on an object may hold. It does not depend on where the selection stands, so that a fragment is counted once.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    /// Once for the object.
    once: Bill,
    /// For each of the object's entries. How many there are is known where the object is held.
    each: Bill,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.once = self.once.plus(other.once);
        self.each = self.each.plus(other.each);
    }

    fn of(once: Bill) -> Self {
        Self { once, ..Self::default() }
    }
}

struct Counter<'a> {
    fields: &'static Fields,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    scope: Scope<'a>,
    /// What each fragment may hold.
    known: HashMap<&'a str, Sum>,
    introspection: Introspection<'a>,
}

impl<'a> Counter<'a> {
    fn count(&mut self, set: &'a SelectionSet, on: &str) -> Result<Sum, ServerError> {
        let mut sum = Sum::default();
        for selection in &set.items {
            sum.add(match &selection.node {
                Selection::Field(field) => self.count_field(&field.node, on)?,
                Selection::InlineFragment(inline) => self.count_inline(&inline.node, on)?,
                Selection::FragmentSpread(spread) => self.count_spread(&spread.node)?,
            });
        }
        Ok(sum)
    }

    fn count_inline(&mut self, inline: &'a InlineFragment, on: &str) -> Result<Sum, ServerError> {
        let on = inline.type_condition.as_ref().map_or(on, |condition| condition.node.on.node.as_str());
        self.count(&inline.selection_set.node, on)
    }

    fn count_spread(&mut self, spread: &'a FragmentSpread) -> Result<Sum, ServerError> {
        let name = spread.fragment_name.node.as_str();
        if let Some(sum) = self.known.get(name) {
            return Ok(*sum);
        }
        // That each fragment is there was seen when the document was measured.
        let Some(fragment) = self.fragments.get(name) else { return Ok(Sum::default()) };
        let sum = self.count(&fragment.node.selection_set.node, fragment.node.type_condition.node.on.node.as_str())?;
        self.known.insert(name, sum);
        Ok(sum)
    }

    fn count_field(&mut self, field: &'a Field, on: &str) -> Result<Sum, ServerError> {
        let name = field.name.node.as_str();
        if is_introspection(name) {
            let introspected = self.introspection.count(&field.selection_set.node)?;
            return Ok(Sum::of(Bill { introspected, ..Bill::default() }));
        }
        let fields = self.fields;
        let Some(info) = fields.find(on, name) else {
            // `__typename`, or a field that the validation refuses.
            return Ok(Sum::of(Bill { values: 1, ..Bill::default() }));
        };
        let one = self.count_object(field, info)?;
        Ok(match info.holds {
            Holds::Value | Holds::One => Sum::of(one),
            Holds::Some(length) => Sum::of(one.times(length)),
            Holds::Ids => Sum::of(one.times(self.scope.count_ids(field, "ids"))),
            Holds::Entries => Sum { each: one, ..Sum::default() },
        })
    }

    /// One of what a field holds.
    fn count_object(&mut self, field: &'a Field, info: &FieldInfo) -> Result<Bill, ServerError> {
        if info.holds == Holds::Value {
            return Ok(Bill { values: 1, ..Bill::default() });
        }
        let inner = self.count(&field.selection_set.node, &info.of)?;
        let entries = match info.entries {
            Entries::Page => self.scope.read_page(field),
            Entries::Input => self.scope.count_input(field),
            Entries::Unsaid => 1,
        };
        let itself = Bill { objects: usize::from(!info.is_free), ..Bill::default() };
        Ok(itself.plus(inner.once).plus(inner.each.times(entries)))
    }
}
