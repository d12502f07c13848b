//! How much one operation may ask for.

use std::time::Duration;

/// How much one operation may ask for, and how much is kept of what was asked. The defaults are those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardLimits {
    /// The longest text of a document, in bytes.
    pub text_bytes: usize,
    /// The most tokens of a document: names, numbers, strings and punctuation; comments and commas are none.
    pub tokens: usize,
    /// The most fields of a document, each counted as often as the fragments that hold it are spread.
    pub fields: usize,
    /// The most aliases of a document, counted like fields.
    pub aliases: usize,
    /// The deepest nesting of fields. The introspection query of graphql-js is 15 deep.
    pub depth: usize,
    /// The most directives of a document, counted like fields.
    pub directives: usize,
    /// The highest cost of an operation: how many objects its answer may hold.
    pub cost: usize,
    /// How many scalars the answer of an operation may hold.
    pub values: usize,
    /// How many errors an answer tells.
    pub errors: usize,
    /// How long an operation may take before it is answered without its outcome.
    pub execution: Duration,
    /// How many documents are kept that were found good; with 0 none is.
    pub cached_documents: usize,
    /// How much memory they may take, in bytes.
    pub cached_bytes: usize,
}
