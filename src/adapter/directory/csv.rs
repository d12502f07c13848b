//! A directory kept as a CSV file.
//!
//! How the text is read (encodings, delimiters, quotes, line breaks) says [`crate::domain::table`]. The first row names the
//! columns, in any order; case, blanks around, and blank or hyphen for underscore make no difference:
//!
//! | column | also | what it holds |
//! | --- | --- | --- |
//! | `external_id` | 工号, 用户ID, 外部ID | required: the key of the person, never reused; at most 255 characters |
//! | `name` | 姓名, 用户名 | required: the user name; at most 128 characters |
//! | `alias` | 别名 | a second name; at most 128 characters |
//! | `user_type` | 用户类型 | `IAM_USER`, `IAM_USER_SSO`, `IDENTITY_CENTER_USER` or `OTHER`; blank is `OTHER` |
//! | `state` | 状态 | `active`, `enabled`, `true`, `yes`, `1`, 启用; `disabled`, `inactive`, `false`, `no`, `0`, 停用, 禁用; blank is active |
//! | `identity_provider` | 身份提供商 | of a federated user; at most 128 characters |
//! | `mobile` | 手机, 手机号, 手机号码 | seeds the mobile |
//! | `email` | e-mail, 邮箱, 电子邮箱 | seeds the e-mail address |
//!
//! Blanks around a cell are dropped. Mobile and e-mail are passed on as written. Line breaks in a name, an alias or an identity
//! provider become blanks; what [`clean_text`] refuses is refused. `VIRTUAL_USER_SSO` is refused: such users are added by hand.

