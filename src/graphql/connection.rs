//! Pages of lists, as Relay's cursor connections specify them, with keyset pages in both directions.

use std::future::Future;

use async_graphql::{Context, Object, OutputType, SimpleObject};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    context::Caller,
    error::{Fault, Result},
    object::{
        api_key::ApiKeys,
        audit_entry::AuditEntries,
        directory_sync::{DirectorySyncs, SyncOutcomes},
        engineer::Engineers,
        status_change::StatusChanges,
    },
    scalar::int,
};
use crate::store::Keyset;

/// The size of a page where neither `first` nor `last` is given.
pub(super) const DEFAULT_SIZE: i32 = 20;

/// The largest page.
pub(super) const MAX_SIZE: i32 = 100;

/// A list that can be read in pages.
pub(super) trait Listing: Send + Sync + 'static {
    /// An entry as it is stored.
    type Row: Send + Sync;
    /// An entry as it is shown.
    type Node: OutputType + Clone + 'static;
    /// Where an entry stands in the list.
    type Place: Clone + PartialEq + Send + Sync + 'static;

    /// One page.
    fn list(
        &self,
        caller: Caller<'_>,
        keyset: &Keyset<Self::Place>,
    ) -> impl Future<Output = Result<Vec<Self::Row>>> + Send;

    /// How long the list is.
    fn count(&self, caller: Caller<'_>) -> impl Future<Output = Result<u64>> + Send;

    /// Where an entry stands.
    fn place_of(&self, row: &Self::Row) -> Self::Place;

    /// The entries of a page, as they are shown.
    fn show(&self, caller: Caller<'_>, rows: Vec<Self::Row>) -> Vec<Self::Node>;

    /// A place as text that names the list's order.
    fn write_place(&self, place: &Self::Place) -> String;

    /// The place of such a text; `None` for a text of another list or another order.
    fn read_place(&self, text: &str) -> Option<Self::Place>;
}

/// Which page is wanted.
pub(super) struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    /// The size of the page, and whether it is counted from the end.
    fn size(&self) -> Result<(u64, bool)> {
        let (name, size, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Fault::bad_input("Give first or last, not both.")),
            (Some(first), None) => ("first", first, false),
            (None, Some(last)) => ("last", last, true),
            (None, None) => ("first", DEFAULT_SIZE, false),
        };
        match u64::try_from(size) {
            Ok(wanted) if size <= MAX_SIZE => Ok((wanted, from_end)),
            Ok(_) | Err(_) => Err(Fault::bad_input(format!("{name} is {size}; 0 to {MAX_SIZE} are allowed."))),
        }
    }

    fn keyset<L: Listing>(&self, listing: &L) -> Result<Keyset<L::Place>> {
        let (limit, from_end) = self.size()?;
        let place = |name: &str, cursor: &Option<String>| {
            let read = |cursor: &String| {
                read_cursor(listing, cursor)
                    .ok_or_else(|| Fault::bad_input(format!("{name} is not a cursor of this list in this order.")))
            };
            cursor.as_ref().map(read).transpose()
        };
        Ok(Keyset { after: place("after", &self.after)?, before: place("before", &self.before)?, from_end, limit })
    }
}

fn write_cursor<L: Listing>(listing: &L, place: &L::Place) -> String {
    URL_SAFE_NO_PAD.encode(listing.write_place(place))
}

fn read_cursor<L: Listing>(listing: &L, cursor: &str) -> Option<L::Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    listing.read_place(&text)
}

/// One page of a list.
pub(super) struct Connection<L: Listing> {
    listing: L,
    /// What was asked for.
    keyset: Keyset<L::Place>,
    places: Vec<L::Place>,
    nodes: Vec<L::Node>,
    /// Whether there is more in the direction of paging, within the bounds that were asked for.
    more: bool,
}

/// An entry of a page and its place.
#[derive(Clone)]
pub(super) struct Edge<L: Listing> {
    cursor: String,
    node: L::Node,
}

/// What lies beside a page.
#[derive(SimpleObject)]
pub(super) struct PageInfo {
    /// Whether there are entries before this page.
    has_previous_page: bool,
    /// Whether there are entries after this page.
    has_next_page: bool,
    /// The cursor of the first entry; null on an empty page.
    start_cursor: Option<String>,
    /// The cursor of the last entry; null on an empty page.
    end_cursor: Option<String>,
}

