//! What may be asked, judged before the library walks a document.
//!
//! A text is counted (`tokens`), parsed, measured with each fragment looked at once (`shape`), its variables held against their
//! places (`positions`), and mended where the library understands less than GraphQL allows (`mend`). That depends on nothing but the
//! text, so the outcome is kept by it (`document`). What an operation costs (`cost`) depends on its variables too, and is counted
//! each time. Everything takes time in proportion to the text, and nothing of it is an extension of the library: one registered
//! extension makes it take its slow path everywhere.

mod arguments;
mod cost;
mod document;
mod fields;
mod integers;
mod introspection;
mod mend;
mod positions;
mod shape;
mod tokens;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_graphql::{
    Pos, ServerError, Variables,
    parser::{
        parse_query,
        types::{OperationDefinition, OperationType},
    },
};

use self::{document::DocumentCache, fields::Fields};
use super::error::{ErrorCode, error_at, parse_error};
use crate::config::LimitsConfig;

pub use self::document::{CacheUse, Document};

/// The most brackets within each other, values and types included. The parser goes into each by a call, and takes 64 selections
/// within each other.
const MAX_BRACKETS: usize = 64;

/// Judges documents and operations.
pub struct Guard {
    limits: LimitsConfig,
    documents: Option<DocumentCache>,
    measured: AtomicU64,
}

impl Guard {
    /// A guard with nothing in its cache.
    pub fn new(limits: LimitsConfig) -> Self {
        let documents = DocumentCache::new(limits.cached_documents, limits.cached_bytes);
        Self { limits, documents, measured: AtomicU64::new(0) }
    }

    /// The limits that it holds operations to.
    pub const fn limits(&self) -> &LimitsConfig {
        &self.limits
    }

    /// How much of the cache is in use.
    pub fn cache_use(&self) -> CacheUse {
        self.documents.as_ref().map_or(CacheUse { documents: 0, bytes: 0 }, DocumentCache::usage)
    }

    /// How many selections of documents were looked at so far.
    pub fn measured(&self) -> u64 {
        self.measured.load(Ordering::Relaxed)
    }

    /// The document of a text.
    ///
    /// # Errors
    /// When the text is no document, or asks for too much whatever the variables are.
    pub fn read(&self, text: String) -> Result<Arc<Document>, ServerError> {
        if let Some(document) = self.documents.as_ref().and_then(|documents| documents.find(&text)) {
            return Ok(document);
        }
        let tokens = self.check_text(&text)?;
        let mut parsed = parse_query(&text).map_err(|error| parse_error(&error.into()))?;
        shape::check(&parsed, &self.limits, &self.measured)?;
        positions::check(&parsed)?;
        mend::mend(&mut parsed)?;
        let document = Arc::new(Document { text: text.into(), parsed, tokens });
        if let Some(documents) = &self.documents {
            documents.keep(&document);
        }
        Ok(document)
    }

    /// Judges an operation of a document by what it is given.
    ///
    /// # Errors
    /// When it asks for too much, or with an integer that is none.
    pub fn judge(
        &self,
        document: &Document,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Result<(), ServerError> {
        integers::check_given(operation, variables)?;
        cost::check(document, operation, variables, &self.limits)
    }

    fn check_text(&self, text: &str) -> Result<usize, ServerError> {
        let limits = &self.limits;
        if text.len() > limits.text_bytes {
            let message = format!("The document has {} bytes; {} are allowed.", text.len(), limits.text_bytes);
            return Err(too_complex(message, None));
        }
        let found = tokens::scan(text);
        if found.tokens > limits.tokens {
            let message = format!("The document has {} tokens; {} are allowed.", found.tokens, limits.tokens);
            return Err(too_complex(message, None));
        }
        if found.nesting > MAX_BRACKETS {
            let message =
                format!("The document has {} brackets within each other; {MAX_BRACKETS} are allowed.", found.nesting);
            return Err(too_complex(message, None));
        }
        Ok(found.tokens)
    }
}

/// Whether the schema has that root field.
pub(super) fn is_field(kind: OperationType, field: &str) -> bool {
    Fields::of_schema().find(name_root(kind), field).is_some()
}

/// The name of a root type.
const fn name_root(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// The refusal of what asks for too much.
fn too_complex(message: String, pos: Option<Pos>) -> ServerError {
    error_at(ErrorCode::QueryTooComplex, message, pos)
}
