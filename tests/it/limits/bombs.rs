//! Documents that are small and ask for the world.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{allowed, none, refused, start};

/// Fragments of which each spreads the next one `wide` times, `levels` times over.
fn bomb(levels: usize, wide: usize, last: &str) -> String {
    let chain: String = (0..levels)
        .map(|level| format!("fragment F{level} on Query {{ {} }} ", format!("...F{} ", level + 1).repeat(wide)))
        .collect();
    format!("{chain} fragment F{levels} on Query {{ {last} }}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_of_30_levels_is_refused_after_one_look_at_each_selection() {
    let app = start("").await;
    let field = "viewer { subject }";
    let bombs = [
        ("twice each", format!("{{ ...F0 }} {}", bomb(30, 2, field))),
        ("three times each", format!("{{ ...F0 }} {}", bomb(30, 3, field))),
        ("wide and low", format!("{{ ...F0 }} {}", bomb(5, 30, field))),
        ("holding nothing", format!("{{ ...F0 }} {}", bomb(30, 2, "...Missing"))),
        ("unused", format!("{{ __typename }} {}", bomb(30, 2, field))),
        ("in another operation", format!("query A {{ __typename }} query B {{ ...F0 }} {}", bomb(30, 2, field))),
        ("in a mutation", format!("mutation {{ ...F0 }} {}", bomb(30, 2, field).replace("on Query", "on Mutation"))),
        ("of schema", format!("{{ ...F0 }} {}", bomb(30, 2, "__schema { types { name } }"))),
        ("without end", format!("{{ ...F0 }} {}", bomb(30, 2, "...F0"))),
        ("itself", "{ ...F } fragment F on Query { ...F ...F viewer { ...F } }".to_owned()),
    ];
    for (what, query) in &bombs {
        let before = app.app.gate.selections_measured();
        let (code, message) = refused(&app.admin(), query, none()).await;
        let codes = ["QUERY_TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"];
        assert!(codes.contains(&code.as_str()), "{what}: {code}: {message}");
        // Each selection stands there as one word or more.
        let (measured, words) = (app.app.gate.selections_measured() - before, query.split_whitespace().count());
        assert!((1..=words).contains(&usize::try_from(measured).unwrap()), "{what}: {measured} of {words}");
    }
    let mut socket = app.admin().connect().await;
    for (what, query) in &bombs {
        let id = socket.subscribe(query, none()).await;
        let code = socket.refusal(&id).await;
        assert!(code == "QUERY_TOO_COMPLEX" || code == "GRAPHQL_VALIDATION_FAILED", "{what}: {code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_answers_others_while_bombs_are_refused() {
    let app = start("").await;
    let query = format!("{{ ...F0 }} {}", bomb(30, 3, "viewer { subject }"));
    let body = json!({ "query": query });
    let requests: Vec<_> = (0..2)
        .map(|_| {
            let request = app.admin().request(Method::POST, "/graphql").json(&body);
            tokio::spawn(async move {
                let mut refused = 0;
                for _ in 0..50 {
                    let answer: Value = request.try_clone().unwrap().send().await.unwrap().json().await.unwrap();
                    refused += usize::from(answer["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX");
                }
                refused
            })
        })
        .collect();
    let mut answered = 0;
    while answered == 0 || requests.iter().any(|request| !request.is_finished()) {
        let health = app.request(Method::GET, "/health/live").timeout(Duration::from_secs(5)).send().await.unwrap();
        assert!(health.status().is_success());
        answered += 1;
    }
    for request in requests {
        assert_eq!(request.await.unwrap(), 50);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brackets_within_brackets_are_refused_before_they_are_parsed() {
    let app = start("").await;
    let deep = |open: &str, close: &str, count: usize| format!("{}{}", open.repeat(count), close.repeat(count));
    for count in [65, 100, 200] {
        for query in [
            deep("{ a ", "}", count),
            deep("{", "}", count),
            format!("{{ engineers(filter: {}) {{ totalCount }} }}", deep("{ a: ", "}", count)),
            format!("{{ nodes(ids: {}) {{ id }} }}", deep("[", "]", count)),
            format!("query($v: {}) {{ __typename }}", deep("[", "]", count)),
            deep("{ ... ", "}", count),
            "(".repeat(count),
        ] {
            let (code, message) = refused(&app.admin(), &query, none()).await;
            assert!(code == "QUERY_TOO_COMPLEX" && message.contains("64"), "{count}: {code}: {message}");
        }
    }
    // More than HTTP takes comes over a socket, whose messages hold as much as a body, and no more either.
    let mut socket = app.admin().connect().await;
    let id = socket.subscribe(&"{".repeat(60_000), none()).await;
    assert_eq!(socket.refusal(&id).await, "QUERY_TOO_COMPLEX");
    let body = json!({ "query": "{".repeat(100_000) });
    let status = app.admin().request(Method::POST, "/graphql").json(&body).send().await.unwrap().status();
    assert_eq!(status, 413);
    let (code, _) = refused(&app.admin(), &"{".repeat(16_000), none()).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_within_fragments_are_as_deep_as_32_selections() {
    let app = start("").await;
    let inline = |levels: usize| format!("{}__typename{}", "{ ... ".repeat(levels) + "{ ", " }".repeat(levels + 1));
    allowed(&app.admin(), &inline(32), none()).await;
    let (code, message) = refused(&app.admin(), &inline(33), none()).await;
    assert!(code == "QUERY_TOO_COMPLEX" && message.contains("32"), "{code}: {message}");
    let chain = |levels: usize| format!("{{ ...F0 }} {}", bomb(levels, 1, "__typename"));
    allowed(&app.admin(), &chain(31), none()).await;
    let (code, message) = refused(&app.admin(), &chain(32), none()).await;
    assert!(code == "QUERY_TOO_COMPLEX" && message.contains("32"), "{code}: {message}");
    // A fragment that is known already is as deep as before where it is spread deeper.
    let again = format!("{{ ...F2 {} }} {}", "... { ...F0 }", bomb(31, 1, "__typename"));
    let (code, message) = refused(&app.admin(), &again, none()).await;
    assert!(code == "QUERY_TOO_COMPLEX" && message.contains("32"), "{code}: {message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_the_same_end_at_a_limit_or_are_answered() {
    let app = start("").await;
    let aliased: String = (0..1_000).map(|number| format!("a{number}: engineers {{ totalCount }} ")).collect();
    let flood = [
        format!("{{ {} }}", "__typename ".repeat(20_000)),
        format!("{{ {aliased} }}"),
        format!("{{ viewer {{ {} }} }}", "subject ".repeat(1_900)),
        format!("{{ __typename {} }}", "@include(if: true) ".repeat(100)),
        format!("{{ {} __typename }}", "... @include(if: true) { __typename } ".repeat(11)),
    ];
    for query in flood {
        if query.len() < 60_000 {
            assert_eq!(refused(&app.admin(), &query, none()).await.0, "QUERY_TOO_COMPLEX");
        }
    }
    let same = format!("{{ viewer {{ {} }} }}", "subject ".repeat(900));
    assert_eq!(allowed(&app.admin(), &same, none()).await, json!({ "viewer": { "subject": "tester" } }));
}
