//! A document that was found good.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::parser::types::ExecutableDocument;
use lru::LruCache;

/// What a parsed token takes, in bytes: an estimate from above. A field alone takes about 250, and most tokens are punctuation.
const TOKEN_BYTES: usize = 256;

/// A document that is not too large, as it is run.
#[derive(Debug)]
pub struct Document {
    pub(super) text: Arc<str>,
    pub(super) parsed: ExecutableDocument,
    pub(super) tokens: usize,
}

impl Document {
    /// The text, as the client sent it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text says. A subscription has its root field in the operation itself, whatever fragments the text has around it.
    pub const fn parsed(&self) -> &ExecutableDocument {
        &self.parsed
    }

    /// How much memory it takes, in bytes, estimated from above.
    fn size(&self) -> usize {
        self.text.len() + self.tokens * TOKEN_BYTES
    }
}

/// The documents that were used last, by their text. Bounded in number and in memory.
pub(super) struct DocumentCache {
    kept: Mutex<Kept>,
    max_bytes: usize,
}

struct Kept {
    documents: LruCache<Arc<str>, Arc<Document>>,
    bytes: usize,
}

/// How much of the cache is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheUse {
    /// How many documents are kept.
    pub documents: usize,
    /// How much memory they take, in bytes, estimated from above.
    pub bytes: usize,
}

impl DocumentCache {
    /// A cache of so many documents and bytes; `None` where either is 0.
    pub fn new(max_documents: usize, max_bytes: usize) -> Option<Self> {
        let documents = LruCache::new(NonZeroUsize::new(max_documents)?);
        NonZeroUsize::new(max_bytes)?;
        Some(Self { kept: Mutex::new(Kept { documents, bytes: 0 }), max_bytes })
    }

    /// The document with exactly that text.
    pub fn find(&self, text: &str) -> Option<Arc<Document>> {
        self.lock().documents.get(text).cloned()
    }

    /// Keeps a document, and lets those go that were not used for longest.
    pub fn keep(&self, document: &Arc<Document>) {
        if document.size() > self.max_bytes {
            return;
        }
        let mut kept = self.lock();
        let Kept { documents, bytes } = &mut *kept;
        *bytes += document.size();
        let replaced = documents.push(Arc::clone(&document.text), Arc::clone(document));
        *bytes -= replaced.map_or(0, |(_, old)| old.size());
        while *bytes > self.max_bytes {
            let Some((_, oldest)) = documents.pop_lru() else { break };
            *bytes -= oldest.size();
        }
    }

    /// How much of it is in use.
    pub fn usage(&self) -> CacheUse {
        let kept = self.lock();
        CacheUse { documents: kept.documents.len(), bytes: kept.bytes }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
