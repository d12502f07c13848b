//! The audit log. Entries are only added, by [`Tx::record`](super::Tx::record), and taken away when they were kept long enough.

use std::{collections::HashMap, net::IpAddr};

use chrono::{DateTime, Utc};
use entity::audit_entry::{self, Column};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, Order, PaginatorTrait, QueryFilter, Select,
    sea_query::Expr,
};

use super::{Keyset, Rows, StoreError, row::Place};
use crate::domain::{
    actor::Role,
    audit::{
        AuditAction, AuditActor, AuditActorKind, AuditEntry, AuditOutcome, AuditRecord, AuditTarget, AuditTargetKind,
        Facts,
    },
    id::{AccountId, AuditEntryId, EngineerId},
    request::{RequestContext, RequestId},
};

/// Which entries are wanted. What is left out excludes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of these actions.
    pub actions: Option<Vec<AuditAction>>,
    /// Done, or refused.
    pub outcome: Option<AuditOutcome>,
    /// By whoever has this subject.
    pub actor_subject: Option<String>,
    /// Done to what has this id.
    pub target_id: Option<String>,
    /// Of this request.
    pub request: Option<RequestId>,
    /// At that moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before that moment.
    pub until: Option<DateTime<Utc>>,
}

impl<C: ConnectionTrait> Rows<'_, C> {
    /// One page of the audit log, newest first; places are the entries' numbers.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_audit_entries(
        &self,
        filter: &AuditFilter,
        keyset: &Keyset<i64>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = keyset.select(self.db, self.audit_entries(filter), Column::Number, &Order::Desc).await?;
        rows.into_iter().map(read_audit_entry).collect()
    }

    /// The entries after a place, oldest first.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn list_audit_entries_after(
        &self,
        filter: &AuditFilter,
        after: i64,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let keyset = Keyset { after: Some(after), before: None, from_end: false, limit };
        let rows = keyset.select(self.db, self.audit_entries(filter), Column::Number, &Order::Asc).await?;
        rows.into_iter().map(read_audit_entry).collect()
    }

    /// How many entries are wanted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_audit_entries(&self, filter: &AuditFilter) -> Result<u64, StoreError> {
        Ok(self.audit_entries(filter).count(self.db).await?)
    }

    /// The entries of these ids; unknown ids are left out.
    ///
    /// # Errors
    /// When the database fails or holds a bad row.
    pub async fn find_audit_entries(
        &self,
        ids: &[AuditEntryId],
    ) -> Result<HashMap<AuditEntryId, AuditEntry>, StoreError> {
        let of_these = Column::Id.is_in(ids.iter().map(|id| id.0));
        let rows = self.audit_entries(&AuditFilter::default()).filter(of_these).all(self.db).await?;
        rows.into_iter().map(|row| Ok((AuditEntryId(row.id), read_audit_entry(row)?))).collect()
    }

    fn audit_entries(&self, filter: &AuditFilter) -> Select<audit_entry::Entity> {
        let AuditFilter { actions, outcome, actor_subject, target_id, request, from, until } = filter;
        let actions = actions.as_ref().map(|actions| actions.iter().map(|action| action.name()));
        let conditions = [
            actions.map(|actions| Column::Action.is_in(actions)),
            outcome.map(|outcome| Column::Outcome.eq(outcome.name())),
            actor_subject.as_ref().map(|subject| Column::ActorSubject.eq(subject.as_str())),
            target_id.as_ref().map(|id| Column::TargetId.eq(id.as_str())),
            request.map(|request| Column::RequestId.eq(request.0)),
            from.map(|from| Column::OccurredAt.gte(from)),
            until.map(|until| Column::OccurredAt.lt(until)),
        ];
        let all = audit_entry::Entity::find().filter(Column::Account.eq(self.account.as_str()));
        conditions.into_iter().flatten().fold(all, QueryFilter::filter)
    }
}

