//! Documents and variables for the guard: it answers each, soon, and after one look at each selection.
//!
//! The input is a document, and after a zero byte the variables as JSON.

#![no_main]

use std::sync::LazyLock;

use async_graphql::Variables;
use libfuzzer_sys::fuzz_target;
use rollcall::{config::LimitsConfig, graphql::Guard};

/// Those of the configuration, and a cache that is soon full.
static LIMITS: LazyLock<LimitsConfig> =
    LazyLock::new(|| LimitsConfig { cached_documents: 8, cached_bytes: 64 * 1024, ..LimitsConfig::default() });

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(*LIMITS));

fuzz_target!(|input: &str| {
    let (text, variables) = input.split_once('\0').unwrap_or((input, ""));
    let before = GUARD.measured();
    let read = GUARD.read(text.to_owned());
    let measured = GUARD.measured() - before;
    assert!(measured <= text.len() as u64, "{measured} selections in {} bytes", text.len());
    let used = GUARD.cache_use();
    assert!(used.documents <= LIMITS.cached_documents && used.bytes <= LIMITS.cached_bytes, "{used:?}");
    let Ok(document) = read else { return };

    let again = GUARD.read(text.to_owned()).expect("what was good is good");
    assert_eq!(document.parsed().operations.iter().count(), again.parsed().operations.iter().count());
    assert_eq!(document.text(), text);
    let variables = serde_json::from_str(variables).map(Variables::from_json).unwrap_or_default();
    for (_, operation) in document.parsed().operations.iter() {
        let judged = GUARD.judge(&document, &operation.node, &variables).is_ok();
        assert_eq!(judged, GUARD.judge(&again, &operation.node, &variables).is_ok());
    }
});
