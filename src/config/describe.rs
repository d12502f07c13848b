//! The reference of the configuration, written from the section types.

use std::fmt::Write as _;

use super::{
    environment::name_variable,
    load::Sections,
    shape::{Field, Kind, Section, Shape},
};

const INTRODUCTION: &str = "\
# Configuration

This page is written by `rollcall config docs` from the types that read the configuration; a test fails when it is out of date.

rollcall reads one TOML file (`rollcall.toml` in the working directory, or the one named with `--config`), then the variables that
begin with `ROLLCALL_`, then the flags. The later wins, key by key. `rollcall config check` says everything that is wrong, and
`rollcall config print` shows what is in effect, with secrets as `***`.

- A variable is named after the path of its key, in capital letters: `server.listen` is `ROLLCALL_SERVER__LISTEN`. Two underscores
  stand for a dot; a hyphen in the key of an account or a directory becomes one underscore. Lists are written as in the file:
  `ROLLCALL_SERVER__ALLOWED_ORIGINS='[\"https://console.example.com\"]'`.
- Unknown keys and variables stop the start. `ROLLCALL_CONFIG` names the file; what Kubernetes sets for a service named `rollcall`
  (`ROLLCALL_SERVICE_HOST`, `ROLLCALL_PORT` and the like) is left alone.
- Each secret can be given as a file instead (`…_file`); one newline at the file's end is left out. A stronger layer replaces either
  form with its own; both in one layer are refused.
- Relative paths begin at the working directory.
";

/// The reference of all settings, as Markdown: one table a section, written from the types.
pub fn documentation() -> String {
    let mut page = INTRODUCTION.to_owned();
    write_section(&mut page, &Section::of::<Sections>(), "");
    page
}

/// Writes the table of a section, then the sections in it.
fn write_section(page: &mut String, section: &Section, at: &str) {
    let mut rows = String::new();
    let mut inner = String::new();
    for (name, field) in &section.fields {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let (path, section) = match &field.shape {
            Shape::Value(kind) => {
                write_row(&mut rows, name, &path, kind, field);
                continue;
            }
            Shape::Section(section) => (path, section),
            Shape::Map { key, item } => (format!("{path}.<{key}>"), item),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(inner, "\n## `[{path}]`\n\n{}", field.meaning);
        write_section(&mut inner, section, &path);
    }
    if !rows.is_empty() {
        page.push_str("\n| key | kind | default | variable | meaning |\n| --- | --- | --- | --- | --- |\n");
        page.push_str(&rows);
    }
    page.push_str(&inner);
}

fn write_row(rows: &mut String, name: &str, path: &str, kind: &Kind, field: &Field) {
    let kind = if field.secret { "secret text".to_owned() } else { describe(kind) };
    let default = match (&field.default, field.required) {
        (_, true) => "must be given",
        (Some(default), false) => default,
        (None, false) => "none",
    };
    let variable = name_variable(path);
    let cells = [&format!("`{name}`"), &kind, default, &format!("`{variable}`"), &field.meaning].map(escape);
    let _ = writeln!(rows, "| {} |", cells.join(" | "));
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Number { min, max } => format!("number, {min} to {max}"),
        Kind::Choice(choices) => {
            choices.iter().map(|choice| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(" or ")
        }
        Kind::TextList => "list of texts".to_owned(),
    }
}

/// Keeps a bar from ending the cell.
fn escape(cell: &str) -> String {
    cell.replace('|', "\\|")
}
