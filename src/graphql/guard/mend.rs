//! What GraphQL allows and the library does not understand, put into words that it does.

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, InlineFragment,
        OperationDefinition, OperationType, Selection, SelectionSet,
    },
};

use crate::graphql::error::{ErrorCode, error_at};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Mends a document that was measured: what fragments hold is bounded, and none spreads itself.
///
/// # Errors
/// When a subscription has not exactly one root field (GraphQL's specification, section 5.2.4). The library would merge several
/// streams into one.
pub(super) fn mend(document: &mut ExecutableDocument) -> Result<(), ServerError> {
    let spread_before = list_spread(document);
    let ExecutableDocument { operations, fragments } = document;
    let operations: Vec<_> = match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        if operation.node.ty == OperationType::Subscription {
            lift_root(&mut operation.node, fragments);
            if operation.node.selection_set.node.items.len() != 1 {
                let message = "A subscription must have exactly one root field.";
                return Err(error_at(ErrorCode::GraphqlValidationFailed, message, Some(operation.pos)));
            }
        }
        wrap_typenames(&mut operation.node.selection_set.node);
    }
    fragments.values_mut().for_each(|fragment| wrap_typenames(&mut fragment.node.selection_set.node));
    // Those of which everything was lifted would be refused as unused.
    let spread_now = list_spread(document);
    document.fragments.retain(|name, _| !spread_before.contains(name) || spread_now.contains(name));
    Ok(())
}

/// Puts the directives of a `__typename` on an inline fragment around it: the library does not look at them where they are, and
/// refuses their variables as unused.
fn wrap_typenames(set: &mut SelectionSet) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                if field.node.directives.is_empty() {
                    continue;
                }
                let directives = mem::take(&mut field.node.directives);
                let (pos, field) = (selection.pos, field.clone());
                let items = vec![Positioned::new(Selection::Field(field), pos)];
                let selection_set = Positioned::new(SelectionSet { items }, pos);
                let inline = InlineFragment { type_condition: None, directives, selection_set };
                selection.node = Selection::InlineFragment(Positioned::new(inline, pos));
            }
            Selection::Field(field) => wrap_typenames(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => wrap_typenames(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Takes a subscription's root field out of the fragments around it, where the library does not look for it.
fn lift_root(operation: &mut OperationDefinition, fragments: &Fragments) {
    let mut fields = Vec::new();
    lift(&operation.selection_set.node, fragments, &[], &mut fields);
    operation.selection_set.node.items =
        fields.into_iter().map(|field| Positioned::new(Selection::Field(field.clone()), field.pos)).collect();
}

fn lift(
    set: &SelectionSet,
    fragments: &Fragments,
    around: &[Positioned<Directive>],
    fields: &mut Vec<Positioned<Field>>,
) {
    for selection in &set.items {
        let directives = [around, selection.node.directives().as_slice()].concat();
        match &selection.node {
            Selection::Field(field) => {
                let mut field = field.clone();
                field.node.directives = directives;
                fields.push(field);
            }
            Selection::InlineFragment(inline) => {
                lift(&inline.node.selection_set.node, fragments, &directives, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    lift(&fragment.node.selection_set.node, fragments, &directives, fields);
                }
            }
        }
    }
}

/// The fragments that operations spread, in fragments as well.
fn list_spread(document: &ExecutableDocument) -> HashSet<Name> {
    let mut spread = HashSet::new();
    for (_, operation) in document.operations.iter() {
        follow(&operation.node.selection_set.node, &document.fragments, &mut spread);
    }
    spread
}

fn follow(set: &SelectionSet, fragments: &Fragments, spread: &mut HashSet<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => follow(&field.node.selection_set.node, fragments, spread),
            Selection::InlineFragment(inline) => follow(&inline.node.selection_set.node, fragments, spread),
            Selection::FragmentSpread(named) => {
                let name = &named.node.fragment_name.node;
                if spread.insert(name.clone())
                    && let Some(fragment) = fragments.get(name)
                {
                    follow(&fragment.node.selection_set.node, fragments, spread);
                }
            }
        }
    }
}
