//! What can go wrong with the database.

use sea_orm::DbErr;

/// The database did not do what it was asked, or holds what it should not. Nothing of it is shown to clients.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    /// A row that no version of rollcall wrote.
    #[error("row {id} of table {table} holds a bad {column}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// A sealed value cannot be opened with the keys at hand.
    #[error("a sealed value cannot be opened: {0}")]
    Unseal(&'static str),
    /// The lease was lost: another process runs the loop.
    #[error("the lease is another process's by now")]
    LeaseLost,
    /// The database is not as this version needs it.
    #[error("{0}")]
    Unusable(String),
}
