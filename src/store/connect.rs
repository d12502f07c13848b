//! Opening the database.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use entity::installation;
use sea_orm::{
    ActiveValue::Set, ConnectOptions as SeaOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend,
    EntityTrait, sea_query::OnConflict,
};
use sqlx::{
    Connection as _,
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::{Inner, OnCommit, OnStatement, Sealer, SealerKeys, Store, StoreError, reseal::SEALING_KEY};

/// What SQLite's row channel holds: the default of 50 makes the two threads wake each other for every few rows.
const SQLITE_ROW_BUFFER: usize = 4096;

/// How long a writer on SQLite waits for another process's transaction.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection to PostgreSQL may take, a new one included. While the database is down every request takes that long to
/// fail, and a client is to know within 5 s.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(3);

/// How long a process may leave a transaction open without a word, milliseconds; then PostgreSQL ends its connection. A process that
/// was frozen in the middle of one would keep its locks, and everybody waiting for them, for as long as it is. Ours take no breath
/// that long: nothing but the database is waited for in them.
const POSTGRES_IDLE_IN_TRANSACTION: &str = "15000";

/// How to open the database.
#[derive(Clone)]
pub struct ConnectOptions {
    /// `sqlite:…` or `postgres://…`.
    pub url: String,
    /// The most connections of the pool; on SQLite, of the readers.
    pub max_connections: u32,
    /// The keys that values are sealed with.
    pub keys: SealerKeys,
    /// Called after each commit.
    pub on_commit: OnCommit,
}

impl Store {
    /// Connects. The structure is neither looked at nor changed.
    ///
    /// # Errors
    /// When the database cannot be reached, or the keys are not usable.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, StoreError> {
        Self::connect_observed(options, None).await
    }

    /// The same, and tells of each statement that succeeds or fails from then on.
    ///
    /// # Errors
    /// Like [`Store::connect`].
    pub async fn connect_observed(
        options: &ConnectOptions,
        on_statement: Option<OnStatement>,
    ) -> Result<Self, StoreError> {
        let (writer, reader) = if options.url.starts_with("sqlite:") {
            make_private(&options.url)?;
            let writer = observe(connect_sqlite(&options.url, 1).await?, on_statement.clone());
            let reader = observe(connect_sqlite(&options.url, options.max_connections).await?, on_statement);
            (writer, reader)
        } else {
            let pool = observe(connect_postgres(&options.url, options.max_connections).await?, on_statement);
            (pool.clone(), pool)
        };
        let sealer = Sealer::new(&options.keys)?;
        let on_commit = Arc::clone(&options.on_commit);
        Ok(Self { inner: Arc::new(Inner { writer, reader, sealer, on_commit }) })
    }

    /// Whether the database is SQLite inside this process.
    pub fn is_embedded(&self) -> bool {
        self.writer().get_database_backend() == DbBackend::Sqlite
    }

    /// The connection that migrations run on.
    pub fn migration_connection(&self) -> &DatabaseConnection {
        self.writer()
    }

    /// The connection that the structure is looked at through.
    pub fn structure_connection(&self) -> &DatabaseConnection {
        self.reader()
    }

    /// Writes something small, to see whether the storage takes it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_writing(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = installation::ActiveModel { name: Set("written_at".to_owned()), value: Set(now.to_rfc3339()) };
        let mut on_conflict = OnConflict::column(installation::Column::Name);
        on_conflict.update_column(installation::Column::Value);
        installation::Entity::insert(row).on_conflict(on_conflict).exec_without_returning(self.writer()).await?;
        Ok(())
    }

    /// Empties SQLite's write-ahead log into the database file, where what was deleted is overwritten: until then the log holds
    /// it. A reader at work can keep it from being emptied, so it is tried again from time to time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        if self.is_embedded() {
            self.writer().execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    /// Makes sure that this process works with the keys that the database was sealed with, and notes them at the first start.
    ///
    /// # Errors
    /// When the keys are others, or the database fails.
    pub async fn check_keys(&self) -> Result<(), StoreError> {
        let fingerprint = self.sealer().index_fingerprint();
        if self.remember("index_key", &fingerprint).await? != fingerprint {
            return Err(StoreError::Unusable(
                "this database was filled with another index_key: give the one that it was set up with".to_owned(),
            ));
        }
        let sealed_with = self.remember(SEALING_KEY, &self.sealer().first_key()).await?;
        if !self.sealer().knows_key(&sealed_with) {
            return Err(StoreError::Unusable(format!(
                "this database was sealed with the key {sealed_with}, which is not among the keys given"
            )));
        }
        Ok(())
    }

    /// Writes a fact of the installation if there is none yet, and tells the one that stands.
    pub(super) async fn remember(&self, name: &str, value: &str) -> Result<String, StoreError> {
        let row = installation::ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
        installation::Entity::insert(row)
            .on_conflict(OnConflict::column(installation::Column::Name).do_nothing().to_owned())
            .exec_without_returning(self.writer())
            .await?;
        let row = installation::Entity::find_by_id(name.to_owned()).one(self.writer()).await?;
        row.map(|row| row.value).ok_or(StoreError::BadRow {
            table: "installation",
            id: name.to_owned(),
            column: "value",
        })
    }
}

