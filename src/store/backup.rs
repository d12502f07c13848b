//! Copies of an SQLite database, and what a database needs that was brought back from one.

use std::path::Path;

use entity::account;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement, sea_query::Expr};
use uuid::Uuid;

use super::{Store, StoreError, connect::connect_to_look};

/// What is told of a file that SQLite does not read.
const UNREADABLE: &str = "it is damaged, or no SQLite database";

impl Store {
    /// Writes the database as it is now into a new or empty file, beside whoever reads and writes it: what is in the write-ahead
    /// log too, and nothing that was deleted.
    ///
    /// # Errors
    /// When the file cannot be written, or the database fails.
    pub async fn copy_into(&self, file: &Path) -> Result<(), StoreError> {
        let path = file.to_string_lossy().into_owned();
        let copy = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.into()]);
        self.reader().execute_raw(copy).await?;
        Ok(())
    }

    /// Gives the event log of every account a new epoch: cursors that were handed out before are refused from now on, instead of
    /// being taken for places in a log that is another. Tells how many accounts there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_new_epochs(&self, new_epoch: impl Fn() -> Uuid) -> Result<usize, StoreError> {
        let accounts = account::Entity::find().all(self.writer()).await?;
        for row in &accounts {
            account::Entity::update_many()
                .col_expr(account::Column::Epoch, Expr::value(new_epoch()))
                .filter(account::Column::Id.eq(row.id.as_str()))
                .exec(self.writer())
                .await?;
        }
        Ok(accounts.len())
    }

    /// Closes every connection. On SQLite, what lies in the write-ahead log is then in the database's file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader().close_by_ref().await?;
        if self.is_embedded() {
            self.writer().close_by_ref().await?;
        }
        Ok(())
    }
}

/// Looks through an SQLite file, whatever it is, and changes nothing. Tells what is wrong with it as rollcall's database.
pub async fn find_damage(url: &str) -> Option<&'static str> {
    let Ok(connection) = connect_to_look(url).await else { return Some(UNREADABLE) };
    let damage = look_through(&connection).await.unwrap_or(Some(UNREADABLE));
    // It was opened for reading alone: what fails now has lost nothing.
    let _ = connection.close_by_ref().await;
    damage
}

async fn look_through(db: &impl ConnectionTrait) -> Result<Option<&'static str>, StoreError> {
    let ask = |sql: &str| db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql));
    let found = ask("PRAGMA integrity_check(1)").await?;
    let told: Option<String> = found.first().and_then(|row| row.try_get_by_index(0).ok());
    if told.as_deref() != Some("ok") {
        return Ok(Some("it is damaged"));
    }
    if !ask("PRAGMA foreign_key_check").await?.is_empty() {
        return Ok(Some("it is damaged: its rows do not fit together"));
    }
    let tables =
        "SELECT name FROM sqlite_master WHERE name IN ('account', 'event', 'installation', 'seaql_migrations')";
    let is_ours = ask(tables).await?.len() == 4;
    Ok((!is_ours).then_some("it is no database of rollcall"))
}
