//! What goes into the audit log. What is done commits together with its entry; what is refused has an entry of its own.

use super::{ServiceError, Services, import::ImportError};
use crate::{
    domain::{
        actor::{Actor, Permission},
        audit::{AuditAction, AuditActor, AuditRecord},
        id::{AccountId, EngineerId},
        request::RequestContext,
    },
    service::subscribe_channels::ChannelOutcome,
    store::{StoreError, Tx},
};

/// The code of a refusal that the caller's roles lead to where it is no `userError`.
const FORBIDDEN: &str = "FORBIDDEN";

/// The code for a file of bulk edits that cannot be read as one.
const BAD_FILE: &str = "BAD_FILE";

impl Services {
    /// The same use cases, for what this request asks: it is what the audit log names.
    #[must_use]
    pub fn for_request(&self, request: Option<RequestContext>) -> Self {
        Self { request, ..self.clone() }
    }

    /// Lets those in who may exchange the roll as files.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn admit_exchange(&self, actor: &Actor, action: AuditAction) -> Result<(), ServiceError> {
        let admitted = actor.require(Permission::ExchangeFiles).map_err(ServiceError::from);
        self.note_refusal(actor, &self.record_of(actor, action), &admitted).await;
        admitted
    }

    /// An entry for something that is done now.
    pub(super) fn record_of(&self, actor: impl Into<AuditActor>, action: AuditAction) -> AuditRecord {
        AuditRecord { request: self.request, ..AuditRecord::new(actor.into(), action, self.now()) }
    }

    /// Tries what a caller asks for, and records if it is refused. What is done is recorded where it is done.
    pub(super) async fn attempt<T>(
        &self,
        actor: &Actor,
        record: &AuditRecord,
        attempt: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        let done = attempt.await;
        self.note_refusal(actor, record, &done).await;
        done
    }

    /// Records an import that was refused as a whole.
    pub(super) async fn note_refused_import<T>(
        &self,
        actor: &Actor,
        record: &AuditRecord,
        done: &Result<T, ImportError>,
    ) {
        let code = match done {
            Ok(_) => None,
            Err(ImportError::File(_)) => Some(BAD_FILE),
            Err(ImportError::Service(error)) => code_of(error),
        };
        if let Some(code) = code {
            self.record_refusal(&actor.account, record.refused(code)).await;
        }
    }

    async fn note_refusal<T>(&self, actor: &Actor, record: &AuditRecord, done: &Result<T, ServiceError>) {
        if let Some(code) = done.as_ref().err().and_then(code_of) {
            self.record_refusal(&actor.account, record.refused(code)).await;
        }
    }

    /// Records what was refused. The caller is told of the refusal even if that fails: nothing was done.
    pub(super) async fn record_refusal(&self, account: &AccountId, record: AuditRecord) {
        let action = record.action.name();
        if let Err(error) = self.record_alone(account, record).await {
            tracing::error!(%error, action, "A refusal is not in the audit log: {error}");
        }
    }

    /// Records what changes nothing else.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn record_alone(&self, account: &AccountId, record: AuditRecord) -> Result<(), StoreError> {
        let mut tx = self.core.store.begin(account).await?;
        tx.record(record, self.chance());
        tx.commit().await.map(drop)
    }

    /// An entry for a bulk mutation that concerned nobody.
    pub(super) fn nobody(&self, actor: &Actor, action: AuditAction) -> AuditRecord {
        self.record_of(actor, action).with("count", "0")
    }

    /// Records a bulk mutation that concerned nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn record_nobody(&self, actor: &Actor, action: AuditAction) -> Result<(), StoreError> {
        self.record_alone(&actor.account, self.nobody(actor, action)).await
    }

    /// Records those of a chunk for whom all was refused, and a chunk in which there was nothing to do. Gives the others, for whom
    /// something was done.
    pub(super) fn record_outcomes(
        &self,
        tx: &mut Tx,
        record: &AuditRecord,
        outcomes: &[ChannelOutcome],
    ) -> Vec<EngineerId> {
        if outcomes.is_empty() {
            tx.record(record.with("count", "0"), self.chance());
        }
        let mut done = Vec::new();
        for of_one in outcomes.chunk_by(|one, next| one.engineer == next.engineer) {
            let mut codes = of_one.iter().map(|outcome| outcome.refusal.as_ref().map(|refusal| refusal.code));
            match (of_one.first(), codes.next().flatten(), codes.all(|code| code.is_some())) {
                (Some(outcome), Some(code), true) => {
                    tx.record(record.on(outcome.engineer).refused(code.name()), self.chance());
                }
                (Some(outcome), _, _) => done.push(outcome.engineer),
                (None, _, _) => {}
            }
        }
        done
    }
}

/// The code of a refusal; `None` for a fault.
fn code_of(error: &ServiceError) -> Option<&'static str> {
    match error {
        ServiceError::Refused(refusals) => Some(refusals.first().map_or(FORBIDDEN, |refusal| refusal.code.name())),
        ServiceError::Forbidden(_) => Some(FORBIDDEN),
        ServiceError::Store(_) | ServiceError::UnknownAccount => None,
    }
}
