//! Tokens that rollcall makes, their secret, and how long they live.

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use rollcall::{
    auth::{EngineerClaim, InvalidToken, InvalidTtl, IssueError, NewToken, TokenFault, Tokens, parse_ttl},
    config::{AuthConfig, ClaimsConfig, Secret, TokenKeysConfig},
    domain::actor::Role,
};

use super::{SECRET, auth_config, now, tokens};

fn new_token(roles: &[Role], expires_at: DateTime<Utc>) -> NewToken {
    NewToken {
        subject: "lin".to_owned(),
        account: "demo".parse().expect("an account"),
        roles: roles.to_vec(),
        engineer: Some("staff:10017".parse().expect("an engineer")),
        expires_at,
    }
}

#[test]
fn an_issued_token_says_what_was_asked_for() {
    let expires_at = now() + Duration::hours(1);
    for roles in [vec![Role::Admin], vec![Role::Engineer], Role::ALL.to_vec()] {
        let token = tokens().issue(&new_token(&roles, expires_at), now()).expect("a token");
        let claims = tokens().verify(&token, now()).expect("a good token");
        assert_eq!((claims.subject.as_str(), claims.account.as_str()), ("lin", "demo"));
        assert_eq!((&claims.roles, claims.expires_at), (&roles, expires_at));
        let engineer = claims.engineer.as_ref().map(EngineerClaim::to_string);
        assert_eq!(engineer.as_deref(), roles.contains(&Role::Engineer).then_some("staff:10017"));
    }
}

#[test]
fn a_token_that_would_not_be_accepted_is_not_made() {
    let later = now() + Duration::hours(1);
    let good = new_token(&[Role::Engineer], later);
    let cases = [
        (NewToken { subject: " ".to_owned(), ..good.clone() }, IssueError::Subject),
        (NewToken { subject: "a\nb".to_owned(), ..good.clone() }, IssueError::Subject),
        (NewToken { roles: vec![], ..good.clone() }, IssueError::NoRole),
        (NewToken { engineer: None, ..good.clone() }, IssueError::NoEngineer),
        (NewToken { expires_at: now(), ..good.clone() }, IssueError::Expired),
    ];
    for (token, expected) in cases {
        assert_eq!(tokens().issue(&token, now()), Err(expected));
    }
    assert!(tokens().issue(&good, now()).is_ok());
}

#[test]
fn a_token_of_another_installation_is_refused() {
    let expires_at = now() + Duration::hours(1);
    let issue_by = |secret: &str, config: &AuthConfig| {
        let theirs = Tokens::new(&Secret::new(secret), config).expect("a good secret");
        theirs.issue(&new_token(&[Role::Admin], expires_at), now()).expect("a token")
    };
    let fault = |token: &str| tokens().verify(token, now()).map(|_| ()).map_err(InvalidToken::fault);
    let other_issuer = AuthConfig { issuer: "other".to_owned(), ..auth_config() };
    let other_audience = AuthConfig { audience: "other".to_owned(), ..auth_config() };
    assert_eq!(fault(&issue_by(SECRET, &auth_config())), Ok(()));
    assert_eq!(fault(&issue_by("another-secret-of-32-bytes------", &auth_config())), Err(TokenFault::Signature));
    assert_eq!(fault(&issue_by(SECRET, &other_issuer)), Err(TokenFault::BadClaim("iss")));
    assert_eq!(fault(&issue_by(SECRET, &other_audience)), Err(TokenFault::BadClaim("aud")));
}

#[test]
fn the_previous_secret_checks_and_does_not_sign() {
    let (old, new) = (Secret::new("the-secret-of-last-year-32-bytes"), Secret::new(SECRET));
    let keys = |previous| TokenKeysConfig::Secrets { present: None, previous };
    let before = Tokens::new(&old, &auth_config()).expect("a good secret");
    let both = AuthConfig { keys: keys(Some(old.clone())), ..auth_config() };
    let rotated = Tokens::new(&new, &both).expect("good secrets");
    let after = Tokens::new(&new, &auth_config()).expect("a good secret");
    let token = new_token(&[Role::Viewer], now() + Duration::hours(1));
    let by_old = before.issue(&token, now()).expect("a token");
    let by_new = rotated.issue(&token, now()).expect("a token");
    let judge = |tokens: &Tokens, token: &str| tokens.verify(token, now()).map(|_| ()).map_err(InvalidToken::fault);
    assert_eq!((judge(&rotated, &by_old), judge(&rotated, &by_new)), (Ok(()), Ok(())));
    assert_eq!((judge(&after, &by_old), judge(&after, &by_new)), (Err(TokenFault::Signature), Ok(())));
    assert_eq!(judge(&before, &by_new), Err(TokenFault::Signature), "it is signed with the new one");
    let weak = AuthConfig { keys: keys(Some(Secret::new("short"))), ..auth_config() };
    assert_eq!(Tokens::new(&new, &weak).expect_err("a weak secret").length, 5);
}

#[test]
fn tokens_are_not_made_where_the_claims_are_those_of_another_maker() {
    let claims = ClaimsConfig { roles: "groups".to_owned(), ..ClaimsConfig::default() };
    let tokens = Tokens::new(&Secret::new(SECRET), &AuthConfig { claims, ..auth_config() }).expect("a good secret");
    let token = new_token(&[Role::Viewer], now() + Duration::hours(1));
    assert_eq!(tokens.issue(&token, now()), Err(IssueError::ForeignClaims));
}

#[test]
fn a_secret_of_less_than_32_bytes_is_refused() {
    for (secret, length) in [("", 0), (SECRET.trim_end_matches('e'), 31), ("密".repeat(10).as_str(), 30)] {
        let weak = Tokens::new(&Secret::new(secret), &auth_config()).expect_err("a weak secret");
        assert_eq!(weak.length, length);
        assert!(secret.is_empty() || !weak.to_string().contains(secret));
    }
    assert!(Tokens::new(&Secret::new(SECRET), &auth_config()).is_ok());
}

#[test]
fn the_secret_is_not_printed() {
    let printed = format!("{:?}", tokens());
    assert!(printed.contains("rollcall-api") && !printed.contains("canary"), "{printed}");
    let [c, a, n] = [b'c', b'a', b'n'];
    assert!(!printed.contains(&format!("{c}, {a}, {n}")), "{printed}");
}

#[test]
fn the_life_of_a_token_is_a_number_and_a_unit() {
    let good = [
        ("90s", Duration::seconds(90)),
        ("1s", Duration::seconds(1)),
        ("30m", Duration::minutes(30)),
        ("1h", Duration::hours(1)),
        ("007d", Duration::days(7)),
        ("366d", Duration::days(366)),
        ("8784h", Duration::days(366)),
    ];
    for (text, expected) in good {
        assert_eq!(parse_ttl(text), Ok(expected), "{text}");
    }
    let bad_forms =
        ["", "h", "1", "1 h", " 1h", "1h ", "1H", "1w", "+1h", "-1h", "1.5h", "1h30m", "１h", "1時", "0x1s"];
    for text in bad_forms {
        assert_eq!(parse_ttl(text), Err(InvalidTtl::Form), "{text:?}");
    }
    for text in ["0s", "0d", "000m"] {
        assert_eq!(parse_ttl(text), Err(InvalidTtl::Zero), "{text}");
    }
    for text in ["367d", "8785h", "31622401s", "9223372036854775807d", "99999999999999999999999s"] {
        assert_eq!(parse_ttl(text), Err(InvalidTtl::TooLong), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_is_a_token_by_chance(text in "\\PC{0,200}") {
        prop_assert!(tokens().verify(&text, now()).is_err());
    }
}
