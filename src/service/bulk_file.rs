//! The CSV file of bulk edits: what an export writes and an import reads, a few rows at a time. No database, no rules of the
//! roll.
//!
//! An import names each engineer by `id`, or by `directory` and `external_id`, or by `name`; the first of these that a row
//! holds counts. The cells of `alias`, `mobile`, `email`, `wecom`, `dingtalk`, `lark` (webhooks), `dingtalk_secret` and
//! `lark_secret` edit: blank (or no such column) keeps what is there, exactly `-` clears it, anything else is the new value.
//! `wecom_set`, `dingtalk_set`, `lark_set` and `state` are for reading only; an import passes over them.
//!
//! **Formula injection.** A spreadsheet program computes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break, or
//! a full-width form of these, even when it is quoted. An export puts an apostrophe before such a cell, also where blanks or
//! apostrophes come before the character; an import takes one apostrophe away from such a cell. So a file that was exported
//! and is imported untouched changes nothing, and `'-` is a hyphen and not the sign for clearing.

use std::io::{self, Read, Seek, SeekFrom};

use super::edit::Edit;
use crate::domain::table::{KnownColumn, Layout, MAX_FILE_BYTES, Row, RowFault, Table, TableError};

/// The most rows that are read.
pub const MAX_ROWS: usize = 100_000;

/// After how many bytes of the file a chunk has enough rows: 1 MiB.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// The cell that clears a value.
pub const CLEAR: &str = "-";

const COLUMNS: [KnownColumn; 16] = [
    KnownColumn { name: "id", also: &["编号"] },
    KnownColumn { name: "directory", also: &["目录"] },
    KnownColumn { name: "external_id", also: &["工号", "用户id", "外部id"] },
    KnownColumn { name: "name", also: &["姓名", "用户名"] },
    KnownColumn { name: "alias", also: &["别名"] },
    KnownColumn { name: "mobile", also: &["手机", "手机号", "手机号码"] },
    KnownColumn { name: "email", also: &["e_mail", "邮箱", "电子邮箱"] },
    KnownColumn { name: "wecom", also: &["企业微信"] },
    KnownColumn { name: "dingtalk", also: &["钉钉"] },
    KnownColumn { name: "lark", also: &["飞书"] },
    KnownColumn { name: "dingtalk_secret", also: &[] },
    KnownColumn { name: "lark_secret", also: &[] },
    KnownColumn { name: "wecom_set", also: &[] },
    KnownColumn { name: "dingtalk_set", also: &[] },
    KnownColumn { name: "lark_set", also: &[] },
    KnownColumn { name: "state", also: &["状态"] },
];

/// Whom a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The public id of the engineer, as written.
    Id(String),
    /// A person of a directory.
    External {
        /// The name of the directory.
        directory: String,
        /// The directory's key of the person.
        external_id: String,
    },
    /// The user name, which may fit several engineers, or none.
    Name(String),
}

/// One row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRow {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// Whom it is about.
    pub engineer: Key,
    /// The alias.
    pub alias: Edit,
    /// The mobile.
    pub mobile: Edit,
    /// The e-mail address.
    pub email: Edit,
    /// The webhook of the WeCom robot.
    pub wecom: Edit,
    /// The webhook of the DingTalk robot.
    pub dingtalk: Edit,
    /// The webhook of the Lark robot.
    pub lark: Edit,
    /// The signing secret of the DingTalk robot.
    pub dingtalk_secret: Edit,
    /// The signing secret of the Lark robot.
    pub lark_secret: Edit,
}

/// A few rows that follow each other. Two of them may concern the same engineer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkChunk {
    /// The rows that could be read, in the file's order.
    pub rows: Vec<BulkRow>,
    /// The rows that could not.
    pub problems: Vec<RowProblem>,
}

impl BulkChunk {
    /// Whether the file had no more rows.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.problems.is_empty()
    }

    const fn len(&self) -> usize {
        self.rows.len() + self.problems.len()
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub code: RowProblemCode,
    /// The heading of the column concerned, as written.
    pub column: Option<String>,
}

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowProblemCode {
    /// The row does not say whom it is about.
    MissingKey,
    /// The row has more or fewer cells than the header.
    WrongFieldCount,
    /// A quoted cell is never closed, or goes on after its closing quote.
    InvalidQuoting,
    /// The text is not valid in the file's encoding.
    InvalidEncoding,
    /// The row is longer than [`crate::domain::table::MAX_ROW`].
    RowTooLong,
}

