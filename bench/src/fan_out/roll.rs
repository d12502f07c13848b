//! The roll whose changes are told: rollcall on SQLite, which commits each change to its event log.

use std::net::SocketAddr;

use rollcall::{
    adapter::random::SystemChance,
    app::{App, Migrations, Outside},
    config::{self, Overrides},
    domain::{
        channel::ChannelKind,
        clock::{Clock as _, SystemClock},
        confirmation::{ConfirmationStatus, StatusChangeCause},
        event::{Event, StatusChange},
        id::AccountId,
    },
    store::Store,
};
use tempfile::TempDir;

use crate::{AnyResult, change::ENGINEER};

/// All clients are one subject.
const CONFIG: &str = "[accounts.bench]\nname = \"Bench\"\nsender = \"bench@bench.example\"\ncontact = \"nobody\"\n\
                      [accounts.bench.directories.none]\nkind = \"csv\"\npath = \"none.csv\"\n\
                      [sockets]\nper_subject = 20000\n[rate_limits]\nenabled = false\n";

/// rollcall, opened but not served. Dropped, its data is gone.
pub struct Roll {
    pub app: App,
    pub account: AccountId,
    _folder: TempDir,
}

/// Makes the changes.
#[derive(Clone)]
pub struct Changes {
    store: Store,
    account: AccountId,
}

impl Roll {
    /// A new one. `address` is where it will be served.
    pub async fn open(address: SocketAddr) -> AnyResult<Self> {
        let folder = TempDir::new()?;
        let overrides =
            Overrides { data_dir: Some(folder.path().to_owned()), listen: Some(address), ..Overrides::default() };
        let config = config::load(Some(CONFIG), None, [], overrides)?;
        let app = App::open(config, Outside::system(), Migrations::Apply).await?;
        Ok(Self { app, account: "bench".parse()?, _folder: folder })
    }

    pub fn changes(&self) -> Changes {
        Changes { store: self.app.services.store().clone(), account: self.account.clone() }
    }
}

impl Changes {
    /// Commits one change.
    pub async fn make(&self) -> AnyResult<()> {
        let mut tx = self.store.begin(&self.account).await?;
        let change = StatusChange {
            engineer: ENGINEER,
            channel: ChannelKind::Email,
            from: ConfirmationStatus::Pending,
            to: ConfirmationStatus::Confirmed,
            cause: StatusChangeCause::Link,
        };
        tx.log(Event::StatusChanged(change), SystemClock.now(), &SystemChance);
        tx.commit().await?;
        Ok(())
    }
}
