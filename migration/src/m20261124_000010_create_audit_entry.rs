//! The audit log. A trigger lets nobody change an entry, save for taking out what it says of a person who is erased.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::{index, name};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What stays as it was written, whatever becomes of the person.
const LASTING: [&str; 14] = [
    "number",
    "id",
    "account",
    "occurred_at",
    "actor_kind",
    "actor_subject",
    "actor_roles",
    "action",
    "target_kind",
    "target_id",
    "outcome",
    "error_code",
    "request_id",
    "client_address",
];

/// What is taken out when the person is erased.
const ERASABLE: [&str; 3] = ["masked_before", "masked_after", "reason"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(name("audit_entry"))
                    .col(big_pk_auto("number"))
                    .col(uuid_uniq("id"))
                    .col(string("account"))
                    .col(timestamp_with_time_zone("occurred_at"))
                    .col(string("actor_kind"))
                    .col(text("actor_subject"))
                    .col(string("actor_roles"))
                    .col(string("action"))
                    .col(string_null("target_kind"))
                    .col(string_null("target_id"))
                    .col(string("outcome"))
                    .col(string_null("error_code"))
                    .col(text_null("reason"))
                    .col(text_null("masked_before"))
                    .col(text_null("masked_after"))
                    .col(uuid_null("request_id"))
                    .col(string_null("client_address"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(index("audit_entry_by_account", "audit_entry", &["account", "number"])).await?;
        manager
            .create_index(index("audit_entry_by_target", "audit_entry", &["account", "target_id", "number"]))
            .await?;
        manager.create_index(index("audit_entry_by_time", "audit_entry", &["account", "occurred_at"])).await?;
        let db = manager.get_connection();
        for statement in guard(manager.get_database_backend()) {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The trigger goes with the table.
        manager.drop_table(Table::drop().table(name("audit_entry")).to_owned()).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP FUNCTION audit_entry_refuse_update()").await?;
        }
        Ok(())
    }
}

/// The statements that make the trigger.
fn guard(backend: DbBackend) -> Vec<String> {
    let of = |row: &str| LASTING.map(|column| format!("{row}.{column}")).join(", ");
    let cleared = ERASABLE.map(|column| format!("NEW.{column} IS NULL")).join(" AND ");
    let (old, new) = (of("OLD"), of("NEW"));
    if backend == DbBackend::Postgres {
        return vec![
            "CREATE FUNCTION audit_entry_refuse_update() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'audit_entry is append-only'; END $$"
                .to_owned(),
            format!(
                "CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE ON audit_entry FOR EACH ROW \
                 WHEN (NOT ({cleared}) OR ({new}) IS DISTINCT FROM ({old})) \
                 EXECUTE FUNCTION audit_entry_refuse_update()"
            ),
        ];
    }
    vec![format!(
        "CREATE TRIGGER audit_entry_is_append_only BEFORE UPDATE ON audit_entry FOR EACH ROW \
         WHEN NOT ({cleared}) OR ({new}) IS NOT ({old}) \
         BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
    )]
}
