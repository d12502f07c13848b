//! A bare axum broadcast: the frame is made once for each change, and a task for each socket sends it. Knows no GraphQL.

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    response::Response,
    routing::get,
};
use tokio::{net::TcpListener, sync::broadcast};

use crate::{
    AnyResult,
    change::{ENGINEER, cursor, publish},
};

pub async fn serve() -> AnyResult<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (sender, _) = broadcast::channel::<Utf8Bytes>(1024);
    let routes = Router::new().route("/graphql", get(upgrade)).with_state(sender.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    publish(address, "none", |number| {
        // Nobody listens before the first client came.
        drop(sender.send(frame(number).into()));
        async { Ok(()) }
    })
    .await
}

async fn upgrade(State(sender): State<broadcast::Sender<Utf8Bytes>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["graphql-transport-ws"])
        .read_buffer_size(4096)
        .on_upgrade(move |socket| async move { drop(tell(socket, sender.subscribe()).await) })
}

async fn tell(mut socket: WebSocket, mut frames: broadcast::Receiver<Utf8Bytes>) -> AnyResult<()> {
    // `connection_init` and `subscribe`.
    socket.recv().await;
    socket.send(Message::Text(r#"{"type":"connection_ack"}"#.into())).await?;
    socket.recv().await;
    loop {
        socket.send(Message::Text(frames.recv().await?)).await?;
    }
}

fn frame(number: u32) -> String {
    let cursor = cursor(number);
    format!(
        r#"{{"id":"1","type":"next","payload":{{"data":{{"confirmationStatusChanged":{{"id":"{ENGINEER}","cursor":"{cursor}","occurredAt":"2026-01-01T00:00:00.000Z","engineerId":"{ENGINEER}","channel":"EMAIL","from":"PENDING","to":"CONFIRMED","cause":"LINK"}}}}}}}}"#
    )
}
