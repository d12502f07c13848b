//! The runs of the directory syncs, and which identities were seen.

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
                    .table(name("directory_identity"))
                    .col(string("account"))
                    .col(string("directory"))
                    .col(string("external_id"))
                    .col(uuid_null("engineer_id"))
                    .primary_key(Index::create().col(name("account")).col(name("directory")).col(name("external_id")))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("identity_by_engineer", "directory_identity", &["account", "engineer_id"])).await?;
        manager.create_table(directory_sync_table()).await?;
        manager.create_index(index("sync_by_account", "directory_sync", &["account", "id"])).await?;
        manager.create_index(index("sync_by_state", "directory_sync", &["state"])).await?;
        manager
            .create_table(
                Table::create()
                    .table(name("directory_sync_outcome"))
                    .col(uuid("sync_id"))
                    .col(integer("ordinal"))
                    .col(string("outcome"))
                    .col(uuid_null("engineer_id"))
                    .col(string_null("external_id"))
                    .col(big_integer_null("line"))
                    .col(text("reasons"))
                    .primary_key(Index::create().col(name("sync_id")).col(name("ordinal")))
                    .foreign_key(
                        ForeignKey::create()
                            .from(name("directory_sync_outcome"), name("sync_id"))
                            .to(name("directory_sync"), name("id"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["directory_sync_outcome", "directory_sync", "directory_identity"] {
            manager.drop_table(Table::drop().table(name(table)).to_owned()).await?;
        }
        Ok(())
    }
}

fn directory_sync_table() -> TableCreateStatement {
    let mut table = Table::create();
    table
        .table(name("directory_sync"))
        .col(uuid("id").primary_key())
        .col(string("account"))
        .col(string("directory"))
        .col(string("state"))
        .col(boolean("dry_run"))
        .col(boolean("confirm_removals"))
        .col(boolean("restore_deleted"))
        .col(text_null("requested_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"));
    for count in ["total", "done", "added", "updated", "moved", "gone", "unchanged", "skipped", "messages"] {
        table.col(integer(count));
    }
    table.col(string_null("failure_code")).col(text_null("failure_message")).col(text("unknown_fields")).to_owned()
}
