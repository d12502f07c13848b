//! The layer of `ROLLCALL_*` variables.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{
    findings::Findings,
    layer::join,
    shape::{Kind, Section, Shape},
    suggest,
};

/// What every variable of rollcall begins with.
pub(super) const PREFIX: &str = "ROLLCALL_";

/// What stands between the parts of a path in a variable's name.
const SEPARATOR: &str = "__";

/// The variable that names the configuration file, read by the command line. It is no setting itself.
pub const CONFIG_FILE_VARIABLE: &str = "ROLLCALL_CONFIG";

/// The `ROLLCALL_*` variables of this process. Bytes that are no UTF-8 become the replacement character.
pub fn read_process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect()
}

/// The variable of a dotted path.
pub(super) fn name_variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', SEPARATOR).replace('-', "_"))
}

/// Reads the variables into a layer and reports the unknown ones. `weaker` holds the layers beneath: a key that an operator
/// chose there, such as `my-firm`, is the one meant by `MY_FIRM`.
pub(super) fn read(
    shape: &Section,
    variables: impl IntoIterator<Item = (String, String)>,
    weaker: &Table,
    findings: &mut Findings,
) -> Table {
    let mut layer = Table::new();
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX).filter(|rest| !is_foreign(&name, rest)) else {
            continue;
        };
        let segments: Vec<&str> = path.split(SEPARATOR).collect();
        match locate(shape, &segments, weaker) {
            Some((keys, kind)) => insert(&mut layer, &keys, read_value(kind, value)),
            None => findings.refuse_at(&name, name.clone(), suggest_variable(shape, path, &segments)),
        }
    }
    layer
}

/// Whether a variable that begins like ours is none of ours: the file's name, and what Kubernetes and Docker links set in
/// every container beside a service named `rollcall` (Kubernetes documentation, "Accessing the Service": `ROLLCALL_SERVICE_HOST`,
/// `ROLLCALL_SERVICE_PORT`, `ROLLCALL_PORT`, `ROLLCALL_PORT_8080_TCP…`). None of them has the double underscore of a setting.
fn is_foreign(name: &str, rest: &str) -> bool {
    let of_a_port = rest.strip_prefix("PORT_").is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    let of_a_service = rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || rest.starts_with("SERVICE_PORT_");
    let of_a_link = rest == "PORT" || of_a_port || of_a_service;
    name == CONFIG_FILE_VARIABLE || (of_a_link && !rest.contains(SEPARATOR))
}

/// The path and the kind of the value that a variable names.
fn locate<'a>(shape: &'a Section, segments: &[&str], weaker: &Table) -> Option<(Vec<String>, &'a Kind)> {
    let (segment, rest) = segments.split_first()?;
    let (name, field) = shape.fields.iter().find(|(name, _)| name.to_uppercase() == *segment)?;
    let empty = Table::new();
    let inner = weaker.get(name).and_then(Value::as_table).unwrap_or(&empty);
    let mut keys = vec![name.clone()];
    let (found, kind) = match &field.shape {
        Shape::Value(kind) => return rest.is_empty().then_some((keys, kind)),
        Shape::Section(section) => locate(section, rest, inner)?,
        Shape::Map { item, .. } => {
            let (segment, rest) = rest.split_first()?;
            let key = choose_key(segment, inner)?;
            let entry = inner.get(&key).and_then(Value::as_table).unwrap_or(&empty);
            keys.push(key);
            locate(item, rest, entry)?
        }
    };
    keys.extend(found);
    Some((keys, kind))
}

/// The key that an operator chose. Variables have no small letters and no hyphens.
fn choose_key(segment: &str, chosen: &Table) -> Option<String> {
    if segment.is_empty() || segment.contains(|c: char| c.is_lowercase()) {
        return None;
    }
    let known = chosen.keys().find(|key| key.to_uppercase().replace('-', "_") == segment);
    Some(known.cloned().unwrap_or_else(|| segment.to_lowercase()))
}

/// Reads the text as the kind that is wanted. What does not read stays text, which the check of kinds then refuses.
fn read_value(kind: &Kind, text: String) -> Value {
    let parsed = match kind {
        Kind::Text | Kind::Choice(_) => None,
        Kind::Flag | Kind::Number { .. } | Kind::TextList => text.trim().parse::<Value>().ok(),
    };
    parsed.unwrap_or(Value::String(text))
}

fn insert(table: &mut Table, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let entry = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

fn suggest_variable(shape: &Section, written: &str, segments: &[&str]) -> String {
    let leaves: Vec<String> = shape.list_leaves().iter().map(|leaf| fill_in(leaf, segments)).collect();
    let names: Vec<String> = leaves.iter().map(|leaf| name_variable(leaf)).collect();
    let bare = names.iter().map(|name| name.strip_prefix(PREFIX).unwrap_or(name));
    let nearest = suggest::find_nearest(written, bare).map(|near| format!("{PREFIX}{near}"));
    let by_last_key = || suggest::find_nearest_leaf(written, &leaves).map(name_variable);
    match nearest.or_else(by_last_key) {
        Some(nearest) => format!("there is no such variable; did you mean {nearest}?"),
        None => "there is no such variable; `rollcall config docs` lists those there are".to_owned(),
    }
}

/// Puts the keys that were written in place of `<account>` and the like.
fn fill_in(leaf: &str, segments: &[&str]) -> String {
    leaf.split('.').enumerate().fold(String::new(), |path, (index, key)| match segments.get(index) {
        Some(written) if key.starts_with('<') => join(&path, &written.to_lowercase()),
        Some(_) | None => join(&path, key),
    })
}
