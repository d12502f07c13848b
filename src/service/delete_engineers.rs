//! Deleting people from the roll, and taking that back. Use stops at once; erasing comes later.

use super::{CHUNK, ServiceError, Services, erase::erase};
use crate::domain::{
    actor::{Actor, Permission},
    audit::{AuditAction, AuditRecord, Portrait},
    event::{EngineerChangeKind, Event},
    id::EngineerId,
    refusal::{Refusal, RefusalCode},
};

/// What became of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemOutcome {
    /// Who.
    pub engineer: EngineerId,
    /// Why nothing was done.
    pub refusal: Option<Refusal>,
}

impl Services {
    /// Deletes people: they are hidden at once, and erased after the account's `erase_after`, or now.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn delete_engineers(
        &self,
        actor: &Actor,
        ids: &[EngineerId],
        erase_now: bool,
    ) -> Result<Vec<ItemOutcome>, ServiceError> {
        let mut record = self.record_of(actor, AuditAction::DeleteEngineers);
        if erase_now {
            record = record.with("erased", "true");
        }
        let deleting = Box::pin(self.delete_recorded(actor, ids, erase_now, &record));
        self.attempt(actor, &record.on_only(ids), deleting).await
    }

    async fn delete_recorded(
        &self,
        actor: &Actor,
        ids: &[EngineerId],
        erase_now: bool,
        record: &AuditRecord,
    ) -> Result<Vec<ItemOutcome>, ServiceError> {
        let allowed = actor.may(Permission::DeleteEngineers) && (!erase_now || actor.may(Permission::EraseEngineers));
        if !allowed {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let account = self.account(&actor.account)?;
        let now = self.now();
        let mut outcomes = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut tx = self.core.store.begin(&actor.account).await?;
            let mut locked = tx.rows().lock_engineers(chunk).await?;
            let (mut deleted, mut hidden) = (Vec::new(), Vec::new());
            for id in chunk {
                // Whoever is deleted already can still be erased.
                let present = locked.get_mut(id).filter(|engineer| erase_now || engineer.deleted_at.is_none());
                let refusal = present.is_none().then(|| Refusal::not_found("engineer"));
                if let Some(engineer) = present {
                    let before = Portrait::of(engineer, &[]);
                    if engineer.deleted_at.is_none() {
                        engineer.deleted_at = Some(now);
                        engineer.updated_at = now;
                        tx.rows().update_engineer(engineer).await?;
                        hidden.push(*id);
                    }
                    deleted.push(*id);
                    let changed = Portrait::compare(&before, &Portrait::of(engineer, &[]));
                    tx.record(record.on(*id).changed(changed), self.chance());
                } else {
                    tx.record(record.on(*id).refused(RefusalCode::NotFound.name()), self.chance());
                }
                outcomes.push(ItemOutcome { engineer: *id, refusal });
            }
            tx.rows().set_erase_at(&hidden, Some(now + account.settings.erase_after)).await?;
            for id in &hidden {
                let event = Event::EngineerChanged { engineer: *id, kind: EngineerChangeKind::Deleted };
                tx.log(event, now, self.chance());
            }
            if erase_now {
                erase(&tx, &deleted, now).await?;
            }
            tx.commit().await?;
        }
        if erase_now {
            self.core.store.checkpoint().await?;
        }
        Ok(outcomes)
    }

    /// Brings deleted people back with everything that they had, as long as they are not erased.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn restore_engineers(&self, actor: &Actor, ids: &[EngineerId]) -> Result<Vec<ItemOutcome>, ServiceError> {
        let record = self.record_of(actor, AuditAction::RestoreEngineers);
        self.attempt(actor, &record.on_only(ids), Box::pin(self.restore_recorded(actor, ids, &record))).await
    }

    async fn restore_recorded(
        &self,
        actor: &Actor,
        ids: &[EngineerId],
        record: &AuditRecord,
    ) -> Result<Vec<ItemOutcome>, ServiceError> {
        if !actor.may(Permission::DeleteEngineers) {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let now = self.now();
        let mut outcomes = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let mut tx = self.core.store.begin(&actor.account).await?;
            let mut locked = tx.rows().lock_engineers(chunk).await?;
            let mut restored = Vec::new();
            for id in chunk {
                let deleted = locked.get_mut(id).filter(|engineer| engineer.deleted_at.is_some());
                let refusal = deleted.is_none().then(|| Refusal::not_found("deleted engineer"));
                if let Some(engineer) = deleted {
                    let before = Portrait::of(engineer, &[]);
                    engineer.deleted_at = None;
                    engineer.updated_at = now;
                    let changed = Portrait::compare(&before, &Portrait::of(engineer, &[]));
                    tx.record(record.on(*id).changed(changed), self.chance());
                    tx.rows().update_engineer(engineer).await?;
                    let event = Event::EngineerChanged { engineer: *id, kind: EngineerChangeKind::Created };
                    restored.push((*id, event));
                } else {
                    tx.record(record.on(*id).refused(RefusalCode::NotFound.name()), self.chance());
                }
                outcomes.push(ItemOutcome { engineer: *id, refusal });
            }
            let back: Vec<_> = restored.iter().map(|(id, _)| *id).collect();
            tx.rows().set_erase_at(&back, None).await?;
            for (_, event) in restored {
                tx.log(event, now, self.chance());
            }
            tx.commit().await?;
        }
        Ok(outcomes)
    }
}
