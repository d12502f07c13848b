//! The database's structure: one file a change, the same set on SQLite and PostgreSQL. It never imports the entities, which
//! describe the present structure only.

pub use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

mod m20261124_000001_create_account_and_event;
mod m20261124_000002_create_engineer_and_channel;
mod m20261124_000003_create_channel_subscription;
mod m20261124_000004_create_directory_sync;
mod m20261124_000005_create_lease_outbox_and_installation;
mod m20261124_000006_create_api_key;
mod m20261124_000008_create_idempotency_key;
mod m20261124_000009_add_end_of_confirmation_sync;
mod m20261124_000010_create_audit_entry;

/// All changes, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_create_account_and_event::Migration),
            Box::new(m20261124_000002_create_engineer_and_channel::Migration),
            Box::new(m20261124_000003_create_channel_subscription::Migration),
            Box::new(m20261124_000004_create_directory_sync::Migration),
            Box::new(m20261124_000005_create_lease_outbox_and_installation::Migration),
            Box::new(m20261124_000006_create_api_key::Migration),
            Box::new(m20261124_000008_create_idempotency_key::Migration),
            Box::new(m20261124_000009_add_end_of_confirmation_sync::Migration),
            Box::new(m20261124_000010_create_audit_entry::Migration),
        ]
    }
}

/// How a database's structure compares with the one that this version knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Changes that the database lacks.
    pub pending: Vec<String>,
    /// Changes that were made to the database and that this version does not know: a newer version made them.
    pub unknown: Vec<String>,
}

/// Compares, and changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn compare(db: &DatabaseConnection) -> Result<Comparison, DbErr> {
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let table = Migrator::migration_table_name();
    let mut made = Vec::new();
    if SchemaManager::new(db).has_table(table.to_string()).await? {
        let query = Query::select().column(name("version")).from(table).to_owned();
        for row in db.query_all(&query).await? {
            made.push(row.try_get::<String>("", "version")?);
        }
    }
    let missing_in = |there: &[String], from: Vec<String>| -> Vec<String> {
        from.into_iter().filter(|name| !there.contains(name)).collect()
    };
    Ok(Comparison { pending: missing_in(&made, known.clone()), unknown: missing_in(&known, made) })
}

/// Names of tables and columns, as text: a structure of the past has no types.
fn name(text: &str) -> Alias {
    Alias::new(text)
}

/// An index over columns of a table.
fn index(index: &str, table: &str, columns: &[&str]) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.name(index).table(name(table));
    for column in columns {
        statement.col(name(column));
    }
    statement
}
