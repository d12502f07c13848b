//! The accounts and their event logs.

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
                    .table(name("account"))
                    .col(string("id").primary_key())
                    .col(big_integer("position"))
                    .col(big_integer("pruned_to"))
                    .col(uuid("epoch"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(name("event"))
                    .col(string("account"))
                    .col(big_integer("position"))
                    .col(uuid_uniq("id"))
                    .col(timestamp_with_time_zone("occurred_at"))
                    .col(string("kind"))
                    .col(uuid_null("engineer_id"))
                    .col(string_null("channel"))
                    .col(string_null("status_from"))
                    .col(string_null("status_to"))
                    .col(string_null("cause"))
                    .col(string_null("change"))
                    .col(uuid_null("sync_id"))
                    .col(integer_null("count"))
                    .primary_key(Index::create().col(name("account")).col(name("position")))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(index("event_by_engineer", "event", &["account", "engineer_id", "kind", "position"]))
            .await?;
        manager.create_index(index("event_by_kind", "event", &["account", "kind", "position"])).await?;
        manager.create_index(index("event_by_time", "event", &["occurred_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["event", "account"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}
