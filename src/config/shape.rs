//! What the configuration may hold, read from the JSON schema of the section types.

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value as Json;

/// What may stand at one place.
#[derive(Debug)]
pub(super) enum Shape {
    /// A table with known keys.
    Section(Section),
    /// A table whose keys the operator chooses, all of one shape.
    Map {
        /// What a key names, such as `account`.
        key: String,
        /// What stands behind each key.
        item: Section,
    },
    /// A single value.
    Value(Kind),
}

/// A table with known keys.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// The keys by name.
    pub(super) fields: BTreeMap<String, Field>,
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Field {
    /// What may stand behind the key.
    pub(super) shape: Shape,
    /// What it means: the doc comment.
    pub(super) meaning: String,
    /// Whether it must be given.
    pub(super) required: bool,
    /// The default, or in words where it depends on something else.
    pub(super) default: Option<String>,
    /// Whether the value must not be shown.
    pub(super) secret: bool,
}

/// The kind of a single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text; the section judges it.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Number {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// One of these texts.
    Choice(Vec<String>),
    /// A list of texts.
    TextList,
}

impl Section {
    /// The shape of a section type.
    pub(super) fn of<T: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<T>();
        read_section(schema.as_value())
    }

    /// The dotted paths of all single values; a chosen key stands as `<account>`.
    pub(super) fn list_leaves(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        for (name, field) in &self.fields {
            let (prefix, section) = match &field.shape {
                Shape::Value(_) => {
                    leaves.push(name.clone());
                    continue;
                }
                Shape::Section(section) => (name.clone(), section),
                Shape::Map { key, item } => (format!("{name}.<{key}>"), item),
            };
            leaves.extend(section.list_leaves().into_iter().map(|leaf| format!("{prefix}.{leaf}")));
        }
        leaves
    }

    /// The other way to give the same secret: `x` for `x_file` and the reverse, where the section has both.
    pub(super) fn find_twin(&self, name: &str) -> Option<&str> {
        let twin = name.strip_suffix("_file").map_or_else(|| format!("{name}_file"), str::to_owned);
        self.fields.get_key_value(&twin).map(|(twin, _)| twin.as_str())
    }
}

fn read_section(schema: &Json) -> Section {
    let fields = schema["properties"].as_object().into_iter().flatten();
    Section { fields: fields.map(|(name, field)| (name.clone(), read_field(field))).collect() }
}

fn read_field(schema: &Json) -> Field {
    let described_default = schema["x-default"].as_str().map(str::to_owned);
    let shape = read_shape(schema);
    Field {
        meaning: schema["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        // Every field has a serde default, so that a problem in one does not hide those in others: "required" is ours to say.
        required: schema["x-required"].as_bool().unwrap_or(false),
        default: match &shape {
            Shape::Value(_) => described_default.or_else(|| read_default(&schema["default"])),
            Shape::Section(_) | Shape::Map { .. } => None,
        },
        secret: schema["writeOnly"].as_bool().unwrap_or(false),
        shape,
    }
}

fn read_default(default: &Json) -> Option<String> {
    if default.is_null() { None } else { Some(format!("`{default}`")) }
}

fn read_shape(schema: &Json) -> Shape {
    // An optional choice is "any of: the choice, null".
    let mut alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let schema = alternatives.find(|one| one["type"] != "null").unwrap_or(schema);
    if schema["properties"].is_object() {
        Shape::Section(read_section(schema))
    } else if schema["additionalProperties"].is_object() {
        let key = schema["x-key"].as_str().unwrap_or("name").to_owned();
        Shape::Map { key, item: read_section(&schema["additionalProperties"]) }
    } else {
        Shape::Value(read_kind(schema))
    }
}

fn read_kind(schema: &Json) -> Kind {
    let is = |name: &str| match &schema["type"] {
        Json::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    };
    // A choice with described values is `oneOf` constants; without descriptions it is `enum`.
    let described = schema["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
    let bare = schema["enum"].as_array().into_iter().flatten();
    let choices: Vec<String> = described.chain(bare).filter_map(Json::as_str).map(str::to_owned).collect();
    if !choices.is_empty() {
        Kind::Choice(choices)
    } else if is("boolean") {
        Kind::Flag
    } else if is("integer") {
        Kind::Number {
            min: schema["minimum"].as_i64().unwrap_or(i64::MIN),
            max: schema["maximum"].as_i64().unwrap_or(i64::MAX),
        }
    } else if is("array") {
        Kind::TextList
    } else {
        Kind::Text
    }
}
