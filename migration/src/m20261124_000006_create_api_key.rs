//! The API keys.

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
                    .table(name("api_key"))
                    .col(uuid("id").primary_key())
                    .col(string("account"))
                    .col(string("key_hash").unique_key())
                    .col(string("label"))
                    .col(string("role"))
                    .col(text("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("expires_at"))
                    .col(timestamp_with_time_zone_null("revoked_at"))
                    .col(text_null("revoked_by"))
                    .col(timestamp_with_time_zone_null("last_used_at"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("api_key_by_account", "api_key", &["account", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(name("api_key")).to_owned()).await
    }
}
