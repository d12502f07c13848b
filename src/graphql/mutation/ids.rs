//! Ids as clients give them.

use std::{collections::BTreeSet, str::FromStr};

use async_graphql::ID;

use crate::domain::{
    endpoint::Reason,
    id::EngineerId,
    refusal::{Refusal, RefusalCode},
};

/// The most ids of one call. Larger groups are named by a filter, or in several calls.
const MAX_IDS: usize = 1_000;

/// The ids of a list, each once, in their order.
pub(super) struct GivenIds<K = EngineerId> {
    field: &'static str,
    ids: Vec<GivenId<K>>,
}

/// An id of a list.
pub(super) struct GivenId<K = EngineerId> {
    /// As it was given.
    pub id: ID,
    /// As the domain knows it; `None` where it is the id of something else, or none.
    pub key: Option<K>,
    /// Where it stands in the list, from 0.
    place: usize,
}

impl<K: FromStr + Copy> GivenIds<K> {
    /// Reads the ids of an input field.
    ///
    /// # Errors
    /// When there are too many.
    pub fn read(field: &'static str, ids: Vec<ID>) -> Result<Self, Refusal> {
        if ids.len() > MAX_IDS {
            let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::TooManyIds);
            return Err(refusal.with("limit", MAX_IDS).at(&[field]));
        }
        let mut seen = BTreeSet::new();
        let ids = ids.into_iter().enumerate().filter(|(_, id)| seen.insert(id.to_string()));
        let given = |(place, id): (usize, ID)| GivenId { key: id.parse().ok(), id, place };
        Ok(Self { field, ids: ids.map(given).collect() })
    }

    /// What they name.
    pub fn keys(&self) -> Vec<K> {
        self.ids.iter().filter_map(|given| given.key).collect()
    }

    /// Each id.
    pub fn iter(&self) -> impl Iterator<Item = &GivenId<K>> {
        self.ids.iter()
    }

    /// The refusal at the place of the id, unless it names another place.
    pub fn at(&self, given: &GivenId<K>, refusal: Refusal) -> Refusal {
        if refusal.field.is_empty() { refusal.at(&[self.field, &given.place.to_string()]) } else { refusal }
    }
}
