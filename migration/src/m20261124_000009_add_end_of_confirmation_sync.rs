//! When the last complete confirmation sync ended, so that its duration can be told.

use sea_orm_migration::{prelude::*, schema::*};

use crate::name;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(name("confirmation_sync")).add_column(timestamp_with_time_zone_null("finished_at"));
        manager.alter_table(table.take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(name("confirmation_sync")).drop_column(name("finished_at"));
        manager.alter_table(table.take()).await
    }
}
