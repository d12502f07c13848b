//! What in a schema would break a client that was written against an earlier one. Whoever breaks says so in CHANGELOG.md.

use std::{collections::BTreeMap, fmt::Write as _};

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
        },
    },
};

/// What clients are written against: the schema of the last release. CONTRIBUTING.md says when it is renewed.
const RELEASED: &str = include_str!("released.graphql");

/// The schema of today.
const SCHEMA: &str = include_str!("../../../schema.graphql");

const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");

/// What a path of a schema names.
enum Member {
    /// A type of this kind.
    Type(&'static str),
    /// A field of an object or an interface.
    Output(Type),
    /// An argument or an input field; whether it must be given.
    Input(Type, bool),
    /// An enum's value, a union's type, or an interface that a type implements.
    Belonging,
}

/// The members of a schema by path: `Type`, `Type.field`, `Type.field(argument)`, `Enum.VALUE`, `Type implements Interface`.
type Members = BTreeMap<String, Member>;

fn read_members(schema: &str) -> Members {
    let document = parse_schema(schema).expect("a schema");
    let mut members = Members::new();
    for definition in document.definitions {
        match definition {
            TypeSystemDefinition::Type(definition) => read_type(&mut members, &definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => {}
        }
    }
    members
}

fn read_type(members: &mut Members, definition: &TypeDefinition) {
    let name = &definition.name.node;
    let mut belongs = |path| members.insert(path, Member::Belonging);
    let kind = match &definition.kind {
        TypeKind::Scalar => "a scalar",
        TypeKind::Object(object) => {
            object.implements.iter().for_each(|it| drop(belongs(format!("{name} implements {}", it.node))));
            object.fields.iter().for_each(|field| read_field(members, name, &field.node));
            "an object"
        }
        TypeKind::Interface(interface) => {
            interface.implements.iter().for_each(|it| drop(belongs(format!("{name} implements {}", it.node))));
            interface.fields.iter().for_each(|field| read_field(members, name, &field.node));
            "an interface"
        }
        TypeKind::Union(union) => {
            union.members.iter().for_each(|member| drop(belongs(format!("{name}.{}", member.node))));
            "a union"
        }
        TypeKind::Enum(choice) => {
            choice.values.iter().for_each(|value| drop(belongs(format!("{name}.{}", value.node.value.node))));
            "an enum"
        }
        TypeKind::InputObject(input) => {
            let fields =
                input.fields.iter().map(|field| (format!("{name}.{}", field.node.name.node), read_input(field)));
            members.extend(fields);
            "an input object"
        }
    };
    members.insert(name.to_string(), Member::Type(kind));
}

fn read_field(members: &mut Members, owner: &str, field: &FieldDefinition) {
    let path = format!("{owner}.{}", field.name.node);
    members.extend(field.arguments.iter().map(|arg| (format!("{path}({})", arg.node.name.node), read_input(arg))));
    members.insert(path, Member::Output(field.ty.node.clone()));
}

fn read_input(input: &Positioned<InputValueDefinition>) -> Member {
    let ty = input.node.ty.node.clone();
    let required = !ty.nullable && input.node.default_value.is_none();
    Member::Input(ty, required)
}

/// Whether who reads the one can read the other.
fn reads_like(old: &Type, new: &Type) -> bool {
    let same = match (&old.base, &new.base) {
        (BaseType::Named(old), BaseType::Named(new)) => old == new,
        (BaseType::List(old), BaseType::List(new)) => reads_like(old, new),
        (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => false,
    };
    same && (old.nullable || !new.nullable)
}

/// What a member's absence is already told by: the type of a field, the field of an argument.
fn owner(path: &str) -> Option<&str> {
    path.rsplit_once(['(', '.', ' ']).map(|(owner, _)| owner.trim_end_matches(" implements"))
}

/// What breaks clients of the old schema: the path, and what happened to it.
fn find_breaking_changes(old: &str, new: &str) -> Vec<(String, String)> {
    let (old, new) = (read_members(old), read_members(new));
    let mut changes = Vec::new();
    for (path, before) in &old {
        let change = match (before, new.get(path)) {
            (_, None) if owner(path).is_some_and(|owner| !new.contains_key(owner)) => None,
            (_, None) => Some("is gone".to_owned()),
            (Member::Type(before), Some(Member::Type(after))) => {
                (before != after).then(|| format!("was {before} and is {after}"))
            }
            (Member::Output(before), Some(Member::Output(after))) => {
                (!reads_like(before, after)).then(|| format!("was {before} and is {after}"))
            }
            (Member::Input(before, needed), Some(Member::Input(after, needs))) => {
                let taken = reads_like(after, before) || (!needs && before.base == after.base);
                (!taken || (*needs && !needed)).then(|| format!("was {before} and is {after}, or lost its default"))
            }
            // Of another kind, since its type is.
            (_, Some(_)) => None,
        };
        changes.extend(change.map(|change| (path.clone(), change)));
    }
    let added = new.iter().filter(|(path, after)| {
        let is_required = matches!(after, Member::Input(_, true));
        is_required && !old.contains_key(*path) && owner(path).is_some_and(|owner| old.contains_key(owner))
    });
    changes.extend(added.map(|(path, _)| (path.clone(), "is new and must be given".to_owned())));
    changes
}

/// The section of CHANGELOG.md that tells what is not released yet.
fn unreleased(changelog: &str) -> &str {
    let (_, rest) = changelog.split_once("\n## Unreleased\n").expect("CHANGELOG.md has a section `## Unreleased`");
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// Whether the text names the path, in backticks; an argument also by its field.
fn names(text: &str, path: &str) -> bool {
    let field = path.split_once('(').map_or(path, |(field, _)| field);
    [path, field].iter().any(|path| text.contains(&format!("`{path}`")))
}

/// What breaks without a word of it.
fn find_untold(old: &str, new: &str, changelog: &str) -> Vec<(String, String)> {
    let mut changes = find_breaking_changes(old, new);
    changes.retain(|(path, _)| !names(unreleased(changelog), path));
    changes
}

#[test]
fn what_breaks_clients_of_the_last_release_is_told_in_the_changelog() {
    let mut told = String::new();
    for (path, change) in find_untold(RELEASED, SCHEMA, CHANGELOG) {
        writeln!(told, "{path} {change}: CHANGELOG.md must name `{path}` under Unreleased, and what clients do now")
            .unwrap();
    }
    assert!(
        told.is_empty(),
        "schema.graphql breaks clients of the last release (tests/it/schema/released.graphql):\n{told}"
    );
}

const OLD: &str = r"
    interface Node { id: ID! }
    interface Named implements Node { id: ID! name: String }
    type Person implements Node & Named {
        id: ID!
        name: String
        age: Int!
        tags: [String!]!
        friends(first: Int = 20, of: [Kind!], near: ID!): [Person]
    }
    type Robot { id: ID! }
    union Anyone = Person | Robot
    enum Kind { GOOD BAD }
    input Filter { kind: Kind! name: String limit: Int! = 10 }
    scalar Moment
    type Query { person(filter: Filter): Person now: Moment }
";

/// What breaks when, in the schema above, one text is replaced by another.
fn breaks(from: &str, to: &str) -> Vec<String> {
    assert!(OLD.contains(from), "{from}");
    let changes = find_breaking_changes(OLD, &OLD.replacen(from, to, 1));
    changes.into_iter().map(|(path, change)| format!("{path} {change}")).collect()
}

#[test]
fn each_sort_of_breaking_change_is_found() {
    for (from, to, wanted) in [
        ("type Robot { id: ID! }\n    union Anyone = Person | Robot", "union Anyone = Person", "Robot is gone"),
        ("scalar Moment", "enum Moment { NOW }", "Moment was a scalar and is an enum"),
        ("type Robot {", "input Robot {", "Robot was an object and is an input object"),
        ("age: Int!", "", "Person.age is gone"),
        ("age: Int!", "age: String!", "Person.age was Int! and is String!"),
        ("age: Int!", "age: Int", "Person.age was Int! and is Int"),
        ("age: Int!", "age: [Int!]!", "Person.age was Int! and is [Int!]!"),
        ("tags: [String!]!", "tags: [String]!", "Person.tags was [String!]! and is [String]!"),
        ("tags: [String!]!", "tags: String!", "Person.tags was [String!]! and is String!"),
        ("first: Int = 20, ", "", "Person.friends(first) is gone"),
        ("first: Int = 20", "first: String", "Person.friends(first) was Int and is String, or lost its default"),
        ("first: Int = 20", "first: Int!", "Person.friends(first) was Int and is Int!, or lost its default"),
        ("of: [Kind!]", "of: [Robot!]", "Person.friends(of) was [Kind!] and is [Robot!], or lost its default"),
        ("near: ID!", "near: ID!, far: ID!", "Person.friends(far) is new and must be given"),
        ("GOOD BAD", "GOOD", "Kind.BAD is gone"),
        ("Person | Robot", "Person", "Anyone.Robot is gone"),
        ("implements Node & Named", "implements Node", "Person implements Named is gone"),
        ("Named implements Node", "Named", "Named implements Node is gone"),
        ("name: String limit", "limit", "Filter.name is gone"),
        ("name: String limit", "name: String! limit", "Filter.name was String and is String!, or lost its default"),
        ("name: String limit", "name: ID limit", "Filter.name was String and is ID, or lost its default"),
        ("limit: Int! = 10", "limit: Int!", "Filter.limit was Int! and is Int!, or lost its default"),
        ("limit: Int! = 10", "limit: Int! = 10 more: Int!", "Filter.more is new and must be given"),
        ("now: Moment", "", "Query.now is gone"),
    ] {
        let found = breaks(from, to);
        assert!(found.contains(&wanted.to_owned()), "{from} -> {to}: {found:?}");
    }
    assert_eq!(breaks("friends(first: Int = 20, of: [Kind!], near: ID!): [Person]", ""), ["Person.friends is gone"]);
    assert_eq!(breaks("scalar Moment", ""), ["Moment is gone"]);
}

#[test]
fn what_breaks_nobody_is_let_through() {
    for (from, to) in [
        ("age: Int!", "age: Int! height: Int"),
        ("name: String\n        age", "name: String!\n        age"),
        ("): [Person]", "): [Person!]!"),
        ("first: Int = 20", "first: Int = 20, after: String, last: Int! = 5"),
        ("near: ID!", "near: ID"),
        ("near: ID!", "near: ID! = 1"),
        ("of: [Kind!]", "of: [Kind]"),
        ("GOOD BAD", "GOOD BAD UGLY"),
        ("kind: Kind!", "kind: Kind"),
        ("name: String limit", "name: String more: Int limit"),
        ("name: String limit", "name: String! = \"lin\" limit"),
        ("type Robot {", "type Ghost { id(of: ID!): ID! } input Wish { for: ID! } type Robot {"),
        ("type Robot {", "type Robot implements Node {"),
        ("id: ID!", "\"Whose.\" id: ID! @deprecated"),
    ] {
        assert_eq!(breaks(from, to), [""; 0], "{from} -> {to}");
    }
}

#[test]
fn a_breaking_change_is_told_only_by_its_own_name_under_unreleased() {
    let new = OLD.replace("age: Int!", "").replace("first: Int = 20, ", "").replace("GOOD BAD", "GOOD");
    let untold = |text: &str| {
        let changelog =
            format!("# Changelog\n\n## Unreleased\n{text}\n\n## 0.1.0\n- `Person.age` `Person.friends` `Kind.BAD`\n");
        find_untold(OLD, &new, &changelog).into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    let all = ["Kind.BAD", "Person.age", "Person.friends(first)"];
    assert_eq!(untold(""), all);
    assert_eq!(
        untold("- Person.age is gone, `Person.agenda` and `Person` stay, `OldPerson.age` and `Kind.BADGE` too."),
        all
    );
    assert_eq!(untold("- `Person.age` is gone."), ["Kind.BAD", "Person.friends(first)"]);
    assert_eq!(untold("- `Kind.BAD`, `Person.age` and `Person.friends(first)` are gone."), [""; 0]);
    assert_eq!(untold("- `Kind.BAD`, `Person.age`; `Person.friends` takes no `first`."), [""; 0]);
}
