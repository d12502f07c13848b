//! How much one operation may ask for.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::to_usize;

/// How much one GraphQL operation may ask for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsSection {
    /// The longest text of a document, in bytes.
    #[schemars(range(min = 1024, max = 1_048_576))]
    text_bytes: u32,
    /// The most tokens of a document: names, numbers, strings and punctuation.
    #[schemars(range(min = 100, max = 100_000))]
    tokens: u32,
    /// The most fields and spreads of a document, each counted as often as the fragments that hold it are spread.
    #[schemars(range(min = 100, max = 100_000))]
    fields: u32,
    /// The most aliases of a document, counted in the same way.
    #[schemars(range(min = 1, max = 10_000))]
    aliases: u32,
    /// The deepest nesting of fields. What tools ask of the schema is 15 deep.
    #[schemars(range(min = 5, max = 30))]
    depth: u32,
    /// The most directives of a document, counted like fields.
    #[schemars(range(min = 1, max = 1000))]
    directives: u32,
    /// The highest cost of an operation. An object costs 1, a scalar nothing, and a list what its entries cost, as often as `first`
    /// or `last`, or the number of ids, says.
    #[schemars(range(min = 100, max = 1_000_000))]
    cost: u32,
    /// The most scalars that the answer to an operation may hold, counted in the same way.
    #[schemars(range(min = 1000, max = 10_000_000))]
    values: u32,
    /// The most errors that an answer tells.
    #[schemars(range(min = 1, max = 1000))]
    errors: u32,
    /// How long an operation may take, in milliseconds. A query is given up then; a mutation goes on, and the answer says so.
    #[schemars(range(min = 100, max = 600_000))]
    execution_milliseconds: u32,
    /// How many documents are kept that were found good, so that they need not be read again; with 0 none is.
    #[schemars(range(max = 100_000))]
    cached_documents: u32,
    /// The most memory that they may take, in bytes.
    #[schemars(range(max = 1_073_741_824))]
    cached_bytes: u32,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            tokens: 1000,
            fields: 2000,
            aliases: 50,
            depth: 15,
            directives: 10,
            cost: 2000,
            values: 50_000,
            errors: 20,
            execution_milliseconds: 5000,
            cached_documents: 500,
            cached_bytes: 16 * 1024 * 1024,
        }
    }
}

/// How much one GraphQL operation may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// The longest text of a document, in bytes.
    pub text_bytes: usize,
    /// The most tokens of a document: names, numbers, strings and punctuation; comments and commas are none.
    pub tokens: usize,
    /// The most fields and spreads of a document, each counted as often as the fragments that hold it are spread.
    pub fields: usize,
    /// The most aliases of a document, counted in the same way.
    pub aliases: usize,
    /// The deepest nesting of fields. The introspection query of graphql-js is 15 deep.
    pub depth: usize,
    /// The most directives of a document, counted like fields.
    pub directives: usize,
    /// The highest cost of an operation, in objects.
    pub cost: usize,
    /// The most scalars that the answer to an operation may hold.
    pub values: usize,
    /// The most errors that an answer tells, at least 1.
    pub errors: usize,
    /// How long an operation may take, at least 100 milliseconds.
    pub execution: Duration,
    /// How many documents are kept; 0 for none.
    pub cached_documents: usize,
    /// The most memory that they may take, in bytes.
    pub cached_bytes: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsSection::default().resolve()
    }
}

impl LimitsSection {
    pub(super) fn resolve(&self) -> LimitsConfig {
        LimitsConfig {
            text_bytes: to_usize(self.text_bytes),
            tokens: to_usize(self.tokens),
            fields: to_usize(self.fields),
            aliases: to_usize(self.aliases),
            depth: to_usize(self.depth),
            directives: to_usize(self.directives),
            cost: to_usize(self.cost),
            values: to_usize(self.values),
            errors: to_usize(self.errors),
            execution: Duration::from_millis(self.execution_milliseconds.into()),
            cached_documents: to_usize(self.cached_documents),
            cached_bytes: to_usize(self.cached_bytes),
        }
    }
}
