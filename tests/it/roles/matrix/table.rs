//! The table, and whether it is whole.

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

const MATRIX: &str = include_str!("../matrix.txt");

/// The schema as clients read it.
const SCHEMA: &str = include_str!("../../../../schema.graphql");

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// The columns: who asks.
pub(super) const COLUMNS: [&str; 9] =
    ["VIEWER", "OPERATOR", "ADMIN", "SELF", "OTHER", "viewer", "operator", "admin", "engineer"];

/// A row of the table: root and field, variant, and what each column gets.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) root: String,
    pub(super) field: String,
    /// Empty for the field's first row.
    pub(super) variant: String,
    wanted: Vec<String>,
}

impl Row {
    /// What that column gets.
    pub(super) fn wanted(&self, column: &str) -> &str {
        let place = COLUMNS.iter().position(|name| *name == column).expect("a column of the table");
        &self.wanted[place]
    }

    /// How the row is called where it is wrong.
    pub(super) fn name(&self) -> String {
        let Self { root, field, variant, .. } = self;
        format!("{root}.{field} {variant}").trim_end().to_owned()
    }
}

/// The rows of `matrix.txt`.
pub(super) fn rows() -> Vec<Row> {
    read_rows(MATRIX).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The rows of such a table, or what is wrong with it.
fn read_rows(table: &str) -> Result<Vec<Row>, String> {
    let is_row = |line: &&str| ROOTS.iter().any(|root| line.starts_with(&format!("{root}.")));
    let mut rows: Vec<Row> = Vec::new();
    for line in table.lines().filter(is_row) {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let count = COLUMNS.len();
        if words.len() != count + 1 && words.len() != count + 2 {
            return Err(format!(
                "matrix.txt: behind the field and its variant come {count} words, {COLUMNS:?}: {line}"
            ));
        }
        let (named, wanted) = words.split_at(words.len() - count);
        let (root, field) = named[0].split_once('.').expect("it begins with a root");
        let variant = named.get(1).cloned().unwrap_or_default();
        let row = Row { root: root.to_owned(), field: field.to_owned(), variant, wanted: wanted.to_vec() };
        if rows.iter().any(|other| other.name() == row.name()) {
            return Err(format!("matrix.txt: {} is there twice", row.name()));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The fields of the roots of a schema.
fn list_fields(schema: &str) -> BTreeSet<String> {
    let document = parse_schema(schema).expect("a schema");
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    types
        .filter(|definition| ROOTS.contains(&definition.name.node.as_str()))
        .flat_map(|root| {
            let TypeKind::Object(object) = root.kind else { panic!("a root is an object") };
            let name = root.name.node;
            object.fields.into_iter().map(move |field| format!("{name}.{}", field.node.name.node))
        })
        .collect()
}

/// What keeps the table from being that of the schema, by name, and what to do about it.
fn compare(fields: &BTreeSet<String>, rows: &[Row]) -> Vec<String> {
    let told: BTreeSet<_> = rows.iter().map(|row| format!("{}.{}", row.root, row.field)).collect();
    let missing = fields.difference(&told).map(|field| {
        format!(
            "{field} is in schema.graphql, and tests/it/roles/matrix.txt does not say who may: add a row `{field}` with {} \
             words, {COLUMNS:?}, each as the top of that file explains, and what to ask to `operation` in \
             tests/it/roles/matrix/documents.rs",
            COLUMNS.len(),
        )
    });
    let gone = told.difference(fields).map(|field| {
        format!(
            "{field} has a row in tests/it/roles/matrix.txt, and schema.graphql has no such field: take the row out"
        )
    });
    missing.chain(gone).collect()
}

#[test]
fn the_table_has_every_root_field_of_the_schema_and_no_other() {
    let fields = list_fields(SCHEMA);
    assert!(fields.len() > 20, "only {fields:?} were read");
    for root in ROOTS {
        assert!(fields.iter().any(|field| field.starts_with(root)), "no field of {root} was read");
    }
    let problems = compare(&fields, &rows());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_field_without_a_row_and_a_row_without_a_field_are_named() {
    let schema = "type Query { old: Int } type Mutation { addOld: Int } type Subscription { oldChanged: Int } type Old { id: ID }";
    let words = ["ok"; COLUMNS.len()].join(" ");
    let rows_of = |fields: &[&str]| {
        let lines: Vec<_> = fields.iter().map(|field| format!("{field} {words}")).collect();
        read_rows(&lines.join("\n")).expect("rows")
    };
    let whole = rows_of(&["Query.old", "Query.old variant", "Mutation.addOld", "Subscription.oldChanged"]);
    assert_eq!(compare(&list_fields(schema), &whole), [""; 0]);

    let grown =
        schema.replace("oldChanged: Int", "oldChanged: Int newChanged: Int").replace("addOld: Int", "addNew: Int");
    let problems = compare(&list_fields(&grown), &whole);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("Mutation.addNew is in schema.graphql"), "{problems:?}");
    assert!(problems[1].starts_with("Subscription.newChanged is in schema.graphql"), "{problems:?}");
    assert!(problems[2].starts_with("Mutation.addOld has a row"), "{problems:?}");
}

#[test]
fn a_row_with_a_word_too_few_and_a_row_that_comes_twice_are_refused() {
    let words = ["ok"; COLUMNS.len()].join(" ");
    let short = format!("Query.old {}", &words[3..]);
    assert!(read_rows(&short).expect_err("a word is missing").contains("Query.old"), "the row is named");
    let twice = format!("Query.old {words}\nQuery.old {words}");
    assert_eq!(read_rows(&twice).expect_err("it is there twice"), "matrix.txt: Query.old is there twice");
}
