//! What a token must say, and when it holds.

use chrono::Duration;
use rollcall::{
    auth::{Claims, EngineerClaim, InvalidToken, LEEWAY, TokenFault},
    domain::{
        actor::Role,
        engineer::DirectoryIdentity,
        id::{AccountId, EngineerId},
    },
};
use serde_json::{Value, json};

use super::{good_payload, now, payload_with, sign_payload, tokens, verify};

const REQUIRED: [&str; 6] = ["exp", "aud", "iss", "sub", "account", "roles"];

fn verify_with(claim: &str, value: Value) -> Result<Claims, TokenFault> {
    verify(&sign_payload(&payload_with(claim, Some(value))))
}

#[test]
fn every_required_claim_is_missed() {
    for claim in REQUIRED {
        let token = sign_payload(&payload_with(claim, None));
        assert_eq!(verify(&token), Err(TokenFault::MissingClaim(claim)));
    }
}

#[test]
fn a_claim_of_the_wrong_form_is_refused() {
    for claim in REQUIRED.into_iter().chain(["nbf"]) {
        for wrong in [json!(null), json!(true), json!(""), json!("  "), json!([]), json!([7]), json!({}), json!(-1)] {
            let fault = verify_with(claim, wrong.clone()).expect_err("a refusal");
            // The library reads the registered claims too, and stumbles over some lists and objects before we see them.
            let stumbles = !matches!(claim, "account" | "roles") && (wrong.is_array() || wrong.is_object());
            let named = fault == TokenFault::BadClaim(claim);
            assert!(named || (stumbles && fault == TokenFault::Unreadable), "{claim} = {wrong}: {fault}");
        }
    }
}

#[test]
fn a_claim_of_the_wrong_value_is_refused() {
    let exp = now().timestamp() + 3600;
    let wrong = [
        ("iss", json!("rollcall2")),
        ("iss", json!("Rollcall")),
        ("iss", json!(["rollcall"])),
        ("aud", json!("rollcall")),
        ("aud", json!(["billing", "rollcall"])),
        ("aud", json!(["rollcall-api", 7])),
        ("sub", json!("\u{3000}\t")),
        ("sub", json!("lin\r\nlevel=error")),
        ("sub", json!("x".repeat(256))),
        ("account", json!("Demo")),
        ("account", json!("demo ")),
        ("account", json!(["demo"])),
        ("roles", json!("OWNER")),
        ("roles", json!("ADMIN,VIEWER")),
        ("roles", json!(["ADMIN VIEWER"])),
        ("roles", json!(["OWNER"])),
        ("roles", json!(["admin"])),
        ("roles", json!(["VIEWER", "OWNER"])),
        ("roles", json!(["VIEWER", null])),
        ("exp", json!(exp.to_string())),
        ("exp", json!(1e300)),
        ("nbf", json!("0")),
    ];
    for (claim, value) in wrong {
        assert_eq!(verify_with(claim, value.clone()), Err(TokenFault::BadClaim(claim)), "{claim} = {value}");
    }
}

#[test]
fn a_list_of_audiences_needs_to_have_ours() {
    assert!(verify_with("aud", json!(["rollcall-api"])).is_ok());
    assert!(verify_with("aud", json!(["billing", "rollcall-api"])).is_ok());
    assert_eq!(verify_with("aud", json!(["billing"])), Err(TokenFault::BadClaim("aud")));
}

#[test]
fn roles_are_told_once_each() {
    let claims = verify_with("roles", json!(["OPERATOR", "VIEWER", "OPERATOR"])).expect("good roles");
    assert_eq!(claims.roles, [Role::Operator, Role::Viewer]);
    let in_one_text = verify_with("roles", json!(" OPERATOR VIEWER  OPERATOR")).expect("good roles");
    assert_eq!(in_one_text.roles, [Role::Operator, Role::Viewer]);
}

