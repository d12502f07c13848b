//! The library's own WebSocket service, unmodified, over rollcall's own schema: what rollcall would be without a front door of its
//! own. It asks for no token and checks no rights while a stream lasts, which speaks for it.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use async_graphql_axum::GraphQLSubscription;
use axum::{Router, routing::any_service};
use futures_util::stream::BoxStream;
use rollcall::{
    domain::account::Locale,
    graphql::{Schema, Session},
};
use tokio::net::TcpListener;

use crate::{AnyResult, change::publish, roll::Roll};

/// The schema, with the caller that its resolvers ask for.
#[derive(Clone)]
struct Executed {
    schema: Schema,
    session: Session,
}

impl Executor for Executed {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request.data(self.session.clone())).await
    }

    fn execute_stream(&self, request: Request, data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        Executor::execute_stream(&self.schema, request.data(self.session.clone()), data)
    }
}

pub async fn serve() -> AnyResult<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let roll = Roll::open(address).await?;
    let changes = roll.changes();
    let session = Session { actor: roll.app.local_admin(&roll.account), locale: Locale::default(), request: None };
    let executed = Executed { schema: roll.app.gate.schema().clone(), session };
    let _live = roll.app.run_live(roll.app.drain().clone());
    let routes = Router::new().route("/graphql", any_service(GraphQLSubscription::new(executed)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    publish(address, "none", |_| changes.make()).await
}
