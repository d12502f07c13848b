//! Documents that were found good are kept, in a bounded cache.

use serde_json::json;

use super::{allowed, none, refused, start, too_much};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_kept_by_their_text_and_no_more_than_the_limit_says() {
    let app = start("cached_documents = 10").await;
    let documents = || app.app.gate.cache_use().documents;
    assert_eq!(documents(), 0);
    for _ in 0..3 {
        allowed(&app.admin(), "{ viewer { subject } }", none()).await;
        assert_eq!(documents(), 1);
    }
    allowed(&app.admin(), "{ viewer { subject }  }", none()).await;
    assert_eq!(documents(), 2, "another text is another document");
    for number in 0..30 {
        allowed(&app.admin(), &format!("{{ a{number}: __typename }}"), none()).await;
        assert_eq!(documents(), (3 + number).min(10));
    }
    let none_kept = start("cached_documents = 0").await;
    allowed(&none_kept.admin(), "{ viewer { subject } }", none()).await;
    assert_eq!(none_kept.app.gate.cache_use().documents, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_take_no_more_memory_than_the_limit_says() {
    let app = start("cached_bytes = 300000").await;
    let usage = || app.app.gate.cache_use();
    let large = |number: usize| format!("{{ a{number}: __typename {} }}", "__typename ".repeat(300));
    let mut most = 0;
    for number in 0..40 {
        allowed(&app.admin(), &large(number), none()).await;
        assert!(usage().bytes <= 300_000, "{:?}", usage());
        most = most.max(usage().documents);
    }
    assert!((2..10).contains(&most), "{most} documents of 300 fields");
    // One that is too large for the cache alone drives out nothing.
    let before = usage();
    let huge = format!("{{ viewer {{ {} }} }} # {}", "subject ".repeat(990), "x".repeat(7_000));
    let app_of_little = start("cached_bytes = 100000").await;
    allowed(&app_of_little.admin(), "{ __typename }", none()).await;
    allowed(&app_of_little.admin(), &huge, none()).await;
    assert_eq!(app_of_little.app.gate.cache_use().documents, 1);
    assert_eq!(usage(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_not_kept() {
    let app = start("").await;
    allowed(&app.admin(), "{ viewer { subject } }", none()).await;
    let before = app.app.gate.cache_use();
    let aliases: String = (0..60).map(|number| format!("a{number}: __typename ")).collect();
    for query in [
        "{ ...A } fragment A on Query { ...A }".to_owned(),
        "{ ...Missing }".to_owned(),
        "{".to_owned(),
        format!("{{ {aliases} }}"),
        "subscription { a: rosterSummaryChanged { id } b: rosterSummaryChanged { id } }".to_owned(),
        "x".repeat(20_000),
    ] {
        refused(&app.admin(), &query, none()).await;
        assert_eq!(app.app.gate.cache_use(), before, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_document_is_judged_again_by_its_variables_and_its_operation() {
    let app = start("").await;
    let nested = "query($n: Int) { engineers(first: $n) { nodes { statusChanges(first: $n) { nodes { id } } } } }";
    for _ in 0..2 {
        allowed(&app.admin(), nested, json!({ "n": 43 })).await;
        too_much(&app.admin(), nested, json!({ "n": 44 }), 1 + 44 * 46, 2_000).await;
    }
    assert_eq!(app.app.gate.cache_use().documents, 1);
    let (code, _) = refused(&app.admin(), "query($id: ID!) { engineer(id: $id) { id } }", none()).await;
    assert_eq!(code, "BAD_USER_INPUT");
    allowed(&app.admin(), "query($id: ID!) { engineer(id: $id) { id } }", json!({ "id": "x" })).await;
    let (code, _) = refused(&app.admin(), "query($id: ID!) { engineer(id: $id) { id } }", none()).await;
    assert_eq!(code, "BAD_USER_INPUT");
}
