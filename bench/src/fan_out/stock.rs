//! The library's own WebSocket service, as its documentation shows it: `GraphQLSubscription` over a schema with the same fields.
//! Its changes come from memory, without database, rights or filters, which speaks for it.

use async_graphql::{EmptyMutation, Enum, ID, InputObject, Object, Schema, SimpleObject, Subscription};
use async_graphql_axum::GraphQLSubscription;
use axum::{Router, routing::any_service};
use futures_util::{Stream, StreamExt, stream};
use tokio::{net::TcpListener, sync::broadcast};

use crate::{
    AnyResult,
    change::{ENGINEER, cursor, publish},
};

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum ChannelKind {
    Email,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum ConfirmationStatus {
    Pending,
    Confirmed,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum StatusChangeCause {
    Link,
}

#[derive(Clone, SimpleObject)]
struct StatusChange {
    id: ID,
    cursor: String,
    occurred_at: String,
    engineer_id: ID,
    channel: ChannelKind,
    from: ConfirmationStatus,
    to: ConfirmationStatus,
    cause: StatusChangeCause,
}

#[derive(InputObject)]
struct StatusChangeFilter {
    engineer_ids: Option<Vec<ID>>,
}

struct Query;

#[Object]
impl Query {
    async fn nothing(&self) -> bool {
        true
    }
}

struct Changes(broadcast::Sender<StatusChange>);

#[Subscription]
impl Changes {
    async fn confirmation_status_changed(
        &self,
        filter: Option<StatusChangeFilter>,
    ) -> impl Stream<Item = StatusChange> + use<> {
        let wanted = filter.and_then(|filter| filter.engineer_ids);
        let changes = stream::unfold(self.0.subscribe(), |mut changes| async move {
            let change = changes.recv().await.ok()?;
            Some((change, changes))
        });
        changes.filter(move |change| {
            let wants = wanted.as_ref().is_none_or(|ids| ids.contains(&change.engineer_id));
            async move { wants }
        })
    }
}

pub async fn serve() -> AnyResult<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (sender, _) = broadcast::channel(1024);
    let schema = Schema::new(Query, EmptyMutation, Changes(sender.clone()));
    let routes = Router::new().route("/graphql", any_service(GraphQLSubscription::new(schema)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    publish(address, "none", |number| {
        // Nobody listens before the first client came.
        drop(sender.send(change(number)));
        async { Ok(()) }
    })
    .await
}

fn change(number: u32) -> StatusChange {
    let engineer = ID(ENGINEER.to_string());
    StatusChange {
        id: engineer.clone(),
        cursor: cursor(number),
        occurred_at: "2026-01-01T00:00:00.000Z".to_owned(),
        engineer_id: engineer,
        channel: ChannelKind::Email,
        from: ConfirmationStatus::Pending,
        to: ConfirmationStatus::Confirmed,
        cause: StatusChangeCause::Link,
    }
}
