//! What a transport must know, and may say, of a live query that several clients share.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use async_graphql::{
    Data, Name, Positioned, Value, Variables,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

use crate::{
    domain::event::{Cursor, Position},
    graphql::gate::Admitted,
};

/// The root fields whose results lie at positions of the event log. The others tell how something is now.
pub(in crate::graphql) const RESUMABLE: &[&str] = &["confirmationStatusChanged", "engineerChanged"];

/// The argument of theirs that says from where to go on.
const AFTER: &str = "after";

/// Where the results of one execution begin and end, and at which positions they lie. A selection need not ask for the cursor, so
/// the positions travel beside the results.
#[derive(Debug)]
pub struct Course {
    after: Cursor,
    until: Option<Position>,
    /// Everything up to here was told, or is not wanted.
    read_to: AtomicI64,
    positions: Mutex<VecDeque<Position>>,
}

impl Course {
    /// From what comes after a cursor, whatever the query says, for ever or until everything up to a position was told.
    pub fn new(after: Cursor, until: Option<Position>) -> Arc<Self> {
        Arc::new(Self { after, until, read_to: AtomicI64::new(after.position.0), positions: Mutex::default() })
    }

    /// The same as data for the resolvers.
    pub fn into_data(self: Arc<Self>) -> Arc<Data> {
        let mut data = Data::default();
        data.insert(self);
        Arc::new(data)
    }

    /// The position of the next result that was not asked for yet. Every result has one, in the same order.
    pub fn next_position(&self) -> Option<Position> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// The place up to which everything was told, or is not wanted.
    pub fn read_to(&self) -> Position {
        Position(self.read_to.load(Ordering::Relaxed))
    }

    pub(in crate::graphql) fn has_read_to(&self, position: Position) {
        self.read_to.fetch_max(position.0, Ordering::Relaxed);
    }

    pub(in crate::graphql) const fn after(&self) -> Cursor {
        self.after
    }

    pub(in crate::graphql) fn is_over_at(&self, position: Position) -> bool {
        self.until.is_some_and(|until| until <= position)
    }

    pub(in crate::graphql) fn passes(&self, position: Position) {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).push_back(position);
    }
}

/// How a live query can be shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Sharing {
    /// Whether its results lie at positions of the event log.
    pub resumable: bool,
    /// The cursor that this client wants to go on from.
    pub after: Option<String>,
    /// The variables but for the one that only says from where to go on.
    pub variables: Variables,
}

impl Sharing {
    /// Reads it out of an operation.
    pub fn of(admitted: &Admitted) -> Self {
        let mut sharing = Self { resumable: false, after: None, variables: admitted.variables().clone() };
        let document = admitted.document();
        let operation = admitted.operation();
        let Some(root) = operation.and_then(|operation| find_root(document.parsed(), &operation.selection_set)) else {
            return sharing;
        };
        sharing.resumable = RESUMABLE.contains(&root.name.node.as_str());
        let Some(given) = root.get_argument(AFTER).filter(|_| sharing.resumable) else { return sharing };
        let mut variable = None;
        let value = given.node.clone().into_const_with(|name| {
            let value = admitted.variables().get(&name).cloned().or_else(|| default_of(admitted, &name));
            variable = Some(name);
            value.ok_or(())
        });
        if let Ok(Value::String(cursor)) = value {
            sharing.after = Some(cursor);
        }
        // Declared once and used once, and so by this argument alone.
        if let Some(name) = variable.filter(|name| count_variable(document.text(), name) == 2) {
            sharing.variables.remove(&name);
        }
        sharing
    }
}

/// The one root field of a live query.
fn find_root<'a>(document: &'a ExecutableDocument, set: &'a Positioned<SelectionSet>) -> Option<&'a Field> {
    set.node.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node),
        Selection::InlineFragment(inline) => find_root(document, &inline.node.selection_set),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
            find_root(document, &fragment.node.selection_set)
        }
    })
}

fn default_of(admitted: &Admitted, variable: &Name) -> Option<Value> {
    let definitions = &admitted.operation()?.variable_definitions;
    let definition = definitions.iter().find(|definition| definition.node.name.node == *variable)?;
    definition.node.default_value.as_ref().map(|value| value.node.clone())
}

/// How often `$name` stands in a document. One in a comment or a text counts as well: then the query is not shared, and no less
/// right.
fn count_variable(text: &str, name: &str) -> usize {
    let is_name = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.get(..end) == Some(name)
    };
    text.split('$').skip(1).filter(|rest| is_name(rest.trim_start())).count()
}
