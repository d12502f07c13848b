//! The server's database, looked at beside the server: its connection, and every byte that it holds.

use rollcall::config::DatabaseLocation;
use sea_orm::{ConnectionTrait as _, Database as Connector, DatabaseConnection, Statement};

use super::app::TestApp;

/// A connection of the test's own to the server's database.
pub async fn connect(app: &TestApp) -> DatabaseConnection {
    let url = match &app.app.config().database.location {
        DatabaseLocation::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseLocation::Postgres(url) => url.expose().to_owned(),
    };
    Connector::connect(url).await.expect("a connection")
}

/// The first column of each row that a query gives, as text.
pub async fn query(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

/// Everything that the database holds, as bytes: on SQLite those of its files, on PostgreSQL each row of each table.
pub async fn everything(app: &TestApp) -> Vec<u8> {
    let db = connect(app).await;
    match &app.app.config().database.location {
        DatabaseLocation::Sqlite(path) => {
            let sql = Statement::from_string(db.get_database_backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
            let done = db.query_one_raw(sql).await.expect("a checkpoint").expect("its outcome");
            assert_eq!(done.try_get_by_index::<i32>(0).expect("a number"), 0, "the log was moved into the file");
            db.close().await.expect("closing");
            let mut bytes = std::fs::read(path).expect("the database file");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            for beside in ["-wal", "-shm", "-journal"] {
                bytes.extend(std::fs::read(path.with_file_name(format!("{name}{beside}"))).unwrap_or_default());
            }
            bytes
        }
        DatabaseLocation::Postgres(_) => {
            let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
            let mut text = String::new();
            for table in query(&db, tables).await {
                text += &query(&db, &format!("SELECT row_to_json(t)::text FROM \"{table}\" t")).await.join("\n");
            }
            db.close().await.expect("closing");
            text.into_bytes()
        }
    }
}

/// Whether bytes hold a text.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
