//! `rollcall keys`.

use clap::{Args, Subcommand};

use super::{failure::Failure, open, output, settings::Settings};
use crate::app::{self, Resealed, Rotation, RotationWish};

/// Change the keys that seal what is stored
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Change the sealing key, while servers run
    ///
    /// Makes a new key beside the present one, has every server seal with it, and seals anew what is there. Both keys are needed
    /// until the old one is retired. Cut off anywhere, it goes on when it is run again. Ends with 2 where something is to be done
    /// first, or where a value could not be opened.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// Remove the old key once nothing that is stored needs it. Backups of before still do: keep a copy with them
    #[arg(long)]
    retire: bool,
    /// With PostgreSQL: every server has the new key by now
    #[arg(long)]
    everywhere: bool,
}

impl Keys {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Rotate(command) => command.run(settings).await,
        }
    }
}

impl Rotate {
    async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let config = open::load(settings)?;
        open::require_database(&config)?;
        let wish = RotationWish { everywhere: self.everywhere, retire: self.retire };
        match app::rotate_sealing_key(&config, wish).await? {
            Rotation::Made(file) => Err(Failure::look(format!(
                "a new sealing key lies in {}, and nothing is sealed with it yet\ncopy that file into the data folder of every \
                 server of this database, and then run `rollcall keys rotate --everywhere`\nwhere all servers share one data \
                 folder, or there is only one, do that at once",
                file.display()
            ))),
            Rotation::Done { key, resealed, retired } => {
                let Resealed { done, stuck } = resealed;
                if stuck > 0 {
                    return Err(Failure::look(format!(
                        "{done} rows were sealed anew with the key {key}; {stuck} hold values that cannot be opened and stay as \
                         they are; the log names them"
                    )));
                }
                let next = match (retired, config.keys.sealing_key.is_some()) {
                    (true, _) => "The old key is removed. Backups of before need it: keep a copy with them.",
                    (false, true) if done == 0 => {
                        "The database named that key already. If another one was meant, exchange the two in the configuration."
                    }
                    (false, true) => "keys.previous_sealing_key is no longer needed, save by backups of before.",
                    (false, false) => "The old key is still there: `rollcall keys rotate --retire` removes it.",
                };
                output::print(&format!(
                    "Everything is sealed with the key {key}; {done} rows were sealed anew.\n{next}\n"
                ))
            }
        }
    }
}
