//! The accept loop: HTTP/1.1 on TCP, with a deadline for the head of a request, and an end that leaves nobody half served.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

/// How long a client may take to send the head of a request, and to begin another one on a connection that is kept open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes, and what is read of a body at a time.
const READ_BUFFER: usize = 32 * 1024;

/// How long to wait before another connection is accepted when that failed: there are no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long what was sent may go without a word from the client's kernel.
const VANISHED: Duration = Duration::from_secs(45);

/// The connection that a request came on.
#[derive(Clone, Default)]
pub(super) struct Line(CancellationToken);

impl Line {
    /// Cuts the connection, whatever is still to be sent on it: its client takes nothing.
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

/// Serves the router until `drain`; then accepts nobody any more, lets every open request come to its end, and comes back when
/// the last connection is closed. What lasts long, such as a WebSocket, must end by itself on `drain`.
///
/// HTTP/2 is left to a proxy: browsers speak it over TLS alone.
pub async fn serve(listener: TcpListener, router: Router, drain: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = drain.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(serve_connection(stream, peer, router.clone(), drain.clone()));
            }
            Err(error) => {
                warn!(%error, "No connection can be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, router: Router, drain: CancellationToken) {
    let options = stream.set_nodelay(true);
    // A client that vanished is found out by the kernel.
    #[cfg(target_os = "linux")]
    let options = options.and_then(|()| SockRef::from(&stream).set_tcp_user_timeout(Some(VANISHED)));
    if let Err(error) = options {
        debug!(%error, "A connection took no options");
    }
    let service = TowerToHyperService::new(router);
    let line = Line::default();
    let cut = line.0.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(line.clone());
        let answer = service.call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(READ_BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = cut.cancelled() => return,
            }
        }
        () = cut.cancelled() => return,
    };
    if let Err(error) = ended {
        debug!(%error, "A connection ended early: {error}");
    }
}
