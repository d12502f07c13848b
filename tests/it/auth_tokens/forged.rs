//! What a token is signed with, and what its header says of it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall::auth::TokenFault;
use serde_json::{Value, json};

use super::{SECRET, encode, good_payload, now, payload_with, sign, sign_payload, tokens, verify};

/// The three parts of a good token.
fn parts() -> [String; 3] {
    let token = sign_payload(&good_payload());
    assert!(verify(&token).is_ok(), "the token must be good before it is spoilt");
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

#[test]
fn a_token_signed_with_the_secret_is_good() {
    let claims = verify(&sign_payload(&good_payload())).expect("a good token");
    assert_eq!((claims.subject.as_str(), claims.account.as_str()), ("lin", "demo"));
}

#[test]
fn the_algorithm_none_is_refused_in_every_spelling() {
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = json!({ "alg": none, "typ": "JWT" });
        let message = format!("{}.{}", encode(&header), encode(&good_payload()));
        for token in [format!("{message}."), message, sign(&header, &good_payload(), SECRET)] {
            assert_eq!(verify(&token), Err(TokenFault::Unreadable), "{none}");
        }
    }
}

#[test]
fn another_algorithm_is_refused_even_over_a_signature_of_ours() {
    for other in ["RS256", "PS256", "ES256", "EdDSA", "HS384", "HS512"] {
        let token = sign(&json!({ "alg": other, "typ": "JWT" }), &good_payload(), SECRET);
        assert_eq!(verify(&token), Err(TokenFault::Algorithm), "{other}");
    }
    for unknown in [json!({}), json!({ "alg": null }), json!({ "alg": "hs256" }), json!({ "alg": ["HS256"] })] {
        let token = sign(&unknown, &good_payload(), SECRET);
        assert_eq!(verify(&token), Err(TokenFault::Unreadable), "{unknown}");
    }
}

#[test]
fn a_signature_that_is_stripped_zero_cut_or_of_another_secret_is_refused() {
    let [header, payload, signature] = parts();
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let cut = URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(&signature).expect("base64")[..16]);
    for spoilt in ["", zero.as_str(), cut.as_str()] {
        let token = format!("{header}.{payload}.{spoilt}");
        assert_eq!(verify(&token), Err(TokenFault::Signature), "{spoilt}");
    }
    for secret in ["", "another-secret-of-32-bytes------", SECRET.trim_start_matches('c')] {
        let token = sign(&json!({ "alg": "HS256" }), &good_payload(), secret);
        assert_eq!(verify(&token), Err(TokenFault::Signature), "{secret}");
    }
}

#[test]
fn a_changed_payload_or_header_is_refused() {
    let [header, payload, signature] = parts();
    let promoted = encode(&payload_with("roles", Some(json!(["ADMIN"]))));
    assert_eq!(verify(&format!("{header}.{promoted}.{signature}")), Err(TokenFault::Signature));
    let renamed = encode(&json!({ "alg": "HS256", "kid": "other" }));
    assert_eq!(verify(&format!("{renamed}.{payload}.{signature}")), Err(TokenFault::Signature));
}

#[test]
fn what_is_no_compact_jws_is_refused() {
    let [header, payload, signature] = parts();
    let json_form = json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] });
    let spoilt = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.."),
        format!("{header}.{payload}.{signature}="),
        format!(" {header}.{payload}.{signature}"),
        json_form.to_string(),
        sign_payload(&json!(["rollcall"])),
        sign_payload(&json!("rollcall")),
        sign_payload(&Value::Null),
    ];
    for token in spoilt {
        assert_eq!(verify(&token), Err(TokenFault::Unreadable), "{token}");
    }
}

#[test]
fn a_token_longer_than_8_kib_is_not_looked_at() {
    let fitting = sign_payload(&payload_with("note", Some("x".repeat(5000).into())));
    assert!(verify(&fitting).is_ok());
    let long = sign_payload(&payload_with("note", Some("x".repeat(8192).into())));
    assert_eq!(verify(&long), Err(TokenFault::TooLong));
}

#[test]
fn the_header_chooses_no_key() {
    // The secret that an attacker would have taken: named by kid, offered as jwk, or to be fetched.
    let theirs = "their-own-secret-of-32-bytes----";
    let jwk = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(theirs), "alg": "HS256" });
    let kids = ["../../dev/null", "x' UNION SELECT 'key", "|/bin/id", "https://evil.example/key"];
    let headers = kids.iter().map(|kid| json!({ "alg": "HS256", "kid": kid })).chain([
        json!({ "alg": "HS256", "jwk": jwk }),
        json!({ "alg": "HS256", "jku": "http://127.0.0.1:1/keys" }),
        json!({ "alg": "HS256", "x5u": "http://127.0.0.1:1/certificate" }),
        json!({ "alg": "HS256", "kid": "x".repeat(5000) }),
    ]);
    for header in headers {
        assert_eq!(verify(&sign(&header, &good_payload(), theirs)), Err(TokenFault::Signature), "{header}");
        assert_eq!(verify(&sign(&header, &good_payload(), "")), Err(TokenFault::Signature), "{header}");
        assert!(verify(&sign(&header, &good_payload(), SECRET)).is_ok(), "{header} must be without effect");
    }
}

#[test]
fn a_header_with_crit_is_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([])] {
        let token = sign(&json!({ "alg": "HS256", "b64": false, "crit": crit }), &good_payload(), SECRET);
        assert_eq!(verify(&token), Err(TokenFault::Critical), "{crit}");
    }
}

#[test]
fn every_refusal_reads_the_same() {
    let expired = sign_payload(&payload_with("exp", Some(1.into())));
    let forged = sign(&json!({ "alg": "HS256" }), &good_payload(), "another-secret-of-32-bytes------");
    for token in ["", "a.b.c", &expired, &forged] {
        let refused = tokens().verify(token, now()).expect_err("a bad token");
        assert_eq!(refused.to_string(), "invalid token");
    }
}
