//! The language that a request asks for.

use axum::http::{HeaderMap, header};

use super::origin::header_text;
use crate::domain::account::Locale;

/// The language of the answers to a program: the best of `Accept-Language`, else English.
pub(super) fn language_of(headers: &HeaderMap) -> Locale {
    header_text(headers, header::ACCEPT_LANGUAGE).map(Locale::negotiate).unwrap_or_default()
}

/// The language that a person's browser asks for, if it asks for one that rollcall speaks.
pub(super) fn find_language(headers: &HeaderMap) -> Option<Locale> {
    let accepted = header_text(headers, header::ACCEPT_LANGUAGE)?;
    let mut tags = accepted.split(',').filter_map(|entry| entry.split(';').next());
    tags.any(|tag| Locale::from_tag(tag).is_some()).then(|| Locale::negotiate(accepted))
}
