//! Editing an engineer: alias, language and endpoints.

use super::{
    ServiceError, Services,
    batch::{AuditNote, Batch},
    edit::{EngineerEdits, JudgedEdits, RobotEdit, judge},
};
use crate::{
    domain::{
        actor::Actor,
        audit::{AuditAction, AuditRecord},
        channel::ChannelKind,
        confirmation::{Happening, Origin},
        endpoint::{RobotSecret, Webhook},
        engineer::Engineer,
        event::{EngineerChangeKind, Event},
        id::EngineerId,
        once::Once,
        refusal::{Refusal, RefusalCode},
    },
    store::{RobotEndpoint, StoreError, Tx},
};

/// What a caller wants changed.
#[derive(Clone)]
pub struct UpdateEngineer {
    /// Whom.
    pub id: EngineerId,
    /// The version that the caller saw; `None` for unchecked.
    pub version: Option<i32>,
    /// What.
    pub edits: EngineerEdits,
}

impl Services {
    /// Edits an engineer. A new mobile asks for SMS and voice, a new e-mail address for e-mail; the same value asks for nothing.
    /// Under a key the edit is made once: gives them as they are now, `None` where they are gone since.
    ///
    /// # Errors
    /// When the input is refused, the caller may not, or the database fails.
    pub async fn update_engineer(
        &self,
        actor: &Actor,
        input: UpdateEngineer,
        once: Option<&Once>,
    ) -> Result<Option<Engineer>, ServiceError> {
        let record = self.record_of(actor, AuditAction::UpdateEngineer).on(input.id);
        self.attempt(actor, &record, Box::pin(self.update_recorded(actor, input, once, &record))).await
    }

    async fn update_recorded(
        &self,
        actor: &Actor,
        input: UpdateEngineer,
        once: Option<&Once>,
        record: &AuditRecord,
    ) -> Result<Option<Engineer>, ServiceError> {
        if !actor.can_edit(input.id) {
            return Err(self.hidden_or_forbidden(actor, input.id, "id"));
        }
        let account = self.account(&actor.account)?;
        let edits = judge(&input.edits, &account.settings).map_err(ServiceError::Refused)?;
        let mut tx = self.core.store.begin(&actor.account).await?;
        if self.claim_once(&tx, actor, once, "").await?.is_some() {
            drop(tx);
            return self.find_again(actor, input.id).await;
        }
        let mut batch = Batch::lock(&self.core, account, &tx, &[input.id], self.now()).await?;
        let Some(engineer) = batch.engineers.get(&input.id).filter(|engineer| engineer.deleted_at.is_none()) else {
            return Err(Refusal::not_found("engineer").at(&["id"]).into());
        };
        if let Some(version) = input.version.filter(|version| *version != engineer.version) {
            tracing::debug!(engineer.id = %input.id, version, "An edit was made on an old version");
            let refusal = Refusal::new(RefusalCode::VersionConflict).with("version", engineer.version);
            return Err(refusal.at(&["version"]).into());
        }
        edits.check(|kind| batch.has_robot(input.id, kind)).map_err(ServiceError::Refused)?;
        batch.audit(record.clone());
        batch.tell_of(input.id);
        let edited = edit_fields(&mut batch, input.id, edits);
        batch.lock_guards(&tx).await?;
        if let Some(edited) = edited
            && follow_edits(&mut batch, &tx, edited).await?
        {
            batch.log(Event::EngineerChanged { engineer: input.id, kind: EngineerChangeKind::Updated });
        }
        let engineer = batch.engineers.get(&input.id).cloned().ok_or_else(|| Refusal::not_found("engineer"))?;
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(engineer))
    }

    /// Who may not even see the engineer learns nothing of them.
    pub(super) fn hidden_or_forbidden(&self, actor: &Actor, id: EngineerId, field: &str) -> ServiceError {
        let code = if actor.can_view(id) { RefusalCode::NotAllowed } else { RefusalCode::NotFound };
        Refusal::new(code).with("what", "engineer").at(&[field]).into()
    }
}

/// An engineer whose fields were edited, and what their channels must still follow.
pub(super) struct Edited {
    id: EngineerId,
    counts: bool,
    mobile: bool,
    email: bool,
    fields: bool,
    robots: Vec<(ChannelKind, RobotEdit)>,
}

impl Edited {
    /// The same as part of coming onto the roll, which is no edit.
    pub fn uncounted(self) -> Self {
        Self { counts: false, ..self }
    }
}

/// Edits the fields of a locked engineer. The channels follow by [`follow_edits`], once the guards of the new endpoints are locked.
pub(super) fn edit_fields(batch: &mut Batch<'_>, id: EngineerId, edits: JudgedEdits) -> Option<Edited> {
    let engineer = batch.engineers.get_mut(&id)?;
    let before = engineer.clone();
    engineer.touched.alias |= edits.alias.apply_to(&mut engineer.alias);
    edits.locale.apply_to(&mut engineer.locale);
    engineer.touched.mobile |= edits.mobile.apply_to(&mut engineer.mobile);
    engineer.touched.email |= edits.email.apply_to(&mut engineer.email);
    let (mobile, email) = (before.mobile != engineer.mobile, before.email != engineer.email);
    Some(Edited { id, counts: true, mobile, email, fields: before != *engineer, robots: edits.robots })
}

