//! What can go wrong with the database.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

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

/// What a failure means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The database does not do what it is asked: it is down, restarts, has no connection to spare, or gave a transaction up for
    /// another. Trying again may help.
    Unavailable,
    /// The storage takes no writes: it is full, read-only or broken. Reading goes on.
    Unwritable,
    /// What is stored, or how this process is set up, is not as it should be. Trying again does not mend it.
    Fault,
}

impl StoreError {
    /// What the failure means for whoever asked.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Database(error) if is_unwritable(error) => Trouble::Unwritable,
            Self::Database(_) => Trouble::Unavailable,
            Self::BadRow { .. } | Self::Unseal(_) | Self::LeaseLost | Self::Unusable(_) => Trouble::Fault,
        }
    }
}

/// Whether the storage takes no writes.
fn is_unwritable(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    let SqlxError::Database(told) = error.as_ref() else { return false };
    let code = told.code().unwrap_or_default();
    // SQLSTATEs have five characters, SQLite's result codes are smaller numbers.
    if code.len() == SQLSTATE {
        UNWRITABLE_SQLSTATES.contains(&code.as_ref())
    } else {
        // The low byte of an extended code is the primary one.
        code.parse::<u32>().is_ok_and(|code| UNWRITABLE_RESULTS.contains(&(code & 0xff)))
    }
}

const SQLSTATE: usize = 5;

/// disk_full, read_only_sql_transaction (a standby, or a server that was made read-only), io_error: PostgreSQL's appendix A.
const UNWRITABLE_SQLSTATES: [&str; 3] = ["53100", "25006", "58030"];

/// SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL: <https://www.sqlite.org/rescode.html>.
const UNWRITABLE_RESULTS: [u32; 3] = [8, 10, 13];
