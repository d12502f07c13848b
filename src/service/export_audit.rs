//! The audit log as lines of JSON, page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{ServiceError, Services};
use crate::{
    domain::{
        actor::{Actor, Permission},
        audit::{AuditAction, AuditEntry},
    },
    store::AuditFilter,
};

/// How many entries one page holds.
const PAGE: u64 = 500;

/// Of which time entries are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditSpan {
    /// At that moment or later; `None` from the beginning.
    pub from: Option<DateTime<Utc>>,
    /// Before that moment; `None` up to now.
    pub until: Option<DateTime<Utc>>,
}

/// One page of an export.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// One JSON object a line.
    pub lines: String,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// An entry as a line tells it. Names are those of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: String,
    occurred_at: String,
    account: &'a str,
    actor: LineActor<'a>,
    action: &'a str,
    target_kind: Option<&'a str>,
    target_id: Option<&'a str>,
    outcome: &'a str,
    error_code: Option<&'a str>,
    reason: Option<&'a str>,
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
    request_id: Option<String>,
    client_address: Option<String>,
}

#[derive(Serialize)]
struct LineActor<'a> {
    kind: &'a str,
    subject: &'a str,
    roles: Vec<&'a str>,
}

impl Services {
    /// One page of the audit log, oldest first. That it is exported is recorded before the first page is given.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn export_audit_page(
        &self,
        actor: &Actor,
        span: AuditSpan,
        after: Option<i64>,
    ) -> Result<AuditPage, ServiceError> {
        let record = self.record_of(actor, AuditAction::ExportAuditLog);
        self.attempt(actor, &record, async { Ok(actor.require(Permission::ViewAuditLog)?) }).await?;
        if after.is_none() {
            self.record_alone(&actor.account, record).await?;
        }
        let filter = AuditFilter { from: span.from, until: span.until, ..AuditFilter::default() };
        let rows = self.core.store.rows(&actor.account);
        let entries = rows.list_audit_entries_after(&filter, after.unwrap_or(0), PAGE).await?;
        let full = u64::try_from(entries.len()).is_ok_and(|count| count == PAGE);
        let lines = entries.iter().map(|entry| write(actor.account.as_str(), entry)).collect();
        Ok(AuditPage { lines, next: entries.last().map(|entry| entry.number).filter(|_| full) })
    }
}

fn write(account: &str, entry: &AuditEntry) -> String {
    let record = &entry.record;
    let line = Line {
        id: entry.id.to_string(),
        occurred_at: record.occurred_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        account,
        actor: LineActor {
            kind: record.actor.kind.name(),
            subject: &record.actor.subject,
            roles: record.actor.roles.iter().map(|role| role.name()).collect(),
        },
        action: record.action.name(),
        target_kind: record.target.as_ref().map(|target| target.kind.name()),
        target_id: record.target.as_ref().map(|target| target.id.as_str()),
        outcome: record.outcome().name(),
        error_code: record.refused.as_deref(),
        reason: record.reason.as_deref(),
        before: &record.before.0,
        after: &record.after.0,
        request_id: record.request.map(|request| request.request_id.to_string()),
        client_address: record.request.map(|request| request.address.to_string()),
    };
    // Texts always can be written.
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}