/// Lets the channels follow an engineer's edited fields, and writes the engineer's row. Tells whether anything changed.
pub(super) async fn follow_edits(batch: &mut Batch<'_>, tx: &Tx, edited: Edited) -> Result<bool, StoreError> {
    let Edited { id, counts, mobile, email, fields, robots } = edited;
    let Some(engineer) = batch.engineers.get(&id) else { return Ok(false) };
    let (has_mobile, has_email) = (engineer.mobile.is_some(), engineer.email.is_some());
    if mobile {
        set_endpoint(batch, id, ChannelKind::Sms, has_mobile);
        set_endpoint(batch, id, ChannelKind::Voice, has_mobile);
    }
    if email {
        set_endpoint(batch, id, ChannelKind::Email, has_email);
    }
    let mut changed = Vec::new();
    for (kind, edit) in robots {
        changed.extend(edit_robot(batch, tx, id, kind, edit).await?);
    }
    if !fields && changed.is_empty() {
        return Ok(false);
    }
    if let Some(engineer) = batch.engineers.get_mut(&id) {
        engineer.version += i32::from(counts);
    }
    write(batch, tx, id, changed).await?;
    Ok(true)
}

fn set_endpoint(batch: &mut Batch<'_>, id: EngineerId, kind: ChannelKind, present: bool) {
    let origin = Origin::Person;
    let happening = if present {
        Happening::EndpointSet { request: batch.request_for_new_endpoint(id, kind), origin }
    } else {
        Happening::EndpointCleared { origin }
    };
    // A channel that is empty already stays so: that is no fault.
    let _ = batch.apply(id, kind, happening);
}

/// What a robot becomes; `None` where it stays as it is.
async fn edit_robot(
    batch: &mut Batch<'_>,
    tx: &Tx,
    id: EngineerId,
    kind: ChannelKind,
    edit: RobotEdit,
) -> Result<Option<(ChannelKind, Option<RobotEndpoint>)>, StoreError> {
    let kept = tx.rows().open_robot(id, kind).await?.and_then(|(webhook, secret)| {
        let secret = secret.and_then(|secret| RobotSecret::parse(kind, &secret).ok());
        Webhook::parse(kind, &webhook).ok().map(|webhook| RobotEndpoint { webhook, secret })
    });
    let wanted = edit.of(kept.clone());
    let same = kept == wanted;
    if same {
        return Ok(None);
    }
    note_robot(batch, id, kind, (kept.as_ref(), wanted.as_ref()));
    let origin = Origin::Person;
    let happening = match wanted {
        Some(_) => Happening::EndpointSet { request: None, origin },
        None => Happening::EndpointCleared { origin },
    };
    let _ = batch.apply(id, kind, happening);
    Ok(Some((kind, wanted)))
}

/// Tells the audit log of a chat robot's endpoint. Whether it is another one shows on neither webhook nor secret, which are masked.
fn note_robot(
    batch: &mut Batch<'_>,
    id: EngineerId,
    kind: ChannelKind,
    (kept, wanted): (Option<&RobotEndpoint>, Option<&RobotEndpoint>),
) {
    let webhook = |endpoint: Option<&RobotEndpoint>| endpoint.map(|endpoint| endpoint.webhook.masked());
    if kept.map(|kept| &kept.webhook) != wanted.map(|wanted| &wanted.webhook) {
        let field = format!("{}.endpoint", kind.name());
        batch.note(id, AuditNote { field, before: webhook(kept), after: webhook(wanted) });
    }
    let secrets = (kept.and_then(|kept| kept.secret.as_ref()), wanted.and_then(|wanted| wanted.secret.as_ref()));
    let (before, after) = match secrets {
        (None, None) => return,
        (Some(kept), Some(wanted)) if kept == wanted => return,
        (Some(_), Some(_)) => (Some("set"), Some("replaced")),
        (Some(_), None) => (Some("set"), None),
        (None, Some(_)) => (None, Some("set")),
    };
    let field = format!("{}.secret", kind.name());
    batch.note(id, AuditNote { field, before: before.map(str::to_owned), after: after.map(str::to_owned) });
}

async fn write(
    batch: &mut Batch<'_>,
    tx: &Tx,
    id: EngineerId,
    robots: Vec<(ChannelKind, Option<RobotEndpoint>)>,
) -> Result<(), StoreError> {
    let now = batch.now;
    if let Some(engineer) = batch.engineers.get_mut(&id) {
        engineer.updated_at = now;
        tx.rows().update_engineer(engineer).await?;
    }
    // The channel's row must be there before what is sealed goes into it.
    for (kind, robot) in robots {
        if let Some(channel) = batch.channel(id, kind) {
            tx.rows().save_channels(&[(id, channel)]).await?;
            tx.rows().save_robot(id, kind, robot.as_ref()).await?;
        }
    }
    Ok(())
}
