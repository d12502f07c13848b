//! Refusals as data.

use std::borrow::Cow;

use async_graphql::SimpleObject;

use super::choice::UserErrorCode;
use crate::domain::{account::Locale, refusal::Refusal};

/// Something that a person can act on: what was refused, and where.
#[derive(SimpleObject, Clone)]
pub(in crate::graphql) struct UserError {
    /// Why, for programs.
    code: UserErrorCode,
    /// Why, for a person, in the caller's language.
    message: String,
    /// The path of the field within the input, outermost first; list entries by their place, from 0. Null where it is none.
    field: Option<Vec<String>>,
    /// The names and values that the message mentions.
    params: Vec<Param>,
}

/// A name and a value that a message mentions.
#[derive(SimpleObject, Clone)]
pub(in crate::graphql) struct Param {
    /// The name.
    name: String,
    /// The value as text; moments are RFC 3339 in UTC.
    value: String,
}

impl UserError {
    /// A refusal in the caller's language.
    pub fn new(refusal: Refusal, locale: Locale) -> Self {
        let message = refusal.message(locale);
        let param = |(name, value): (Cow<'static, str>, String)| Param { name: name.into_owned(), value };
        Self {
            code: refusal.code.into(),
            message,
            field: Some(refusal.field).filter(|path| !path.is_empty()),
            params: refusal.params.into_iter().map(param).collect(),
        }
    }
}
