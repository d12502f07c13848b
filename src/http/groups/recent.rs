//! The newest results of a group.

use std::collections::VecDeque;

use axum::body::Bytes;

use crate::domain::event::Position;

/// The most results that are kept, and the most bytes of them: enough for those who come back at once.
const RESULTS: usize = 256;
const BYTES: usize = 256 * 1024;

/// The newest results of a group. A member that is not far behind is given them, instead of an execution of its own.
pub(super) struct Recent {
    /// Everything that came after this place is here.
    after: Position,
    results: VecDeque<(Position, Bytes)>,
    bytes: usize,
    /// Whether only the last one matters: each result makes the former one untrue.
    latest: bool,
}

impl Recent {
    /// The results that come after a place. Where only the `latest` matters, no place is too far back.
    pub(super) const fn new(after: Position, latest: bool) -> Self {
        Self { after, results: VecDeque::new(), bytes: 0, latest }
    }

    pub(super) fn push(&mut self, position: Position, result: Bytes) {
        if self.latest {
            self.results.clear();
        }
        self.bytes += result.len();
        self.results.push_back((position, result));
        while !self.latest && (self.results.len() > RESULTS || self.bytes > BYTES) {
            let Some((position, result)) = self.results.pop_front() else { break };
            self.bytes -= result.len();
            self.after = position;
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
}
