//! Engineers, and the pages of the roll.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime as Moment, Utc};

use super::{
    channel::Channel,
    choice::{ChannelKind, DirectoryState, Reachability, UserType},
    status_change::StatusChanges,
};
use crate::{
    domain::{account::Locale, channel, confirmation, endpoint, engineer, id::EngineerId},
    graphql::{
        connection::{Connection, Listing, PageArgs},
        context::Caller,
        error::Result,
        loader::Mates,
        node::id,
        scalar::{DateTime, EmailAddress, PhoneNumber},
    },
    store::{EngineerFilter, EngineerOrder, EngineerOrderField, EngineerPlace, Keyset},
};

/// One person on the roll.
#[derive(Clone)]
pub(in crate::graphql) struct Engineer {
    engineer: Arc<engineer::Engineer>,
    mates: Arc<Mates>,
}

impl Engineer {
    /// An engineer and those who were read with them.
    pub fn new(engineer: Arc<engineer::Engineer>, mates: Arc<Mates>) -> Self {
        Self { engineer, mates }
    }

    /// The id, as the domain knows it.
    pub fn key(&self) -> EngineerId {
        self.engineer.id
    }

    /// Those who were read with them.
    pub fn mates(&self) -> &Mates {
        &self.mates
    }

    /// One of their channels.
    pub async fn find_channel(&self, kind: channel::ChannelKind) -> Result<Channel> {
        let channels = self.mates.channels(self.engineer.id).await?;
        let channel = channels.iter().find(|channel| channel.kind == kind);
        Ok(self.show(channel.cloned().unwrap_or_else(|| confirmation::Channel::empty(kind))))
    }

    fn show(&self, channel: confirmation::Channel) -> Channel {
        Channel::new(channel, Arc::clone(&self.engineer), Arc::clone(&self.mates))
    }

    async fn list_channels(&self) -> Result<Vec<Channel>> {
        let channels = self.mates.channels(self.engineer.id).await?;
        Ok(channels.iter().cloned().map(|channel| self.show(channel)).collect())
    }

    fn shows_contacts(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(Caller::of(ctx)?.actor.can_view_contacts(self.engineer.id))
    }
}

/// One person on the roll, and the channels by which they can be reached.
#[Object]
impl Engineer {
    /// The id: opaque, and never reused.
    pub async fn id(&self) -> ID {
        id(self.engineer.id)
    }

    /// The user name in the directory.
    async fn name(&self) -> &str {
        &self.engineer.name
    }

    /// What people call them.
    async fn alias(&self) -> Option<&str> {
        self.engineer.alias.as_deref()
    }

    /// The kind of user that they are.
    async fn user_type(&self) -> UserType {
        self.engineer.user_type.into()
    }

    /// The identity provider of a federated user.
    async fn identity_provider(&self) -> Option<&str> {
        self.engineer.identity_provider.as_deref()
    }

    /// The directory that they come from; null for people added by hand.
    async fn directory(&self) -> Option<&str> {
        self.engineer.identity.as_ref().map(|identity| identity.directory.as_str())
    }

    /// The directory's own key of the person; null for people added by hand.
    async fn external_id(&self) -> Option<&str> {
        self.engineer.identity.as_ref().map(|identity| identity.external_id.as_str())
    }

    /// What the directory says of them.
    async fn directory_state(&self) -> DirectoryState {
        self.engineer.directory_state.into()
    }

    /// The language of the messages that they get, as a BCP 47 tag; null for the account's.
    async fn locale(&self) -> Option<&str> {
        self.engineer.locale.map(Locale::tag)
    }

