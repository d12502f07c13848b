//! Bulk edits from a file: aliases, mobiles, e-mail addresses and chat robots.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::{
    CHUNK, ServiceError, Services,
    batch::Batch,
    bulk_file::{BulkFileError, BulkRow, Key, read},
    edit::{Edit, EndpointEdit, EngineerEdits, JudgedEdits, judge},
    update_engineer::{edit_fields, follow_edits},
};
use crate::domain::{
    account::{AccountSettings, Locale},
    actor::{Actor, Permission},
    channel::ChannelKind,
    endpoint::Reason,
    engineer::DirectoryIdentity,
    event::Event,
    id::{AccountId, EngineerId},
    refusal::{Refusal, RefusalCode},
};

/// What an import did, or would do.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Whether it was only a plan.
    pub dry_run: bool,
    /// How many rows the file has.
    pub rows: usize,
    /// How many people changed.
    pub changed: usize,
    /// How many people are as the file says.
    pub unchanged: usize,
    /// How many confirmation messages go out.
    pub messages: usize,
    /// The rows that were refused.
    pub refused: Vec<ImportProblem>,
    /// The columns that were passed over.
    pub unknown_columns: Vec<String>,
}

/// A row that was refused.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportProblem {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub code: String,
    /// The column concerned.
    pub column: Option<String>,
    /// The same as a sentence.
    pub message: String,
}

/// A row whose values and person are known.
struct ReadyRow {
    line: u64,
    engineer: EngineerId,
    edits: JudgedEdits,
}

