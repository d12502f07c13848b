//! The schema as a contract: what is committed is what is served, everything in it is described, and the names that clients are
//! written against are there with their types.

mod breaking;

use std::{collections::BTreeMap, fs, path::Path};

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition},
    },
};
use rollcall::graphql::sdl;

/// The names that clients are written against: each field with its type, and for fields with arguments those too.
const PROMISED: &str = include_str!("schema/promised.txt");

type Description = Option<Positioned<String>>;

fn types() -> Vec<TypeDefinition> {
    let document = parse_schema(sdl()).unwrap();
    let definition = |definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    };
    document.definitions.into_iter().filter_map(definition).collect()
}

fn fields(definition: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &definition.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => &[],
    }
}

fn inputs(definition: &TypeDefinition) -> &[Positioned<InputValueDefinition>] {
    match &definition.kind {
        TypeKind::InputObject(input) => &input.fields,
        TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) => &[],
    }
}

fn values(definition: &TypeDefinition) -> Vec<(String, &Description)> {
    match &definition.kind {
        TypeKind::Enum(choice) => {
            choice.values.iter().map(|value| (value.node.value.node.to_string(), &value.node.description)).collect()
        }
        TypeKind::Object(_)
        | TypeKind::Interface(_)
        | TypeKind::Scalar
        | TypeKind::Union(_)
        | TypeKind::InputObject(_) => Vec::new(),
    }
}

/// Every type, field, argument, input field and enum value, with its description.
fn members(definition: &TypeDefinition) -> Vec<(String, &Description)> {
    let name = &definition.name.node;
    let mut members = vec![(name.to_string(), &definition.description)];
    for field in fields(definition) {
        let path = format!("{name}.{}", field.node.name.node);
        let arguments = field.node.arguments.iter();
        members.extend(arguments.map(|arg| (format!("{path}({})", arg.node.name.node), &arg.node.description)));
        members.push((path, &field.node.description));
    }
    for input in inputs(definition) {
        members.push((format!("{name}.{}", input.node.name.node), &input.node.description));
    }
    members.extend(values(definition).into_iter().map(|(value, text)| (format!("{name}.{value}"), text)));
    members
}

/// A field as the list of promised names writes it: its arguments in alphabetical order, and its type.
fn signature(field: &FieldDefinition) -> String {
    let argument = |arg: &Positioned<InputValueDefinition>| format!("{}: {}", arg.node.name.node, arg.node.ty.node);
    let mut arguments: Vec<_> = field.arguments.iter().map(argument).collect();
    arguments.sort();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    format!("{arguments}: {}", field.ty.node)
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let committed = fs::read_to_string(path).unwrap_or_default();
    let served = sdl();
    let differs = committed.lines().zip(served.lines()).position(|(committed, served)| committed != served);
    assert!(
        committed == served,
        "schema.graphql is not the schema that is served (first difference at line {:?}): run `make schema`, and look at what \
         changes for clients before committing it",
        differs.map(|line| line + 1),
    );
}

#[test]
fn the_schema_is_exported_the_same_every_time() {
    assert_eq!(sdl(), sdl());
}

#[test]
fn everything_in_the_schema_is_described() {
    let types = types();
    let all: Vec<_> = types.iter().flat_map(members).collect();
    let is_bare = |text: &Description| text.as_ref().is_none_or(|text| text.node.trim().is_empty());
    let bare: Vec<_> = all.iter().filter(|(_, text)| is_bare(text)).map(|(path, _)| path).collect();
    assert!(all.len() > 300, "only {} members were looked at", all.len());
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

#[test]
fn every_scalar_says_what_specifies_it() {
    let types = types();
    let scalars: Vec<_> = types.iter().filter(|definition| matches!(definition.kind, TypeKind::Scalar)).collect();
    assert_eq!(scalars.len(), 3);
    for scalar in scalars {
        let specified = scalar.directives.iter().any(|directive| directive.node.name.node == "specifiedBy");
        assert!(specified, "{} lacks @specifiedBy", scalar.name.node);
    }
}

#[test]
fn every_name_that_clients_are_written_against_is_there() {
    let types = types();
    let mut present = BTreeMap::new();
    for definition in &types {
        let name = &definition.name.node;
        for field in fields(definition) {
            present.insert(format!("{name}.{}", field.node.name.node), signature(&field.node));
        }
        for input in inputs(definition) {
            present.insert(format!("{name}.{}", input.node.name.node), format!(": {}", input.node.ty.node));
        }
        for (value, _) in values(definition) {
            present.insert(format!("{name}.{value}"), String::new());
        }
    }
    let promised: Vec<_> = PROMISED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(promised.len() > 150, "only {} names are promised", promised.len());
    for line in promised {
        let end = line.find(['(', ':']).unwrap_or(line.len());
        let (path, wanted) = line.split_at(end);
        assert_eq!(present.get(path).map(String::as_str), Some(wanted), "{path}");
    }
}

#[test]
fn every_object_with_an_id_is_a_node_and_every_payload_tells_refusals() {
    let types = types();
    for definition in &types {
        let TypeKind::Object(object) = &definition.kind else { continue };
        let name = definition.name.node.as_str();
        let is_node = object.implements.iter().any(|interface| interface.node == "Node");
        let has_id = object.fields.iter().any(|field| field.node.name.node == "id");
        // An account is only ever the caller's own, and is read through the viewer.
        assert!(is_node == has_id || name == "Account", "{name}");
        if name.ends_with("Payload") {
            let refusals = object.fields.iter().find(|field| field.node.name.node == "userErrors");
            assert_eq!(
                refusals.map(|field| field.node.ty.node.to_string()).as_deref(),
                Some("[UserError!]!"),
                "{name}"
            );
        }
    }
}

#[test]
fn every_reason_that_a_directory_sync_can_give_is_in_the_schema() {
    use rollcall::{domain::roster::SyncReason, port::directory::ListingProblemCode as Problem};

    let types = types();
    let reasons = types.iter().find(|definition| definition.name.node == "SyncReason").map(values).unwrap();
    let problems = [
        Problem::MissingValue,
        Problem::InvalidValue,
        Problem::WrongFieldCount,
        Problem::Duplicate,
        Problem::InvalidEncoding,
    ];
    let names = SyncReason::ALL.map(SyncReason::name).into_iter().chain(problems.map(Problem::name));
    for name in names {
        assert!(reasons.iter().any(|(value, _)| value == name), "{name}");
    }
}
