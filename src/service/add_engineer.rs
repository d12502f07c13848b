//! Adding someone whom no directory lists.

use super::{
    ServiceError, Services,
    batch::Batch,
    edit::{EngineerEdits, judge, refuse_endpoint},
    update_engineer::{edit_fields, follow_edits},
};
use crate::domain::{
    actor::{Actor, Permission},
    endpoint::Reason,
    engineer::{DirectoryState, Engineer, MAX_NAME, Touched, UserType},
    event::{EngineerChangeKind, Event},
    id::EngineerId,
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
    /// Adds someone by hand. What they bring is asked for like an edit.
    ///
    /// # Errors
    /// When the input is refused, the caller may not, or the database fails.
    pub async fn add_engineer(&self, actor: &Actor, input: AddEngineer) -> Result<Engineer, ServiceError> {
        if actor.require(Permission::EditEngineers).is_err() {
            return Err(Refusal::new(RefusalCode::NotAllowed).into());
        }
        let account = self.account(&actor.account)?;
        let mut refusals = Vec::new();
        let mut keep = |text: &str, field: &str| match clean_text(text, MAX_NAME) {
            Ok(text) if !text.is_empty() => Some(text),
            Ok(_) => {
                refusals.push(Refusal::new(RefusalCode::InvalidValue).because(Reason::Empty).at(&[field]));
                None
            }
            Err(error) => {
                refusals.push(refuse_endpoint(error).at(&[field]));
                None
            }
        };
        let name = keep(&input.name, "name").unwrap_or_default();
        let identity_provider = input.identity_provider.as_deref().and_then(|text| keep(text, "identityProvider"));
        if input.user_type == UserType::VirtualUserSso && input.identity_provider.is_none() {
            let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::ProviderNeeded);
            refusals.push(refusal.at(&["identityProvider"]));
        }
        let judged = judge(&input.edits, &account.settings);
        let edits = match judged.and_then(|edits| edits.check(|_| false).map(|()| edits)) {
            Ok(edits) if refusals.is_empty() => edits,
            Ok(_) => return Err(ServiceError::Refused(refusals)),
            Err(more) => return Err(ServiceError::Refused([refusals, more].concat())),
        };

        let now = self.now();
        let mut tx = self.core.store.begin(&actor.account).await?;
        tx.lock_name(&name).await?;
        if tx.rows().is_added_by_hand(&name, identity_provider.as_deref()).await? {
            return Err(Refusal::new(RefusalCode::AlreadyExists).at(&["name"]).into());
        }
        let engineer = Engineer {
            id: EngineerId::generate(now, self.chance()),
            name,
            alias: None,
            user_type: input.user_type,
            identity_provider,
            identity: None,
            directory_state: DirectoryState::Active,
            locale: None,
            mobile: None,
            email: None,
            touched: Touched::default(),
            version: 0,
            created_at: now,
            updated_at: now,
            synced_at: None,
            deleted_at: None,
        };
        let id = engineer.id;
        tx.rows().insert_engineers(std::slice::from_ref(&engineer)).await?;
        let mut batch = Batch::empty(&self.core, account, now);
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
        Ok(engineer)
    }
}
