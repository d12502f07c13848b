//! Access tokens: only those that this installation signed, and only while they hold. Tokens are put together by hand here, so
//! that they can be wrong in every way, and so that the library is not its own judge.

mod claims;
mod forged;
mod issued;
mod keys;
mod people;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use rollcall::{
    auth::{Claims, InvalidToken, TokenFault, Tokens},
    config::{AuthConfig, ClaimsConfig, Secret, TokenKeysConfig},
};
use serde_json::{Value, json};

const SECRET: &str = "canary-secret-of-exactly-32-byte";

/// A moment long past, so that a check by the machine's clock would show.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_580_000_000, 0).expect("a time")
}

fn auth_config() -> AuthConfig {
    AuthConfig {
        keys: TokenKeysConfig::Secrets { present: None, previous: None },
        issuer: "rollcall".to_owned(),
        audience: "rollcall-api".to_owned(),
        claims: ClaimsConfig::default(),
    }
}

fn tokens() -> Tokens {
    Tokens::new(&Secret::new(SECRET), &auth_config()).expect("a secret of 32 bytes")
}

/// A payload that lives for an hour, with one claim set to another value, or left out.
fn payload_with(claim: &str, value: Option<Value>) -> Value {
    let mut payload = json!({
        "iss": "rollcall",
        "aud": "rollcall-api",
        "sub": "lin",
        "exp": now().timestamp() + 3600,
        "account": "demo",
        "roles": ["VIEWER"],
    });
    let claims = payload.as_object_mut().expect("an object");
    match value {
        Some(value) => claims.insert(claim.to_owned(), value),
        None => claims.remove(claim),
    };
    payload
}

fn good_payload() -> Value {
    payload_with("sub", Some("lin".into()))
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Signs with HS256, whatever the header says.
fn sign(header: &Value, payload: &Value, secret: &str) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
    format!("{message}.{signature}")
}

fn sign_payload(payload: &Value) -> String {
    sign(&json!({ "alg": "HS256", "typ": "JWT" }), payload, SECRET)
}

fn verify(token: &str) -> Result<Claims, TokenFault> {
    tokens().verify(token, now()).map_err(InvalidToken::fault)
}
