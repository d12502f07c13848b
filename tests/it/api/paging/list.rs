//! Lists that are read in pages, and what every page of them must be.

use serde_json::{Value, json};

use crate::{
    api::{each, entries, text},
    harness::app::Caller,
};

/// A list that is read in pages. The entries' keys are asked for as `key`.
pub(super) struct List<'a> {
    pub(super) caller: Caller<'a>,
    pub(super) query: String,
    pub(super) variables: Value,
    /// The field that holds the list, unless it is the query itself.
    pub(super) within: Option<&'static str>,
}

/// A page as it was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) keys: Vec<String>,
    pub(super) cursors: Vec<String>,
    pub(super) previous: bool,
    pub(super) next: bool,
    pub(super) total: usize,
}

/// A field with its arguments, in which `PAGE` stands for those of the page.
fn query(variables: &str, field: &str, key: &str) -> String {
    let page = "first: $first, after: $after, last: $last, before: $before";
    let entries = format!(
        "{{ edges {{ cursor node {{ key: {key} }} }} nodes {{ key: {key} }}
            pageInfo {{ hasPreviousPage hasNextPage startCursor endCursor }} totalCount }}"
    );
    let field = field.replace("PAGE", page).replace("ENTRIES", &entries);
    format!("query($first: Int, $after: String, $last: Int, $before: String{variables}) {{ {field} }}")
}

impl<'a> List<'a> {
    pub(super) fn engineers(caller: Caller<'a>, field: &str, direction: &str) -> Self {
        let variables = json!({ "order": { "field": field, "direction": direction } });
        let field = "list: engineers(PAGE, orderBy: $order, filter: $filter) ENTRIES";
        let query = query(", $order: EngineerOrder, $filter: EngineerFilter", field, "id");
        Self { caller, query, variables, within: None }
    }

    pub(super) fn named(mut self, search: &str) -> Self {
        self.query = self.query.replace("key: id", "key: name");
        self.variables["filter"] = json!({ "search": search });
        self
    }

    pub(super) fn status_changes(caller: Caller<'a>) -> Self {
        let query = query("", "list: statusChanges(PAGE) ENTRIES", "id");
        Self { caller, query, variables: json!({}), within: None }
    }

    pub(super) fn history_of(caller: Caller<'a>, id: &Value) -> Self {
        let query = query(", $id: ID!", "engineer(id: $id) { list: statusChanges(PAGE) ENTRIES }", "id");
        Self { caller, query, variables: json!({ "id": id }), within: Some("engineer") }
    }

    pub(super) fn directory_syncs(caller: Caller<'a>) -> Self {
        let query = query("", "list: directorySyncs(PAGE) ENTRIES", "id");
        Self { caller, query, variables: json!({}), within: None }
    }

    pub(super) fn outcomes(caller: Caller<'a>, sync: &str) -> Self {
        let field = "directorySync(id: $id) { list: outcomes(PAGE) ENTRIES }";
        let query = query(", $id: ID!", field, "externalId");
        Self { caller, query, variables: json!({ "id": sync }), within: Some("directorySync") }
    }

    fn with(&self, args: &Value) -> Value {
        let mut variables = self.variables.clone();
        variables.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        variables
    }

    pub(super) async fn page(&self, args: Value) -> Page {
        let data = self.caller.data(&self.query, self.with(&args)).await;
        let list = self.within.map_or(&data, |field| &data[field])["list"].clone();
        let keys: Vec<_> = entries(&list["edges"]).iter().map(|edge| text(&edge["node"]["key"])).collect();
        let cursors = each(&list["edges"], "cursor");
        assert_eq!(each(&list["nodes"], "key"), keys, "nodes are the edges' nodes");
        let info = &list["pageInfo"];
        assert_eq!(info["startCursor"].as_str(), cursors.first().map(String::as_str));
        assert_eq!(info["endCursor"].as_str(), cursors.last().map(String::as_str));
        Page {
            keys,
            cursors,
            previous: info["hasPreviousPage"].as_bool().unwrap(),
            next: info["hasNextPage"].as_bool().unwrap(),
            total: usize::try_from(list["totalCount"].as_u64().unwrap()).unwrap(),
        }
    }

    pub(super) async fn refusal(&self, args: Value) -> (String, String) {
        let (_, response) = self.caller.execute(&self.query, self.with(&args)).await;
        let error = &response["errors"][0];
        (text(&error["extensions"]["code"]), text(&error["message"]))
    }

    /// The pages from one end of the list to the other.
    pub(super) async fn walk(&self, size: usize, backward: bool) -> Vec<Page> {
        let mut pages: Vec<Page> = Vec::new();
        loop {
            let edge = pages.last().and_then(|page| if backward { page.cursors.first() } else { page.cursors.last() });
            let args = if backward {
                json!({ "last": size, "before": edge })
            } else {
                json!({ "first": size, "after": edge })
            };
            let page = self.page(args).await;
            let more = if backward { page.previous } else { page.next };
            pages.push(page);
            assert!(pages.len() <= 200, "the pages find no end");
            if !more {
                return pages;
            }
        }
    }
}

/// Reads the whole list in pages of several sizes, in both directions, and holds each page against what it must be.
pub(super) async fn check_walks(list: &List<'_>, expected: &[String]) {
    for size in [1, 4, 100] {
        let forward = list.walk(size, false).await;
        assert_eq!(
            forward.iter().flat_map(|page| page.keys.clone()).collect::<Vec<_>>(),
            expected,
            "forward by {size}"
        );
        for (number, page) in forward.iter().enumerate() {
            assert_eq!((page.previous, page.next), (number > 0, number + 1 < forward.len()), "page {number} by {size}");
            assert_eq!(page.total, expected.len());
        }
        let mut backward = list.walk(size, true).await;
        backward.reverse();
        assert_eq!(
            backward.iter().flat_map(|page| page.keys.clone()).collect::<Vec<_>>(),
            expected,
            "backward by {size}"
        );
        for (number, page) in backward.iter().enumerate() {
            assert_eq!(
                (page.previous, page.next),
                (number > 0, number + 1 < backward.len()),
                "page {number} back by {size}"
            );
        }
    }
}

/// Reads pages between all sorts of bounds, and holds each against the slice of the list that it must be.
pub(super) async fn check_windows(list: &List<'_>, expected: &[String]) {
    let whole = list.page(json!({ "first": 100 })).await;
    assert_eq!(whole.keys, expected);
    let count = expected.len();
    let bounds = [None, Some(0), Some(1), Some(count / 2), Some(count - 1)];
    for after in bounds {
        for before in bounds {
            let (low, high) = (after.map_or(0, |place| place + 1), before.unwrap_or(count));
            if low > high {
                continue;
            }
            for (name, size) in [("first", 0), ("first", 3), ("last", 0), ("last", 2), ("first", 100)] {
                let (start, end) = match name {
                    "first" => (low, high.min(low + size)),
                    _ => (low.max(high.saturating_sub(size)), high),
                };
                let cursor = |place: Option<usize>| place.map(|place| &whole.cursors[place]);
                let page = list.page(json!({ name: size, "after": cursor(after), "before": cursor(before) })).await;
                let wanted = (&expected[start..end], start > 0, end < count, count);
                let got = (page.keys.as_slice(), page.previous, page.next, page.total);
                assert_eq!(got, wanted, "{name} {size}, after {after:?}, before {before:?}");
            }
        }
    }
}
