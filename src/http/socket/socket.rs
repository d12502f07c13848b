//! One WebSocket as its operations see it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{operation::Operation, wire::Wire};

/// One WebSocket.
pub(super) struct Socket {
    wire: Wire,
    operations: Mutex<HashMap<Box<str>, Arc<Operation>>>,
}

/// Why an operation cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// Another operation has the id.
    InUse,
    /// There are as many as there may be.
    TooMany,
}

impl Socket {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, operations: Mutex::default() }
    }

    pub(super) const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Begins an operation.
    pub(super) fn begin(self: &Arc<Self>, id: &str, limit: usize) -> Result<Arc<Operation>, NotOpened> {
        let mut operations = self.operations();
        let count = operations.len();
        match operations.entry(id.into()) {
            Entry::Occupied(_) => Err(NotOpened::InUse),
            Entry::Vacant(_) if count >= limit => Err(NotOpened::TooMany),
            Entry::Vacant(vacant) => {
                let operation = Arc::new(Operation::new(Arc::clone(self), id));
                vacant.insert(Arc::clone(&operation));
                Ok(operation)
            }
        }
    }

    /// The client wants no more of that operation. One that has ended already is no mistake: the messages may have crossed.
    pub(super) fn cancel(&self, id: &str) {
        let operation = self.operations().remove(id);
        if let Some(operation) = operation {
            operation.cancel();
        }
    }

    /// The client wants no more of any.
    pub(super) fn cancel_all(&self) {
        let operations = std::mem::take(&mut *self.operations());
        operations.values().for_each(|operation| operation.cancel());
    }

    /// The operation ended by itself. Its id is free, unless another has it already.
    pub(super) fn forget(&self, ended: &Operation) {
        let mut operations = self.operations();
        if operations.get(ended.id()).is_some_and(|held| std::ptr::eq(Arc::as_ptr(held), ended)) {
            operations.remove(ended.id());
        }
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Operation>>> {
        // No code that holds the lock can leave the map half changed.
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
