//! Opening what a server has, for the commands that work beside it.

use std::{fs::DirBuilder, io, path::Path};

use super::{failure::Failure, logging, settings::Settings};
use crate::{
    app::{App, Migrations, Outside},
    config::{Config, DatabaseLocation},
};

/// Loads the configuration and begins to log.
pub(super) fn load(settings: &Settings) -> Result<Config, Failure> {
    let config = settings.load_for_command()?;
    logging::start(&config.log)?;
    Ok(config)
}

/// Opens the database as it is: a command changes no structure, since an older server may be running.
pub(super) async fn open(config: Config) -> Result<App, Failure> {
    require_database(&config)?;
    Ok(App::open(config, Outside::system(), Migrations::Require).await?)
}

/// Refuses where the database is a file that is not there: opening would make an empty one.
pub(super) fn require_database(config: &Config) -> Result<(), Failure> {
    match &config.database.location {
        DatabaseLocation::Sqlite(file) if !file.exists() => Err(Failure::new(format!(
            "there is no database {}: name its folder with --data, or make it with `rollcall serve` or `rollcall migrate`",
            file.display()
        ))),
        DatabaseLocation::Sqlite(_) | DatabaseLocation::Postgres(_) => Ok(()),
    }
}

/// Makes the data folder, for its owner alone: the database in it will hold contact data.
pub(super) fn make_data_folder(config: &Config) -> Result<(), Failure> {
    let folder = &config.data.dir;
    make_folder(folder)
        .map_err(|error| Failure::new(format!("the data folder {} cannot be made: {error}", folder.display())))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
