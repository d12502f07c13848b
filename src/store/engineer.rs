//! The people on the roll.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::engineer;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{Rows, StoreError, row::Place, tx::ROWS_PER_INSERT};
use crate::domain::{
    account::Locale,
    endpoint::{EmailAddress, PhoneNumber},
    engineer::{DirectoryIdentity, DirectoryState, Engineer, Touched, UserType},
    id::EngineerId,
};

impl<C: ConnectionTrait> Rows<'_, C> {
    /// The engineer of that id; `None` where the account has none, or only a deleted one.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_engineer(&self, id: EngineerId) -> Result<Option<Engineer>, StoreError> {
        Ok(self.find_engineers(&[id]).await?.remove(&id))
    }

    /// The engineers of these ids; unknown and deleted ones are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_engineers(&self, ids: &[EngineerId]) -> Result<HashMap<EngineerId, Engineer>, StoreError> {
        let rows = self
            .engineers_query()
            .filter(engineer::Column::Id.is_in(keys(ids)))
            .filter(engineer::Column::DeletedAt.is_null())
            .all(self.db)
            .await?;
        rows.iter().map(|row| read_engineer(row).map(|engineer| (engineer.id, engineer))).collect()
    }

    /// Which of these engineers are ACTIVE.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_active_engineers(&self, ids: &BTreeSet<EngineerId>) -> Result<BTreeSet<EngineerId>, StoreError> {
        let found: Vec<Uuid> = self
            .engineers_query()
            .select_only()
            .column(engineer::Column::Id)
            .filter(engineer::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(engineer::Column::DirectoryState.eq(DirectoryState::Active.name()))
            .filter(engineer::Column::DeletedAt.is_null())
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().map(EngineerId).collect())
    }

    /// The engineer of that directory identity, where they are not deleted.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_engineer_by_identity(
        &self,
        identity: &DirectoryIdentity,
    ) -> Result<Option<Engineer>, StoreError> {
        let row = self
            .engineers_query()
            .filter(engineer::Column::Directory.eq(identity.directory.as_str()))
            .filter(engineer::Column::ExternalId.eq(identity.external_id.as_str()))
            .filter(engineer::Column::DeletedAt.is_null())
            .one(self.db)
            .await?;
        row.as_ref().map(read_engineer).transpose()
    }

    /// The engineers of these directory identities who are not deleted. An identity that nobody has is left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_ids_by_identity(
        &self,
        identities: &[DirectoryIdentity],
    ) -> Result<HashMap<DirectoryIdentity, EngineerId>, StoreError> {
        let mut wanted: HashMap<&str, Vec<&str>> = HashMap::new();
        for DirectoryIdentity { directory, external_id } in identities {
            wanted.entry(directory).or_default().push(external_id);
        }
        let mut found = HashMap::new();
        for (directory, external_ids) in wanted {
            let rows: Vec<(Option<String>, Uuid)> = self
                .engineers_query()
                .select_only()
                .columns([engineer::Column::ExternalId, engineer::Column::Id])
                .filter(engineer::Column::Directory.eq(directory))
                .filter(engineer::Column::ExternalId.is_in(external_ids))
                .filter(engineer::Column::DeletedAt.is_null())
                .into_tuple()
                .all(self.db)
                .await?;
            let identity = |external_id| DirectoryIdentity { directory: directory.to_owned(), external_id };
            found.extend(rows.into_iter().filter_map(|(key, id)| Some((identity(key?), EngineerId(id)))));
        }
        Ok(found)
    }

    /// Whose these names are, among those who are not deleted: `None` where a name is several people's. A name that nobody has is
    /// left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_ids_by_name(&self, names: &[&str]) -> Result<HashMap<String, Option<EngineerId>>, StoreError> {
        let of_names = |names: &[&str]| {
            self.engineers_query()
                .select_only()
                .column(engineer::Column::Name)
                .filter(engineer::Column::NameKey.is_in(names.iter().map(|name| fold(name))))
                .filter(engineer::Column::Name.is_in(names.iter().copied()))
                .filter(engineer::Column::DeletedAt.is_null())
        };
        // Namesakes may be many: they are counted and not read.
        let count = engineer::Column::Id.count();
        let counted: Vec<(String, i64)> = of_names(names)
            .column_as(count, "people")
            .group_by(engineer::Column::Name)
            .into_tuple()
            .all(self.db)
            .await?;
        let unique: Vec<_> = counted.iter().filter(|(_, people)| *people == 1).map(|(name, _)| name.as_str()).collect();
        let ids: Vec<(String, Uuid)> = of_names(&unique).column(engineer::Column::Id).into_tuple().all(self.db).await?;
        let mut found: HashMap<_, _> = ids.into_iter().map(|(name, id)| (name, Some(EngineerId(id)))).collect();
        found.extend(counted.iter().filter(|(_, people)| *people > 1).map(|(name, _)| (name.clone(), None)));
        Ok(found)
    }

    /// Whether someone of that name and identity provider, who is not deleted, was added by hand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_added_by_hand(&self, name: &str, identity_provider: Option<&str>) -> Result<bool, StoreError> {
        let provider = match identity_provider {
            Some(provider) => engineer::Column::IdentityProvider.eq(provider),
            None => engineer::Column::IdentityProvider.is_null(),
        };
        let found = self
            .engineers_query()
            .filter(engineer::Column::NameKey.eq(fold(name)))
            .filter(engineer::Column::Name.eq(name))
            .filter(engineer::Column::Directory.is_null())
            .filter(provider)
            .filter(engineer::Column::DeletedAt.is_null())
            .count(self.db)
            .await?;
        Ok(found > 0)
    }

    /// Everyone, deleted people who are not erased included, ordered by id.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_roster(&self) -> Result<Vec<Engineer>, StoreError> {
        let rows = self.engineers_query().order_by_asc(engineer::Column::Id).all(self.db).await?;
        rows.iter().map(read_engineer).collect()
    }

    /// The deleted people whose time to be erased has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_erasable(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<EngineerId>, StoreError> {
        let ids: Vec<Uuid> = self
            .engineers_query()
            .select_only()
            .column(engineer::Column::Id)
            .filter(engineer::Column::DeletedAt.is_not_null())
            .filter(engineer::Column::EraseAt.lte(now))
            .order_by_asc(engineer::Column::Id)
            .limit(limit)
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(ids.into_iter().map(EngineerId).collect())
    }

    fn engineers_query(&self) -> sea_orm::Select<engineer::Entity> {
        engineer::Entity::find().filter(engineer::Column::Account.eq(self.account.as_str()))
    }

    fn engineer_row(&self, engineer: &Engineer) -> engineer::ActiveModel {
        let (directory, external_id) =
            engineer.identity.clone().map(|identity| (identity.directory, identity.external_id)).unzip();
        engineer::ActiveModel {
            id: Set(engineer.id.0),
            account: Set(self.account.to_string()),
            name: Set(engineer.name.clone()),
            alias: Set(engineer.alias.clone()),
            name_key: Set(fold(&engineer.name)),
            alias_key: Set(engineer.alias.as_deref().map(fold).unwrap_or_default()),
            user_type: Set(engineer.user_type.name().to_owned()),
            identity_provider: Set(engineer.identity_provider.clone()),
            directory: Set(directory),
            external_id: Set(external_id),
            directory_state: Set(engineer.directory_state.name().to_owned()),
            locale: Set(engineer.locale.map(|locale| locale.tag().to_owned())),
            mobile: Set(engineer.mobile.as_ref().map(|mobile| mobile.as_str().to_owned())),
            email: Set(engineer.email.as_ref().map(|email| email.as_str().to_owned())),
            email_key: Set(engineer.email.as_ref().map(EmailAddress::key)),
            alias_touched: Set(engineer.touched.alias),
            mobile_touched: Set(engineer.touched.mobile),
            email_touched: Set(engineer.touched.email),
            version: Set(engineer.version),
            created_at: Set(engineer.created_at),
            updated_at: Set(engineer.updated_at),
            synced_at: Set(engineer.synced_at),
            deleted_at: Set(engineer.deleted_at),
            erase_at: Set(None),
        }
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Locks these engineers to the end of the transaction and reads them, deleted ones included. Locks are taken in the order
    /// of the ids, so that two transactions never wait for each other.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn lock_engineers(&self, ids: &[EngineerId]) -> Result<HashMap<EngineerId, Engineer>, StoreError> {
        let rows = self
            .engineers_query()
            .filter(engineer::Column::Id.is_in(keys(ids)))
            .order_by_asc(engineer::Column::Id)
            .lock_exclusive()
            .all(self.db)
            .await?;
        rows.iter().map(|row| read_engineer(row).map(|engineer| (engineer.id, engineer))).collect()
    }

    /// Adds engineers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_engineers(&self, engineers: &[Engineer]) -> Result<(), StoreError> {
        for chunk in engineers.chunks(ROWS_PER_INSERT) {
            let rows = chunk.iter().map(|engineer| self.engineer_row(engineer));
            engineer::Entity::insert_many(rows).exec_without_returning(self.db).await?;
        }
        Ok(())
    }

    /// Writes an engineer's fields. When they are erased is not among them; see [`Rows::set_erase_at`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn update_engineer(&self, engineer: &Engineer) -> Result<(), StoreError> {
        let mut row = self.engineer_row(engineer);
        row.erase_at = sea_orm::ActiveValue::NotSet;
        engineer::Entity::update_many()
            .set(row)
            .filter(engineer::Column::Account.eq(self.account.as_str()))
            .filter(engineer::Column::Id.eq(engineer.id.0))
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Says when deleted people are erased; `None` takes it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_erase_at(&self, ids: &[EngineerId], at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        engineer::Entity::update_many()
            .col_expr(engineer::Column::EraseAt, Expr::value(at))
            .filter(engineer::Column::Account.eq(self.account.as_str()))
            .filter(engineer::Column::Id.is_in(keys(ids)))
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Notes that a directory sync saw these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_synced_at(&self, directory: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        engineer::Entity::update_many()
            .col_expr(engineer::Column::SyncedAt, Expr::value(Some(at)))
            .filter(engineer::Column::Account.eq(self.account.as_str()))
            .filter(engineer::Column::Directory.eq(directory))
            .filter(engineer::Column::DirectoryState.ne(DirectoryState::Gone.name()))
            .filter(engineer::Column::DeletedAt.is_null())
            .exec(self.db)
            .await?;
        Ok(())
    }

    /// Takes people off the roll for good, with their channels.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_engineers(&self, ids: &[EngineerId]) -> Result<(), StoreError> {
        engineer::Entity::delete_many()
            .filter(engineer::Column::Account.eq(self.account.as_str()))
            .filter(engineer::Column::Id.is_in(keys(ids)))
            .exec(self.db)
            .await?;
        Ok(())
    }
}

