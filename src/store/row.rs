//! Small steps that every mapping from a row needs.

use super::StoreError;

/// Where a value stands, for the error that names it.
pub(super) struct Place<'a> {
    pub table: &'static str,
    pub id: &'a dyn std::fmt::Display,
}

impl Place<'_> {
    pub fn bad(&self, column: &'static str) -> StoreError {
        StoreError::BadRow { table: self.table, id: self.id.to_string(), column }
    }

    /// A column that must hold a value.
    pub fn need<T>(&self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.bad(column))
    }

    /// A column that holds a name of an enum.
    pub fn name<T>(&self, column: &'static str, value: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(value).ok_or_else(|| self.bad(column))
    }

    /// The same where the column may be null.
    pub fn name_opt<T>(
        &self,
        column: &'static str,
        value: Option<&str>,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        value.map(|value| self.name(column, value, parse)).transpose()
    }
}
