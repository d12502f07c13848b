//! One operation of a socket.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use axum::body::Bytes;
use tokio::task::AbortHandle;

use super::{
    message::{self, NEXT_TAIL},
    socket::Socket,
};
use crate::http::{
    groups::Membership,
    sink::{Ending, Gone, Offer, Sink},
};

/// One operation. Its results go out only while it is open, so that nothing of it reaches a later operation of the same id.
pub(super) struct Operation {
    socket: Arc<Socket>,
    id: Box<str>,
    head: Box<[u8]>,
    open: AtomicBool,
    running: Mutex<Running>,
}

/// What keeps an operation going.
#[derive(Default)]
enum Running {
    #[default]
    Nothing,
    /// A task of its own.
    Task(AbortHandle),
    /// The group whose results it gets.
    Member(#[expect(dead_code, reason = "held until the operation ends: dropping it leaves the group")] Membership),
}

impl Operation {
    pub(super) fn new(socket: Arc<Socket>, id: &str) -> Self {
        Self {
            socket,
            id: id.into(),
            head: message::next_head(id),
            open: AtomicBool::new(true),
            running: Mutex::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The task that runs it.
    pub(super) fn runs_as(&self, task: AbortHandle) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // The task may have been so quick that it ended, or became a member, before this is told.
        if self.is_open() && matches!(*running, Running::Nothing) {
            *running = Running::Task(task);
        }
    }

    /// The group that it belongs to from now on.
    pub(super) fn joined(&self, membership: Membership) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_open() {
            *running = Running::Member(membership);
        }
    }

    /// The client wants no more of it, or is gone.
    pub(super) fn cancel(&self) {
        self.open.store(false, Ordering::Release);
        if let Running::Task(task) = self.stop_running() {
            task.abort();
        }
    }

    fn stop_running(&self) -> Running {
        std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

#[async_trait]
impl Sink for Operation {
    fn offer(&self, result: &Bytes) -> Offer {
        self.socket.wire().offer(&self.head, result, NEXT_TAIL, || self.is_open())
    }

    async fn ready(&self) -> Result<(), Gone> {
        self.socket.wire().ready().await?;
        if self.is_open() { Ok(()) } else { Err(Gone) }
    }

    fn end(&self, ending: &Ending) {
        let text = match ending {
            Ending::Complete => message::complete(&self.id),
            Ending::Failed(failure) => message::error(&self.id, &failure.errors),
        };
        // Closed before it is told: the client may use the id again at once.
        self.socket.forget(self);
        self.socket.wire().send_if(&text, || self.open.swap(false, Ordering::AcqRel));
        // Also where nothing is written any more.
        self.open.store(false, Ordering::Release);
        // A membership holds its operation, so it must not be held by it any longer.
        drop(self.stop_running());
    }
}
