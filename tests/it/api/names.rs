//! The schema that a client is shown, held against the names that clients are written against.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{entries, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    introspection_shows_every_promised_name_with_its_type
}

/// The promised names, as the schema's own test has them.
const PROMISED: &str = include_str!("../schema/promised.txt");

/// What else the design promises and that list leaves out.
const MORE: &str = include_str!("names.txt");

const TYPES: &str = "{ __schema { types { kind name
    interfaces { name }
    fields(includeDeprecated: true) { name type { ...T } args { name type { ...T } } }
    inputFields { name type { ...T } } enumValues(includeDeprecated: true) { name } possibleTypes { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// A type as the schema language writes it.
fn written(reference: &Value) -> String {
    match reference["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&reference["ofType"])),
        Some("LIST") => format!("[{}]", written(&reference["ofType"])),
        Some(_) | None => text(&reference["name"]),
    }
}

/// A field as the lists of names write it: arguments in alphabetical order, and the type.
fn signature(field: &Value) -> String {
    let args = field["args"].as_array().cloned().unwrap_or_default();
    let mut args: Vec<_> =
        args.iter().map(|arg| format!("{}: {}", text(&arg["name"]), written(&arg["type"]))).collect();
    args.sort();
    let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
    format!("{args}: {}", written(&field["type"]))
}

async fn introspection_shows_every_promised_name_with_its_type(database: Database) {
    let app = TestApp::start(database).await;
    let types = app.admin().data(TYPES, json!({})).await["__schema"]["types"].clone();
    let mut shown = BTreeMap::new();
    for definition in entries(&types) {
        let name = text(&definition["name"]);
        shown.insert(name.clone(), format!(" is {}", text(&definition["kind"])));
        let list = |field: &str| definition[field].as_array().cloned().unwrap_or_default();
        for member in list("fields").iter().chain(&list("inputFields")) {
            shown.insert(format!("{name}.{}", text(&member["name"])), signature(member));
        }
        for value in list("enumValues") {
            shown.insert(format!("{name}.{}", text(&value["name"])), String::new());
        }
    }
    let lines = PROMISED.lines().chain(MORE.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<_> = lines.collect();
    assert!(lines.len() > 300, "{}", lines.len());
    for line in lines {
        let end = line.find(['(', ':', ' ']).unwrap_or(line.len());
        let (path, wanted) = line.split_at(end);
        assert_eq!(shown.get(path).map(String::as_str), Some(wanted), "{path}");
    }
    let node = entries(&types).iter().find(|definition| definition["name"] == "Node").expect("Node");
    let mut nodes: Vec<_> = entries(&node["possibleTypes"]).iter().map(|one| text(&one["name"])).collect();
    nodes.sort();
    assert_eq!(
        nodes,
        ["ApiKey", "AuditEntry", "Channel", "DirectorySync", "Engineer", "RosterSummary", "StatusChange"]
    );
}