#[test]
fn a_token_dies_when_its_time_and_the_leeway_are_over() {
    let token = sign_payload(&good_payload());
    let dies_at = now() + Duration::hours(1) + LEEWAY;
    let at = |moment| tokens().verify(&token, moment).map(|claims| claims.expires_at).map_err(InvalidToken::fault);
    assert_eq!(at(dies_at - Duration::milliseconds(1)), Ok(now() + Duration::hours(1)));
    assert_eq!(at(dies_at), Err(TokenFault::Expired));
    assert_eq!(at(dies_at + Duration::days(3650)), Err(TokenFault::Expired));
    assert!(LEEWAY <= Duration::seconds(60));
}

#[test]
fn times_may_have_fractions() {
    let exp = now().timestamp_millis() + 1500;
    let claims = verify_with("exp", json!(exp as f64 / 1000.0)).expect("a good token");
    assert_eq!(claims.expires_at, now() + Duration::milliseconds(1500));
}

#[test]
fn a_token_holds_from_its_nbf_on_less_the_leeway() {
    let begins_at = now() + Duration::minutes(10);
    let token = sign_payload(&payload_with("nbf", Some(begins_at.timestamp().into())));
    let at = |moment| tokens().verify(&token, moment).map(|_| ()).map_err(InvalidToken::fault);
    assert_eq!(at(begins_at - LEEWAY - Duration::milliseconds(1)), Err(TokenFault::NotYetValid));
    assert_eq!(at(begins_at - LEEWAY), Ok(()));
    assert_eq!(at(begins_at), Ok(()));
}

fn engineer_payload(engineer: Option<Value>) -> Value {
    let mut payload = payload_with("roles", Some(json!(["ENGINEER"])));
    if let Some(engineer) = engineer {
        payload["engineer"] = engineer;
    }
    payload
}

fn identity(directory: &str, external_id: &str) -> EngineerClaim {
    EngineerClaim::Identity(DirectoryIdentity { directory: directory.to_owned(), external_id: external_id.to_owned() })
}

#[test]
fn the_role_engineer_needs_the_engineer() {
    let without = verify(&sign_payload(&engineer_payload(None)));
    assert_eq!(without, Err(TokenFault::MissingClaim("engineer")));
    for wrong in ["", "lin", ":", "staff:", ":10017", " : ", "staff:10\u{0}17", "engineer:"] {
        let token = sign_payload(&engineer_payload(Some(wrong.into())));
        assert_eq!(verify(&token), Err(TokenFault::BadClaim("engineer")), "{wrong:?}");
    }
    for wrong in [json!(null), json!(7), json!(["staff:10017"])] {
        let token = sign_payload(&engineer_payload(Some(wrong.clone())));
        assert_eq!(verify(&token), Err(TokenFault::BadClaim("engineer")), "{wrong}");
    }
}

#[test]
fn an_engineer_is_named_by_id_or_by_directory() {
    let id = "engineer:0190163d8694739b9d0d4b7c4a5e6f70";
    let cases = [
        (id, EngineerClaim::Id(id.parse::<EngineerId>().expect("an id"))),
        ("staff:10017", identity("staff", "10017")),
        ("staff:urn:x:10017", identity("staff", "urn:x:10017")),
        ("engineer:10017", identity("engineer", "10017")),
        ("channel-subscription:0190163d8694739b9d0d4b7c4a5e6f70", {
            identity("channel-subscription", "0190163d8694739b9d0d4b7c4a5e6f70")
        }),
    ];
    for (text, expected) in cases {
        let claims = verify(&sign_payload(&engineer_payload(Some(text.into())))).expect("a good token");
        assert_eq!(claims.engineer.as_ref(), Some(&expected));
        assert_eq!(expected.to_string(), text);
    }
}

#[test]
fn without_the_role_the_engineer_is_not_looked_at() {
    for engineer in [json!("staff:10017"), json!("nonsense"), json!(7)] {
        let claims = verify_with("engineer", engineer).expect("a good token");
        assert_eq!(claims.engineer, None);
    }
}

#[test]
fn the_account_is_the_one_that_the_token_names() {
    let claims = verify_with("account", json!("other_account-2")).expect("a good token");
    assert_eq!(claims.account, "other_account-2".parse::<AccountId>().expect("an account"));
}
