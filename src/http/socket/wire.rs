//! The writing side of one WebSocket: a bounded queue before a TCP stream.
//!
//! Whoever has a message writes it at once, without waking the socket's own task, as long as the connection takes it: an event
//! that goes to ten thousand sockets is ten thousand calls of the kernel and nothing else. What the connection does not take
//! waits in the queue, which the task writes on when there is room again.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Bytes;
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    sync::Notify,
    time::{Duration, Instant},
};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use crate::http::sink::{Gone, Offer};

/// From this many waiting bytes on no further result is taken, and nothing is read from the client.
const QUEUE: usize = 64 * 1024;

/// The stream and what waits for it.
pub(super) struct Wire {
    stream: TcpStream,
    queue: Mutex<Queue>,
    /// Something waits that the socket's task must write.
    waiting: Notify,
    /// There is room again, or never more.
    room: Notify,
    broken: AtomicBool,
}

#[derive(Default)]
struct Queue {
    parts: VecDeque<Bytes>,
    length: usize,
    /// How many bytes ever went into the queue, and out of it.
    entered: u64,
    left: u64,
    /// What must have left by then.
    checkpoint: Option<(u64, Instant)>,
}

impl Queue {
    fn push(&mut self, part: Bytes) {
        if part.is_empty() {
            return;
        }
        let length = part.len();
        self.length += length;
        self.entered += length as u64;
        self.parts.push_back(part);
    }