/// The file as a whole cannot be imported, or the database failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no table of the wanted form.
    #[error(transparent)]
    File(#[from] BulkFileError),
    /// The service refused or failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Services {
    /// Imports a file of bulk edits, or makes the plan. A bad row is refused with its line, and the good ones go on.
    ///
    /// # Errors
    /// When the caller may not, the file is no table, or the database fails.
    pub async fn import_file(&self, actor: &Actor, bytes: &[u8], dry_run: bool) -> Result<ImportReport, ImportError> {
        actor.require(Permission::ExchangeFiles).map_err(ServiceError::from)?;
        let account = self.account(&actor.account)?;
        let file = read(bytes)?;
        let mut report = ImportReport {
            dry_run,
            rows: file.rows.len() + file.problems.len(),
            unknown_columns: file.unknown_columns,
            ..ImportReport::default()
        };
        report.refused.extend(file.problems.into_iter().map(|problem| ImportProblem {
            line: problem.line,
            code: problem.code.name().to_owned(),
            column: problem.column,
            message: "The row cannot be read; see the code and the column.".to_owned(),
        }));
        let mut ready = self.judge_rows(&actor.account, &account.settings, &file.rows, &mut report).await?;
        ready.sort_by_key(|row| row.engineer);
        while !ready.is_empty() {
            let rest = ready.split_off(ready.len().min(CHUNK));
            let chunk = std::mem::replace(&mut ready, rest);
            self.import_chunk(&actor.account, chunk, &mut report).await?;
        }
        report.refused.sort_by_key(|problem| problem.line);
        Ok(report)
    }

    /// Judges every row and finds its person.
    async fn judge_rows(
        &self,
        account: &AccountId,
        settings: &AccountSettings,
        rows: &[BulkRow],
        report: &mut ImportReport,
    ) -> Result<Vec<ReadyRow>, ServiceError> {
        let mut ready = Vec::with_capacity(rows.len());
        let mut seen = HashSet::new();
        for row in rows {
            let found = self.find_by_key(account, &row.engineer).await?;
            let judged = judge(&edits_of(row), settings);
            match (found, judged) {
                (Ok(engineer), Ok(edits)) if seen.insert(engineer) => {
                    ready.push(ReadyRow { line: row.line, engineer, edits });
                }
                (Ok(_), Ok(_)) => {
                    let refusal = Refusal::new(RefusalCode::AlreadyExists);
                    report.refused.push(problem(row.line, &refusal));
                }
                (Err(refusal), _) => report.refused.push(problem(row.line, &refusal)),
                (Ok(_), Err(refusals)) => {
                    report.refused.extend(refusals.iter().map(|refusal| problem(row.line, refusal)));
                }
            }
        }
        Ok(ready)
    }

    async fn find_by_key(&self, account: &AccountId, key: &Key) -> Result<Result<EngineerId, Refusal>, ServiceError> {
        let rows = self.core.store.rows(account);
        let found = match key {
            Key::Id(text) => match text.parse() {
                Ok(id) => rows.find_engineer(id).await?,
                Err(_) => None,
            },
            Key::External { directory, external_id } => {
                let identity = DirectoryIdentity { directory: directory.clone(), external_id: external_id.clone() };
                rows.find_engineer_by_identity(&identity).await?
            }
            Key::Name(name) => {
                let mut namesakes = rows.find_engineers_by_name(name).await?;
                if namesakes.len() > 1 {
                    let refusal = Refusal::new(RefusalCode::InvalidValue).because(Reason::AmbiguousName);
                    return Ok(Err(refusal.at(&["name"])));
                }
                namesakes.pop()
            }
        };
        Ok(found.map(|engineer| engineer.id).ok_or_else(|| Refusal::not_found("engineer")))
    }

    async fn import_chunk(
        &self,
        id: &AccountId,
        chunk: Vec<ReadyRow>,
        report: &mut ImportReport,
    ) -> Result<(), ServiceError> {
        let mut tx = self.core.store.begin(id).await?;
        let people: Vec<_> = chunk.iter().map(|row| row.engineer).collect();
        let mut batch = Batch::lock(&self.core, self.account(id)?, &tx, &people, self.now()).await?;
        let mut edited = BTreeMap::new();
        for row in chunk {
            let present = batch.engineers.get(&row.engineer).is_some_and(|engineer| engineer.deleted_at.is_none());
            let fits = row.edits.check(|kind| batch.has_robot(row.engineer, kind));
            if let Err(refusals) = fits {
                report.refused.extend(refusals.iter().map(|refusal| problem(row.line, refusal)));
            } else if present {
                edited.extend(edit_fields(&mut batch, row.engineer, row.edits).map(|one| (row.line, one)));
            } else {
                report.refused.push(problem(row.line, &Refusal::not_found("engineer")));
            }
        }
        batch.lock_guards(&tx).await?;
        let mut changed = 0;
        for (_, one) in edited {
            if follow_edits(&mut batch, &tx, one).await? {
                changed += 1;
            } else {
                report.unchanged += 1;
            }
        }
        report.changed += changed;
        report.messages += batch.messages();
        if report.dry_run {
            // Dropped, the transaction leaves everything as it was.
            return Ok(());
        }
        if changed > 0 {
            batch.log(Event::RollChanged { sync: None, count: i32::try_from(changed).unwrap_or(i32::MAX) });
        }
        batch.save(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn edits_of(row: &BulkRow) -> EngineerEdits {
    let robot = |kind, value: &Edit, secret: &Edit| EndpointEdit { kind, value: value.clone(), secret: secret.clone() };
    EngineerEdits {
        alias: row.alias.clone(),
        locale: Edit::Keep,
        mobile: row.mobile.clone(),
        email: row.email.clone(),
        endpoints: vec![
            robot(ChannelKind::Wecom, &row.wecom, &Edit::Keep),
            robot(ChannelKind::Dingtalk, &row.dingtalk, &row.dingtalk_secret),
            robot(ChannelKind::Lark, &row.lark, &row.lark_secret),
        ],
    }
}

fn problem(line: u64, refusal: &Refusal) -> ImportProblem {
    let column = match refusal.field.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["endpoints", place, what] => column_of_endpoint(place, what).map(str::to_owned),
        path => path.first().map(|&column| column.to_owned()),
    };
    ImportProblem { line, code: refusal.code.name().to_owned(), column, message: refusal.message(Locale::En) }
}

/// The column that an endpoint of [`edits_of`] came from.
fn column_of_endpoint(place: &str, what: &str) -> Option<&'static str> {
    match (place, what) {
        ("0", _) => Some("wecom"),
        ("1", "secret") => Some("dingtalk_secret"),
        ("1", _) => Some("dingtalk"),
        ("2", "secret") => Some("lark_secret"),
        ("2", _) => Some("lark"),
        _ => None,
    }
}