    /// The mobile; null where there is none, and for callers who may not see it.
    async fn mobile(&self, ctx: &Context<'_>) -> Option<Result<PhoneNumber>> {
        let mobile = self.engineer.mobile.clone()?;
        match self.shows_contacts(ctx) {
            Ok(shows) => shows.then_some(Ok(PhoneNumber(mobile))),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The mobile with most digits masked, such as "+86 138****0000"; null where there is none.
    async fn mobile_masked(&self) -> Option<String> {
        self.engineer.mobile.as_ref().map(endpoint::PhoneNumber::masked)
    }

    /// The e-mail address; null where there is none, and for callers who may not see it.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<EmailAddress>> {
        let email = self.engineer.email.clone()?;
        match self.shows_contacts(ctx) {
            Ok(shows) => shows.then_some(Ok(EmailAddress(email))),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The e-mail address, masked; null where there is none.
    async fn email_masked(&self) -> Option<String> {
        self.engineer.email.as_ref().map(endpoint::EmailAddress::masked)
    }

    /// The channels: one for each of Query.channelKinds, in that order.
    async fn channels(&self) -> Result<Vec<Channel>> {
        self.list_channels().await
    }

    /// One channel.
    async fn channel(&self, #[graphql(desc = "Which one.")] kind: ChannelKind) -> Result<Channel> {
        self.find_channel(kind.into()).await
    }

    /// Whether a confirmation may be asked for on at least one channel: the Subscribe button.
    async fn subscribable(&self) -> Result<bool> {
        for channel in self.list_channels().await? {
            if channel.judge().await?.is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether they can be reached.
    async fn reachability(&self) -> Result<Reachability> {
        let channels = self.mates.channels(self.engineer.id).await?;
        Ok(engineer::Reachability::of(channels, self.engineer.is_active(), |_| false).into())
    }

    /// The changes of their channels' confirmation statuses, newest first.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments, which clients rely on")]
    async fn status_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 0 to 100; 20 where neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only entries after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Result<Connection<StatusChanges>> {
        let args = PageArgs { first, after, last, before };
        Connection::load(StatusChanges::Of(self.clone()), &args, Caller::of(ctx)?).await
    }

    /// Counts edits, and nothing else: give it back to updateEngineer so that no edit of someone else is overwritten.
    async fn version(&self) -> i32 {
        self.engineer.version
    }

    /// When they came onto the roll.
    async fn created_at(&self) -> DateTime {
        DateTime(self.engineer.created_at)
    }

    /// When they last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.engineer.updated_at)
    }

    /// When a directory sync last saw them; null for people added by hand.
    async fn synced_at(&self) -> Option<DateTime> {
        self.engineer.synced_at.map(DateTime)
    }
}

/// The roll, filtered and ordered.
pub(in crate::graphql) struct Engineers {
    pub filter: EngineerFilter,
    pub order: EngineerOrder,
}

impl Listing for Engineers {
    type Row = engineer::Engineer;
    type Node = Engineer;
    type Place = EngineerPlace;

    async fn list(&self, caller: Caller<'_>, keyset: &Keyset<EngineerPlace>) -> Result<Vec<Self::Row>> {
        Ok(caller.store().rows(caller.account()).list_engineers(&self.filter, self.order, keyset).await?)
    }

    async fn count(&self, caller: Caller<'_>) -> Result<u64> {
        Ok(caller.store().rows(caller.account()).count_engineers(&self.filter).await?)
    }

    fn place_of(&self, row: &engineer::Engineer) -> EngineerPlace {
        self.order.place_of(row)
    }

    fn show(&self, caller: Caller<'_>, rows: Vec<engineer::Engineer>) -> Vec<Engineer> {
        Mates::join(caller.services, caller.account(), rows)
    }

    fn write_place(&self, place: &EngineerPlace) -> String {
        format!("{}|{}|{}", order_name(self.order), place.id, place.value)
    }

    fn read_place(&self, text: &str) -> Option<EngineerPlace> {
        let mut parts = text.splitn(3, '|');
        let same_order = parts.next()? == order_name(self.order);
        let place = EngineerPlace { id: parts.next()?.parse().ok()?, value: parts.next()?.to_owned() };
        (same_order && is_value(self.order.field, &place.value)).then_some(place)
    }
}

/// The order's name in cursors.
const fn order_name(order: EngineerOrder) -> &'static str {
    match (order.field, order.descending) {
        (EngineerOrderField::Name, false) => "name",
        (EngineerOrderField::Name, true) => "-name",
        (EngineerOrderField::Alias, false) => "alias",
        (EngineerOrderField::Alias, true) => "-alias",
        (EngineerOrderField::UpdatedAt, false) => "updated",
        (EngineerOrderField::UpdatedAt, true) => "-updated",
        (EngineerOrderField::CreatedAt, false) => "created",
        (EngineerOrderField::CreatedAt, true) => "-created",
    }
}

/// Whether the text of a place can be a value of that field.
fn is_value(field: EngineerOrderField, text: &str) -> bool {
    match field {
        EngineerOrderField::Name | EngineerOrderField::Alias => !text.contains('\0'),
        EngineerOrderField::UpdatedAt | EngineerOrderField::CreatedAt => {
            text.parse().is_ok_and(|millis| Moment::<Utc>::from_timestamp_millis(millis).is_some())
        }
    }
}