impl Rows<'_, DatabaseTransaction> {
    /// Takes out what entries say of people who are erased: that something was done to them stays, what it was does not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_audited(&self, ids: &[EngineerId]) -> Result<(), StoreError> {
        audit_entry::Entity::update_many()
            .col_expr(Column::MaskedBefore, Expr::value(None::<String>))
            .col_expr(Column::MaskedAfter, Expr::value(None::<String>))
            .col_expr(Column::Reason, Expr::value(None::<String>))
            .filter(Column::Account.eq(self.account.as_str()))
            .filter(Column::TargetId.is_in(ids.iter().map(ToString::to_string)))
            .exec(self.db)
            .await?;
        Ok(())
    }
}

/// The row of an entry. The database numbers it.
pub(super) fn audit_row(account: &AccountId, id: AuditEntryId, record: &AuditRecord) -> audit_entry::ActiveModel {
    let AuditRecord { occurred_at, actor, request, action, target, refused, reason, before, after } = record;
    let roles: Vec<_> = actor.roles.iter().map(|role| role.name()).collect();
    audit_entry::ActiveModel {
        number: NotSet,
        id: Set(id.0),
        account: Set(account.to_string()),
        occurred_at: Set(*occurred_at),
        actor_kind: Set(actor.kind.name().to_owned()),
        actor_subject: Set(actor.subject.clone()),
        actor_roles: Set(roles.join(" ")),
        action: Set(action.name().to_owned()),
        target_kind: Set(target.as_ref().map(|target| target.kind.name().to_owned())),
        target_id: Set(target.as_ref().map(|target| target.id.clone())),
        outcome: Set(record.outcome().name().to_owned()),
        error_code: Set(refused.clone()),
        reason: Set(reason.clone()),
        masked_before: Set(write_facts(before)),
        masked_after: Set(write_facts(after)),
        request_id: Set(request.map(|request| request.request_id.0)),
        client_address: Set(request.map(|request| request.address.to_string())),
    }
}

fn write_facts(facts: &Facts) -> Option<String> {
    // Texts always can be written.
    (!facts.is_empty()).then(|| serde_json::to_string(&facts.0).unwrap_or_default())
}

fn read_audit_entry(row: audit_entry::Model) -> Result<AuditEntry, StoreError> {
    let place = Place { table: "audit_entry", id: &row.id };
    let roles = row.actor_roles.split_whitespace();
    let roles: Result<Vec<_>, _> = roles.map(|role| place.name("actor_roles", role, Role::from_name)).collect();
    let target = match (row.target_kind.as_deref(), row.target_id) {
        (Some(kind), Some(id)) => {
            Some(AuditTarget { kind: place.name("target_kind", kind, AuditTargetKind::from_name)?, id })
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(place.bad("target_id")),
    };
    let address = row.client_address.map(|address| address.parse::<IpAddr>());
    let address = address.transpose().map_err(|_| place.bad("client_address"))?;
    let request = match (row.request_id, address) {
        (Some(id), Some(address)) => Some(RequestContext { request_id: RequestId(id), address }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(place.bad("request_id")),
    };
    let facts = |column, text: Option<String>| match text {
        Some(text) => serde_json::from_str(&text).map(Facts).map_err(|_| place.bad(column)),
        None => Ok(Facts::default()),
    };
    Ok(AuditEntry {
        id: AuditEntryId(row.id),
        number: row.number,
        record: AuditRecord {
            occurred_at: row.occurred_at,
            actor: AuditActor {
                kind: place.name("actor_kind", &row.actor_kind, AuditActorKind::from_name)?,
                subject: row.actor_subject,
                roles: roles?,
            },
            request,
            action: place.name("action", &row.action, AuditAction::from_name)?,
            target,
            refused: row.error_code,
            reason: row.reason,
            before: facts("masked_before", row.masked_before)?,
            after: facts("masked_after", row.masked_after)?,
        },
    })
}
