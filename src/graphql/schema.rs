//! The roots of the schema, and the schema itself.

use std::sync::Arc;

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder};

use super::{
    live::{
        confirmation::ConfirmationLive, directory_sync::DirectorySyncLive, engineer::EngineerLive,
        roster_summary::RosterSummaryLive,
    },
    mutation::{
        api_key::ApiKeyMutation, channel::ChannelMutation, confirmation::ConfirmationMutation,
        contact::ContactMutation, deletion::DeletionMutation, directory_sync::DirectorySyncMutation,
        engineer::EngineerMutation,
    },
    query::{
        api_key::ApiKeyQuery, audit_log::AuditLogQuery, channel_kind::ChannelKindQuery,
        directory_sync::DirectorySyncQuery, engineer::EngineerQuery, node::NodeQuery,
        roster_summary::RosterSummaryQuery, status_change::StatusChangeQuery, viewer::ViewerQuery,
    },
};
use crate::{auth::Authenticator, live::Live, service::Services};

/// What can be read.
///
/// Unknown ids read as null, and an id of another account reads exactly like an unknown one. Lists are Relay connections: give
/// first or last, not both; neither is first = 20; at most 100; 0 is allowed. Dates are RFC 3339 in UTC.
#[derive(MergedObject, Default)]
pub struct Query(
    ViewerQuery,
    NodeQuery,
    EngineerQuery,
    RosterSummaryQuery,
    ChannelKindQuery,
    StatusChangeQuery,
    DirectorySyncQuery,
    ApiKeyQuery,
    AuditLogQuery,
);

/// What can be changed.
///
/// Everything that a person can act on is in userErrors of the payload: a code, a sentence in the caller's language, and the field
/// concerned. Where userErrors is not empty, nothing was changed; bulk mutations tell of each thing apart in outcomes.
#[derive(MergedObject, Default)]
pub struct Mutation(
    EngineerMutation,
    DeletionMutation,
    ChannelMutation,
    ConfirmationMutation,
    ContactMutation,
    DirectorySyncMutation,
    ApiKeyMutation,
);

/// What can be followed: live streams over a WebSocket.
///
/// Each change comes once, in the order in which it was committed. A stream that breaks is resumed with the last cursor that was
/// seen as after; an error with the code CURSOR_EXPIRED means that the log no longer holds what followed.
#[derive(MergedSubscription, Default)]
pub struct Subscription(ConfirmationLive, EngineerLive, RosterSummaryLive, DirectorySyncLive);

/// The schema. Cheap to clone.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
}

/// The schema over these use cases and live streams. The authenticator checks callers again while a stream lasts.
pub fn build_schema(services: Services, live: Live, authenticator: Arc<Authenticator>) -> Schema {
    builder().data(services).data(live).data(authenticator).finish()
}

/// The schema in GraphQL's schema definition language, sorted, so that it changes only when the schema does.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by()
        .use_space_ident()
        .indent_width(2);
    let text = builder().finish().sdl_with_options(options);
    let lines: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
