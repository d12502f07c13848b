//! The map of the rooms: who may use whom. An import that the map does not allow fails here, with its file and line.
//!
//! Every path of every file is looked at, whether in a `use`, in the middle of the code, in an attribute or inside a macro.

mod imports;
mod map;

use std::{
    fs,
    path::{Path, PathBuf},
};

use self::{imports::Import, map::Forbidden};

/// Every Rust file below a folder of the repository, with its path from the root and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        let inside = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let (deeper, here): (Vec<PathBuf>, Vec<PathBuf>) = inside.partition(|path| path.is_dir());
        folders.extend(deeper);
        files.extend(here.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")));
    }
    files.sort();
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// What is wrong with one file, as `file:line: what`.
fn judge(file: &str, text: &str) -> Vec<String> {
    let imports = imports::read(file, text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let told = |(import, Forbidden(why)): (&Import, Forbidden)| {
        format!("{file}:{}: {} ({why})", import.find_line(text), import.path.join("::"))
    };
    imports.iter().filter_map(|import| map::judge(file, import).map(|why| (import, why))).map(told).collect()
}

#[test]
fn every_import_is_one_that_the_map_allows() {
    let files: Vec<_> = ["src", "entity/src", "migration/src"].into_iter().flat_map(sources).collect();
    let wrong: Vec<_> = files.iter().flat_map(|(file, text)| judge(file, text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_imports_that_hold_the_house_together_are_seen() {
    let files = sources("src");
    let uses = |file: &str, room: &str| {
        let (_, text) = files.iter().find(|(name, _)| name == file).unwrap();
        imports::read(file, text).unwrap().iter().any(|import| import.room().is_some_and(|it| it == room))
    };
    assert!(uses("src/port/transport.rs", "domain"));
    assert!(uses("src/adapter/directory/csv.rs", "port"));
    let external = |file: &str, name: &str| {
        let (_, text) = files.iter().find(|(it, _)| it == file).unwrap();
        imports::read(file, text).unwrap().iter().any(|import| import.library().is_some_and(|it| it == name))
    };
    assert!(external("src/store/engineer.rs", "sea_orm") && external("src/store/engineer.rs", "entity"));
    assert!(!external("src/domain/engineer.rs", "sea_orm"));
}

#[test]
fn every_room_is_on_the_map() {
    for (file, _) in sources("src") {
        let room = map::room_of(&file).unwrap();
        assert!(room == "lib" || map::is_room(room), "{file}: the room {room} is not on the map of architecture.md");
    }
}

/// The crate's documentation shows the same map: "may use" names the same rooms.
#[test]
fn the_map_in_the_crate_documentation_is_the_one_that_is_checked() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    let mut shown = 0;
    for row in rows {
        let (room, rest) = row.split_once("`] | ").unwrap();
        let (_, may_use) = rest.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let words = may_use.split(|c: char| !c.is_ascii_alphanumeric());
        let documented: Vec<_> = words.filter(|word| map::is_room(word) || map::is_library(word)).collect();
        map::check_documented(room, may_use, &documented);
        shown += 1;
    }
    assert_eq!(shown, map::documented_rooms());
}

/// Source text with one forbidden import, and the words that tell of it.
const PLANTED: &[(&str, &str, &str)] = &[
    ("src/domain/x.rs", "use crate::store::Store;", ":1: crate::store::Store (domain may not use store)"),
    (
        "src/domain/x.rs",
        "use crate::{domain::id, config::Config};",
        "crate::config::Config (domain may not use config)",
    ),
    ("src/domain/x.rs", "\n\nfn f() { crate::service::run() }", ":3: crate::service::run"),
    ("src/domain/x.rs", "fn f(x: &crate::port::Wakeup) {}", "crate::port::Wakeup"),
    ("src/domain/x.rs", "use super::super::store::Store;", "crate::store::Store"),
    ("src/domain/a/b.rs", "use super::super::super::store;", "crate::store"),
    ("src/domain/a/mod.rs", "use super::super::store;", "crate::store"),
    ("src/domain/x.rs", "mod inner { use super::super::super::store; }", "crate::store"),
    ("src/domain/x.rs", "use crate::*;", "crate::* (nobody may take all rooms at once)"),
    ("src/domain/x.rs", "use crate as house;", "crate (nobody may take all rooms at once)"),
    ("src/domain/x.rs", "use tokio::time;", "tokio::time (domain may not use the library tokio)"),
    ("src/domain/x.rs", "use axum as web;", "axum (domain may not use the library axum)"),
    ("src/domain/x.rs", "extern crate reqwest;", "reqwest (domain may not use the library reqwest)"),
    ("src/domain/x.rs", "fn f() { ::sea_orm::go() }", "sea_orm::go (domain may not use the library sea_orm)"),
    ("src/domain/x.rs", "fn f() { println!(\"{}\", crate::store::go()) }", "crate::store::go"),
    ("src/domain/x.rs", "macro_rules! m { () => { use crate::{domain::id, live::Tail}; }; }", "crate::live::Tail"),
    ("src/domain/x.rs", "#[derive(async_graphql::SimpleObject)] struct X;", "the library async_graphql"),
    ("src/domain/x.rs", "#[tokio::test] fn f() {}", "tokio::test"),
    ("src/domain/x.rs", "type X = Vec<Option<sqlx::Row>>;", "sqlx::Row"),
    ("src/config/x.rs", "use crate::port::Transport;", "config may not use port"),
    ("src/port/x.rs", "use crate::config::Config;", "port may not use config"),
    ("src/store/x.rs", "use crate::port::Wakeup;", "store may not use port"),
    ("src/store/x.rs", "use crate::config::Config;", "store may not use config"),
    ("src/store/x.rs", "use crate::service::run;", "store may not use service"),
    ("src/store/x.rs", "use sqlx::Pool;", "store may not use the library sqlx"),
    ("src/store/x.rs", "use async_graphql::ID;", "store may not use the library async_graphql"),
    ("src/store/x.rs", "use migration::Migrator;", "store may not use the library migration"),
    ("src/service/x.rs", "use crate::adapter::http_client;", "service may not use adapter"),
    ("src/service/x.rs", "use sea_orm::EntityTrait;", "service may not use the library sea_orm"),
    ("src/service/x.rs", "use entity::engineer;", "service may not use the library entity"),
    ("src/adapter/x.rs", "use crate::service::run;", "adapter may not use service"),
    ("src/live/x.rs", "use crate::graphql::schema;", "live may not use graphql"),
    ("src/live/x.rs", "use async_graphql::Value;", "live may not use the library async_graphql"),
    ("src/auth/x.rs", "use crate::service::run;", "auth may not use service"),
    ("src/graphql/x.rs", "use crate::http::router;", "graphql may not use http"),
    ("src/graphql/x.rs", "use crate::adapter::csv;", "graphql may not use adapter"),
    ("src/graphql/x.rs", "use crate::port::Transport;", "graphql may not use port"),
    ("src/http/x.rs", "use crate::store::Store;", "http may not use store"),
    ("src/worker/handover.rs", "use crate::store::Store;", "worker may not use store"),
    ("src/worker/x.rs", "use crate::adapter::csv;", "worker may not use adapter"),
    ("src/cli/serve.rs", "use crate::service::run;", "cli may not use service"),
    ("src/cli/serve.rs", "use crate::adapter::csv;", "cli may not use adapter"),
    ("src/cli/schema.rs", "use async_graphql::Schema;", "cli may not use the library async_graphql"),
    ("src/app.rs", "use sea_orm::Database;", "app may not use the library sea_orm"),
    ("src/main.rs", "fn main() { rollcall::app::start() }", "main may not use app"),
    ("src/lib.rs", "pub use store::Store;", "lib may not use store"),
    ("entity/src/x.rs", "use rollcall::domain::id;", "entity may not use the library rollcall"),
    ("entity/src/x.rs", "use async_graphql::ID;", "entity may not use the library async_graphql"),
    ("migration/src/x.rs", "use entity::engineer;", "migration may not use the library entity"),
    ("migration/src/x.rs", "use rollcall::domain::id;", "migration may not use the library rollcall"),
];

#[test]
fn a_planted_import_is_found() {
    for (file, text, words) in PLANTED {
        let wrong = judge(file, text);
        assert_eq!(wrong.len(), 1, "{file}: {text}: {wrong:?}");
        assert!(wrong[0].starts_with(*file) && wrong[0].contains(words), "{file}: {text}: {wrong:?}");
    }
}

#[test]
fn what_the_map_allows_is_let_through() {
    for (file, text) in [
        ("src/domain/x.rs", "use crate::domain::id::EngineerId; use super::event; use std::fmt; use chrono::Utc;"),
        ("src/domain/x.rs", "/// See [`crate::store`].\npub(crate) fn f() { let tokio = 1; tokio + self::g() }"),
        ("src/domain/x.rs", "mod inner { use super::f; use super::super::id; } fn f() {}"),
        ("src/store/connect.rs", "use sqlx::Pool; use sea_orm::Database; use crate::domain::id;"),
        ("src/store/x.rs", "use entity::engineer; use sea_orm::entity::prelude::*; use super::Store;"),
        ("src/adapter/x.rs", "use crate::{config::Config, port::Transport, store::Store, adapter::http_client};"),
        ("src/graphql/loader.rs", "use crate::{auth, domain, live, service, store::Store}; use async_graphql::ID;"),
        ("src/http/x.rs", "use crate::{graphql, service, live, auth, config, domain}; use axum::Router;"),
        ("src/worker/runner.rs", "use crate::{service, store::Store};"),
        ("src/app.rs", "use crate::adapter::directory; use migration::Migrator;"),
        ("src/cli/schema.rs", "use crate::graphql::schema;"),
        ("src/cli/migrate.rs", "use crate::{app, config}; use migration::Migrator;"),
        ("src/main.rs", "fn main() { rollcall::cli::run() }"),
        ("entity/src/x.rs", "use sea_orm::entity::prelude::*; use crate::account;"),
        ("migration/src/x.rs", "use sea_orm_migration::prelude::*; use crate::table;"),
    ] {
        assert_eq!(judge(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
