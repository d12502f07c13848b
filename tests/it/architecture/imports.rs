//! Which paths a file names, and what they lead to.

use std::collections::BTreeSet;

use syn::{
    ItemExternCrate, ItemMod, ItemUse, Macro, MetaList, UseTree,
    buffer::{Cursor, TokenBuffer},
    visit::{self, Visit},
};

/// One path that a file names, resolved: it begins with `crate` or with the name of a library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The parts between the `::`.
    pub path: Vec<String>,
}

impl Import {
    /// The room that the path leads to, `*` for all of them; `None` for a library.
    pub fn room(&self) -> Option<&str> {
        (self.path[0] == "crate").then(|| self.path.get(1).map_or("*", String::as_str))
    }

    /// The library that the path leads to; `None` for a room.
    pub fn library(&self) -> Option<&str> {
        (self.path[0] != "crate").then(|| self.path[0].as_str())
    }

    /// The first line that names what is imported and looks like an import of it, from 1: where to look, as the parser tells
    /// no lines.
    pub fn find_line(&self, text: &str) -> usize {
        let name = self.library().or(self.room()).unwrap_or_default();
        let last = self.path.last().map_or("", String::as_str);
        let code = || text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        let names =
            |line: &str, word: &str| line.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|it| it == word);
        let exact = code().find(|(_, line)| names(line, name) && names(line, last));
        exact.or_else(|| code().find(|(_, line)| names(line, name))).map_or(1, |(number, _)| number + 1)
    }
}

/// Everything that the text of a file imports or names by a path, each once.
pub fn read(file: &str, text: &str) -> syn::Result<BTreeSet<Import>> {
    let parsed = syn::parse_file(text)?;
    let mut reader = Reader { module: module_of(file), is_root: is_root(file), found: BTreeSet::new() };
    reader.visit_file(&parsed);
    Ok(reader.found)
}

/// The modules that lead to a file: `src/store/row.rs` is `store`, `row`.
fn module_of(file: &str) -> Vec<String> {
    let inside = file.split_once("src/").map_or(file, |(_, inside)| inside).trim_end_matches(".rs");
    let mut parts: Vec<_> = inside.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn is_root(file: &str) -> bool {
    file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")
}

struct Reader {
    module: Vec<String>,
    /// Whether the names of modules begin paths here, as they do in `lib.rs`.
    is_root: bool,
    found: BTreeSet<Import>,
}

impl Reader {
    /// Notes a path as it was written. `named` says that it stands in a `use`, where one part is a path already.
    fn note(&mut self, written: &[String], named: bool) {
        let Some(path) = self.resolve(written, named) else { return };
        self.found.insert(Import { path });
    }

    fn resolve(&self, written: &[String], named: bool) -> Option<Vec<String>> {
        let (first, rest) = written.split_first()?;
        let mut path = match first.as_str() {
            "crate" if named || !rest.is_empty() => Vec::new(),
            "self" | "super" => self.module.clone(),
            "crate" | "Self" | "std" | "core" | "alloc" => return None,
            "rollcall" if self.is_root => Vec::new(),
            name if self.is_root && self.module.is_empty() && is_lower(name) && super::map::is_room(name) => {
                vec![name.to_owned()]
            }
            name if (named || !rest.is_empty()) && is_lower(name) => return Some(written.to_vec()),
            _ => return None,
        };
        if first == "super" {
            path.pop();
        }
        for part in rest {
            match part.as_str() {
                "self" => {}
                "super" => drop(path.pop()),
                name => path.push(name.to_owned()),
            }
        }
        let whole = path.is_empty() && first != "crate" && first != "rollcall";
        (!whole).then(|| [vec!["crate".to_owned()], path].concat())
    }

    fn note_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.note_use(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.note(&with(name.ident.to_string()), true),
            UseTree::Rename(rename) => self.note(&with(rename.ident.to_string()), true),
            UseTree::Glob(_) => self.note(&with("*".to_owned()), true),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_use(tree, before)),
        }
    }

    /// Notes the paths in tokens that nobody has parsed; `before` is the path in front of a group of a `use`.
    fn note_tokens(&mut self, mut rest: Cursor<'_>, before: &[String]) {
        while !rest.eof() {
            let (path, open, after) = read_path(rest);
            rest = after;
            let whole = [before, &path].concat();
            if !path.is_empty() && !open {
                self.note(&whole, !before.is_empty());
            } else if let Some((inside, _, _, after)) = rest.any_group() {
                self.note_tokens(inside, if open { &whole } else { before });
                rest = after;
            } else if let Some((_, after)) = rest.token_tree() {
                rest = after;
            }
        }
    }
}

/// The path that the tokens begin with, whether it ends in `::`, and what follows.
fn read_path(mut rest: Cursor<'_>) -> (Vec<String>, bool, Cursor<'_>) {
    let (mut path, mut open) = (Vec::new(), false);
    while let Some((name, after)) = rest.ident() {
        path.push(name.to_string());
        rest = after;
        let colons = skip_colons(rest);
        open = colons.is_some();
        match colons {
            Some(after) => rest = after,
            None => break,
        }
    }
    (path, open, rest)
}

fn is_lower(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

fn skip_colons(at: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, at) = at.punct()?;
    let (second, at) = at.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(at)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.note_use(&item.tree, &[]);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        self.note(&[item.ident.to_string()], true);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.note(&parts, false);
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.note_tokens(TokenBuffer::new2(call.tokens.clone()).begin(), &[]);
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.note_tokens(TokenBuffer::new2(list.tokens.clone()).begin(), &[]);
        visit::visit_meta_list(self, list);
    }
}
