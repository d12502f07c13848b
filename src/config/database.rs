//! The database.

use std::{borrow::Cow, fmt, path::PathBuf};

use reqwest::Url;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    data::DataConfig,
    findings::Findings,
    secret::{MASK, Secret},
};

/// The name of the SQLite file in the data folder.
const SQLITE_FILE: &str = "rollcall.sqlite";

/// The database: an SQLite file, or PostgreSQL.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DatabaseSection {
    /// `postgres://user:password@host:port/database`, or `sqlite:` and the path of a file. The password is never shown.
    #[schemars(extend("x-default" = "`sqlite:` and `rollcall.sqlite` in the data folder"))]
    url: Option<DatabaseUrl>,
    /// A file that holds the URL, instead of `url`.
    url_file: Option<PathBuf>,
    /// The most connections that are open at once.
    #[schemars(range(min = 1, max = 1000))]
    max_connections: u32,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self { url: None, url_file: None, max_connections: 10 }
    }
}

/// A URL that may hold a password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct DatabaseUrl(Secret);

impl DatabaseUrl {
    /// The URL with `***` in place of a password; `***` alone where it cannot be read.
    fn mask(&self) -> String {
        let text = self.0.expose();
        if text.starts_with("sqlite:") {
            return text.to_owned();
        }
        let Ok(mut url) = Url::parse(text) else {
            return MASK.to_owned();
        };
        if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
            return MASK.to_owned();
        }
        // libpq and sqlx take a password as a parameter too.
        if url.query_pairs().any(|(key, _)| key.contains("password")) {
            url.set_query(Some(MASK));
        }
        url.into()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mask())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.mask())
    }
}

impl JsonSchema for DatabaseUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Secret::json_schema(generator)
    }
}

/// Where the database is.
#[derive(Debug, Clone)]
pub enum DatabaseLocation {
    /// A file. It may not be there yet.
    Sqlite(PathBuf),
    /// A PostgreSQL server: its URL, which may hold a password.
    Postgres(Secret),
}

/// The database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Where it is.
    pub location: DatabaseLocation,
    /// The most connections that are open at once, 1 to 1000.
    pub max_connections: u32,
}

impl DatabaseSection {
    pub(super) fn resolve(&mut self, data: &DataConfig, findings: &mut Findings) -> Option<DatabaseConfig> {
        let given = self.url.as_ref().map(|url| &url.0);
        let path = if given.is_some() { "database.url" } else { "database.url_file" };
        let location = match findings.take_secret("database.url", given, self.url_file.as_ref()) {
            Some(url) => findings.accept(path, parse_location(&url))?,
            None => DatabaseLocation::Sqlite(data.dir.join(SQLITE_FILE)),
        };
        if let (DatabaseLocation::Sqlite(file), None) = (&location, &self.url_file) {
            self.url = Some(DatabaseUrl(Secret::new(format!("sqlite:{}", file.display()))));
        }
        Some(DatabaseConfig { location, max_connections: self.max_connections })
    }
}

/// Reads a database URL. The messages never repeat it, since it may hold a password.
fn parse_location(url: &Secret) -> Result<DatabaseLocation, &'static str> {
    let text = url.expose();
    if let Some(rest) = text.strip_prefix("sqlite:") {
        return parse_sqlite(rest.strip_prefix("//").unwrap_or(rest));
    }
    match Url::parse(text) {
        Ok(parsed) if matches!(parsed.scheme(), "postgres" | "postgresql") => {
            Ok(DatabaseLocation::Postgres(url.clone()))
        }
        Ok(_) | Err(_) => Err("must be postgres://user@host/database, or sqlite: and the path of a file"),
    }
}

fn parse_sqlite(path: &str) -> Result<DatabaseLocation, &'static str> {
    if path.contains('?') {
        Err("must be sqlite: and the path of a file, without parameters")
    } else if path.is_empty() || path.starts_with(':') {
        Err("must name a file after sqlite:, since a database in memory would be lost")
    } else {
        Ok(DatabaseLocation::Sqlite(path.into()))
    }
}