impl<L: Listing> Connection<L> {
    /// Reads the page that is asked for, and one entry more to know whether there is one.
    pub async fn load(listing: L, args: &PageArgs, caller: Caller<'_>) -> Result<Self> {
        let keyset = args.keyset(&listing)?;
        let one_more = Keyset { limit: keyset.limit + 1, ..keyset.clone() };
        let mut rows = listing.list(caller, &one_more).await?;
        let size = usize::try_from(keyset.limit).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        if more && keyset.from_end {
            rows.remove(0);
        }
        rows.truncate(size);
        let places = rows.iter().map(|row| listing.place_of(row)).collect();
        let nodes = listing.show(caller, rows);
        Ok(Self { listing, keyset, places, nodes, more })
    }

    fn cursor(&self, place: Option<&L::Place>) -> Option<String> {
        place.map(|place| write_cursor(&self.listing, place))
    }

    /// Whether there are entries on one side of the page. Costs a statement only where a cursor bounds that side.
    async fn has_beside(&self, caller: Caller<'_>, previous: bool) -> Result<bool> {
        let (bound, edge) = if previous {
            (&self.keyset.after, self.places.first())
        } else {
            (&self.keyset.before, self.places.last())
        };
        if self.more && previous == self.keyset.from_end {
            return Ok(true);
        }
        let Some(bound) = bound else { return Ok(false) };
        match edge {
            Some(edge) => Ok(self.find_one(caller, Some(edge), previous, previous).await?.is_some()),
            // An empty page has no entry to look beside. There are entries on this side of its bound, or at it, if the list begins
            // before what lies within the bound.
            None => {
                let outermost = self.find_one(caller, None, previous, !previous).await?;
                let within = self.find_one(caller, Some(bound), !previous, !previous).await?;
                Ok(outermost != within)
            }
        }
    }

    /// The first entry, or the last, of those before a place, or after it.
    async fn find_one(
        &self,
        caller: Caller<'_>,
        place: Option<&L::Place>,
        before: bool,
        from_end: bool,
    ) -> Result<Option<L::Place>> {
        let place = place.cloned();
        let (after, before) = if before { (None, place) } else { (place, None) };
        let found = self.listing.list(caller, &Keyset { after, before, from_end, limit: 1 }).await?;
        Ok(found.first().map(|row| self.listing.place_of(row)))
    }
}

/// A page of a list, after Relay's cursor connections.
#[Object(
    concrete(name = "EngineerConnection", params(Engineers)),
    concrete(name = "StatusChangeConnection", params(StatusChanges)),
    concrete(name = "DirectorySyncConnection", params(DirectorySyncs)),
    concrete(name = "SyncOutcomeConnection", params(SyncOutcomes)),
    concrete(name = "ApiKeyConnection", params(ApiKeys)),
    concrete(name = "AuditEntryConnection", params(AuditEntries))
)]
impl<L: Listing> Connection<L>
where
    Edge<L>: OutputType,
{
    /// The entries with their cursors.
    async fn edges(&self) -> Vec<Edge<L>> {
        let edge = |(place, node): (&L::Place, &L::Node)| Edge {
            cursor: write_cursor(&self.listing, place),
            node: node.clone(),
        };
        self.places.iter().zip(&self.nodes).map(edge).collect()
    }

    /// The entries alone.
    async fn nodes(&self) -> &[L::Node] {
        &self.nodes
    }

    /// What lies beside the page.
    async fn page_info(&self, ctx: &Context<'_>) -> Result<PageInfo> {
        let caller = Caller::of(ctx)?;
        let wanted = |name: &str| ctx.look_ahead().field(name).exists();
        Ok(PageInfo {
            has_previous_page: wanted("hasPreviousPage") && self.has_beside(caller, true).await?,
            has_next_page: wanted("hasNextPage") && self.has_beside(caller, false).await?,
            start_cursor: self.cursor(self.places.first()),
            end_cursor: self.cursor(self.places.last()),
        })
    }

    /// How long the whole list is, whatever the page. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(int(self.listing.count(Caller::of(ctx)?).await?))
    }
}

/// An entry of a page, with its cursor.
#[Object(
    concrete(name = "EngineerEdge", params(Engineers)),
    concrete(name = "StatusChangeEdge", params(StatusChanges)),
    concrete(name = "DirectorySyncEdge", params(DirectorySyncs)),
    concrete(name = "SyncOutcomeEdge", params(SyncOutcomes)),
    concrete(name = "ApiKeyEdge", params(ApiKeys)),
    concrete(name = "AuditEntryEdge", params(AuditEntries))
)]
impl<L: Listing> Edge<L> {
    /// The entry's place in the list: give it as after or before. It is opaque, and good only for this list in this order.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The entry.
    async fn node(&self) -> &L::Node {
        &self.node
    }
}
