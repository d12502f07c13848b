//! Pages of the roll: filters, orders and keyset pages, all in SQL.

use chrono::{DateTime, Utc};
use entity::{channel, engineer};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Value,
    sea_query::{Expr, LikeExpr, SimpleExpr},
};

use super::{
    Keyset, Rows, StoreError,
    engineer::{fold, keys, read_engineer},
    summary::reachability_is,
};
use crate::domain::{
    channel::ChannelKind,
    confirmation::ConfirmationStatus,
    endpoint::PhoneNumber,
    engineer::{DirectoryState, Engineer, Reachability},
    id::EngineerId,
};

/// Who is wanted. `None` means: any. An empty list matches nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineerFilter {
    /// Part of the name or alias, in any case; part of the mobile or e-mail too where `search_contacts` is set.
    pub search: Option<String>,
    /// Whether the search looks at contact data.
    pub search_contacts: bool,
    /// With `status_in`: the channel that must have one of the statuses. Without: any channel may.
    pub channel: Option<ChannelKind>,
    /// The statuses of the channel.
    pub status_in: Option<Vec<ConfirmationStatus>>,
    /// How they can be reached.
    pub reachability_in: Option<Vec<Reachability>>,
    /// What the directory says.
    pub directory_state_in: Option<Vec<DirectoryState>>,
    /// From which directory.
    pub directory: Option<String>,
    /// Only these.
    pub ids: Option<Vec<EngineerId>>,
}

impl EngineerFilter {
    /// Leaves at most that one person.
    pub fn narrow_to(&mut self, only: EngineerId) {
        let wanted = self.ids.as_ref().is_none_or(|ids| ids.contains(&only));
        self.ids = Some(if wanted { vec![only] } else { Vec::new() });
    }

    /// Whether the id alone tells who is wanted.
    pub const fn is_by_id_alone(&self) -> bool {
        let Self {
            search,
            search_contacts: _,
            channel: _,
            status_in,
            reachability_in,
            directory_state_in,
            directory,
            ids: _,
        } = self;
        search.is_none()
            && status_in.is_none()
            && reachability_in.is_none()
            && directory_state_in.is_none()
            && directory.is_none()
    }
}

/// By what the roll is ordered. Equal values are ordered by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EngineerOrderField {
    /// By name, without regard to case.
    #[default]
    Name,
    /// By alias, without regard to case; people without one come first.
    Alias,
    /// By the last change.
    UpdatedAt,
    /// By when they came onto the roll.
    CreatedAt,
}

/// An order of the roll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EngineerOrder {
    /// By what.
    pub field: EngineerOrderField,
    /// Largest first.
    pub descending: bool,
}

/// Where an engineer stands in an order: the value ordered by, and the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The value ordered by, as text; moments are milliseconds since 1970 in UTC.
    pub value: String,
    /// The id.
    pub id: EngineerId,
}

impl EngineerOrder {
    /// Where that engineer stands in this order.
    pub fn place_of(&self, engineer: &Engineer) -> Place {
        let value = match self.field {
            EngineerOrderField::Name => fold(&engineer.name),
            EngineerOrderField::Alias => engineer.alias.as_deref().map(fold).unwrap_or_default(),
            EngineerOrderField::UpdatedAt => engineer.updated_at.timestamp_millis().to_string(),
            EngineerOrderField::CreatedAt => engineer.created_at.timestamp_millis().to_string(),
        };
        Place { value, id: engineer.id }
    }

    const fn column(self) -> engineer::Column {
        match self.field {
            EngineerOrderField::Name => engineer::Column::NameKey,
            EngineerOrderField::Alias => engineer::Column::AliasKey,
            EngineerOrderField::UpdatedAt => engineer::Column::UpdatedAt,
            EngineerOrderField::CreatedAt => engineer::Column::CreatedAt,
        }
    }

    /// The value of a place as the column holds it; `None` where the text is none.
    fn value_of(self, place: &Place) -> Option<Value> {
        match self.field {
            EngineerOrderField::Name | EngineerOrderField::Alias => Some(place.value.clone().into()),
            EngineerOrderField::UpdatedAt | EngineerOrderField::CreatedAt => {
                DateTime::<Utc>::from_timestamp_millis(place.value.parse().ok()?).map(Value::from)
            }
        }
    }