use std::{
    collections::HashSet,
    io::{self, Cursor},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tokio::{fs::File, io::AsyncReadExt, task};

use crate::{
    domain::{
        engineer::{MAX_NAME, UserType},
        table::{KnownColumn, Layout, MAX_FILE_BYTES, Row, RowFault, Table, TableError},
        text::clean_text,
    },
    port::directory::{DirectoryError, DirectoryPerson, DirectorySource, Listing, ListingProblem, ListingProblemCode},
};

/// The longest external id, in characters.
pub const MAX_EXTERNAL_ID: usize = 255;

const COLUMNS: [KnownColumn; 8] = [
    KnownColumn { name: "external_id", also: &["工号", "用户id", "外部id"] },
    KnownColumn { name: "name", also: &["姓名", "用户名"] },
    KnownColumn { name: "alias", also: &["别名"] },
    KnownColumn { name: "user_type", also: &["用户类型"] },
    KnownColumn { name: "state", also: &["状态"] },
    KnownColumn { name: "identity_provider", also: &["身份提供商"] },
    KnownColumn { name: "mobile", also: &["手机", "手机号", "手机号码"] },
    KnownColumn { name: "email", also: &["e_mail", "邮箱", "电子邮箱"] },
];
const ACTIVE: [&str; 7] = ["", "active", "enabled", "true", "yes", "1", "启用"];
const DISABLED: [&str; 7] = ["disabled", "inactive", "false", "no", "0", "停用", "禁用"];

/// The directory in one CSV file, read anew for each listing.
#[derive(Debug, Clone)]
pub struct CsvDirectory {
    path: PathBuf,
}

impl CsvDirectory {
    /// The directory in that file. The file is not touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl DirectorySource for CsvDirectory {
    async fn list_people(&self) -> Result<Listing, DirectoryError> {
        let bytes = read_file(&self.path).await?;
        let parsed = task::spawn_blocking(move || parse(&bytes)).await;
        let shown = self.path.display();
        match parsed {
            Ok(Err(DirectoryError::Refused(why))) => Err(DirectoryError::Refused(format!("{shown}: {why}"))),
            Ok(result) => result,
            Err(_) => Err(DirectoryError::Unavailable(format!("{shown}: reading was broken off"))),
        }
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, DirectoryError> {
    let shown = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => DirectoryError::Refused(format!("there is no file {shown}")),
        _ => DirectoryError::Unavailable(format!("{shown}: {error}")),
    };
    // Asked before opening, for opening a named pipe would wait for a writer.
    if !tokio::fs::metadata(path).await.map_err(failed)?.is_file() {
        return Err(DirectoryError::Refused(format!("{shown} is not a file")));
    }
    let file = File::open(path).await.map_err(failed)?;
    let before = file.metadata().await.map_err(failed)?;
    let mut bytes = Vec::new();
    let mut capped = file.take(MAX_FILE_BYTES + 1);
    capped.read_to_end(&mut bytes).await.map_err(failed)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > MAX_FILE_BYTES {
        return Err(DirectoryError::Refused(format!("{shown} is larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)));
    }
    // Half of a file that is being written would make the other half gone.
    let after = capped.into_inner().metadata().await.map_err(failed)?;
    if length != after.len() || before.modified().ok() != after.modified().ok() {
        return Err(DirectoryError::Unavailable(format!("{shown} changed while it was read")));
    }
    Ok(bytes)
}

/// Reads the bytes of a file. Rows at fault become problems, and the others go on.
///
/// # Errors
/// `Refused` when there is no header that names at least external id and name.
pub fn parse(bytes: &[u8]) -> Result<Listing, DirectoryError> {
    let refuse = |error: TableError| DirectoryError::Refused(error.to_string());
    let mut table = Table::open(Cursor::new(bytes)).map_err(refuse)?;
    let mut layout = table.locate(&COLUMNS).map_err(refuse)?;
    let places = Places::find(&layout)?;
    let mut listing = Listing { unknown_fields: std::mem::take(&mut layout.unknown), ..Listing::default() };
    let mut seen = HashSet::new();
    while let Some(row) = table.next_row().map_err(|error| refuse(error.into()))? {
        let external_id = row.surely(places.external_id).and_then(|id| clean_text(id, MAX_EXTERNAL_ID).ok());
        let repeated = external_id.as_ref().is_some_and(|id| !seen.insert(id.clone()));
        let read = match (read_person(&row, &places), repeated) {
            (Ok(_), true) => Err((ListingProblemCode::Duplicate, Some(places.external_id))),
            (read, _) => read,
        };
        match read {
            Ok(person) => listing.people.push(person),
            Err((code, column)) => listing.problems.push(ListingProblem {
                line: Some(row.line),
                external_id,
                code,
                field: column.and_then(|column| table.heading(column)).map(str::to_owned),
            }),
        }
    }
    Ok(listing)
}

/// Where the columns stand.
struct Places {
    external_id: usize,
    name: usize,
    alias: Option<usize>,
    user_type: Option<usize>,
    state: Option<usize>,
    identity_provider: Option<usize>,
    mobile: Option<usize>,
    email: Option<usize>,
}

impl Places {
    fn find(layout: &Layout) -> Result<Self, DirectoryError> {
        let (Some(external_id), Some(name)) = (layout.find("external_id"), layout.find("name")) else {
            let wanted = ["external_id", "name"].into_iter().filter(|name| layout.find(name).is_none());
            let missing = wanted.collect::<Vec<_>>().join(" and ");
            return Err(DirectoryError::Refused(format!("the first line must name the columns: {missing} is missing")));
        };
        Ok(Self {
            external_id,
            name,
            alias: layout.find("alias"),
            user_type: layout.find("user_type"),
            state: layout.find("state"),
            identity_provider: layout.find("identity_provider"),
            mobile: layout.find("mobile"),
            email: layout.find("email"),
        })
    }
}

/// What is wrong, and in which column.
type Fault = (ListingProblemCode, Option<usize>);

fn read_person(row: &Row, places: &Places) -> Result<DirectoryPerson, Fault> {
    match row.fault {
        None => {}
        Some(RowFault::Quoting { column } | RowFault::TooLong { column }) => {
            return Err((ListingProblemCode::InvalidValue, Some(column)));
        }
        Some(RowFault::CellCount) => return Err((ListingProblemCode::WrongFieldCount, None)),
        Some(RowFault::Encoding { column }) => return Err((ListingProblemCode::InvalidEncoding, Some(column))),
    }
    Ok(DirectoryPerson {
        external_id: read_required(places.external_id, row.cell(Some(places.external_id)), MAX_EXTERNAL_ID)?,
        name: read_required(places.name, &join_lines(row.cell(Some(places.name))), MAX_NAME)?,
        user_type: read_user_type(row, places.user_type)?,
        active: read_state(row, places.state)?,
        identity_provider: read_line(row, places.identity_provider)?,
        mobile: read_as_written(row, places.mobile),
        email: read_as_written(row, places.email),
        alias: read_line(row, places.alias)?,
    })
}

fn read_as_written(row: &Row, column: Option<usize>) -> Option<String> {
    Some(row.cell(column).trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn read_line(row: &Row, column: Option<usize>) -> Result<Option<String>, Fault> {
    let text = clean_text(&join_lines(row.cell(column)), MAX_NAME);
    let text = text.map_err(|_| (ListingProblemCode::InvalidValue, column))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn read_required(column: usize, cell: &str, max_chars: usize) -> Result<String, Fault> {
    let text = clean_text(cell, max_chars).map_err(|_| (ListingProblemCode::InvalidValue, Some(column)))?;
    if text.is_empty() { Err((ListingProblemCode::MissingValue, Some(column))) } else { Ok(text) }
}

fn read_user_type(row: &Row, column: Option<usize>) -> Result<UserType, Fault> {
    let written = row.cell(column).trim();
    if written.is_empty() {
        return Ok(UserType::Other);
    }
    UserType::from_name(&written.to_uppercase().replace([' ', '-'], "_"))
        .filter(|user_type| *user_type != UserType::VirtualUserSso)
        .ok_or((ListingProblemCode::InvalidValue, column))
}

fn read_state(row: &Row, column: Option<usize>) -> Result<bool, Fault> {
    let written = row.cell(column).trim().to_lowercase();
    if ACTIVE.contains(&written.as_str()) {
        Ok(true)
    } else if DISABLED.contains(&written.as_str()) {
        Ok(false)
    } else {
        Err((ListingProblemCode::InvalidValue, column))
    }
}

/// A name is one line, but spreadsheets wrap it.
fn join_lines(text: &str) -> String {
    text.split(['\r', '\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
