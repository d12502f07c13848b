//! The task of one socket: it reads, keeps the protocol's order, and writes what its operations could not write at once.

use std::{io, sync::Arc};

use tokio::time::{Duration, Instant, sleep_until};
use tungstenite::{
    Error as WebSocketError, Message,
    error::ProtocolError,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

use super::{
    init::Handshake,
    message::{self, CONNECTION_ACK, ClientMessage, InvalidMessage},
    run,
    socket::{NotOpened, Socket},
    wire::Wire,
};
use crate::{
    graphql::{Call, ErrorCode, Fault, Session},
    http::{
        HttpState,
        result::Failure,
        sessions::{OpenSession, Place, TooMany},
    },
    metrics::Counted,
};

/// What a socket reads at a time, in bytes. Most clients send little, and there may be thousands.
const READ_BUFFER: usize = 1024;

/// How many messages are read in one go, before others have their turn.
const TURN: usize = 32;

/// How often it is looked whether a connection that holds messages back takes them.
const LOOK: Duration = Duration::from_secs(5);

/// How long a client has to answer a close frame.
const CLOSING: Duration = Duration::from_secs(5);

/// One socket, as its task has it.
pub(super) struct Connection {
    state: Arc<HttpState>,
    socket: Arc<Socket>,
    protocol: WebSocketContext,
    handshake: Option<Handshake>,
    phase: Phase,
    ping_at: Instant,
    /// When the socket is closed because the server stops.
    leave_at: Option<Instant>,
    /// What comes is no WebSocket any more, and is thrown away.
    deaf: bool,
    place: Place,
    _counted: Counted,
}

/// How far the socket is.
enum Phase {
    /// There was no `connection_init` yet; until then there must be.
    New { until: Instant },
    /// The caller is known.
    Open { session: Arc<Session>, place: OpenSession },
    /// A close frame is on its way; until then the client has time to answer.
    Closing { until: Instant },
    /// There is nobody any more.
    Ended,
}

impl Connection {
    /// A socket that was just opened. `begun` is what the client sent already.
    pub(super) fn new(state: Arc<HttpState>, wire: Wire, handshake: Handshake, place: Place, begun: &[u8]) -> Self {
        let limits = &state.sockets;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(limits.max_message))
            .max_frame_size(Some(limits.max_message));
        let now = Instant::now();
        Self {
            protocol: WebSocketContext::from_partially_read(begun.to_vec(), Role::Server, Some(config)),
            socket: Arc::new(Socket::new(wire)),
            handshake: Some(handshake),
            phase: Phase::New { until: now + limits.init_timeout },
            ping_at: now + limits.ping_every,
            leave_at: None,
            deaf: false,
            place,
            _counted: state.metrics.open_socket(),
            state,
        }
    }

    /// Tells a client that speaks another protocol, or none.
    pub(super) async fn refuse_protocol(mut self: Box<Self>) {
        self.close(4406, "Subprotocol not acceptable");
        self.serve().await;
    }

    /// Serves the socket to its end.
    pub(super) async fn serve(mut self: Box<Self>) {
        // What came with the handshake does not make the connection readable.
        self.read().await;
        let socket = Arc::clone(&self.socket);
        let wire = socket.wire();
        let drain = self.state.drain.clone();
        while !matches!(self.phase, Phase::Ended) && !wire.is_broken() {
            let wake_at = self.wake_at();
            tokio::select! {
                readable = wire.stream().readable(), if wire.has_room() => match readable {
                    Ok(()) => self.read().await,
                    Err(_) => break,
                },
                writable = wire.stream().writable(), if !wire.is_drained() => {
                    if writable.is_err() || wire.flush().is_err() {
                        break;
                    }
                }
                () = wire.queued() => {}
                () = sleep_until(wake_at) => self.tick(),
                () = self.rights_ended() => self.close(4403, "Forbidden"),
                () = drain.cancelled(), if self.leave_at.is_none() => self.leave_soon(),
            }
        }
        socket.cancel_all();
        wire.give_up();
    }

    /// When something is due, whatever happens.
    fn wake_at(&self) -> Instant {
        let due = match self.phase {
            Phase::New { until } | Phase::Closing { until } => until,
            Phase::Open { .. } => self.ping_at,
            Phase::Ended => Instant::now(),
        };
        let due = self.leave_at.filter(|_| !self.is_closing()).map_or(due, |leave| due.min(leave));
        if self.socket.wire().is_drained() { due } else { due.min(Instant::now() + LOOK) }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if self.socket.wire().is_stalled(now, self.state.sockets.stall_timeout) {
            self.phase = Phase::Ended;
            return;
        }
        if self.leave_at.is_some_and(|leave| now >= leave) {
            self.close(1001, "The server stops; connect again");
        }
        match self.phase {
            Phase::New { until } if now >= until => self.close(4408, "Connection initialisation timeout"),
            Phase::Closing { until } if now >= until => self.phase = Phase::Ended,
            Phase::Open { .. } if now >= self.ping_at => {
                self.socket.wire().ping();
                self.ping_at = now + self.state.sockets.ping_every;
            }
            Phase::New { .. } | Phase::Open { .. } | Phase::Closing { .. } | Phase::Ended => {}
        }
    }

    async fn rights_ended(&self) {
        match &self.phase {
            Phase::Open { place, .. } => place.ended().await,
            Phase::New { .. } | Phase::Closing { .. } | Phase::Ended => std::future::pending().await,
        }
    }

    /// The server stops.
    fn leave_soon(&mut self) {
        self.leave_at = Some(Instant::now() + self.place.stays_for());
    }

    fn close(&mut self, code: u16, reason: &str) {
        if self.is_closing() {
            return;
        }
        self.socket.cancel_all();
        self.socket.wire().close(code, reason);
        self.state.metrics.count_closed_socket(code);
        self.phase = Phase::Closing { until: Instant::now() + CLOSING };
    }

    fn is_closing(&self) -> bool {
        match self.phase {
            Phase::New { .. } | Phase::Open { .. } => false,
            Phase::Closing { .. } | Phase::Ended => true,
        }
    }

    /// Reads what has come, as far as it is this socket's turn.
    async fn read(&mut self) {
        if self.deaf {
            return self.throw_away();
        }
        for _ in 0..TURN {
            let read = self.protocol.read(&mut Adapter(self.socket.wire()));
            match read {
                Ok(Message::Text(text)) => self.hear(text.as_str()).await,
                Ok(Message::Binary(_)) => self.close(4400, "Messages must be text"),
                // A pong is made by the library, and written when it is asked to read again.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => return self.answer_close(),
                Err(WebSocketError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.break_off(&error),
            }
            if matches!(self.phase, Phase::Ended) || !self.socket.wire().has_room() {
                return;
            }
        }
    }

    /// The client closes, or has answered our close frame.
    fn answer_close(&mut self) {
        if !matches!(self.phase, Phase::Closing { .. }) {
            // The library has the answer ready.
            drop(self.protocol.flush(&mut Adapter(self.socket.wire())));
            drop(self.socket.wire().flush());
        }
        self.phase = Phase::Ended;
    }

    /// What came is no WebSocket.
    fn break_off(&mut self, error: &WebSocketError) {
        let (code, reason) = match error {
            WebSocketError::Capacity(_) => (1009, "Message too big"),
            WebSocketError::Utf8(_) => (1007, "Text must be UTF-8"),
            WebSocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WebSocketError::Io(_) => {
                self.phase = Phase::Ended;
                return;
            }
            _ => (1002, "Protocol error"),
        };
        self.close(code, reason);
        self.deaf = true;
    }

    /// What a client sends that cannot be understood is taken from the connection all the same: one that is ended with bytes unread
    /// is reset, and the client never sees the close frame.
    fn throw_away(&mut self) {
        let wire = self.socket.wire();
        if wire.is_drained() {
            wire.end_writing();
        }
        let mut bytes = [0; 8192];
        for _ in 0..TURN {
            match wire.stream().try_read(&mut bytes) {
                Ok(0) => self.phase = Phase::Ended,
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.phase = Phase::Ended,
            }
            return;
        }
    }

    /// One message of the client.
    async fn hear(&mut self, text: &str) {
        if self.is_closing() {
            return;
        }
        match ClientMessage::parse(text) {
            // Boxed, for a socket needs the room but once.
            Ok(ClientMessage::ConnectionInit { payload }) => Box::pin(self.init(payload.into())).await,
            Ok(ClientMessage::Ping { payload }) => self.socket.wire().send(&message::pong(payload)),
            Ok(ClientMessage::Pong) => {}
            Ok(ClientMessage::Subscribe { id, call }) => self.subscribe(&id, call),
            Ok(ClientMessage::Complete { id }) => self.socket.cancel(&id),
            Err(InvalidMessage(reason)) => self.close(4400, reason),
        }
    }

    async fn init(&mut self, payload: serde_json::Value) {
        let Some(handshake) = self.handshake.take() else {
            return self.close(4429, "Too many initialisation requests");
        };
        let language = handshake.read_language(&payload);
        let actor = match handshake.let_in(&self.state, &payload).await {
            Ok(actor) => Arc::new(actor),
            Err((code, reason)) => return self.close(code, reason),
        };
        let place = match self.state.sessions.open(Arc::clone(&actor)) {
            Ok(place) => place,
            Err(TooMany(reason)) => return self.close(1013, reason),
        };
        let session = Session { actor: (*actor).clone(), locale: language, request: handshake.context };
        self.phase = Phase::Open { session: Arc::new(session), place };
        self.socket.wire().send(CONNECTION_ACK);
    }

    fn subscribe(&mut self, id: &str, call: Call) {
        let Phase::Open { session, .. } = &self.phase else { return self.close(4401, "Unauthorized") };
        let limit = self.state.sockets.operations;
        match self.socket.begin(id, limit) {
            Ok(operation) => run::start(&self.state, Arc::clone(session), operation, call),
            Err(NotOpened::InUse) => self.close(4409, "Subscriber for this id already exists"),
            Err(NotOpened::TooMany) => {
                let text =
                    format!("A socket carries at most {limit} operations at once; end one, or open another socket.");
                let failure = Failure::from(Fault::new(ErrorCode::RateLimited, text));
                self.socket.wire().send(&message::error(id, &failure.errors));
            }
        }
    }
}

/// The stream as the library wants it: reading never waits, and what the library has to say goes through the queue.
struct Adapter<'a>(&'a Wire);

impl io::Read for Adapter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.stream().try_read(buffer)
    }
}

impl io::Write for Adapter<'_> {
    fn write(&mut self, frames: &[u8]) -> io::Result<usize> {
        self.0.send_frames(frames);
        Ok(frames.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
