//! The map itself: the table of `docs/architecture.md`, and the libraries that have a room of their own.

use super::imports::Import;

/// A room, the rooms that all its files may use (besides itself), and further ones for single files.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    also: &'static [(&'static str, &'static str)],
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, also: &[] }
}

const ROOMS: &[Room] = &[
    room("domain", &[]),
    room("config", &["domain"]),
    room("port", &["domain"]),
    room("store", &["domain"]),
    room("service", &["domain", "port", "store"]),
    room("adapter", &["domain", "port", "config", "store"]),
    room("live", &["domain", "store", "port"]),
    room("auth", &["domain", "port", "config", "store"]),
    room("metrics", &["domain", "service"]),
    // The store's read side: loaders and connections.
    room("graphql", &["domain", "service", "live", "auth", "metrics", "config", "store"]),
    room("http", &["graphql", "service", "live", "auth", "metrics", "config", "domain"]),
    Room {
        name: "worker",
        may_use: &["domain", "service", "port", "metrics"],
        also: &[("src/worker/runner.rs", "store")],
    },
    room(
        "app",
        &[
            "domain", "config", "port", "store", "service", "adapter", "live", "auth", "metrics", "graphql", "http",
            "worker",
        ],
    ),
    Room { name: "cli", may_use: &["app", "config", "domain"], also: &[("src/cli/schema.rs", "graphql")] },
    room("main", &["cli"]),
    // The list of modules: it uses none of them.
    room("lib", &[]),
];

/// A library that only some places may use; a place is the beginning of a path.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("sea_orm", &["src/store", "entity/"]),
    ("sqlx", &["src/store/connect.rs"]),
    ("entity", &["src/store"]),
    ("migration", &["src/cli/migrate.rs", "src/app"]),
    ("prometheus_client", &["src/metrics"]),
    ("sea_orm_migration", &["migration/"]),
    ("async_graphql", &["src/graphql", "src/http"]),
    ("async_graphql_axum", &["src/http"]),
    ("async_graphql_value", &["src/graphql/guard"]),
    ("rollcall", &["src/main.rs"]),
];

/// Libraries that do input, output or concurrency, which the domain knows nothing of.
const IMPURE: &[&str] = &[
    "async_trait",
    "axum",
    "futures_util",
    "lettre",
    "reqwest",
    "rustls",
    "tokio",
    "tokio_util",
    "tower_http",
    "tracing",
];

/// Why an import is not allowed.
pub struct Forbidden(pub String);

/// The room of a file: the folder or file below `src/`, or the workspace member.
pub fn room_of(file: &str) -> Option<&str> {
    match file.strip_prefix("src/") {
        Some(inside) => inside.split('/').next()?.split('.').next(),
        None => file.split('/').next(),
    }
}

/// Whether the map holds a room of that name; the list of modules is none.
pub fn is_room(name: &str) -> bool {
    name != "lib" && ROOMS.iter().any(|room| room.name == name)
}

/// Whether it is a workspace member that the map speaks of.
pub fn is_library(name: &str) -> bool {
    matches!(name, "entity" | "migration")
}

/// Says why that file may not have the import.
pub fn judge(file: &str, import: &Import) -> Option<Forbidden> {
    let from = room_of(file)?;
    if let Some(library) = import.library() {
        return judge_library(file, from, library);
    }
    if !file.starts_with("src/") {
        return None;
    }
    let to = import.room()?;
    if to == "*" {
        return Some(Forbidden("nobody may take all rooms at once".to_owned()));
    }
    let known = ROOMS.iter().find(|room| room.name == from);
    let allowed = known.is_some_and(|room| {
        room.may_use.contains(&to) || room.also.iter().any(|(only, also)| *only == file && *also == to)
    });
    (to != from && !allowed).then(|| Forbidden(format!("{from} may not use {to}")))
}

fn judge_library(file: &str, from: &str, library: &str) -> Option<Forbidden> {
    let places = LIBRARIES.iter().find(|(name, _)| *name == library).map(|(_, places)| *places);
    let allowed = match places {
        Some(places) => places.iter().any(|place| file.starts_with(place)),
        None => from != "domain" || !IMPURE.contains(&library),
    };
    (!allowed).then(|| Forbidden(format!("{from} may not use the library {library}")))
}

/// How many rooms the crate's documentation shows: all but the executable and the list of modules.
pub fn documented_rooms() -> usize {
    ROOMS.iter().filter(|room| !matches!(room.name, "main" | "lib")).count()
}

/// Compares one row of the crate's documentation with the map.
pub fn check_documented(name: &str, text: &str, documented: &[&str]) {
    let room = ROOMS.iter().find(|room| room.name == name).unwrap_or_else(|| panic!("{name} is not on the map"));
    if text == "everything" {
        return assert_eq!(room.may_use.len(), documented_rooms() - 2, "all but itself and cli");
    }
    let in_single_files = |word: &str| room.also.iter().any(|(_, also)| *also == word);
    for word in documented {
        let members = is_library(word) && judge_library(&format!("src/{name}/migrate.rs"), name, word).is_none();
        assert!(members || room.may_use.contains(word) || in_single_files(word), "{name} may not use {word}: {text}");
    }
    for word in room.may_use {
        assert!(documented.contains(word), "{name} may use {word}, and the documentation does not say so: {text}");
    }
}
