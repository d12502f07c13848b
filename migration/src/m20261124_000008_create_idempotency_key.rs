//! What was answered to mutations that were sent with a key, so that the same can be answered again.

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
                    .table(name("idempotency_key"))
                    .col(string("account"))
                    .col(string("key"))
                    .col(integer("part"))
                    .col(string("input"))
                    .col(text("answer"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .primary_key(Index::create().col(name("account")).col(name("key")).col(name("part")))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("idempotency_key_by_expiry", "idempotency_key", &["account", "expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(name("idempotency_key")).to_owned()).await
    }
}