impl RowProblemCode {
    /// The code as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingKey => "MISSING_KEY",
            Self::WrongFieldCount => "WRONG_FIELD_COUNT",
            Self::InvalidQuoting => "INVALID_QUOTING",
            Self::InvalidEncoding => "INVALID_ENCODING",
            Self::RowTooLong => "ROW_TOO_LONG",
        }
    }
}

/// The file cannot be read as a whole. Except for `Unreadable`, the texts are fit for the person who made the file.
#[derive(Debug, thiserror::Error)]
pub enum BulkFileError {
    /// The bytes did not arrive.
    #[error("the file could not be read to its end")]
    Unreadable(#[from] io::Error),
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("the file is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
    /// It holds no table.
    #[error(transparent)]
    Table(TableError),
    /// It has more than [`MAX_ROWS`] rows.
    #[error("the file has more than {MAX_ROWS} rows: split it")]
    TooManyRows,
    /// No column says whom the rows are about.
    #[error("the first line must name a column id, or directory and external_id, or name")]
    NoKeyColumn,
}

impl From<TableError> for BulkFileError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Unreadable(why) => Self::Unreadable(why),
            TableError::Empty | TableError::Utf16 | TableError::BadHeader | TableError::DuplicateColumn(_) => {
                Self::Table(error)
            }
        }
    }
}

/// A file for an import, of which never more is held than a chunk.
pub struct BulkFile<R> {
    table: Table<R>,
    layout: Layout,
    rows: usize,
}

impl<R: Read + Seek> BulkFile<R> {
    /// Looks a file through: its encoding, its header, the number of its rows. What is refused as a whole is refused here.
    ///
    /// # Errors
    /// When nothing in it can be used: see [`BulkFileError`].
    pub fn open(mut source: R) -> Result<Self, BulkFileError> {
        if source.seek(SeekFrom::End(0))? > MAX_FILE_BYTES {
            return Err(BulkFileError::TooLarge);
        }
        let mut table = Table::open(source)?;
        let layout = table.locate(&COLUMNS)?;
        let has = |name| layout.find(name).is_some();
        if !(has("id") || has("name") || has("directory") && has("external_id")) {
            return Err(BulkFileError::NoKeyColumn);
        }
        let mut rows = 0;
        while table.next_row()?.is_some() {
            rows += 1;
            if rows > MAX_ROWS {
                return Err(BulkFileError::TooManyRows);
            }
        }
        table.go_back()?;
        Ok(Self { table, layout, rows })
    }

    /// How many rows it has, those that cannot be read included.
    pub const fn count_rows(&self) -> usize {
        self.rows
    }

    /// Headings that an import does not know; their cells are passed over.
    pub fn unknown_columns(&self) -> &[String] {
        &self.layout.unknown
    }

    /// The next rows: that many, or fewer where they are long; none at the end. Rows at fault are no error but problems of the
    /// answer.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn next_chunk(&mut self, most: usize) -> Result<BulkChunk, BulkFileError> {
        let mut chunk = BulkChunk::default();
        let enough = self.table.passed().saturating_add(CHUNK_BYTES);
        while chunk.len() < most && self.table.passed() < enough {
            let Some(row) = self.table.next_row()? else { break };
            match read_row(&row, &self.layout) {
                Ok(row) => chunk.rows.push(row),
                Err((code, column)) => {
                    let column = column.and_then(|column| self.table.heading(column)).map(str::to_owned);
                    chunk.problems.push(RowProblem { line: row.line, code, column });
                }
            }
        }
        Ok(chunk)
    }
}

