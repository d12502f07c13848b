//! The database's structure: one file a change, the same set on SQLite and PostgreSQL. It never imports the entities, which
//! describe the present structure only.

pub use sea_orm_migration::prelude::*;

mod m20261124_000001_create_account_and_event;
mod m20261124_000002_create_engineer_and_channel;
mod m20261124_000003_create_channel_subscription;
mod m20261124_000004_create_directory_sync;
mod m20261124_000005_create_lease_outbox_and_installation;

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
        ]
    }
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
