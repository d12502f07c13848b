//! Each limit at its edge: what reaches it is allowed, one more is refused.

use serde_json::{Value, json};

use super::{allowed, none, refused, start, too_much};

/// Nineteen full pages: each costs 1 for the page and 100 for its entries.
const PAGES: usize = 19 * 101;

fn pages() -> String {
    (0..19).map(|number| format!("p{number}: statusChanges(first: 100) {{ nodes {{ id }} }} ")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_may_have_16_kibibytes() {
    let app = start("").await;
    let padded = |length: usize| {
        let query = "{ viewer { subject } }#";
        format!("{query}{}", "x".repeat(length - query.len()))
    };
    allowed(&app.admin(), &padded(16_384), none()).await;
    too_much(&app.admin(), &padded(16_385), none(), 16_385, 16_384).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_may_have_1000_tokens() {
    let app = start("").await;
    let tokens = |count: usize| format!("{{ viewer {{ {} }} }}", "subject ".repeat(count - 5));
    allowed(&app.admin(), &tokens(1_000), none()).await;
    too_much(&app.admin(), &tokens(1_001), none(), 1_001, 1_000).await;
    // One token each, whatever is in them; and what is between tokens is none.
    let within = [
        "# one { two ( three \" four",
        ",,, \u{feff}\t\r\n",
        "a: engineer(id: \"{ } ( ) [ ] # \\\" ... $ @ ! \\\\\") { id }",
        "b: engineer(id: \"\"\"{ } # \" \"\" \\\"\"\" \n ... \"\"\") { id }",
        "c: engineers(first: 1) { totalCount }",
    ];
    let with = |rest: usize| format!("{{ {} \n viewer {{ {} }} }}", within.join("\n"), "subject ".repeat(rest));
    let own = 2 * 11 + 11 + 5;
    allowed(&app.admin(), &with(1_000 - own), none()).await;
    too_much(&app.admin(), &with(1_001 - own), none(), 1_001, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_may_have_50_aliases_however_they_are_spread() {
    let app = start("").await;
    let aliases = |count: usize| (0..count).map(|number| format!("a{number}: __typename ")).collect::<String>();
    allowed(&app.admin(), &format!("{{ {} }}", aliases(50)), none()).await;
    too_much(&app.admin(), &format!("{{ {} }}", aliases(51)), none(), 51, 50).await;
    let spread = |more: &str| {
        let fragments = format!("fragment A on Query {{ {} }} fragment B on Query {{ ...A ...A }}", aliases(10));
        format!("{{ {more} ...A ...B ... {{ ...B }} }} {fragments}")
    };
    allowed(&app.admin(), &spread(""), none()).await;
    too_much(&app.admin(), &spread("b: __typename"), none(), 51, 50).await;
    // Those of operations that are not run count as well: the library looks at them, too.
    let two = format!("query A {{ {} }} query B {{ {} }}", aliases(25), aliases(26));
    too_much(&app.admin(), &two, none(), 51, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_may_have_10_directives_wherever_they_stand() {
    let app = start("").await;
    let with = |more: &str| {
        let fragment = "fragment F on Query { viewer @skip(if: false) { subject @include(if: true) } }";
        let skipped = "a: __typename @include(if: $yes) @skip(if: false)";
        format!(
            "query($yes: Boolean!) {{ ...F @include(if: $yes) ...F {skipped} ... @include(if: $yes) {{ {more} liveCursor }} }} {fragment}"
        )
    };
    allowed(
        &app.admin(),
        &with("viewer { roles @include(if: $yes) } x: __typename @skip(if: $yes)"),
        json!({ "yes": true }),
    )
    .await;
    let eleven = with("viewer { roles @include(if: $yes) } x: __typename @skip(if: $yes) @include(if: $yes)");
    too_much(&app.admin(), &eleven, json!({ "yes": true }), 11, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_may_be_15_deep() {
    let app = start("").await;
    let deep = |levels: usize, last: &str| {
        let steps = ["engineer ", "statusChanges(first: 1) ", "nodes "];
        let path: String = (0..levels - 2).map(|level| format!("{}{{ ", steps[level % 3])).collect();
        // Fragments add no level.
        format!("{{ statusChanges(first: 1) {{ nodes {{ ... {{ {path} {last} }} }} }} {}", "} ".repeat(levels - 1))
    };
    let at_15 = deep(14, "__typename");
    allowed(&app.admin(), &at_15, none()).await;
    too_much(&app.admin(), &deep(15, "__typename"), none(), 16, 15).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_may_have_2000_fields_once_its_fragments_are_spread() {
    let app = start("").await;
    let spread = |more: usize| {
        let fields = "__typename ".repeat(104);
        format!("{{ {} {} }} fragment F on Query {{ {fields} }}", "...F ".repeat(19), "__typename ".repeat(more))
    };
    allowed(&app.admin(), &spread(5), none()).await;
    too_much(&app.admin(), &spread(6), none(), 2_001, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_may_cost_2000_whether_sizes_are_written_or_given() {
    let app = start("").await;
    let admin = app.admin();
    let written = |size: &str| format!("{{ {} engineers({size}) {{ edges {{ cursor }} }} }}", pages());
    for size in ["first: 80", "last: 80", "first: null, last: 80"] {
        allowed(&admin, &written(size), none()).await;
    }
    for size in ["first: 81", "last: 81", "first: null, last: 81"] {
        too_much(&admin, &written(size), none(), PAGES + 82, 2_000).await;
    }
    let given = format!("query($n: Int) {{ {} engineers(first: $n) {{ edges {{ cursor }} }} }}", pages());
    for size in [json!(80), json!(0), json!(null)] {
        allowed(&admin, &given, json!({ "n": size })).await;
    }
    allowed(&admin, &given, none()).await;
    too_much(&admin, &given, json!({ "n": 81 }), 2_001, 2_000).await;
    let by_default = given.replace("$n: Int", "$n: Int = 81");
    too_much(&admin, &by_default, none(), 2_001, 2_000).await;
    allowed(&admin, &by_default, json!({ "n": 80 })).await;
    // Neither `first` nor `last` is a page of 20.
    let bare = |first: usize| {
        format!(
            "{{ {} a: engineers {{ nodes {{ id }} }} b: engineers(first: {first}) {{ nodes {{ id }} }} }}",
            (0..18).map(|n| format!("p{n}: statusChanges(first: 100) {{ nodes {{ id }} }} ")).collect::<String>()
        )
    };
    allowed(&admin, &bare(100), none()).await;
    let (code, message) = refused(&admin, &written("first: 80").replace("{ cursor }", "{ node { id } }"), none()).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "an edge and its node are two objects: {message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_within_lists_cost_their_product() {
    let app = start("").await;
    let nested = |size: usize| {
        format!("{{ engineers(first: 100) {{ nodes {{ statusChanges(first: {size}) {{ nodes {{ id }} }} }} }} }}")
    };
    allowed(&app.admin(), &nested(17), none()).await;
    too_much(&app.admin(), &nested(18), none(), 1 + 100 * 20, 2_000).await;
    // The same in fragments, and twice over: what is asked twice is read twice.
    let twice = "{ ...A ...B } fragment A on Query { engineers(first: 100) { ...C } } fragment B on Query { ...A }
        fragment C on EngineerConnection { nodes { statusChanges(first: 8) { ...D } } }
        fragment D on StatusChangeConnection { nodes { id } edges { cursor } }";
    too_much(&app.admin(), twice, none(), 2 * (1 + 100 * 18), 2_000).await;
    // Six channels each.
    let channels = "{ engineers(first: 100) { pageInfo { hasNextPage } nodes { id channels { status } } } }";
    allowed(&app.admin(), channels, none()).await;
    let thrice = format!("{{ {0} {0} {0} }}", "engineers(first: 100) { nodes { id channels { status } } }");
    too_much(&app.admin(), &thrice, none(), 3 * 701, 2_000).await;
    // A million is no page, and no way past the limit either.
    let (code, _) = refused(&app.admin(), &nested(1_000_000), none()).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_by_id_cost_as_much_as_there_are_ids() {
    let app = start("").await;
    let ids = |count: usize| (0..count).map(|number| json!(format!("engineer:{number:032x}"))).collect::<Vec<Value>>();
    let given = format!("query($ids: [ID!]!) {{ {} nodes(ids: $ids) {{ id }} }}", pages());
    allowed(&app.admin(), &given, json!({ "ids": ids(81) })).await;
    allowed(&app.admin(), &given, json!({ "ids": "engineer:1" })).await;
    too_much(&app.admin(), &given, json!({ "ids": ids(82) }), 2_001, 2_000).await;
    let written = |count: usize| format!("{{ {} nodes(ids: [{}]) {{ id }} }}", pages(), "\"x\" ".repeat(count));
    allowed(&app.admin(), &written(81), none()).await;
    too_much(&app.admin(), &written(82), none(), 2_001, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mutation_shows_costs_as_much_as_its_input_names() {
    let app = start("").await;
    let ids = |count: usize| (0..count).map(|number| format!("engineer:{number:032x}")).collect::<Vec<_>>();
    let shown = "{ outcomes { channel status userError { code params { name } } engineer { channels { status } } } }";
    let whole = format!("mutation($input: SubscribeChannelsInput!) {{ subscribeChannels(input: $input) {shown} }}");
    let within =
        format!("mutation($ids: [ID!]) {{ subscribeChannels(input: {{ engineerIds: $ids, channels: [] }}) {shown} }}");
    for count in [0, 285] {
        allowed(&app.admin(), &whole, json!({ "input": { "engineerIds": ids(count), "channels": [] } })).await;
        allowed(&app.admin(), &within, json!({ "ids": ids(count) })).await;
    }
    let over = 1 + 286 * 7;
    too_much(&app.admin(), &whole, json!({ "input": { "engineerIds": ids(286), "channels": [] } }), over, 2_000).await;
    too_much(&app.admin(), &within, json!({ "ids": ids(286) }), over, 2_000).await;
    // A filter is taken for a page of 100.
    allowed(&app.admin(), &whole, json!({ "input": { "filter": { "ids": [] } } })).await;
    let dear = whole.replace("channels { status }", "channels { status } statusChanges(first: 20) { nodes { id } }");
    too_much(&app.admin(), &dear, json!({ "input": { "filter": {} } }), 1 + 100 * 28, 2_000).await;
    // What was done to each of 1,000 is told whatever is asked, so it costs nothing.
    let told = "mutation($input: DeleteEngineersInput!) { deleteEngineers(input: $input) { deletedEngineerIds
        outcomes { engineerId userError { code message field params { name value } } } userErrors { code } } }";
    allowed(&app.admin(), told, json!({ "input": { "ids": ids(1_000) } })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_may_hold_as_many_values_as_the_limit_says() {
    let app = start("values = 1000").await;
    let page = |fields: &str| format!("{{ engineers(first: 100) {{ nodes {{ {fields} }} }} }}");
    allowed(&app.admin(), &page(&"name ".repeat(10)), none()).await;
    too_much(&app.admin(), &page(&"name ".repeat(11)), none(), 1_100, 1_000).await;
    let app = start("").await;
    let many = |count: usize| page(&format!("channels {{ {} }}", "status ".repeat(count)));
    allowed(&app.admin(), &many(83), none()).await;
    too_much(&app.admin(), &many(84), none(), 50_400, 50_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_may_hold_100_whether_its_size_is_written_or_given() {
    let app = start("").await;
    let given = "query($n: Int) { engineers(first: $n) { totalCount } }";
    allowed(&app.admin(), given, json!({ "n": 100 })).await;
    for (query, variables) in [(given, json!({ "n": 101 })), ("{ engineers(last: 101) { totalCount } }", none())] {
        let (_, answer) = app.admin().execute(query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("101") && message.contains("100"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_streams_are_held_to_the_same_limits() {
    let app = start("").await;
    let mut socket = app.admin().connect().await;
    let dear = "subscription { confirmationStatusChanged { engineer { statusChanges(first: 100) { nodes { engineer {
        statusChanges { nodes { id } } } } } } } }";
    let id = socket.subscribe(dear, none()).await;
    assert_eq!(socket.refusal(&id).await, "QUERY_TOO_COMPLEX");
    let counts = "subscription { rosterSummaryChanged { byChannelAndStatus { count } byReachability { count } } }";
    let id = socket.subscribe(counts, none()).await;
    assert!(socket.next(&id).await["rosterSummaryChanged"]["byReachability"].is_array());
}