fn observe(mut connection: DatabaseConnection, on_statement: Option<OnStatement>) -> DatabaseConnection {
    if let Some(on_statement) = on_statement {
        connection.set_metric_callback(move |info| on_statement(&info.statement.sql));
    }
    connection
}

fn quiet(mut options: SeaOptions, max_connections: u32, acquire_timeout: Duration) -> SeaOptions {
    // Statements carry phone numbers: they go to no log and no span.
    options
        .max_connections(max_connections)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .acquire_timeout(acquire_timeout);
    options
}

/// Makes a new database file that only its owner reads; SQLite gives the files beside it the same mode.
fn make_private(url: &str) -> Result<(), StoreError> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let path = path.replace("%23", "#").replace("%3F", "?").replace("%25", "%");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unusable(format!("the database file {path} cannot be made: {error}"))),
    }
}

async fn connect_sqlite(url: &str, max_connections: u32) -> Result<DatabaseConnection, StoreError> {
    let mut options = quiet(SeaOptions::new(url), max_connections, SQLITE_BUSY_TIMEOUT);
    // One call: a second one would silently replace the first.
    options.map_sqlx_sqlite_opts(|options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .row_buffer_size(SQLITE_ROW_BUFFER)
            .pragma("secure_delete", "on")
    });
    // A COMMIT that fails, on a full disk say, has rolled back already, and then the library's ROLLBACK fails and it believes ever
    // after that a transaction is open: what it calls BEGIN IMMEDIATE would be a savepoint that locks nothing.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _| {
            Box::pin(async move {
                // After what is still to be rolled back.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    });
    Ok(Database::connect(options).await?)
}

/// Opens an SQLite file that nobody writes, for reading alone, and makes no files beside it.
pub(super) async fn connect_to_look(url: &str) -> Result<DatabaseConnection, StoreError> {
    Ok(Database::connect(quiet(SeaOptions::new(format!("{url}?mode=ro&immutable=true")), 1, SQLITE_BUSY_TIMEOUT))
        .await?)
}

async fn connect_postgres(url: &str, max_connections: u32) -> Result<DatabaseConnection, StoreError> {
    let mut options = quiet(SeaOptions::new(url), max_connections, POSTGRES_PATIENCE);
    options.map_sqlx_postgres_opts(|options| {
        options.options([("idle_in_transaction_session_timeout", POSTGRES_IDLE_IN_TRANSACTION)])
    });
    Database::connect(options).await.map_err(|error| {
        StoreError::Unusable(format!("PostgreSQL does not answer, or does not let rollcall in: {error}"))
    })
}
