//! The roll as a file of bulk edits, page by page.

use super::{
    ServiceError, Services,
    bulk_file::{ExportRow, header, row},
};
use crate::{
    domain::{
        actor::Actor,
        audit::AuditAction,
        channel::ChannelKind,
        confirmation::Channel,
        endpoint::{EmailAddress, PhoneNumber},
        engineer::Engineer,
        id::EngineerId,
    },
    store::EngineerFilter,
};

/// How many people one page holds.
const PAGE: u64 = 500;

/// One page of an export.
#[derive(Debug, Clone)]
pub struct ExportPage {
    /// The rows, as bytes of the file; the first page begins with the header.
    pub bytes: Vec<u8>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<EngineerId>,
}

impl Services {
    /// One page of the roll, ordered by id. The first is recorded before it is given.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn export_page(&self, actor: &Actor, after: Option<EngineerId>) -> Result<ExportPage, ServiceError> {
        self.admit_exchange(actor, AuditAction::ExportEngineers).await?;
        if after.is_none() {
            self.record_alone(&actor.account, self.record_of(actor, AuditAction::ExportEngineers)).await?;
        }
        let rows = self.core.store.rows(&actor.account);
        let ids = rows.list_engineer_ids(&EngineerFilter::default(), after, PAGE).await?;
        let people = rows.find_engineers(&ids).await?;
        let channels = rows.list_channels(&ids).await?;
        let mut bytes = if after.is_none() { header() } else { Vec::new() };
        for id in &ids {
            if let (Some(engineer), Some(channels)) = (people.get(id), channels.get(id)) {
                bytes.extend(write(engineer, channels));
            }
        }
        let full = u64::try_from(ids.len()).is_ok_and(|count| count == PAGE);
        Ok(ExportPage { bytes, next: ids.last().copied().filter(|_| full) })
    }
}

fn write(engineer: &Engineer, channels: &[Channel]) -> Vec<u8> {
    let is_set = |kind: ChannelKind| channels.iter().any(|channel| channel.kind == kind && channel.robot.is_some());
    row(&ExportRow {
        id: &engineer.id.to_string(),
        directory: engineer.identity.as_ref().map(|identity| identity.directory.as_str()),
        external_id: engineer.identity.as_ref().map(|identity| identity.external_id.as_str()),
        name: &engineer.name,
        alias: engineer.alias.as_deref(),
        mobile: engineer.mobile.as_ref().map(PhoneNumber::as_str),
        email: engineer.email.as_ref().map(EmailAddress::as_str),
        wecom_set: is_set(ChannelKind::Wecom),
        dingtalk_set: is_set(ChannelKind::Dingtalk),
        lark_set: is_set(ChannelKind::Lark),
        state: engineer.directory_state.name(),
    })
}
