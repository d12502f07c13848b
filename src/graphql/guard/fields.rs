//! What the guard knows of the schema: for each field, what it holds and how often, and what it takes. It is read from the schema
//! itself, so that a new field needs nothing here unless it is a list without pages.

use std::{collections::HashMap, sync::LazyLock};

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
        },
    },
};

use crate::{
    domain::{channel::ChannelKind, confirmation::ConfirmationStatus},
    graphql::schema::sdl,
};

/// Lists without pages, and how long they are at most. One that is not named is taken to be as long as a page without `first`.
const LENGTHS: [(&str, &str, usize); 6] = [
    ("Engineer", "channels", ChannelKind::ALL.len()),
    ("Query", "channelKinds", ChannelKind::ALL.len()),
    ("ChannelKindInfo", "fields", 2),
    ("RosterSummary", "byReachability", 3),
    ("RosterSummary", "byChannelAndStatus", ChannelKind::ALL.len() * ConfirmationStatus::ALL.len()),
    ("UserError", "params", 2),
];

/// What refusals are told as. A mutation makes them whatever is asked, so they and what they hold cost nothing.
const REFUSAL: &str = "UserError";

/// The fields of every type that has some.
#[derive(Default)]
pub(super) struct Fields {
    types: HashMap<String, HashMap<String, FieldInfo>>,
    inputs: HashMap<String, Places>,
}

/// Where values can stand, by name.
type Places = HashMap<String, Place>;

/// Where a value can stand: an argument, or a field of an input.
pub(super) struct Place {
    /// What is wanted there.
    pub kind: Type,
    /// Whether it may be left out although it is not nullable.
    pub has_default: bool,
}

/// What a field holds.
pub(super) struct FieldInfo {
    /// The name of its type, without brackets.
    pub of: String,
    /// How much of that.
    pub holds: Holds,
    /// How long the lists are that the field's object holds as its entries.
    pub entries: Entries,
    /// Whether the object itself costs nothing.
    pub is_free: bool,
    /// The arguments that it takes.
    pub arguments: Places,
}

/// How much a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A scalar or an enum, or a list of such.
    Value,
    /// An object.
    One,
    /// Objects, so many.
    Some(usize),
    /// An object for each id in the argument `ids`.
    Ids,
    /// The entries of the object that the field belongs to: the field that holds that object says how many.
    Entries,
}

/// What says how many entries an object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entries {
    /// `first` or `last`.
    Page,
    /// What the argument `input` names.
    Input,
    /// Nothing does.
    Unsaid,
}

impl Fields {
    /// The fields of the schema.
    pub fn of_schema() -> &'static Self {
        static FIELDS: LazyLock<Fields> = LazyLock::new(|| match parse_schema(sdl()) {
            Ok(schema) => Fields::read(&schema),
            Err(error) => {
                tracing::error!(%error, "The guard cannot read the schema: {error}");
                Fields::default()
            }
        });
        &FIELDS
    }

    /// A field; `None` where the schema has no such field, which is for the validation to refuse.
    pub fn find(&self, of: &str, field: &str) -> Option<&FieldInfo> {
        self.types.get(of)?.get(field)
    }

    /// The fields of an input, also where a list of it is wanted; `None` where that is no input.
    pub fn find_input(&self, kind: &Type) -> Option<&Places> {
        self.inputs.get(unwrap(kind).0)
    }

    /// Whether anything is known of that type.
    pub fn has_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    fn read(schema: &ServiceDocument) -> Self {
        let mut types: HashMap<&str, &[Positioned<FieldDefinition>]> = HashMap::new();
        let mut inputs = HashMap::new();
        for definition in &schema.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let fields = match &definition.node.kind {
                TypeKind::Object(object) => object.fields.as_slice(),
                TypeKind::Interface(interface) => interface.fields.as_slice(),
                TypeKind::Union(_) => &[],
                TypeKind::InputObject(input) => {
                    inputs.insert(definition.node.name.node.to_string(), list_places(&input.fields));
                    continue;
                }
                TypeKind::Scalar | TypeKind::Enum(_) => continue,
            };
            types.insert(definition.node.name.node.as_str(), fields);
        }
        let read = |(of, fields): (&&str, &&[Positioned<FieldDefinition>])| {
            let infos = fields.iter().map(|field| {
                let info = describe(of, &field.node, &types);
                (field.node.name.node.to_string(), info)
            });
            ((*of).to_owned(), infos.collect())
        };
        Self { types: types.iter().map(read).collect(), inputs }
    }
}

type Types<'a> = HashMap<&'a str, &'a [Positioned<FieldDefinition>]>;

fn describe(of: &str, field: &FieldDefinition, types: &Types<'_>) -> FieldInfo {
    let name = field.name.node.as_str();
    let has_argument = |wanted: &str| field.arguments.iter().any(|argument| argument.node.name.node == wanted);
    let holder = Holder::of(of, types);
    let (target, is_list) = unwrap(&field.ty.node);
    let known = LENGTHS.iter().find(|(on, list, _)| (*on, *list) == (of, name)).map(|(_, _, length)| *length);
    let holds = if !types.contains_key(target) {
        Holds::Value
    } else if !is_list {
        Holds::One
    } else if let Some(length) = known {
        Holds::Some(length)
    } else if holder != Holder::Other && target != REFUSAL {
        Holds::Entries
    } else if has_argument("ids") {
        Holds::Ids
    } else {
        Holds::Some(usize::try_from(crate::graphql::connection::DEFAULT_SIZE).unwrap_or_default())
    };
    let entries = if has_argument("first") && has_argument("last") {
        Entries::Page
    } else if has_argument("input") {
        Entries::Input
    } else {
        Entries::Unsaid
    };
    let is_outcome = holds == Holds::Entries && target.ends_with("Outcome");
    let is_free = is_outcome || target == REFUSAL || of == REFUSAL;
    FieldInfo { of: target.to_owned(), holds, entries, is_free, arguments: list_places(&field.arguments) }
}

fn list_places(values: &[Positioned<InputValueDefinition>]) -> Places {
    let place = |value: &Positioned<InputValueDefinition>| {
        let (kind, has_default) = (value.node.ty.node.clone(), value.node.default_value.is_some());
        (value.node.name.node.to_string(), Place { kind, has_default })
    };
    values.iter().map(place).collect()
}

/// What kind of object a field belongs to.
#[derive(PartialEq, Eq)]
enum Holder {
    /// A page: its lists of objects are its entries.
    Connection,
    /// What a mutation answers with: its lists of objects tell of what the input named, one for each.
    Payload,
    Other,
}

impl Holder {
    fn of(name: &str, types: &Types<'_>) -> Self {
        let has_page_info =
            |fields: &&[Positioned<FieldDefinition>]| fields.iter().any(|field| field.node.name.node == "pageInfo");
        if types.get(name).is_some_and(has_page_info) {
            Self::Connection
        } else if name.ends_with("Payload") {
            Self::Payload
        } else {
            Self::Other
        }
    }
}

/// The name of a type without its brackets, and whether there are any.
fn unwrap(kind: &Type) -> (&str, bool) {
    match &kind.base {
        BaseType::Named(name) => (name.as_str(), false),
        BaseType::List(inner) => (unwrap(inner).0, true),
    }
}