/// Folds text for ordering and search.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

pub(super) fn keys(ids: &[EngineerId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

fn stored<T>(
    place: &Place<'_>,
    column: &'static str,
    value: Option<&String>,
    read: fn(String) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    value.map(|value| place.need(column, read(value.clone()))).transpose()
}

pub(super) fn read_engineer(row: &engineer::Model) -> Result<Engineer, StoreError> {
    let place = Place { table: "engineer", id: &row.id };
    let identity = match (&row.directory, &row.external_id) {
        (Some(directory), Some(external_id)) => {
            Some(DirectoryIdentity { directory: directory.clone(), external_id: external_id.clone() })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(place.bad("external_id")),
    };
    Ok(Engineer {
        id: EngineerId(row.id),
        name: row.name.clone(),
        alias: row.alias.clone(),
        user_type: place.name("user_type", &row.user_type, UserType::from_name)?,
        identity_provider: row.identity_provider.clone(),
        identity,
        directory_state: place.name("directory_state", &row.directory_state, DirectoryState::from_name)?,
        locale: place.name_opt("locale", row.locale.as_deref(), Locale::from_tag)?,
        mobile: stored(&place, "mobile", row.mobile.as_ref(), PhoneNumber::from_stored)?,
        email: stored(&place, "email", row.email.as_ref(), EmailAddress::from_stored)?,
        touched: Touched { alias: row.alias_touched, mobile: row.mobile_touched, email: row.email_touched },
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        synced_at: row.synced_at,
        deleted_at: row.deleted_at,
    })
}
