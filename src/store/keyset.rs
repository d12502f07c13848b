//! Pages of lists: a page begins beside an entry and not at a number, so that what is added meanwhile moves nothing.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Value,
};

/// One page between two places. Places name the entries beside the page and are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset<K> {
    /// Entries after this place.
    pub after: Option<K>,
    /// Entries before this place.
    pub before: Option<K>,
    /// Count from the end instead of the beginning.
    pub from_end: bool,
    /// How many, at most.
    pub limit: u64,
}

impl<K> Keyset<K> {
    /// The same page, its places as they are stored.
    pub(super) fn stored<V>(&self, stored: impl Fn(&K) -> V) -> Keyset<V> {
        let (after, before) = (self.after.as_ref().map(&stored), self.before.as_ref().map(&stored));
        Keyset { after, before, from_end: self.from_end, limit: self.limit }
    }
}

impl<V: Into<Value> + Copy> Keyset<V> {
    /// The rows of the page, in the list's order: by one column, in which no two rows of the list are equal.
    pub(super) async fn select<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        list: Select<E>,
        column: E::Column,
        order: &Order,
    ) -> Result<Vec<E::Model>, DbErr> {
        let ascends = *order == Order::Asc;
        let beside = |place: V, behind: bool| if behind == ascends { column.gt(place) } else { column.lt(place) };
        let direction = if ascends == self.from_end { Order::Desc } else { Order::Asc };
        let places = [self.after.map(|place| beside(place, true)), self.before.map(|place| beside(place, false))];
        let list = places.into_iter().flatten().fold(list, QueryFilter::filter);
        let mut rows = list.order_by(column, direction).limit(self.limit).all(db).await?;
        if self.from_end {
            rows.reverse();
        }
        Ok(rows)
    }
}
