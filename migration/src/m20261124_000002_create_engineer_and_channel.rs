//! The people on the roll and their channels.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A text column that is ordered by its bytes on both databases, so that pages follow each other alike.
fn ordered_text(column: &'static str, backend: DbBackend) -> ColumnDef {
    let mut definition = text(column);
    if backend == DbBackend::Postgres {
        definition.extra("COLLATE \"C\"");
    }
    definition
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(engineer_table(manager.get_database_backend())).await?;
        manager
            .create_index(
                index("engineer_by_identity", "engineer", &["account", "directory", "external_id"]).unique().to_owned(),
            )
            .await?;
        for key in ["name_key", "alias_key", "created_at", "updated_at"] {
            let by = format!("engineer_by_{key}");
            manager.create_index(index(&by, "engineer", &["account", key, "id"])).await?;
        }
        manager.create_index(index("engineer_by_email_key", "engineer", &["account", "email_key"])).await?;
        manager.create_index(index("engineer_by_erase_at", "engineer", &["erase_at"])).await?;
        manager.create_table(channel_table()).await?;
        manager.create_index(index("channel_by_status", "channel", &["account", "kind", "status"])).await?;
        manager.create_index(index("channel_by_expiry", "channel", &["status", "expires_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["channel", "engineer"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}

fn engineer_table(backend: DbBackend) -> TableCreateStatement {
    Table::create()
        .table(name("engineer"))
        .col(uuid("id").primary_key())
        .col(string("account"))
        .col(text("name"))
        .col(text_null("alias"))
        .col(ordered_text("name_key", backend))
        .col(ordered_text("alias_key", backend))
        .col(string("user_type"))
        .col(text_null("identity_provider"))
        .col(string_null("directory"))
        .col(string_null("external_id"))
        .col(string("directory_state"))
        .col(string_null("locale"))
        .col(string_null("mobile"))
        .col(string_null("email"))
        .col(string_null("email_key"))
        .col(boolean("alias_touched"))
        .col(boolean("mobile_touched"))
        .col(boolean("email_touched"))
        .col(integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("synced_at"))
        .col(timestamp_with_time_zone_null("deleted_at"))
        .col(timestamp_with_time_zone_null("erase_at"))
        .foreign_key(ForeignKey::create().from(name("engineer"), name("account")).to(name("account"), name("id")))
        .to_owned()
}

fn channel_table() -> TableCreateStatement {
    Table::create()
        .table(name("channel"))
        .col(uuid("engineer_id"))
        .col(string("kind"))
        .col(string("account"))
        .col(string("status"))
        .col(uuid_null("generation"))
        .col(timestamp_with_time_zone_null("requested_at"))
        .col(timestamp_with_time_zone_null("due_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("confirmed_at"))
        .col(string_null("failure_code"))
        .col(text_null("webhook_sealed"))
        .col(string_null("webhook_masked"))
        .col(text_null("secret_sealed"))
        .primary_key(Index::create().col(name("engineer_id")).col(name("kind")))
        .foreign_key(
            ForeignKey::create()
                .from(name("channel"), name("engineer_id"))
                .to(name("engineer"), name("id"))
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
