//! The requests to confirm, the built-in provider's links, and what is remembered of an endpoint. None of them refers to the
//! engineer by a foreign key: a request outlives the person until it is cancelled at the provider.

use sea_orm_migration::{prelude::*, schema::*};

use crate::{index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(channel_subscription_table()).await?;
        manager.create_index(index("work_by_time", "channel_subscription", &["phase", "next_attempt_at"])).await?;
        manager
            .create_index(index("subscription_by_engineer", "channel_subscription", &["account", "engineer_id"]))
            .await?;
        manager
            .create_index(index(
                "subscription_by_reference",
                "channel_subscription",
                &["account", "provider", "reference"],
            ))
            .await?;
        manager.create_table(confirmation_link_table()).await?;
        manager.create_index(index("link_by_engineer", "confirmation_link", &["account", "engineer_id"])).await?;
        manager.create_table(endpoint_guard_table()).await?;
        manager.create_table(confirmation_sync_table()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["confirmation_sync", "endpoint_guard", "confirmation_link", "channel_subscription"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}

fn channel_subscription_table() -> TableCreateStatement {
    Table::create()
        .table(name("channel_subscription"))
        .col(uuid("id").primary_key())
        .col(string("account"))
        .col(uuid("engineer_id"))
        .col(string("kind"))
        .col(string("provider"))
        .col(string_null("reference"))
        .col(text_null("endpoint_sealed"))
        .col(string("endpoint_key"))
        .col(timestamp_with_time_zone("requested_at"))
        .col(string("phase"))
        .col(timestamp_with_time_zone_null("retired_at"))
        .col(timestamp_with_time_zone_null("missing_since"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("next_attempt_at"))
        .col(string_null("claimed_by"))
        .col(timestamp_with_time_zone_null("claimed_until"))
        .to_owned()
}

fn confirmation_link_table() -> TableCreateStatement {
    Table::create()
        .table(name("confirmation_link"))
        .col(uuid("generation").primary_key())
        .col(string("account"))
        .col(uuid("engineer_id"))
        .col(string("kind"))
        .col(string_null("token_hash").unique_key())
        .col(string("code_hash"))
        .col(integer("wrong_codes"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("sent_at"))
        .col(string_null("answer"))
        .col(string_null("answered_via"))
        .col(timestamp_with_time_zone_null("answered_at"))
        .col(text_null("shown"))
        .to_owned()
}

fn endpoint_guard_table() -> TableCreateStatement {
    Table::create()
        .table(name("endpoint_guard"))
        .col(string("account"))
        .col(string("endpoint_key"))
        .col(timestamp_with_time_zone_null("opted_out_at"))
        .col(text("requests"))
        .primary_key(Index::create().col(name("account")).col(name("endpoint_key")))
        .to_owned()
}

fn confirmation_sync_table() -> TableCreateStatement {
    Table::create()
        .table(name("confirmation_sync"))
        .col(string("account"))
        .col(string("provider"))
        .col(timestamp_with_time_zone_null("wanted_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("completed_at"))
        .col(integer("missing"))
        .primary_key(Index::create().col(name("account")).col(name("provider")))
        .to_owned()
}
