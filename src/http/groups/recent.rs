//! The newest results of a group.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::body::Bytes;

use crate::domain::event::Position;

/// The most results that are kept, and the most bytes of them: enough for those who come back at once.
const RESULTS: usize = 256;
const BYTES: usize = 256 * 1024;

/// The most bytes of all groups together. A group that comes to that keeps its last result only: however many queries a client
/// thinks of, others are then read from the log.
const BYTES_OF_ALL: usize = 32 * 1024 * 1024;

/// The newest results of a group. A member that is not far behind is given them, instead of an execution of its own.
pub(super) struct Recent {
    /// Everything that came after this place is here.
    after: Position,
    results: VecDeque<(Position, Bytes)>,
    bytes: usize,
    /// Whether only the last one matters: each result makes the former one untrue.
    latest: bool,
    /// What all groups keep, in bytes.
    kept: Arc<AtomicUsize>,
}

impl Recent {
    /// The results that come after a place. Where only the `latest` matters, no place is too far back.
    pub(super) const fn new(after: Position, latest: bool, kept: Arc<AtomicUsize>) -> Self {
        Self { after, results: VecDeque::new(), bytes: 0, latest, kept }
    }

    pub(super) fn push(&mut self, position: Position, result: Bytes) {
        self.bytes += result.len();
        let of_all = self.kept.fetch_add(result.len(), Ordering::Relaxed) + result.len();
        self.results.push_back((position, result));
        let most = if self.latest || of_all > BYTES_OF_ALL { 1 } else { RESULTS };
        while self.results.len() > most || self.bytes > BYTES {
            // The last one stays, however large: it is on its way to everyone.
            if self.results.len() == 1 {
                break;
            }
            let Some((position, result)) = self.results.pop_front() else { break };
            self.let_go(result.len());
            if !self.latest {
                self.after = position;
            }
        }
    }

    /// What comes after a place, at most so many results; `None` where some of it is not held any more.
    pub(super) fn take(&self, after: Position, limit: usize) -> Option<Vec<(Position, Bytes)>> {
        if after < self.after {
            return None;
        }
        let begin = self.results.partition_point(|(position, _)| *position <= after);
        Some(self.results.iter().skip(begin).take(limit).cloned().collect())
    }

    fn let_go(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        self.let_go(self.bytes);
    }
}
