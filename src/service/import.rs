//! Bulk edits from a file: aliases, mobiles, e-mail addresses and chat robots.
//!
//! The file is read twice, once to judge it as a whole and once for its rows, and people are changed a chunk at a time. What
//! grows with the file is who of it was seen on which line (some 40 bytes for each person found, of 100,000 at most) and what is
//! listed of the refusals, of [`MAX_LISTED`] at most.

mod people;

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    io::{self, Read, Seek},
};

use serde::Serialize;
use tokio::task;

use self::people::People;
use super::{
    CHUNK, ServiceError, Services,
    batch::Batch,
    bulk_file::{BulkChunk, BulkFile, BulkFileError, BulkRow},
    edit::{Edit, EndpointEdit, EngineerEdits, JudgedEdits, judge},
    update_engineer::{edit_fields, follow_edits},
};
use crate::domain::{
    account::{AccountSettings, Locale},
    actor::{Actor, Permission},
    audit::{AuditAction, AuditRecord},
    channel::ChannelKind,
    event::Event,
    id::{AccountId, EngineerId},
    refusal::{Refusal, RefusalCode},
};

/// The most refusals that a report lists one by one.
pub const MAX_LISTED: usize = 10_000;

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
    /// The rows that were refused: the first [`MAX_LISTED`] refusals, by line.
    pub refused: Vec<ImportProblem>,
    /// How many refusals more there are.
    pub refused_more: usize,
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

impl ImportReport {
    fn refuse(&mut self, refused: impl IntoIterator<Item = ImportProblem>) {
        for problem in refused {
            if self.refused.len() < MAX_LISTED {
                self.refused.push(problem);
            } else {
                self.refused_more += 1;
            }
        }
    }
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

/// An import on its way.
struct Import<'a> {
    account: &'a AccountId,
    settings: &'a AccountSettings,
    /// On which line each person was first named.
    seen: HashMap<EngineerId, u64>,
    report: ImportReport,
    record: &'a AuditRecord,
}

impl Services {
    /// Imports a file of bulk edits, or makes the plan. A bad row is refused with its line, and the good ones go on. The source is
    /// read from its beginning, more than once, and must not change meanwhile.
    ///
    /// # Errors
    /// When the caller may not, the file is no table, or the database fails. In the last case the chunks before may be done.
    pub async fn import_file<R>(&self, actor: &Actor, source: R, dry_run: bool) -> Result<ImportReport, ImportError>
    where
        R: Read + Seek + Send + 'static,
    {
        let mut record = self.record_of(actor, AuditAction::ImportEngineers);
        if dry_run {
            record = record.with("dryRun", "true");
        }
        let done = self.import_recorded(actor, source, dry_run, &record).await;
        self.note_refused_import(actor, &record, &done).await;
        let report = done?;
        let counts = [("rows", report.rows), ("changed", report.changed), ("unchanged", report.unchanged)];
        let record = counts.into_iter().fold(record, |record, (name, count)| record.with(name, count.to_string()));
        self.record_alone(&actor.account, record).await.map_err(ServiceError::from)?;
        Ok(report)
    }

    async fn import_recorded<R>(
        &self,
        actor: &Actor,
        source: R,
        dry_run: bool,
        record: &AuditRecord,
    ) -> Result<ImportReport, ImportError>
    where
        R: Read + Seek + Send + 'static,
    {
        actor.require(Permission::ExchangeFiles).map_err(ServiceError::from)?;
        let settings = &self.account(&actor.account)?.settings;
        let mut file = block(move || BulkFile::open(source)).await?;
        let report = ImportReport {
            dry_run,
            rows: file.count_rows(),
            unknown_columns: file.unknown_columns().to_vec(),
            ..ImportReport::default()
        };
        let mut import = Import { account: &actor.account, settings, seen: HashMap::new(), report, record };
        loop {
            let chunk;
            (file, chunk) = block(move || file.next_chunk(CHUNK).map(|chunk| (file, chunk))).await?;
            if chunk.is_empty() {
                break;
            }
            let ready = self.judge_rows(&mut import, chunk).await?;
            if !ready.is_empty() {
                self.import_chunk(&mut import, ready).await?;
            }
        }
        let mut report = import.report;
        report.refused.sort_by_key(|problem| problem.line);
        Ok(report)
    }

    /// Judges every row of a chunk and finds its person.
    async fn judge_rows(&self, import: &mut Import<'_>, chunk: BulkChunk) -> Result<Vec<ReadyRow>, ServiceError> {
        import.report.refuse(chunk.problems.into_iter().map(|problem| ImportProblem {
            line: problem.line,
            code: problem.code.name().to_owned(),
            column: problem.column,
            message: "The row cannot be read; see the code and the column.".to_owned(),
        }));
        let people = People::find(&self.core.store, import.account, &chunk.rows).await?;
        let mut ready = Vec::with_capacity(chunk.rows.len());
        for row in chunk.rows {
            match (people.get(&row.engineer), judge(&edits_of(&row), import.settings)) {
                (Ok(engineer), Ok(edits)) => match import.seen.entry(engineer) {
                    Entry::Vacant(first) => {
                        first.insert(row.line);
                        ready.push(ReadyRow { line: row.line, engineer, edits });
                    }
                    Entry::Occupied(first) => import.report.refuse([repeated(row.line, *first.get())]),
                },
                (Err(refusal), _) => import.report.refuse([problem(row.line, &refusal)]),
                (Ok(_), Err(refusals)) => {
                    import.report.refuse(refusals.iter().map(|refusal| problem(row.line, refusal)));
                }
            }
        }
        Ok(ready)
    }

    async fn import_chunk(&self, import: &mut Import<'_>, chunk: Vec<ReadyRow>) -> Result<(), ServiceError> {
        let Import { account: id, report, record, .. } = import;
        let mut tx = self.core.store.begin(id).await?;
        let people: Vec<_> = chunk.iter().map(|row| row.engineer).collect();
        let mut batch = Batch::lock(&self.core, self.account(id)?, &tx, &people, self.now()).await?;
        batch.audit(record.clone());
        let mut edited = BTreeMap::new();
        for row in chunk {
            let present = batch.engineers.get(&row.engineer).is_some_and(|engineer| engineer.deleted_at.is_none());
            let fits = row.edits.check(|kind| batch.has_robot(row.engineer, kind));
            if let Err(refusals) = fits {
                report.refuse(refusals.iter().map(|refusal| problem(row.line, refusal)));
            } else if present {
                let one = edit_fields(&mut batch, row.engineer, row.edits);
                edited.extend(one.map(|one| (row.line, (row.engineer, one))));
            } else {
                report.refuse([problem(row.line, &Refusal::not_found("engineer"))]);
            }
        }
        batch.lock_guards(&tx).await?;
        let mut changed = 0;
        for (id, one) in edited.into_values() {
            if follow_edits(&mut batch, &tx, one).await? {
                batch.tell_of(id);
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

/// Does what reads the file where waiting for it holds up nobody.
async fn block<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, BulkFileError> + Send + 'static,
) -> Result<T, BulkFileError> {
    let broken_off = |_| BulkFileError::Unreadable(io::Error::other("reading was broken off"));
    task::spawn_blocking(read).await.map_err(broken_off)?
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

/// A row about a person whom an earlier row is about.
fn repeated(line: u64, first: u64) -> ImportProblem {
    ImportProblem {
        line,
        code: RefusalCode::AlreadyExists.name().to_owned(),
        column: None,
        message: format!("The row of line {first} is already about this engineer."),
    }
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
