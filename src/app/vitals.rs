//! Whether the tasks run without which a server only looks alive.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::{AbortHandle, JoinHandle};

/// The tasks that are to run as long as the server does.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    tasks: Mutex<Vec<(&'static str, AbortHandle)>>,
}

impl Vitals {
    /// Watches a task.
    pub fn watch(&self, name: &'static str, task: &JoinHandle<()>) {
        self.tasks().push((name, task.abort_handle()));
    }

    /// Each task that is watched, and whether it runs.
    pub fn list(&self) -> Vec<(&'static str, bool)> {
        self.tasks().iter().map(|(name, task)| (*name, !task.is_finished())).collect()
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<(&'static str, AbortHandle)>> {
        // No code that holds the lock can leave the list half changed.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
