//! Layers of configuration: each is checked against the shape and merged over the weaker ones.

use std::{mem, path::PathBuf};

use toml::{Table, Value};

use super::{
    environment,
    findings::Findings,
    shape::{Field, Kind, Section, Shape},
    suggest,
};

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Settings beneath the file, such as the demo's.
    Base,
    /// A file.
    File(PathBuf),
    /// The `ROLLCALL_*` variables.
    Environment,
    /// The command line.
    Flags,
}

impl Origin {
    /// How an operator finds the value at a dotted path.
    pub(super) fn place(&self, path: &str) -> String {
        match self {
            Self::Base => format!("built-in demo settings: {path}"),
            Self::File(file) => format!("{}: {path}", file.display()),
            Self::Environment => environment::name_variable(path),
            Self::Flags => match path {
                "server.listen" => "--listen".to_owned(),
                "data.dir" => "--data".to_owned(),
                _ => format!("command line: {path}"),
            },
        }
    }
}

/// The path of a key in a section.
pub(super) fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// All layers merged so far.
pub(super) struct Layers<'a> {
    shape: &'a Section,
    /// The merged values. Those that were refused are left out.
    pub(super) table: Table,
    /// The problems found so far.
    pub(super) findings: Findings,
}

impl<'a> Layers<'a> {
    /// No layers yet.
    pub(super) fn new(shape: &'a Section) -> Self {
        Self { shape, table: Table::new(), findings: Findings::default() }
    }

    /// Checks a layer and puts it over the others.
    pub(super) fn add(&mut self, origin: &Origin, layer: Table) {
        let leaves = self.shape.list_leaves();
        let mut table = mem::take(&mut self.table);
        let mut merge = Merge { origin, leaves: &leaves, findings: &mut self.findings };
        merge.merge_section(self.shape, layer, &mut table, "");
        self.table = table;
    }

    /// Reports every key that must be given and is not.
    pub(super) fn require(&mut self) {
        require(self.shape, &self.table, "", &mut self.findings);
    }
}

fn require(shape: &Section, table: &Table, at: &str, findings: &mut Findings) {
    for (name, field) in &shape.fields {
        let path = join(at, name);
        let Some(value) = table.get(name) else {
            if field.required {
                findings.refuse(&path, format!("must be given: {}", field.meaning));
            }
            continue;
        };
        let inner = value.as_table().into_iter();
        match &field.shape {
            Shape::Value(_) => {}
            Shape::Section(section) => inner.for_each(|table| require(section, table, &path, findings)),
            Shape::Map { item, .. } => {
                for (key, entry) in inner.flatten().filter_map(|(key, entry)| Some((key, entry.as_table()?))) {
                    require(item, entry, &join(&path, key), findings);
                }
            }
        }
    }
}

struct Merge<'a> {
    origin: &'a Origin,
    leaves: &'a [String],
    findings: &'a mut Findings,
}

