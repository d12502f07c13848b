//! The labels. What they may hold is bounded here, whatever clients send.

use prometheus_client::encoding::EncodeLabelSet;

use crate::domain::named::named;

named! {
    /// The kinds of operations.
    pub enum OperationKind {
        /// Reads.
        Query = "query",
        /// Changes.
        Mutation = "mutation",
        /// Follows.
        Subscription = "subscription",
        /// What was refused before it was known.
        Unknown = "unknown",
    }
}

named! {
    /// Where a panic was caught.
    pub enum Place {
        /// In what answers HTTP.
        Handler = "handler",
        /// In the execution of an operation.
        Resolver = "resolver",
        /// In a worker's step.
        Worker = "worker",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ran {
    pub kind: &'static str,
    pub field: String,
    pub code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Timed {
    pub kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Panicked {
    pub place: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Closed {
    pub code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Failed {
    pub worker: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

impl Answered {
    /// A method is a client's word: those that no route takes count together.
    pub fn of(method: &str, route: &str, status: u16) -> Self {
        let known = ["GET", "HEAD", "POST", "OPTIONS"].into_iter().find(|known| *known == method);
        Self { method: known.unwrap_or("other"), route: route.to_owned(), status }
    }
}
