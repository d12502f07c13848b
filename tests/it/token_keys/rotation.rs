//! The provider changes its keys.

use std::sync::Arc;

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{RSA, ask, payload, refused, start, taken};
use crate::harness::identity_provider::{Answer, IdentityProvider, SigningKey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_taken_at_once_and_an_old_one_until_it_is_gone() {
    let (old, new) = (SigningKey::ec("2024"), SigningKey::ec("2025"));
    let provider = IdentityProvider::start(&[&old]).await;
    let app = start(&provider).await;
    assert_eq!(ask(&app, &old.token(&payload(&app))).await, taken());
    app.clock.advance(Duration::seconds(30));
    provider.publish(&[&old, &new]);
    assert_eq!(ask(&app, &new.token(&payload(&app))).await, taken(), "the unknown key is asked for");
    assert_eq!(ask(&app, &old.token(&payload(&app))).await, taken());
    provider.publish(&[&new]);
    app.clock.advance(Duration::seconds(599));
    app.run_workers().await;
    assert_eq!(ask(&app, &old.token(&payload(&app))).await, taken(), "the keys are read every ten minutes");
    app.clock.advance(Duration::seconds(1));
    app.run_workers().await;
    assert_eq!(ask(&app, &old.token(&payload(&app))).await, refused());
    assert_eq!(ask(&app, &new.token(&payload(&app))).await, taken());
    assert_eq!(provider.fetches(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_unknown_keys_asks_the_provider_once_in_30_seconds() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start(&provider).await;
    let (good, theirs) = (RSA.token(&payload(&app)), SigningKey::ed("theirs"));
    let storm: Vec<_> = (0..200)
        .map(|number| theirs.sign(&json!({ "alg": "EdDSA", "kid": format!("kid-{number}") }), &payload(&app)))
        .collect();
    for fetches in 1..=3 {
        let (refusals, let_in) = tokio::join!(
            join_all(storm.iter().map(|token| ask(&app, token))),
            join_all((0..20).map(|_| ask(&app, &good)))
        );
        assert!(refusals.iter().all(|answer| *answer == refused()), "{refusals:?}");
        assert!(let_in.iter().all(|answer| *answer == taken()), "{let_in:?}");
        assert_eq!(provider.fetches(), fetches);
        app.clock.advance(Duration::milliseconds(29_999));
        assert_eq!(ask(&app, &storm[0]).await, refused());
        assert_eq!(provider.fetches(), fetches, "not yet");
        app.clock.advance(Duration::milliseconds(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_wait_for_a_new_key_share_one_fetch_even_if_the_first_hangs_up() {
    let (old, new) = (SigningKey::ec("2024"), SigningKey::ec("2025"));
    let provider = IdentityProvider::start(&[&old]).await;
    let app = start(&provider).await;
    assert_eq!(ask(&app, &old.token(&payload(&app))).await, taken());
    app.clock.advance(Duration::seconds(30));
    let permits = Arc::new(Semaphore::new(0));
    provider.answer(Answer::Held(vec![new.published()], Arc::clone(&permits)));
    let token = new.token(&payload(&app));
    {
        let first = ask(&app, &token);
        let asked = async {
            while provider.fetches() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            answer = first => panic!("answered without the key: {answer:?}"),
            () = asked => {}
        }
    }
    let others = join_all((0..20).map(|_| ask(&app, &token)));
    let release = async { permits.add_permits(1) };
    let (answers, ()) = tokio::join!(others, release);
    assert!(answers.iter().all(|answer| *answer == taken()), "{answers:?}");
    assert_eq!(provider.fetches(), 2);
}
