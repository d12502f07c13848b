//! The leases of the periodic loops, the outbox transport, and facts of the installation.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(name("lease"))
                    .col(string("name").primary_key())
                    .col(string("owner"))
                    .col(big_integer("fence"))
                    .col(timestamp_with_time_zone("until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(name("outbox_message"))
                    .col(string("message_id").primary_key())
                    .col(string("account"))
                    .col(string("channel"))
                    .col(string("endpoint"))
                    .col(text("subject"))
                    .col(text("text"))
                    .col(text("link"))
                    .col(string("code"))
                    .col(timestamp_with_time_zone("sent_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("outbox_by_time", "outbox_message", &["account", "sent_at"])).await?;
        manager
            .create_table(
                Table::create()
                    .table(name("installation"))
                    .col(string("name").primary_key())
                    .col(text("value"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["installation", "outbox_message", "lease"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}
