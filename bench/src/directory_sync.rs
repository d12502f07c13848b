//! How fast 10,000 people are synced from a CSV file into SQLite, beside a bare program that writes as many rows in one
//! transaction. Both are measured in the same run, so the ratio tells more than the seconds.
//!
//!     make bench

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rollcall::{
    app::{App, Migrations, Outside},
    config::{self, Overrides},
    domain::id::AccountId,
    store::{SyncRun, SyncWish},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, Statement, TransactionTrait};
use tempfile::TempDir;

/// How many people.
const PEOPLE: usize = 10_000;

/// How often everything is measured.
const ROUNDS: usize = 3;

type AnyResult<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> AnyResult<()> {
    println!("{PEOPLE} people, SQLite with synchronous=FULL, {ROUNDS} rounds");
    for round in 1..=ROUNDS {
        let folder = TempDir::new()?;
        let bare = write_bare(folder.path()).await?;
        let app = open_app(folder.path()).await?;
        write_people(folder.path(), 0)?;
        let (first, run) = sync(&app).await?;
        let (second, _) = sync(&app).await?;
        write_people(folder.path(), PEOPLE / 100)?;
        let (changed, _) = sync(&app).await?;
        println!(
            "round {round}: first sync {:.2} s ({} added), {:.1} times the bare rows ({:.2} s); \
             unchanged {:.2} s; 1 % renamed {:.2} s",
            first.as_secs_f64(),
            run.counts.added,
            first.as_secs_f64() / bare.as_secs_f64(),
            bare.as_secs_f64(),
            second.as_secs_f64(),
            changed.as_secs_f64(),
        );
    }
    Ok(())
}

async fn open_app(folder: &Path) -> AnyResult<App> {
    let base = format!(
        "[accounts.bench]\nname = \"Bench\"\nsender = \"bench@bench.example\"\ncontact = \"nobody\"\n\
         [accounts.bench.directories.hr]\nkind = \"csv\"\npath = \"{}/people.csv\"\n",
        folder.display()
    );
    let overrides = Overrides { data_dir: Some(folder.join("data")), ..Overrides::default() };
    let config = config::load(Some(&base), None, [], overrides)?;
    Ok(App::open(config, Outside::system(), Migrations::Apply).await?)
}

/// Writes the directory, with the first `renamed` people under another name.
fn write_people(folder: &Path, renamed: usize) -> AnyResult<()> {
    let mut text = "external_id,name,mobile,email\n".to_owned();
    for i in 0..PEOPLE {
        let name = if i < renamed { "renamed" } else { "person" };
        writeln!(text, "u-{i},{name}-{i},+86138{i:08},person-{i}@bench.example")?;
    }
    Ok(fs::write(folder.join("people.csv"), text)?)
}

async fn sync(app: &App) -> AnyResult<(Duration, SyncRun)> {
    let account: AccountId = "bench".parse()?;
    let wish = SyncWish {
        directory: "hr".to_owned(),
        dry_run: false,
        confirm_removals: false,
        restore_deleted: false,
        requested_by: None,
    };
    let start = Instant::now();
    let run = app.sync_now(&account, wish).await?;
    Ok((start.elapsed(), run))
}

/// The rows alone: 10,000 people, 30,000 channels and 10,000 identities in one transaction, by prepared statements.
async fn write_bare(folder: &Path) -> AnyResult<Duration> {
    let mut options = ConnectOptions::new(format!("sqlite://{}/bare.sqlite?mode=rwc", folder.display()));
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await?;
    db.execute_unprepared("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL").await?;
    db.execute_unprepared("CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT, mobile TEXT, email TEXT)").await?;
    db.execute_unprepared("CREATE TABLE channel (id TEXT, kind TEXT, status TEXT, PRIMARY KEY (id, kind))").await?;
    db.execute_unprepared("CREATE TABLE identity (directory TEXT, key TEXT, id TEXT, PRIMARY KEY (directory, key))")
        .await?;
    let start = Instant::now();
    let tx = db.begin().await?;
    let backend = tx.get_database_backend();
    for i in 0..PEOPLE {
        let id = format!("u-{i}");
        let person = [id.clone(), format!("person-{i}"), format!("+86138{i:08}"), format!("person-{i}@bench.example")];
        let sql = "INSERT INTO person VALUES (?, ?, ?, ?)";
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, person.map(Into::into))).await?;
        for kind in ["SMS", "VOICE", "EMAIL"] {
            let channel = [id.as_str(), kind, "UNSUBSCRIBED"];
            let sql = "INSERT INTO channel VALUES (?, ?, ?)";
            tx.execute_raw(Statement::from_sql_and_values(backend, sql, channel.map(Into::into))).await?;
        }
        let identity = ["hr".to_owned(), id.clone(), id];
        let sql = "INSERT INTO identity VALUES (?, ?, ?)";
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, identity.map(Into::into))).await?;
    }
    tx.commit().await?;
    Ok(start.elapsed())
}
