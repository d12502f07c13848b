//! Tokens that the provider never made, and such as say too little.

use aws_lc_rs::hmac;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::Duration;
use rollcall::domain::clock::Clock as _;
use serde_json::{Value, json};

use super::{RSA, ask, key_set_config, payload, refused, start, start_with, taken, unavailable};
use crate::harness::{
    app::TestApp,
    identity_provider::{Answer, IdentityProvider, SigningKey},
};

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Signs with HS256, whatever the header says.
fn sign_with_secret(header: &Value, payload: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A server that has read the keys, with the number of fetches by then.
async fn warm(provider: &IdentityProvider) -> TestApp {
    let app = start(provider).await;
    assert_eq!(ask(&app, &RSA.token(&payload(&app))).await, taken());
    assert_eq!(provider.fetches(), 1);
    app
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_key_is_no_secret_for_hs256() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = warm(&provider).await;
    let published = RSA.published();
    let modulus = published["n"].as_str().expect("a modulus");
    let der = RSA.public_bytes();
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", STANDARD.encode(&der));
    let secrets = [
        b"".to_vec(),
        pem.trim_end().as_bytes().to_vec(),
        pem.into_bytes(),
        der,
        modulus.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(modulus).expect("Base64"),
        published.to_string().into_bytes(),
        b"rsa-1".to_vec(),
    ];
    for secret in secrets {
        for (alg, kid) in [("HS256", json!("rsa-1")), ("RS256", json!("rsa-1")), ("HS256", Value::Null)] {
            let mut header = json!({ "alg": alg, "typ": "JWT" });
            if !kid.is_null() {
                header["kid"] = kid;
            }
            assert_eq!(ask(&app, &sign_with_secret(&header, &payload(&app), &secret)).await, refused(), "{header}");
        }
    }
    assert_eq!(provider.fetches(), 1, "nothing of it is worth a question to the provider");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_signature_no_token() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = warm(&provider).await;
    for none in ["none", "None", "NONE", "nOnE"] {
        let message = format!("{}.{}", encode(&json!({ "alg": none, "kid": "rsa-1" })), encode(&payload(&app)));
        assert_eq!(ask(&app, &format!("{message}.")).await, refused(), "{none}");
        assert_eq!(ask(&app, &message).await, refused(), "{none}");
    }
    let good = RSA.token(&payload(&app));
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let zeros = URL_SAFE_NO_PAD.encode([0; 256]);
    for spoilt in ["", &zeros, &signature[..300]] {
        assert_eq!(ask(&app, &format!("{message}.{spoilt}")).await, refused(), "{spoilt}");
    }
    let mut promoted = payload(&app);
    promoted["roles"] = json!(["ADMIN"]);
    let header = good.split('.').next().expect("a header");
    assert_eq!(ask(&app, &format!("{header}.{}.{signature}", encode(&promoted))).await, refused());
    assert_eq!(ask(&app, &SigningKey::rsa("rsa-1").token(&payload(&app))).await, refused(), "another key of that name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_checks_its_own_algorithm_only() {
    let (ec, ed) = (SigningKey::ec("ec-1"), SigningKey::ed("ed-1"));
    let provider = IdentityProvider::start(&[&RSA, &ec, &ed]).await;
    let app = warm(&provider).await;
    for key in [&*RSA, &ec, &ed] {
        for alg in ["RS256", "ES256", "EdDSA"] {
            for kid in ["rsa-1", "ec-1", "ed-1"] {
                let own = alg == key.algorithm() && key.published()["kid"] == kid;
                let token = key.sign(&json!({ "alg": alg, "kid": kid }), &payload(&app));
                let expected = if own { taken() } else { refused() };
                assert_eq!(ask(&app, &token).await, expected, "a {} key for {alg} as {kid}", key.algorithm());
            }
        }
    }
    for alg in ["RS384", "RS512", "PS256", "ES384", "HS384"] {
        let token = RSA.sign(&json!({ "alg": alg, "kid": "rsa-1" }), &payload(&app));
        assert_eq!(ask(&app, &token).await, refused(), "{alg}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_algorithm_that_the_configuration_does_not_list_is_refused() {
    let ec = SigningKey::ec("ec-1");
    let provider = IdentityProvider::start(&[&RSA, &ec]).await;
    let app = start_with(key_set_config(&provider, "algorithms = ['ES256']")).await;
    assert_eq!(ask(&app, &ec.token(&payload(&app))).await, taken());
    assert_eq!(ask(&app, &RSA.token(&payload(&app))).await, refused());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_header_leads_to_no_key_but_the_published_ones() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let theirs = SigningKey::rsa("evil");
    let trap = IdentityProvider::start(&[&theirs]).await;
    let app = warm(&provider).await;
    let kids = ["../../dev/null", "x' UNION SELECT 'key", "|/bin/id", &trap.jwks_url(), "", "RSA-1", "rsa-1 "];
    for kid in kids.into_iter().map(str::to_owned).chain(["x".repeat(5000)]) {
        let token = theirs.sign(&json!({ "alg": "RS256", "kid": kid }), &payload(&app));
        assert_eq!(ask(&app, &token).await, refused(), "{kid}");
    }
    let url = trap.jwks_url();
    let certificates = json!([STANDARD.encode(theirs.public_bytes())]);
    let leads = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", theirs.published()),
        ("x5c", certificates),
        ("iss", json!(trap.issuer())),
    ];
    for (name, value) in leads {
        for kid in ["evil", "rsa-1"] {
            let mut header = json!({ "alg": "RS256", "kid": kid });
            header[name] = value.clone();
            assert_eq!(ask(&app, &theirs.sign(&header, &payload(&app))).await, refused(), "{name} {kid}");
        }
        let mut header = json!({ "alg": "RS256", "kid": "rsa-1" });
        header[name] = value;
        assert_eq!(ask(&app, &RSA.sign(&header, &payload(&app))).await, taken(), "{name} must be without effect");
    }
    assert_eq!(trap.fetches(), 0);
    assert_eq!(provider.fetches(), 1, "the keys were read a moment ago");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_with_crit_and_a_token_that_is_too_long_are_refused() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = warm(&provider).await;
    let critical = RSA.sign(&json!({ "alg": "RS256", "kid": "rsa-1", "crit": ["exp"] }), &payload(&app));
    assert_eq!(ask(&app, &critical).await, refused());
    let mut long = payload(&app);
    long["note"] = "x".repeat(8192).into();
    assert_eq!(ask(&app, &RSA.token(&long)).await, refused());
    long["note"] = "x".repeat(4096).into();
    assert_eq!(ask(&app, &RSA.token(&long)).await, taken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_says_too_little_or_holds_no_more_is_refused() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = warm(&provider).await;
    let now = app.clock.now().timestamp();
    for claim in ["iss", "aud", "sub", "exp", "account", "roles"] {
        let mut payload = payload(&app);
        payload.as_object_mut().expect("an object").remove(claim);
        assert_eq!(ask(&app, &RSA.token(&payload)).await, refused(), "without {claim}");
    }
    let wrong = [
        ("sub", json!("")),
        ("sub", json!("  \t")),
        ("iss", json!("https://id.example/")),
        ("aud", json!("billing")),
        ("aud", json!([])),
        ("exp", json!(now - 61)),
        ("nbf", json!(now + 61)),
        ("account", json!("nobody")),
    ];
    for (claim, value) in wrong {
        let mut payload = payload(&app);
        payload[claim] = value.clone();
        assert_eq!(ask(&app, &RSA.token(&payload)).await, refused(), "{claim} = {value}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_a_key_is_checked_only_where_one_key_fits() {
    let (first, second) = (SigningKey::ec("ec-1"), SigningKey::ec("ec-2"));
    let provider = IdentityProvider::start(&[&RSA, &first]).await;
    let app = start(&provider).await;
    let unnamed = |key: &SigningKey| key.sign(&json!({ "alg": key.algorithm() }), &payload(&app));
    let (rsa, ec) = (unnamed(&RSA), unnamed(&first));
    assert_eq!((ask(&app, &rsa).await, ask(&app, &ec).await), (taken(), taken()));
    provider.publish(&[&RSA, &first, &second]);
    app.clock.advance(Duration::seconds(600));
    app.run_workers().await;
    assert_eq!((ask(&app, &rsa).await, ask(&app, &ec).await), (taken(), refused()));
    assert_eq!(ask(&app, &first.token(&payload(&app))).await, taken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_weak_or_for_something_else_check_nothing() {
    let (ec, ed) = (SigningKey::ec("ec-1"), SigningKey::ed("ed-1"));
    let with = |key: &SigningKey, name: &str, value: Value| {
        let mut published = key.published();
        published[name] = value;
        published
    };
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let padded = URL_SAFE_NO_PAD.encode([vec![0; 200], vec![0xff; 128]].concat());
    let unusable = [
        (&*RSA, with(&RSA, "use", json!("enc"))),
        (&*RSA, with(&RSA, "key_ops", json!(["sign"]))),
        (&*RSA, with(&RSA, "key_ops", json!("verify"))),
        (&*RSA, with(&RSA, "alg", json!("RS512"))),
        (&*RSA, with(&RSA, "alg", json!("RSA-OAEP"))),
        (&*RSA, with(&RSA, "kty", json!("rsa"))),
        (&*RSA, with(&RSA, "n", json!(short))),
        (&*RSA, with(&RSA, "n", json!(padded))),
        (&*RSA, with(&RSA, "n", json!(URL_SAFE_NO_PAD.encode([0xff; 1025])))),
        (&*RSA, with(&RSA, "e", Value::Null)),
        (&ec, with(&ec, "crv", json!("P-384"))),
        (&ec, with(&ec, "alg", json!("ES384"))),
        (&ec, with(&ec, "y", json!("AAAA"))),
        (&ed, with(&ed, "crv", json!("X25519"))),
        (&ed, with(&ed, "x", json!("!"))),
        (&ed, json!({ "kty": "oct", "kid": "ed-1", "k": URL_SAFE_NO_PAD.encode("a secret that everyone can read") })),
    ];
    let provider = IdentityProvider::start(&[]).await;
    let app = start(&provider).await;
    for (key, published) in unusable {
        provider.answer(Answer::Keys(vec![published.clone()]));
        app.clock.advance(Duration::seconds(30));
        assert_eq!(ask(&app, &key.token(&payload(&app))).await, unavailable(), "{published}");
    }
    // One that is of no use does not spoil the others.
    provider.answer(Answer::Keys(vec![with(&RSA, "use", json!("enc")), json!(7), json!({}), ec.published()]));
    app.clock.advance(Duration::seconds(30));
    assert_eq!(ask(&app, &ec.token(&payload(&app))).await, taken());
    assert_eq!(ask(&app, &RSA.token(&payload(&app))).await, refused());
}
