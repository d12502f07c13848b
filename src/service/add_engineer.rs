//! Adding someone whom no directory lists.

use super::{
    ServiceError, Services,
    batch::Batch,
    edit::{EngineerEdits, JudgedEdits, judge, refuse_endpoint},
    update_engineer::{edit_fields, follow_edits},
};
use crate::domain::{
    account::AccountSettings,
    actor::{Actor, Permission},
    audit::{AuditAction, AuditRecord},
    endpoint::Reason,
    engineer::{Engineer, MAX_NAME, UserType},
    event::{EngineerChangeKind, Event},
    id::EngineerId,
    once::Once,
    refusal::{Refusal, RefusalCode},
    text::clean_text,
};

/// Someone to add.
#[derive(Clone)]
pub struct AddEngineer {
    /// The user name, as the cloud shows it.
    pub name: String,
    /// The kind of user.
    pub user_type: UserType,
    /// The identity provider of a federated user.
    pub identity_provider: Option<String>,
    /// Alias, language and endpoints.
    pub edits: EngineerEdits,
}

impl Services {
    /// Adds someone by hand. What they bring is asked for like an edit. Under a key they are added once: gives them as they are now,
    /// `None` where they are gone since.
    ///
    /// # Errors
    /// When the input is refused, the caller may not, or the database fails.
    pub async fn add_engineer(
        &self,
        actor: &Actor,
        input: AddEngineer,
        once: Option<&Once>,
    ) -> Result<Option<Engineer>, ServiceError> {
        let record = self.record_of(actor, AuditAction::AddEngineer);
        self.attempt(actor, &record, Box::pin(self.add_recorded(actor, input, once, &record))).await
    }

    async fn add_recorded(
        &self,
        actor: &Actor,
        input: AddEngineer,
        once: Option<&Once>,
        record: &AuditRecord,
    ) -> Result<Option<Engineer>, ServiceError> {
        if actor.require(Permission::EditEngineers).is_err() {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let account = self.account(&actor.account)?;
        let Newcomer { name, identity_provider, edits } =
            judge_newcomer(&input, &account.settings).map_err(ServiceError::Refused)?;
        let now = self.now();
        let id = EngineerId::generate(now, self.chance());
        let mut tx = self.core.store.begin(&actor.account).await?;
        if let Some(added) = self.claim_once(&tx, actor, once, &id.to_string()).await? {
            drop(tx);
            return match added.parse() {
                Ok(added) => self.find_again(actor, added).await,
                Err(_) => Ok(None),
            };
        }
        tx.lock_name(&name).await?;
        if tx.rows().is_added_by_hand(&name, identity_provider.as_deref()).await? {
            return Err(Refusal::new(RefusalCode::AlreadyExists).at(&["name"]).into());
        }
        let mut engineer = Engineer::new(id, name, input.user_type, now);
        engineer.identity_provider = identity_provider;
        tx.rows().insert_engineers(std::slice::from_ref(&engineer)).await?;
        let mut batch = Batch::empty(&self.core, account, now);
        batch.audit(record.clone());
        batch.tell_of(id);
        batch.log(Event::EngineerChanged { engineer: id, kind: EngineerChangeKind::Created });
        batch.add(engineer.clone());
        let edited = edit_fields(&mut batch, id, edits);
        batch.lock_guards(&tx).await?;
        if let Some(edited) = edited {
            follow_edits(&mut batch, &tx, edited.uncounted()).await?;
        }
        let engineer = batch.engineers.get(&id).cloned().unwrap_or(engineer);
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(engineer))
    }
}

/// Someone whose texts are judged.
struct Newcomer {
    name: String,
    identity_provider: Option<String>,
    edits: JudgedEdits,
}

/// Judges everything of the input, so that the caller learns of everything wrong at once.
fn judge_newcomer(input: &AddEngineer, settings: &AccountSettings) -> Result<Newcomer, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut keep = |text: &str, field: &str| {
        let judged = match clean_text(text, MAX_NAME) {
            Ok(text) if text.is_empty() => Err(Refusal::new(RefusalCode::InvalidValue).because(Reason::Empty)),
            Ok(text) => Ok(text),
            Err(error) => Err(refuse_endpoint(error)),
        };
        judged.map_err(|refusal| refusals.push(refusal.at(&[field]))).ok()
    };
    let name = keep(&input.name, "name");
    let identity_provider = input.identity_provider.as_deref().and_then(|text| keep(text, "identityProvider"));
    if input.user_type == UserType::VirtualUserSso && input.identity_provider.is_none() {
        let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::ProviderNeeded);
        refusals.push(refusal.at(&["identityProvider"]));
    }
    let judged = judge(&input.edits, settings);
    match (name, judged.and_then(|edits| edits.check(|_| false).map(|()| edits))) {
        (Some(name), Ok(edits)) if refusals.is_empty() => Ok(Newcomer { name, identity_provider, edits }),
        (_, Ok(_)) => Err(refusals),
        (_, Err(more)) => Err([refusals, more].concat()),
    }
}
