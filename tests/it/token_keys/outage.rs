//! The provider fails.

use std::time::Instant;

use chrono::Duration;
use serde_json::json;
use tokio::net::TcpListener;

use super::{RSA, ask, key_set_config, payload, refused, start, start_with, taken, unavailable};
use crate::harness::{
    identity_provider::{Answer, IdentityProvider, SigningKey},
    process::free_address,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_starts_without_its_provider_and_takes_tokens_once_it_is_there() {
    let address = free_address();
    let config =
        format!("[auth]\njwks_url = 'http://{address}/keys'\nissuer = 'https://id.example'\naudience = 'rollcall-api'");
    let app = start_with(config).await;
    app.run_workers().await;
    let token = RSA.token(&payload(&app));
    assert_eq!(ask(&app, &token).await, unavailable());
    let provider = IdentityProvider::start_at(TcpListener::bind(address).await.expect("the port"), &[&RSA]).await;
    assert_eq!(ask(&app, &token).await, unavailable(), "it was tried a moment ago");
    app.clock.advance(Duration::seconds(30));
    app.run_workers().await;
    assert_eq!(provider.fetches(), 1);
    assert_eq!(ask(&app, &token).await, taken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_answer_never_replaces_good_keys() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start(&provider).await;
    let token = |app: &_| RSA.token(&payload(app));
    assert_eq!(ask(&app, &token(&app)).await, taken());
    let evil = SigningKey::ec("evil");
    let trap = IdentityProvider::start(&[&evil]).await;
    let published = json!({ "keys": [evil.published()] }).to_string();
    let bad = [
        Answer::Text(500, "no".to_owned()),
        Answer::Text(404, published.clone()),
        Answer::Text(201, published.clone()),
        Answer::Text(200, String::new()),
        Answer::Text(200, "<html>Sign in</html>".to_owned()),
        Answer::Text(200, "{\"keys\":".to_owned()),
        Answer::Text(200, "[]".to_owned()),
        Answer::Text(200, "{}".to_owned()),
        Answer::Text(200, "{\"keys\":{}}".to_owned()),
        Answer::Text(200, "{\"keys\":[]}".to_owned()),
        Answer::Text(200, "[".repeat(100_000)),
        Answer::Text(200, format!("{published}{published}")),
        Answer::Redirect(trap.jwks_url()),
        Answer::Flood,
        Answer::AnnouncedFlood,
    ];
    for (number, answer) in bad.into_iter().enumerate() {
        provider.answer(answer);
        app.clock.advance(Duration::minutes(10));
        app.run_workers().await;
        assert_eq!(provider.fetches(), number + 2, "it was asked");
        assert_eq!(ask(&app, &token(&app)).await, taken(), "answer {number}");
        assert_eq!(ask(&app, &evil.token(&payload(&app))).await, refused(), "answer {number}");
    }
    assert_eq!(trap.fetches(), 0, "a redirect leads nowhere");
    assert!(provider.flooded() < 40, "a flood is not read to its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_is_waited_for_3_seconds_and_holds_up_nobody_else() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start(&provider).await;
    let good = RSA.token(&payload(&app));
    assert_eq!(ask(&app, &good).await, taken());
    provider.answer(Answer::Silence);
    app.clock.advance(Duration::seconds(30));
    let unknown = SigningKey::ec("unknown").token(&payload(&app));
    let begun = Instant::now();
    let others = async {
        while provider.fetches() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask(&app, &good).await, taken());
        begun.elapsed()
    };
    let (answer, others) = tokio::join!(ask(&app, &unknown), others);
    let waited = begun.elapsed();
    assert_eq!(answer, refused());
    assert!(others < waited, "{others:?} and {waited:?}");
    assert!((3..10).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_good_keys_hold_for_24_hours() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start_with(key_set_config(&provider, "key_refresh_seconds = 86400")).await;
    let ask_now = async || ask(&app, &RSA.token(&payload(&app))).await;
    assert_eq!(ask_now().await, taken());
    provider.answer(Answer::Text(503, String::new()));
    app.clock.advance(Duration::hours(24) - Duration::milliseconds(1));
    app.run_workers().await;
    assert_eq!(ask_now().await, taken());
    app.clock.advance(Duration::milliseconds(1));
    assert_eq!(ask_now().await, unavailable());
    provider.publish(&[&RSA]);
    app.clock.advance(Duration::seconds(30));
    app.run_workers().await;
    assert_eq!(ask_now().await, taken());
}
