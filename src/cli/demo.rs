//! The demonstration: an account whose directory is a file of invented people in the data folder.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::failure::Failure;
use crate::{
    config::{Config, DEMO_LAYER, DirectorySourceConfig},
    domain::id::AccountId,
};

/// The account.
pub(super) const ACCOUNT: &str = "demo";

/// The account's directory.
pub(super) const DIRECTORY: &str = "hr";

/// The people, as they are before anybody changes the file.
const PEOPLE: &str = include_str!("../../examples/engineers.csv");

/// The name of the file in the data folder.
const FILE: &str = "engineers.csv";

/// How long a link lives while people are simulated, so that one sees some expire.
const SIMULATED_LINK_SECONDS: i64 = 20;

/// The account's key.
pub(super) fn account() -> Result<AccountId, Failure> {
    Ok(ACCOUNT.parse()?)
}

/// The settings of the demonstration, as they lie beneath the file.
pub(super) fn layer(directory_file: Option<&Path>, simulate: bool) -> Result<Table, Failure> {
    let mut layer: Table = DEMO_LAYER.parse()?;
    if let Some(file) = directory_file {
        let path = Value::String(file.to_string_lossy().into_owned());
        set(&mut layer, &["accounts", ACCOUNT, "directories", DIRECTORY, "path"], path);
    }
    if simulate {
        set(&mut layer, &["development", "link_lifetime_seconds"], Value::Integer(SIMULATED_LINK_SECONDS));
    }
    Ok(layer)
}

fn set(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert((*key).to_owned(), value);
        }
        [key, rest @ ..] => {
            if let Value::Table(inner) = table.entry(*key).or_insert_with(|| Value::Table(Table::new())) {
                set(inner, rest, value);
            }
        }
    }
}

/// Where the demonstration's people are.
pub(super) fn directory_file(config: &Config) -> PathBuf {
    config.data.dir.join(FILE)
}

/// Puts the people into the data folder, unless they are there: who changed the file keeps it.
pub(super) fn place_directory_file(config: &Config) -> Result<(), Failure> {
    let file = directory_file(config);
    if !reads(config, &file) || file.exists() {
        return Ok(());
    }
    write_new(&config.data.dir, &file)
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))
}

/// Whether the demonstration's directory is that file, and not another that the configuration names.
fn reads(config: &Config, file: &Path) -> bool {
    let directories = config.accounts.iter().find(|(id, _)| id.as_str() == ACCOUNT).map(|(_, demo)| &demo.directories);
    directories.and_then(|directories| directories.get(DIRECTORY)).is_some_and(|directory| match &directory.source {
        DirectorySourceConfig::Csv { path } => path == file,
    })
}

/// Writes the file under another name first: half of it would read as people who are gone.
fn write_new(folder: &Path, file: &Path) -> io::Result<()> {
    let draft = folder.join(format!("{FILE}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut writing = options.open(&draft)?;
    writing.write_all(PEOPLE.as_bytes())?;
    writing.sync_all()?;
    fs::rename(&draft, file)
}
