//! rollcall itself: the whole server.

use chrono::TimeDelta;
use rollcall::{
    app::{Listeners, ServeOptions},
    auth::NewToken,
    domain::{
        actor::Role,
        clock::{Clock as _, SystemClock},
    },
};
use tokio::net::TcpListener;

use crate::{AnyResult, change::publish, roll::Roll};

pub async fn serve() -> AnyResult<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let roll = Roll::open(address).await?;
    let changes = roll.changes();
    let token = roll.app.issue_token(&NewToken {
        subject: "wall".to_owned(),
        account: roll.account.clone(),
        roles: vec![Role::Viewer],
        engineer: None,
        expires_at: SystemClock.now() + TimeDelta::hours(1),
    })?;
    let listeners = Listeners { main: listener, confirm: None, metrics: None };
    let server = roll.app.server(listeners, None, ServeOptions::default())?;
    tokio::spawn(server.run(std::future::pending()));
    publish(address, &token, |_| changes.make()).await
}
