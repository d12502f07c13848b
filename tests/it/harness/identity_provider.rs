//! An identity provider on loopback: it publishes keys, signs tokens, and fails in whatever way a test wants.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

/// A key pair with its name.
pub struct SigningKey {
    kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    /// An RSA key of 2048 bits.
    pub fn rsa(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")) }
    }

    /// A key on P-256.
    pub fn ec(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { kid: kid.to_owned(), pair: Pair::Ec(pair) }
    }

    /// An Ed25519 key.
    pub fn ed(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Pair::Ed(Ed25519KeyPair::generate().expect("a key")) }
    }

    /// The algorithm that it signs with.
    pub const fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// What is published of it.
    pub fn published(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                let part = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
                json!({ "kty": "RSA", "n": part(n.big_endian_without_leading_zero()), "e": part(e.big_endian_without_leading_zero()) })
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key()) })
            }
        };
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm().into();
        jwk
    }

    /// The public key in DER (for RSA: SubjectPublicKeyInfo's inner form).
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// A token with a header as it ought to be.
    pub fn token(&self, payload: &Value) -> String {
        self.sign(&json!({ "alg": self.algorithm(), "typ": "JWT", "kid": self.kid }), payload)
    }

    /// A token with that header, whatever it says.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(payload));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).expect("a signature");
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message.as_bytes()).expect("a signature").as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// How the provider answers for its keys.
#[derive(Clone)]
pub enum Answer {
    /// With these keys.
    Keys(Vec<Value>),
    /// With that status and text.
    Text(u16, String),
    /// With 40 MiB, without saying so before.
    Flood,
    /// With 40 MiB that are announced.
    AnnouncedFlood,
    /// By sending elsewhere.
    Redirect(String),
    /// Not at all.
    Silence,
    /// With these keys, once for each permit.
    Held(Vec<Value>, Arc<Semaphore>),
}

struct Shared {
    answer: Mutex<Answer>,
    metadata: Mutex<Option<Value>>,
    fetches: AtomicUsize,
    flooded: AtomicUsize,
}

/// A provider that runs until it is dropped.
pub struct IdentityProvider {
    /// Where it is.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl IdentityProvider {
    /// A provider that publishes these keys.
    pub async fn start(keys: &[&SigningKey]) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), keys).await
    }

    /// The same where a test had the port before.
    pub async fn start_at(listener: TcpListener, keys: &[&SigningKey]) -> Self {
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            answer: Mutex::new(Answer::Keys(Vec::new())),
            metadata: Mutex::new(None),
            fetches: AtomicUsize::new(0),
            flooded: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/keys", get(answer))
            .route("/.well-known/openid-configuration", get(describe))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("serving") });
        let provider = Self { address, shared, server };
        provider.publish(keys);
        provider.describe(json!({ "issuer": provider.issuer(), "jwks_uri": provider.jwks_url() }));
        provider
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Its name.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.answer(Answer::Keys(keys.iter().map(|key| key.published()).collect()));
    }

    /// Answers so from now on.
    pub fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().expect("the answer") = answer;
    }

    /// Says that of itself from now on.
    pub fn describe(&self, metadata: Value) {
        *self.shared.metadata.lock().expect("the metadata") = Some(metadata);
    }

    /// How often it was asked for its keys.
    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// How many MiB of a flood were taken from it.
    pub fn flooded(&self) -> usize {
        self.shared.flooded.load(Ordering::SeqCst)
    }
}

async fn describe(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.metadata.lock().expect("the metadata").clone().unwrap_or_default())
}

async fn answer(State(shared): State<Arc<Shared>>) -> Response {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let answer = shared.answer.lock().expect("the answer").clone();
    match answer {
        Answer::Keys(keys) => Json(json!({ "keys": keys })).into_response(),
        Answer::Text(status, text) => (StatusCode::from_u16(status).expect("a status"), text).into_response(),
        Answer::Flood => flood(shared).into_response(),
        Answer::AnnouncedFlood => {
            ([(header::CONTENT_LENGTH, (40 * 1024 * 1024).to_string())], flood(shared)).into_response()
        }
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Silence => std::future::pending().await,
        Answer::Held(keys, permits) => {
            permits.acquire().await.expect("a permit").forget();
            Json(json!({ "keys": keys })).into_response()
        }
    }
}

fn flood(shared: Arc<Shared>) -> Body {
    let chunks = stream::iter(0..40).map(move |_| {
        shared.flooded.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1024 * 1024]))
    });
    Body::from_stream(chunks)
}