    /// The entries on one side of a place.
    fn beside(self, place: &Place, following: bool) -> Condition {
        let column = self.column();
        let Some(value) = self.value_of(place) else { return Condition::any() };
        let ascending = following != self.descending;
        let (beyond, id_beyond) = if ascending {
            (column.gt(value.clone()), engineer::Column::Id.gt(place.id.0))
        } else {
            (column.lt(value.clone()), engineer::Column::Id.lt(place.id.0))
        };
        Condition::any().add(beyond).add(Condition::all().add(column.eq(value)).add(id_beyond))
    }
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// One page of the roll.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_engineers(
        &self,
        filter: &EngineerFilter,
        order: EngineerOrder,
        keyset: &Keyset<Place>,
    ) -> Result<Vec<Engineer>, StoreError> {
        let mut query = engineer::Entity::find().filter(self.condition(filter)).limit(keyset.limit);
        if let Some(after) = &keyset.after {
            query = query.filter(order.beside(after, true));
        }
        if let Some(before) = &keyset.before {
            query = query.filter(order.beside(before, false));
        }
        let direction = if order.descending == keyset.from_end { Order::Asc } else { Order::Desc };
        let mut rows = query
            .order_by(order.column(), direction.clone())
            .order_by(engineer::Column::Id, direction)
            .all(self.db)
            .await?;
        if keyset.from_end {
            rows.reverse();
        }
        rows.iter().map(read_engineer).collect()
    }

    /// How many people there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_engineers(&self, filter: &EngineerFilter) -> Result<u64, StoreError> {
        Ok(engineer::Entity::find().filter(self.condition(filter)).count(self.db).await?)
    }

    /// The ids of everyone who is wanted, ordered by id, `limit` at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_engineer_ids(
        &self,
        filter: &EngineerFilter,
        after: Option<EngineerId>,
        limit: u64,
    ) -> Result<Vec<EngineerId>, StoreError> {
        let mut query = engineer::Entity::find()
            .select_only()
            .column(engineer::Column::Id)
            .filter(self.condition(filter))
            .order_by_asc(engineer::Column::Id)
            .limit(limit);
        if let Some(after) = after {
            query = query.filter(engineer::Column::Id.gt(after.0));
        }
        let ids: Vec<uuid::Uuid> = query.into_tuple().all(self.db).await?;
        Ok(ids.into_iter().map(EngineerId).collect())
    }

    /// Whether that engineer is wanted: the same rule as for pages, for live streams.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn engineer_matches(&self, id: EngineerId, filter: &EngineerFilter) -> Result<bool, StoreError> {
        let found = engineer::Entity::find()
            .filter(self.condition(filter))
            .filter(engineer::Column::Id.eq(id.0))
            .count(self.db)
            .await?;
        Ok(found > 0)
    }

    fn condition(&self, filter: &EngineerFilter) -> Condition {
        let mut all = Condition::all()
            .add(engineer::Column::Account.eq(self.account.as_str()))
            .add(engineer::Column::DeletedAt.is_null());
        if let Some(text) = filter.search.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            all = all.add(search(text, filter.search_contacts));
        }
        if let Some(statuses) = &filter.status_in {
            all = all.add(has_channel(filter.channel, statuses));
        }
        if let Some(wanted) = &filter.reachability_in {
            let any = wanted.iter().fold(no_one(), |any, reachability| any.add(reachability_is(*reachability)));
            all = all.add(any);
        }
        if let Some(states) = &filter.directory_state_in {
            all = all.add(engineer::Column::DirectoryState.is_in(states.iter().map(|state| state.name())));
        }
        if let Some(directory) = &filter.directory {
            let is_named = if is_storable(directory) {
                Condition::any().add(engineer::Column::Directory.eq(directory.as_str()))
            } else {
                no_one()
            };
            all = all.add(is_named);
        }
        if let Some(ids) = &filter.ids {
            all = all.add(engineer::Column::Id.is_in(keys(ids)));
        }
        all
    }
}

/// Whether a column can hold the text. PostgreSQL has no NUL in texts, and fails where one is asked for.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// The condition that nobody meets, to add alternatives to.
fn no_one() -> Condition {
    Condition::any().add(Expr::val(1).eq(0))
}

fn search(text: &str, contacts: bool) -> Condition {
    if !is_storable(text) {
        return no_one();
    }
    let folded = fold(text);
    let like = |text: &str| {
        let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        LikeExpr::new(format!("%{escaped}%")).escape('!')
    };
    let mut any = Condition::any()
        .add(engineer::Column::NameKey.like(like(&folded)))
        .add(engineer::Column::AliasKey.like(like(&folded)));
    if contacts {
        any = any.add(engineer::Column::EmailKey.like(like(&folded)));
        if let Some(part) = PhoneNumber::search_form(text) {
            any = any.add(engineer::Column::Mobile.like(like(&part)));
        }
    }
    any
}

/// People one of whose channels, or whose channel of that kind, has one of the statuses. A missing row is NOT_CONFIGURED.
fn has_channel(kind: Option<ChannelKind>, statuses: &[ConfirmationStatus]) -> Condition {
    let names = || statuses.iter().map(|status| status.name());
    let rows = |condition: SimpleExpr| {
        let mut query = channel::Entity::find()
            .select_only()
            .column(channel::Column::EngineerId)
            .filter(
                Expr::col((channel::Entity, channel::Column::EngineerId))
                    .equals((engineer::Entity, engineer::Column::Id)),
            )
            .filter(condition);
        if let Some(kind) = kind {
            query = query.filter(channel::Column::Kind.eq(kind.name()));
        }
        Expr::exists(query.into_query())
    };
    let mut any = no_one().add(rows(channel::Column::Status.is_in(names())));
    if statuses.contains(&ConfirmationStatus::NotConfigured) {
        let configured = channel::Column::Status.ne(ConfirmationStatus::NotConfigured.name());
        let lacks = match kind {
            Some(_) => rows(configured).not(),
            None => configured_channels().lt(i64::try_from(ChannelKind::ALL.len()).unwrap_or(i64::MAX)),
        };
        any = any.add(lacks);
    }
    any
}

/// How many channels of the engineer at hand have an endpoint.
pub(super) fn configured_channels() -> SimpleExpr {
    count_channels(
        &ConfirmationStatus::ALL.into_iter().filter(|s| *s != ConfirmationStatus::NotConfigured).collect::<Vec<_>>(),
    )
}

/// How many channels of the engineer at hand have one of the statuses.
pub(super) fn count_channels(statuses: &[ConfirmationStatus]) -> SimpleExpr {
    let query = channel::Entity::find()
        .select_only()
        .column_as(channel::Column::Kind.count(), "count")
        .filter(
            Expr::col((channel::Entity, channel::Column::EngineerId)).equals((engineer::Entity, engineer::Column::Id)),
        )
        .filter(channel::Column::Status.is_in(statuses.iter().map(|status| status.name())))
        .into_query();
    SimpleExpr::SubQuery(None, Box::new(query.into()))
}
