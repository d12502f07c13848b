//! What lists and live streams can be narrowed by.

use async_graphql::{ID, InputObject};

use crate::{
    domain::{actor::Permission, id::EngineerId},
    graphql::{
        context::Caller,
        error::{Fault, Result},
        object::choice::{
            ChannelKind, ConfirmationStatus, DirectoryState, EngineerOrderField, OrderDirection, Reachability,
            StatusChangeCause,
        },
    },
    store,
};

/// The most ids of a filter.
const MAX_IDS: usize = 1_000;

/// The longest search, in characters.
const MAX_SEARCH: usize = 200;

/// Which engineers are wanted. All that is given must hold; an empty list matches nobody.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct EngineerFilter {
    /// Part of the name or alias, in any case, up to 200 characters. For callers who may see contacts: of the mobile or e-mail too.
    search: Option<String>,
    /// With statusIn: the channel that must have one of the statuses. Has no effect without statusIn.
    channel: Option<ChannelKind>,
    /// The status of the channel, or, without channel, of any channel.
    status_in: Option<Vec<ConfirmationStatus>>,
    /// How they can be reached.
    reachability_in: Option<Vec<Reachability>>,
    /// What the directory says of them.
    directory_state_in: Option<Vec<DirectoryState>>,
    /// The directory that they come from.
    directory: Option<String>,
    /// Only these, at most 1,000. Ids of nobody are passed over.
    ids: Option<Vec<ID>>,
}

/// How the roll is ordered.
#[derive(InputObject)]
pub(in crate::graphql) struct EngineerOrder {
    /// By what.
    field: EngineerOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

/// Which status changes are wanted. All that is given must hold; an empty list matches none.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct StatusChangeFilter {
    /// Of these engineers, at most 1,000. Ids of nobody are passed over.
    engineer_ids: Option<Vec<ID>>,
    /// Of these channels.
    channel_in: Option<Vec<ChannelKind>>,
    /// To these statuses.
    to_in: Option<Vec<ConfirmationStatus>>,
    /// For these causes.
    cause_in: Option<Vec<StatusChangeCause>>,
}

impl EngineerFilter {
    /// The filter of the store, narrowed to whom the caller may know of.
    pub fn judge(self, caller: Caller<'_>) -> Result<store::EngineerFilter> {
        let only = caller.only()?;
        if self.search.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            return Err(Fault::bad_input(format!("search is too long; {MAX_SEARCH} characters are allowed.")));
        }
        Ok(store::EngineerFilter {
            search: self.search,
            search_contacts: only.is_some() || caller.actor.may(Permission::ViewContacts),
            channel: self.channel.map(Into::into),
            status_in: self.status_in.map(all),
            reachability_in: self.reachability_in.map(all),
            directory_state_in: self.directory_state_in.map(all),
            directory: self.directory,
            ids: narrow(read_ids("ids", self.ids)?, only),
        })
    }
}

impl EngineerOrder {
    /// The order of the store.
    pub fn judge(this: Option<Self>) -> store::EngineerOrder {
        this.map_or_else(store::EngineerOrder::default, |order| store::EngineerOrder {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
        })
    }
}

impl StatusChangeFilter {
    /// The filter of the store, narrowed to whom the caller may know of.
    pub fn judge(self, caller: Caller<'_>) -> Result<store::StatusChangeFilter> {
        Ok(store::StatusChangeFilter {
            engineers: narrow(read_ids("engineerIds", self.engineer_ids)?, caller.only()?),
            channels: self.channel_in.map(all),
            to: self.to_in.map(all),
            causes: self.cause_in.map(all),
        })
    }
}

fn all<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}

/// Ids of a filter. What is no engineer's id names nobody.
fn read_ids(name: &str, ids: Option<Vec<ID>>) -> Result<Option<Vec<EngineerId>>> {
    match ids {
        Some(ids) if ids.len() > MAX_IDS => {
            Err(Fault::bad_input(format!("{name} has {} entries; {MAX_IDS} are allowed.", ids.len())))
        }
        Some(ids) => Ok(Some(ids.iter().filter_map(|id| id.parse().ok()).collect())),
        None => Ok(None),
    }
}

/// The wanted engineers whom the caller may know of.
fn narrow(wanted: Option<Vec<EngineerId>>, only: Option<EngineerId>) -> Option<Vec<EngineerId>> {
    match (wanted, only) {
        (wanted, None) => wanted,
        (None, Some(only)) => Some(vec![only]),
        (Some(wanted), Some(only)) => Some(wanted.into_iter().filter(|id| *id == only).collect()),
    }
}
