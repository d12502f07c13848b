//! Tokens of an identity provider, through the front door: what is taken, what is refused, and what happens when the provider
//! changes its keys or fails.

mod claims;
mod commands;
mod forged;
mod outage;
mod rotation;
mod settings;

use std::sync::LazyLock;

use reqwest::{Method, StatusCode};
use rollcall::domain::clock::Clock as _;
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp},
    identity_provider::{IdentityProvider, SigningKey},
};

/// Making an RSA key takes its time, so that one does for all tests.
static RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::rsa("rsa-1"));

/// What a server has to be told of a provider. The issuer is that of the tokens of [`payload`].
fn key_set_config(provider: &IdentityProvider, more: &str) -> String {
    let url = provider.jwks_url();
    format!("[auth]\njwks_url = '{url}'\nissuer = 'https://id.example'\naudience = 'rollcall-api'\n{more}")
}

/// A server that takes the tokens of that provider.
async fn start(provider: &IdentityProvider) -> TestApp {
    start_with(key_set_config(provider, "")).await
}

async fn start_with(config: String) -> TestApp {
    TestApp::start_with(Database::sqlite(), Setup { config, ..Setup::default() }).await
}

/// What a good token says, for an hour.
fn payload(app: &TestApp) -> Value {
    json!({
        "iss": "https://id.example",
        "aud": ["rollcall-api", "billing"],
        "sub": "8f14e45f",
        "exp": app.clock.now().timestamp() + 3600,
        "account": "demo",
        "roles": ["VIEWER"],
    })
}

/// How the server answers to a token: the status, and the code of the first error if there is one.
async fn ask(app: &TestApp, token: &str) -> (u16, String) {
    let body = json!({ "query": "{ viewer { subject roles account { id } engineer { name } } }" });
    let request = app.request(Method::POST, "/graphql").header("authorization", format!("Bearer {token}"));
    let response = request.header("accept", "application/json").json(&body).send().await.expect("an answer");
    let status = response.status();
    let answer: Value = response.json().await.expect("JSON");
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    assert_eq!(status == StatusCode::OK, answer["data"]["viewer"]["subject"].is_string(), "{answer}");
    (status.as_u16(), code.to_owned())
}

fn taken() -> (u16, String) {
    (200, String::new())
}

fn refused() -> (u16, String) {
    (401, "UNAUTHENTICATED".to_owned())
}

fn unavailable() -> (u16, String) {
    (503, "UNAVAILABLE".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_taken_by_the_key_that_it_names_whatever_kind_it_is_of() {
    let (ec, ed) = (SigningKey::ec("ec-1"), SigningKey::ed("ed-1"));
    let provider = IdentityProvider::start(&[&RSA, &ec, &ed]).await;
    let app = start(&provider).await;
    for key in [&*RSA, &ec, &ed] {
        assert_eq!(ask(&app, &key.token(&payload(&app))).await, taken(), "{}", key.algorithm());
    }
    assert_eq!(provider.fetches(), 1, "the keys are kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openid_provider_tells_where_its_keys_are() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let issuer = provider.issuer();
    let app = start_with(format!("[auth]\noidc_issuer = '{issuer}'\naudience = 'rollcall-api'")).await;
    let mut payload = payload(&app);
    assert_eq!(ask(&app, &RSA.token(&payload)).await, refused(), "it is of another issuer");
    payload["iss"] = issuer.into();
    assert_eq!(ask(&app, &RSA.token(&payload)).await, taken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_of_another_issuer_or_with_keys_at_an_unsafe_place_are_not_believed() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let (issuer, keys) = (provider.issuer(), provider.jwks_url());
    let app = start_with(format!("[auth]\noidc_issuer = '{issuer}'\naudience = 'rollcall-api'")).await;
    let mut payload = payload(&app);
    payload["iss"] = issuer.clone().into();
    let wrong = [
        json!({ "issuer": format!("{issuer}/"), "jwks_uri": keys }),
        json!({ "issuer": "https://evil.example", "jwks_uri": keys }),
        json!({ "issuer": issuer, "jwks_uri": keys.replace("127.0.0.1", "127.0.0.1.evil.example") }),
        json!({ "issuer": issuer, "jwks_uri": "file:///etc/passwd" }),
        json!({ "issuer": issuer }),
        json!([]),
    ];
    for metadata in wrong {
        provider.describe(metadata.clone());
        app.clock.advance(chrono::Duration::seconds(31));
        assert_eq!(ask(&app, &RSA.token(&payload)).await, unavailable(), "{metadata}");
    }
    assert_eq!(provider.fetches(), 0);
}
