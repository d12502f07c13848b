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
    /// The database does not answer now: it is down, restarts, or has no connection to spare. Trying again may help.
    Unreachable,
    /// Another transaction was in the way, and this one was given up. Trying again helps.
    Contended,
    /// The storage takes no writes: it is full, read-only or broken. Reading goes on.
    Unwritable,
    /// Something else, which trying again does not mend.
    Fault,
}

impl StoreError {
    /// What the failure means for whoever asked.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Database(error) => judge(error),
            Self::BadRow { .. } | Self::Unseal(_) | Self::LeaseLost | Self::Unusable(_) => Trouble::Fault,
        }
    }
}

fn judge(error: &DbErr) -> Trouble {
    // The library may add kinds of errors in any version, so there is no list of the others.
    match error {
        DbErr::ConnectionAcquire(_) => Trouble::Unreachable,
        DbErr::Conn(inner) => match judge_runtime(inner) {
            Trouble::Fault => Trouble::Unreachable,
            known => known,
        },
        DbErr::Exec(inner) | DbErr::Query(inner) => judge_runtime(inner),
        _ => Trouble::Fault,
    }
}

fn judge_runtime(error: &RuntimeErr) -> Trouble {
    let RuntimeErr::SqlxError(error) = error else { return Trouble::Fault };
    match error.as_ref() {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Trouble::Unreachable,
        SqlxError::Database(told) => {
            let code = told.code().unwrap_or_default();
            // SQLSTATEs have five characters; SQLite's result codes are small numbers.
            if code.len() == SQLSTATE { judge_sqlstate(&code) } else { judge_sqlite(code.parse().unwrap_or(0)) }
        }
        _ => Trouble::Fault,
    }
}

const SQLSTATE: usize = 5;

/// By PostgreSQL's appendix A, "PostgreSQL Error Codes".
fn judge_sqlstate(code: &str) -> Trouble {
    match code {
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" => Trouble::Unreachable,
        // object_not_in_prerequisite_state: a database that takes no connections
        "55000" => Trouble::Unreachable,
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Trouble::Contended,
        // disk_full, read_only_sql_transaction: a standby, or default_transaction_read_only
        "53100" | "25006" => Trouble::Unwritable,
        // Class 08, connection exception; class 53, insufficient resources; class 58, system error
        _ if code.starts_with("08") || code.starts_with("53") => Trouble::Unreachable,
        _ if code.starts_with("58") => Trouble::Unwritable,
        _ => Trouble::Fault,
    }
}

/// By <https://www.sqlite.org/rescode.html>; the low byte of an extended code is the primary one.
const fn judge_sqlite(code: u32) -> Trouble {
    match code & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Trouble::Contended,
        // SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL
        8 | 10 | 13 => Trouble::Unwritable,
        // SQLITE_CANTOPEN
        14 => Trouble::Unreachable,
        _ => Trouble::Fault,
    }
}
