//! A transaction on one account: state and events commit together.

use chrono::{DateTime, Utc};
use entity::{account, audit_entry, event};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait, QueryFilter,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sea_query::Expr,
};

use super::{Rows, Store, StoreError, audit::audit_row, event::event_row};
use crate::domain::{
    audit::AuditRecord,
    chance::Chance,
    event::{Event, LoggedEvent, Position},
    id::{AccountId, AuditEntryId, EventId},
};

/// How many rows one INSERT carries: SQLite takes 32,766 parameters, and a row has at most 25 columns.
pub(super) const ROWS_PER_INSERT: usize = 500;

/// A transaction on one account. Dropped, it rolls back.
pub struct Tx {
    db: DatabaseTransaction,
    store: Store,
    account: AccountId,
    events: Vec<(EventId, DateTime<Utc>, Event)>,
    audit: Vec<(AuditEntryId, AuditRecord)>,
}

/// What was committed.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// The events with the positions that they got.
    pub events: Vec<LoggedEvent>,
}

impl Store {
    /// Begins a transaction. On SQLite it takes the write lock at once, so that what it reads stays true to its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(&self, account: &AccountId) -> Result<Tx, StoreError> {
        let (db, store, account) = (self.begin_write().await?, self.clone(), account.clone());
        Ok(Tx { db, store, account, events: Vec::new(), audit: Vec::new() })
    }

    pub(super) async fn begin_write(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer().begin_with_options(options).await?)
    }
}

impl Tx {
    /// What the account holds, as this transaction sees it.
    pub fn rows(&self) -> Rows<'_, DatabaseTransaction> {
        Rows { db: &self.db, account: &self.account, sealer: self.store.sealer() }
    }

    /// Makes whoever else wants to give someone this name wait for the end of this transaction. To be called before any row is
    /// locked. On SQLite there is one writer at a time anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_name(&self, name: &str) -> Result<(), StoreError> {
        if self.db.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            let key = format!("name/{}/{name}", self.account);
            self.db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [key.into()])).await?;
        }
        Ok(())
    }

    /// Adds an event to what is committed.
    pub fn log(&mut self, event: Event, now: DateTime<Utc>, chance: &dyn Chance) {
        self.events.push((EventId::generate(now, chance), now, event));
    }

    /// Adds an entry of the audit log to what is committed.
    pub fn record(&mut self, record: AuditRecord, chance: &dyn Chance) {
        self.audit.push((AuditEntryId::generate(record.occurred_at, chance), record));
    }

    /// Commits state, entries of the audit log, and events. The events get their positions under the lock of the account's row, which is taken last and
    /// held to the commit: so positions follow the order of the commits, and no lock is waited for after it.
    ///
    /// # Errors
    /// When the database fails; then nothing was committed.
    pub async fn commit(self) -> Result<Committed, StoreError> {
        let Self { db, store, account, events, audit } = self;
        let mut committed = Committed::default();
        let entries: Vec<_> = audit.iter().map(|(id, record)| audit_row(&account, *id, record)).collect();
        for chunk in entries.chunks(ROWS_PER_INSERT) {
            audit_entry::Entity::insert_many(chunk.to_vec()).exec_without_returning(&db).await?;
        }
        if !events.is_empty() {
            let rows = Rows { db: &db, account: &account, sealer: store.sealer() };
            committed.events = number_events(&rows, events).await?;
            let models: Vec<_> = committed.events.iter().map(|event| event_row(&account, event)).collect();
            for chunk in models.chunks(ROWS_PER_INSERT) {
                event::Entity::insert_many(chunk.to_vec()).exec_without_returning(&db).await?;
            }
        }
        db.commit().await?;
        (store.inner.on_commit)();
        Ok(committed)
    }
}

async fn number_events(
    rows: &Rows<'_, DatabaseTransaction>,
    events: Vec<(EventId, DateTime<Utc>, Event)>,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let updated = account::Entity::update_many()
        .col_expr(account::Column::Position, Expr::col(account::Column::Position).add(count))
        .filter(account::Column::Id.eq(rows.account().to_string()))
        .exec_with_returning(rows.db)
        .await?;
    let last = updated.first().map(|row| row.position).ok_or_else(|| rows.no_account())?;
    let number = |(offset, (id, occurred_at, event)): (i64, _)| LoggedEvent {
        id,
        position: Position(last - count + 1 + offset),
        occurred_at,
        event,
    };
    Ok((0..count).zip(events).map(number).collect())
}
