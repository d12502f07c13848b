//! Showing where a channel of someone ends, with a reason, on the record.

use super::{ServiceError, Services, edit::refuse_endpoint};
use crate::domain::{
    actor::{Actor, Permission},
    audit::{AuditAction, AuditRecord, MAX_REASON},
    channel::{ChannelKind, EndpointField},
    endpoint::{EmailAddress, PhoneNumber, Reason},
    engineer::Engineer,
    id::EngineerId,
    refusal::{Refusal, RefusalCode},
    text::clean_text,
};

/// What a caller wants to see.
#[derive(Debug, Clone)]
pub struct RevealContact {
    /// Whose.
    pub engineer: EngineerId,
    /// Where this channel ends.
    pub channel: ChannelKind,
    /// Why, as typed.
    pub reason: String,
}

/// What is shown.
#[derive(Clone)]
pub struct Revealed {
    /// Whose.
    pub engineer: Engineer,
    /// Where the channel ends, in clear.
    pub endpoint: String,
}

impl Services {
    /// Shows where a channel ends. That it is shown, and why, is in the audit log before it is.
    ///
    /// # Errors
    /// When the caller may not, there is nothing to show or no reason, or the database fails: then nothing is shown.
    pub async fn reveal_contact(&self, actor: &Actor, input: &RevealContact) -> Result<Revealed, ServiceError> {
        let reason = judge_reason(&input.reason);
        let record = self.record_of(actor, AuditAction::RevealContact).on(input.engineer);
        let record = record.with("channel", input.channel.name()).because(reason.as_deref().ok());
        let revealing = async {
            if !actor.may(Permission::RevealContacts) {
                return Err(self.hidden_or_forbidden(actor, input.engineer, "engineerId"));
            }
            reason?;
            self.reveal_recorded(actor, input, &record).await
        };
        self.attempt(actor, &record, Box::pin(revealing)).await
    }

    async fn reveal_recorded(
        &self,
        actor: &Actor,
        input: &RevealContact,
        record: &AuditRecord,
    ) -> Result<Revealed, ServiceError> {
        let mut tx = self.core.store.begin(&actor.account).await?;
        let found = tx.rows().find_engineer(input.engineer).await?;
        let engineer = found.ok_or_else(|| Refusal::not_found("engineer").at(&["engineerId"]))?;
        let masked = match input.channel.endpoint_field() {
            EndpointField::Mobile => engineer.mobile.as_ref().map(PhoneNumber::masked),
            EndpointField::Email => engineer.email.as_ref().map(EmailAddress::masked),
            EndpointField::Webhook => {
                let never = Refusal::new(RefusalCode::InvalidValue).because(Reason::NeverShown);
                return Err(never.at(&["channel"]).into());
            }
        };
        let (Some(endpoint), Some(masked)) = (engineer.endpoint(input.channel).map(str::to_owned), masked) else {
            return Err(Refusal::new(RefusalCode::NoEndpoint).at(&["channel"]).into());
        };
        tx.record(record.with("endpoint", masked), self.chance());
        tx.commit().await?;
        tracing::info!(engineer.id = %input.engineer, channel = input.channel.name(), "Showed where a channel ends");
        Ok(Revealed { engineer, endpoint })
    }
}

fn judge_reason(text: &str) -> Result<String, ServiceError> {
    let judged = match clean_text(text, MAX_REASON) {
        Ok(text) if text.is_empty() => Err(Refusal::new(RefusalCode::InvalidValue).because(Reason::Empty)),
        Ok(text) => Ok(text),
        Err(error) => Err(refuse_endpoint(error)),
    };
    judged.map_err(|refusal| refusal.at(&["reason"]).into())
}
