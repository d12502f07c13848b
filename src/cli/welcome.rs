//! What a server says once it is ready.

use std::{env, fmt::Write as _};

use super::{notices, output, serve::DemoStart};
use crate::{
    config::{Config, DatabaseLocation},
    domain::id::AccountId,
};

/// Tells where the server is, what to try first, and what to know. That nobody may be reading is no reason to end.
pub(super) fn print(config: &Config, demo: Option<&DemoStart>, simulate: bool) {
    let url = config.server.find_public_url(config.server.listen);
    let mut text = format!("rollcall {} is ready at {}\n\n", env!("CARGO_PKG_VERSION"), config.server.listen);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  Start page    {url}/");
    if config.confirm.listen.is_some() {
        let _ = writeln!(text, "  Confirm page  {}/c/…", config.find_confirm_url());
    }
    if let Some(metrics) = config.metrics.listen {
        let _ = writeln!(text, "  Metrics       http://{metrics}/metrics");
    }
    let _ = writeln!(text, "  Database      {}", describe_database(config));
    text.push_str(&match demo {
        Some(demo) => describe_demo(config, demo, simulate),
        None => describe_accounts(config),
    });
    text.push_str("\nPlease note\n");
    for notice in notices::list(config) {
        let _ = writeln!(text, "  - {notice}");
    }
    text.push_str("\nCtrl-C ends the server.\n");
    let _ = output::print(&text);
}

fn describe_database(config: &Config) -> String {
    match &config.database.location {
        DatabaseLocation::Sqlite(file) => format!("SQLite, {}", file.display()),
        DatabaseLocation::Postgres(_) => "PostgreSQL".to_owned(),
    }
}

fn describe_accounts(config: &Config) -> String {
    let accounts: Vec<_> = config.accounts.keys().map(AccountId::as_str).collect();
    let (one, program) = (accounts.first().copied().unwrap_or_default(), program());
    format!(
        "  Accounts      {}\n  A token       {program} token --account {one} --role ADMIN --ttl 1h\n",
        accounts.join(", ")
    )
}

fn describe_demo(config: &Config, demo: &DemoStart, simulate: bool) -> String {
    let DemoStart { account, token, people, problem } = demo;
    let (data, program) = (config.data.dir.display(), program());
    let mut text = format!(
        "  Account       {account}, with {people} invented engineers from {data}/engineers.csv\n  Admin token   {token}\n  \
         {:14}(good for 8 hours; another: {program} token --data {data} --account {account} --role ADMIN --ttl 1h)\n",
        ""
    );
    if let Some(problem) = problem {
        let _ = writeln!(text, "\nThe directory was not synced: {problem}");
    }
    let _ = write!(
        text,
        "\nTry first\n  1. Open the start page, and from it the playground, signed in; run the live query that stands on the page.\n  \
         2. Ask people to confirm their e-mail (the page has the mutation): REQUESTED and PENDING stream in.\n  \
         3. {program} outbox --data {data} shows links and codes: open a link, type its code, and see CONFIRMED arrive.\n"
    );
    if simulate {
        text.push_str("\nSimulated people are at work: they confirm, refuse, and let links expire after 20 seconds.\n");
    }
    text
}

/// How whoever reads this started the program, so that a hint can be copied: it need not be on the search path.
fn program() -> String {
    env::args_os().next().map_or_else(|| "rollcall".to_owned(), |name| name.to_string_lossy().into_owned())
}