    /// The first `written` bytes are on their way.
    fn pass(&mut self, mut written: usize) {
        self.length = self.length.saturating_sub(written);
        self.left += written as u64;
        while let Some(first) = self.parts.front_mut() {
            if written < first.len() {
                let _ = first.split_to(written);
                return;
            }
            written -= first.len();
            self.parts.pop_front();
        }
        // An idle socket is to cost little.
        self.parts.shrink_to(4);
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            queue: Mutex::default(),
            waiting: Notify::new(),
            room: Notify::new(),
            broken: AtomicBool::new(false),
        }
    }

    /// The stream, for reading.
    pub(super) const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes a text message of several parts if there is room; `may_go` is asked under the lock that orders all messages.
    pub(super) fn offer(&self, head: &[u8], body: &Bytes, tail: &'static [u8], may_go: impl FnOnce() -> bool) -> Offer {
        let mut queue = self.queue();
        if self.is_broken() || !may_go() {
            return Offer::Gone;
        }
        if queue.length >= QUEUE {
            return Offer::Full;
        }
        let (frame, length) = frame_head(OpCode::Data(Data::Text), head.len() + body.len() + tail.len());
        let frame = frame.get(..length).unwrap_or_default();
        self.write_or_queue(&mut queue, [frame, head], body, tail);
        Offer::Taken
    }

    /// Writes a text message, however much waits. Callers bound how often.
    pub(super) fn send(&self, text: &str) {
        self.send_if(text, || true);
    }

    /// The same where `may_go` says so under the lock that orders all messages.
    pub(super) fn send_if(&self, text: &str, may_go: impl FnOnce() -> bool) {
        let mut queue = self.queue();
        if self.is_broken() || !may_go() {
            return;
        }
        let (frame, length) = frame_head(OpCode::Data(Data::Text), text.len());
        let frame = frame.get(..length).unwrap_or_default();
        self.write_or_queue(&mut queue, [frame, text.as_bytes()], &Bytes::new(), b"");
    }

    /// Writes a ping. A connection that holds messages back is tried by those.
    pub(super) fn ping(&self) {
        let mut queue = self.queue();
        if queue.length == 0 {
            let (frame, length) = frame_head(OpCode::Control(Control::Ping), 0);
            let frame = frame.get(..length).unwrap_or_default();
            self.write_or_queue(&mut queue, [frame, b""], &Bytes::new(), b"");
        }
    }

    /// Writes a close frame. The reason must be at most 123 bytes long (RFC 6455, section 5.5).
    pub(super) fn close(&self, code: u16, reason: &str) {
        let (frame, length) = frame_head(OpCode::Control(Control::Close), 2 + reason.len());
        let mut head = frame.get(..length).unwrap_or_default().to_vec();
        head.extend(code.to_be_bytes());
        self.write_or_queue(&mut self.queue(), [&head, reason.as_bytes()], &Bytes::new(), b"");
    }

    /// Writes bytes that are frames already.
    pub(super) fn send_frames(&self, frames: &[u8]) {
        self.write_or_queue(&mut self.queue(), [frames, b""], &Bytes::new(), b"");
    }

    /// Waits until a message may be offered.
    pub(super) async fn ready(&self) -> Result<(), Gone> {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            if self.is_broken() {
                return Err(Gone);
            }
            if self.has_room() {
                return Ok(());
            }
            room.await;
        }
    }

    /// Whether a message may be offered.
    pub(super) fn has_room(&self) -> bool {
        self.queue().length < QUEUE
    }

    /// Whether all of it is on its way.
    pub(super) fn is_drained(&self) -> bool {
        self.queue().length == 0
    }

    /// Waits until something was queued that [`Wire::flush`] must write.
    pub(super) async fn queued(&self) {
        self.waiting.notified().await;
    }

    /// Writes what waits, as far as the connection takes it.
    pub(super) fn flush(&self) -> io::Result<()> {
        let mut queue = self.queue();
        while queue.length > 0 {
            let slices: Vec<_> = queue.parts.iter().take(16).map(|part| IoSlice::new(part)).collect();
            match self.stream.try_write_vectored(&slices) {
                Ok(written) => queue.pass(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    drop(queue);
                    self.give_up();
                    return Err(error);
                }
            }
        }
        let has_room = queue.length < QUEUE;
        drop(queue);
        if has_room {
            self.room.notify_waiters();
        }
        Ok(())
    }

    /// Whether something waited for that long without getting away. Every byte must, not only the first: a client that takes one
    /// byte at a time is stalled as well.
    pub(super) fn is_stalled(&self, now: Instant, patience: Duration) -> bool {
        let mut queue = self.queue();
        if queue.length == 0 {
            queue.checkpoint = None;
            return false;
        }
        match queue.checkpoint {
            Some((wanted, since)) if queue.left < wanted => now.duration_since(since) >= patience,
            Some(_) | None => {
                queue.checkpoint = Some((queue.entered, now));
                false
            }
        }
    }

    /// Tells the client that nothing more comes, and goes on reading.
    pub(super) fn end_writing(&self) {
        // Who has gone already need not be told.
        drop(SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write));
    }

    /// Nothing is written any more; who waits for room is told.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
        self.room.notify_waiters();
        self.waiting.notify_one();
    }

    /// Whether nothing is written any more.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Writes the parts, those of the frame's head first, in one call of the kernel where nothing waits before them, and queues the
    /// rest: the body shared with everyone who gets it.
    fn write_or_queue(&self, queue: &mut Queue, [frame, head]: [&[u8]; 2], body: &Bytes, tail: &'static [u8]) {
        let mut written = 0;
        if queue.length == 0 {
            // A few hundred bytes are copied sooner than the kernel takes a list of four parts. And the kernel is asked itself, not the
            // runtime's notes of what it said last, which for ten thousand sockets are in no cache: the task that writes on keeps them.
            let message = [frame, head, body, tail].concat();
            match SockRef::from(&self.stream).send(&message) {
                Ok(count) if count == message.len() => return,
                Ok(count) => written = count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.give_up(),
            }
        }
        let small = [frame, head].concat();
        for part in [Bytes::from(small), body.clone(), Bytes::from_static(tail)] {
            let skipped = written.min(part.len());
            written -= skipped;
            queue.push(part.slice(skipped..));
        }
        self.waiting.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that holds the lock can leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of an unfragmented frame from a server, and its length.
fn frame_head(opcode: OpCode, payload: usize) -> ([u8; 10], usize) {
    let mut head = [0; 10];
    let mut rest = head.as_mut_slice();
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    // Ten bytes hold every head without a mask (RFC 6455, section 5.2).
    let written = header.format(payload as u64, &mut rest).map_or(0, |()| 10 - rest.len());
    (head, written)
}
