//! One server per data folder, where the database is a file in it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataLockError {
    /// Another server uses it.
    #[error(
        "another rollcall server already uses {0}: stop it, or give this one a folder of its own with --data \
         (several servers can share a PostgreSQL database)"
    )]
    Taken(PathBuf),
    /// The lock file cannot be made.
    #[error("the data folder {path} cannot be used: {error}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Held by a server as long as it runs; the system lets it go with the process.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock of the folder that the database file lies in.
    ///
    /// # Errors
    /// When another server has it, or the folder is not usable.
    pub fn take(database: &Path) -> Result<Self, DataLockError> {
        let folder = database.parent().unwrap_or_else(|| Path::new("."));
        let unusable = |error| DataLockError::Unusable { path: folder.to_owned(), error };
        fs::create_dir_all(folder).map_err(unusable)?;
        let mut lock = database.as_os_str().to_owned();
        lock.push(".lock");
        let file = File::create(PathBuf::from(lock)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataLockError::Taken(database.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}