fn read_row(row: &Row, layout: &Layout) -> Result<BulkRow, (RowProblemCode, Option<usize>)> {
    match row.fault {
        None => {}
        Some(RowFault::CellCount) => return Err((RowProblemCode::WrongFieldCount, None)),
        Some(RowFault::Quoting { column }) => return Err((RowProblemCode::InvalidQuoting, Some(column))),
        Some(RowFault::Encoding { column }) => return Err((RowProblemCode::InvalidEncoding, Some(column))),
        Some(RowFault::TooLong { column }) => return Err((RowProblemCode::RowTooLong, Some(column))),
    }
    let edit = |name| read_edit(row.cell(layout.find(name)));
    Ok(BulkRow {
        line: row.line,
        engineer: read_key(row, layout).ok_or((RowProblemCode::MissingKey, None))?,
        alias: edit("alias"),
        mobile: edit("mobile"),
        email: edit("email"),
        wecom: edit("wecom"),
        dingtalk: edit("dingtalk"),
        lark: edit("lark"),
        dingtalk_secret: edit("dingtalk_secret"),
        lark_secret: edit("lark_secret"),
    })
}

fn read_key(row: &Row, layout: &Layout) -> Option<Key> {
    let cell = |name| {
        let text = unguard(row.cell(layout.find(name)).trim());
        Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(id) = cell("id") {
        return Some(Key::Id(id));
    }
    if let (Some(directory), Some(external_id)) = (cell("directory"), cell("external_id")) {
        return Some(Key::External { directory, external_id });
    }
    cell("name").map(Key::Name)
}

fn read_edit(cell: &str) -> Edit {
    match cell.trim() {
        "" => Edit::Keep,
        CLEAR => Edit::Clear,
        _ => Edit::Set(unguard(cell).to_owned()),
    }
}

/// One engineer as an export shows them.
#[derive(Clone, Copy)]
pub struct ExportRow<'a> {
    /// The public id.
    pub id: &'a str,
    /// The name of the directory that lists the person, if one does.
    pub directory: Option<&'a str>,
    /// The directory's key of the person.
    pub external_id: Option<&'a str>,
    /// The user name.
    pub name: &'a str,
    /// The alias.
    pub alias: Option<&'a str>,
    /// The mobile.
    pub mobile: Option<&'a str>,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// Whether there is a WeCom webhook. Webhooks are credentials and never leave.
    pub wecom_set: bool,
    /// Whether there is a DingTalk webhook.
    pub dingtalk_set: bool,
    /// Whether there is a Lark webhook.
    pub lark_set: bool,
    /// The name of the engineer's state.
    pub state: &'a str,
}

/// How an export begins: the byte order mark of UTF-8, without which spreadsheet programs garble Chinese, and the header.
pub fn header() -> Vec<u8> {
    let mut bytes = "\u{FEFF}".as_bytes().to_vec();
    bytes.extend(write_cells(&[
        "id",
        "directory",
        "external_id",
        "name",
        "alias",
        "mobile",
        "email",
        "wecom_set",
        "dingtalk_set",
        "lark_set",
        "state",
    ]));
    bytes
}

/// The bytes of one row of an export, with its line end.
pub fn row(engineer: &ExportRow<'_>) -> Vec<u8> {
    let yes_no = |set| if set { "yes" } else { "no" };
    write_cells(&[
        engineer.id,
        engineer.directory.unwrap_or(""),
        engineer.external_id.unwrap_or(""),
        engineer.name,
        engineer.alias.unwrap_or(""),
        engineer.mobile.unwrap_or(""),
        engineer.email.unwrap_or(""),
        yes_no(engineer.wecom_set),
        yes_no(engineer.dingtalk_set),
        yes_no(engineer.lark_set),
        engineer.state,
    ])
}

fn write_cells(cells: &[&str]) -> Vec<u8> {
    let quoted = |cell: &&str| format!("\"{}{}\"", if is_active(cell) { "'" } else { "" }, cell.replace('"', "\"\""));
    let line = cells.iter().map(quoted).collect::<Vec<_>>().join(",");
    format!("{line}\r\n").into_bytes()
}

fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_active(cell)).unwrap_or(cell)
}

/// Whether a spreadsheet program might compute the cell, or would once blanks or apostrophes before it are taken away.
fn is_active(cell: &str) -> bool {
    let written = cell.trim_start_matches('\'');
    let bare = cell.trim_start_matches(|c: char| c == '\'' || c.is_whitespace());
    written.starts_with(['\t', '\r', '\n']) || bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}
