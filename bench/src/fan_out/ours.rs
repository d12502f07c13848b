//! rollcall itself: the whole server on SQLite, which commits each change to its event log.

use chrono::TimeDelta;
use rollcall::{
    adapter::random::SystemChance,
    app::{App, Listeners, Migrations, Outside, ServeOptions},
    auth::NewToken,
    config::{self, Overrides},
    domain::{
        actor::Role,
        channel::ChannelKind,
        clock::{Clock as _, SystemClock},
        confirmation::{ConfirmationStatus, StatusChangeCause},
        event::{Event, StatusChange},
        id::AccountId,
    },
};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    AnyResult,
    change::{ENGINEER, publish},
};

/// All clients are one subject.
const CONFIG: &str = "[accounts.bench]\nname = \"Bench\"\nsender = \"bench@bench.example\"\ncontact = \"nobody\"\n\
                      [accounts.bench.directories.none]\nkind = \"csv\"\npath = \"none.csv\"\n\
                      [sockets]\nper_subject = 20000\n[rate_limits]\nenabled = false\n";

pub async fn serve() -> AnyResult<()> {
    let folder = TempDir::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let overrides =
        Overrides { data_dir: Some(folder.path().to_owned()), listen: Some(address), ..Overrides::default() };
    let config = config::load(Some(CONFIG), None, [], overrides)?;
    let app = App::open(config, Outside::system(), Migrations::Apply).await?;
    let account: AccountId = "bench".parse()?;
    let token = app.issue_token(&NewToken {
        subject: "wall".to_owned(),
        account: account.clone(),
        roles: vec![Role::Viewer],
        engineer: None,
        expires_at: SystemClock.now() + TimeDelta::hours(1),
    })?;
    let store = app.services.store().clone();
    let listeners = Listeners { main: listener, confirm: None, metrics: None };
    let server = app.server(listeners, None, ServeOptions::default())?;
    tokio::spawn(server.run(std::future::pending()));
    publish(address, &token, |_| {
        let (store, account) = (store.clone(), account.clone());
        async move {
            let mut tx = store.begin(&account).await?;
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
    })
    .await
}