impl Merge<'_> {
    fn merge_section(&mut self, shape: &Section, mut from: Table, into: &mut Table, at: &str) {
        self.refuse_twins(shape, &mut from, at);
        for (key, value) in from {
            let path = join(at, &key);
            let Some(field) = shape.fields.get(&key) else {
                self.refuse(&path, suggest_key(shape, at, &key, self.leaves));
                continue;
            };
            match (&field.shape, value) {
                (Shape::Value(kind), value) => {
                    // The stronger layer decides in which of the two ways a secret is given.
                    if let Some(twin) = shape.find_twin(&key) {
                        into.remove(twin);
                    }
                    self.merge_value(kind, field, value, &path).map(|value| into.insert(key, value));
                }
                (Shape::Section(section), Value::Table(from)) => {
                    let mut inner = take_table(into, &key);
                    self.merge_section(section, from, &mut inner, &path);
                    into.insert(key, Value::Table(inner));
                }
                (Shape::Map { item, .. }, Value::Table(from)) => {
                    let mut entries = take_table(into, &key);
                    self.merge_entries(item, from, &mut entries, &path);
                    into.insert(key, Value::Table(entries));
                }
                (Shape::Section(_), _) => self.refuse(&path, format!("is a section and is written [{path}]")),
                (Shape::Map { key, .. }, _) => self.refuse(&path, format!("is written as sections [{path}.<{key}>]")),
            }
        }
    }

    /// Lets a value through that is of the right kind.
    fn merge_value(&mut self, kind: &Kind, field: &Field, value: Value, path: &str) -> Option<Value> {
        if let Some(problem) = refuse_value(kind, field, &value) {
            self.refuse(path, problem);
            return None;
        }
        self.findings.note_place(path, self.origin.place(path));
        Some(value)
    }

    fn merge_entries(&mut self, item: &Section, from: Table, into: &mut Table, at: &str) {
        for (key, value) in from {
            let path = join(at, &key);
            self.findings.note_place(&path, self.origin.place(&path));
            if let Value::Table(from) = value {
                let mut inner = take_table(into, &key);
                self.merge_section(item, from, &mut inner, &path);
                into.insert(key, Value::Table(inner));
            } else {
                self.refuse(&path, format!("is a section and is written [{path}]"));
            }
        }
    }

    /// Refuses a secret that one layer gives both ways, and drops the file.
    fn refuse_twins(&mut self, shape: &Section, from: &mut Table, at: &str) {
        let twice =
            |key: &&String| key.ends_with("_file") && shape.find_twin(key).is_some_and(|twin| from.contains_key(twin));
        let doubled: Vec<String> = from.keys().filter(twice).cloned().collect();
        for key in doubled {
            let twin = shape.find_twin(&key).unwrap_or_default();
            self.refuse(&join(at, &key), format!("`{key}` and `{twin}` are both given; keep one of them"));
            from.remove(&key);
        }
    }

    fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.findings.refuse_at(path, self.origin.place(path), message);
    }
}

/// Takes out the table behind a key, or an empty one.
fn take_table(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Value::Table(inner)) => inner,
        Some(_) | None => Table::new(),
    }
}

fn suggest_key(shape: &Section, at: &str, key: &str, leaves: &[String]) -> String {
    let nearest = suggest::find_nearest(key, shape.fields.keys().map(String::as_str)).map(|near| join(at, near));
    if let Some(nearest) = nearest.or_else(|| suggest::find_nearest_leaf(key, leaves).map(str::to_owned)) {
        return format!("there is no such key; did you mean `{nearest}`?");
    }
    let known: Vec<&str> = shape.fields.keys().map(String::as_str).collect();
    format!("there is no such key; known here are {}", known.join(", "))
}

/// Says what is wrong with a value of the wrong kind. The value of a secret is not told.
fn refuse_value(kind: &Kind, field: &Field, value: &Value) -> Option<String> {
    let text = value.as_str();
    let fits = match kind {
        Kind::Text => value.is_str(),
        Kind::Flag => value.is_bool(),
        Kind::Number { min, max } => value.as_integer().is_some_and(|number| (*min..=*max).contains(&number)),
        Kind::Choice(choices) => text.is_some_and(|text| choices.iter().any(|choice| choice == text)),
        Kind::TextList => value.as_array().is_some_and(|items| items.iter().all(Value::is_str)),
    };
    if fits {
        return None;
    }
    let nearest = match kind {
        Kind::Choice(choices) => text.and_then(|text| suggest::find_nearest(text, choices.iter().map(String::as_str))),
        Kind::Text | Kind::Flag | Kind::Number { .. } | Kind::TextList => None,
    };
    let hint = nearest.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let found = if field.secret { describe_kind(value).to_owned() } else { describe_value(value) };
    Some(format!("must be {}, but is {found}{hint}", kind.describe()))
}

impl Kind {
    /// The kind in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text => "text in quotes".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Choice(choices) => {
                choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(" or ")
            }
            Self::TextList => "a list of texts such as [\"one\", \"two\"]".to_owned(),
        }
    }
}

fn describe_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => describe_kind(value).to_owned(),
    }
}

const fn describe_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date or time",
        Value::Array(_) => "a list with something else in it",
        Value::Table(_) => "a section",
    }
}
