//! From a header to the one who asks: accounts, and the role ENGINEER with a real store.

use std::sync::Arc;

use chrono::Duration;
use migration::{Migrator, MigratorTrait as _};
use rollcall::{
    adapter::random::SystemChance,
    auth::{AuthError, Authenticator, LEEWAY, Verifier},
    domain::{
        actor::{Actor, Credential, Role},
        engineer::{DirectoryIdentity, DirectoryState, Engineer, Touched, UserType},
        id::{AccountId, EngineerId},
    },
    store::{ConnectOptions, SealerKeys, Store},
};
use serde_json::json;
use tempfile::TempDir;

use super::{now, payload_with, sign_payload, tokens};
use crate::harness::clock::TestClock;

/// An authenticator for the accounts `demo` and `other`, over a database of its own.
struct Door {
    authenticator: Authenticator,
    store: Store,
    clock: TestClock,
    _dir: TempDir,
}

impl Door {
    async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let options = ConnectOptions {
            url: format!("sqlite:{}", dir.path().join("rollcall.db").display()),
            max_connections: 2,
            keys: SealerKeys { sealing: vec![("first".to_owned(), [1; 32])], index: [2; 32], reload: None },
            on_commit: Arc::new(|| {}),
        };
        let store = Store::connect(&options).await.expect("a database");
        Migrator::up(store.migration_connection(), None).await.expect("the migrations");
        for name in ["demo", "other"] {
            store.ensure_account(&account(name), uuid::Uuid::nil(), now()).await.expect("an account");
        }
        let clock = TestClock::at(now());
        let accounts = [account("demo"), account("other")];
        let authenticator =
            Authenticator::new(Verifier::Secrets(tokens()), store.clone(), accounts, Arc::new(clock.clone()));
        Self { authenticator, store, clock, _dir: dir }
    }

    /// Puts a person onto the roll, whom the directory `staff` calls by `external_id`.
    async fn add(&self, account: &AccountId, external_id: &str) -> Engineer {
        let identity = DirectoryIdentity { directory: "staff".to_owned(), external_id: external_id.to_owned() };
        let engineer = Engineer {
            id: EngineerId::generate(now(), &SystemChance),
            name: external_id.to_owned(),
            alias: None,
            user_type: UserType::IamUser,
            identity_provider: None,
            identity: Some(identity),
            directory_state: DirectoryState::Active,
            locale: None,
            mobile: None,
            email: None,
            touched: Touched::default(),
            version: 1,
            created_at: now(),
            updated_at: now(),
            synced_at: None,
            deleted_at: None,
        };
        let tx = self.store.begin(account).await.expect("a transaction");
        tx.rows().insert_engineers(std::slice::from_ref(&engineer)).await.expect("a row");
        tx.commit().await.expect("a commit");
        engineer
    }

    async fn save(&self, account: &AccountId, engineer: &Engineer) {
        let tx = self.store.begin(account).await.expect("a transaction");
        tx.rows().update_engineer(engineer).await.expect("a row");
        tx.commit().await.expect("a commit");
    }

    async fn ask(&self, token: &str) -> Result<Actor, AuthError> {
        self.authenticator.authenticate(Some(&format!("Bearer {token}"))).await
    }
}

fn account(name: &str) -> AccountId {
    name.parse().expect("an account")
}

/// A token for an engineer, with other roles beside.
fn engineer_token(account: &str, engineer: &str, others: &[&str]) -> String {
    let roles: Vec<_> = others.iter().chain(&["ENGINEER"]).collect();
    let mut payload = payload_with("roles", Some(json!(roles)));
    payload["account"] = account.into();
    payload["engineer"] = engineer.into();
    sign_payload(&payload)
}

#[tokio::test]
async fn a_good_token_makes_the_actor_that_it_names() {
    let door = Door::open().await;
    let token = sign_payload(&payload_with("roles", Some(json!(["OPERATOR", "VIEWER"]))));
    let expected = Actor {
        account: account("demo"),
        subject: "lin".to_owned(),
        roles: vec![Role::Operator, Role::Viewer],
        engineer: None,
        expires_at: Some(now() + Duration::hours(1) + LEEWAY),
        credential: Credential::Token,
    };
    for header in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")] {
        let actor = door.authenticator.authenticate(Some(&header)).await.expect("an actor");
        assert_eq!(actor, expected, "{header}");
    }
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused() {
    let door = Door::open().await;
    assert!(matches!(door.authenticator.authenticate(None).await, Err(AuthError::Missing)));
    let token = sign_payload(&payload_with("sub", Some("lin".into())));
    let headers = ["", "Bearer", "Bearer ", "Bearer  ", "Basic bGluOmxpbg==", &token, &format!("Token {token}")];
    for header in headers.into_iter().chain([format!("Bearer {token} {token}").as_str()]) {
        let refused = door.authenticator.authenticate(Some(header)).await.expect_err("a refusal");
        assert!(matches!(refused, AuthError::Invalid), "{header}");
        assert_eq!(refused.to_string(), "invalid token");
    }
}

#[tokio::test]
async fn a_token_of_an_account_that_is_not_configured_is_refused() {
    let door = Door::open().await;
    let token_of = |account: &str| sign_payload(&payload_with("account", Some(account.into())));
    assert!(door.ask(&token_of("other")).await.is_ok());
    assert!(matches!(door.ask(&token_of("third")).await, Err(AuthError::Invalid)));
}

#[tokio::test]
async fn a_token_is_refused_once_the_clock_has_passed_its_end() {
    let door = Door::open().await;
    let token = sign_payload(&payload_with("sub", Some("lin".into())));
    let actor = door.ask(&token).await.expect("an actor");
    door.clock.advance(Duration::hours(1) + LEEWAY - Duration::milliseconds(1));
    assert!(door.ask(&token).await.is_ok());
    assert!(door.authenticator.still_valid(&actor).await.unwrap());
    door.clock.advance(Duration::milliseconds(1));
    assert!(matches!(door.ask(&token).await, Err(AuthError::Invalid)));
    assert!(!door.authenticator.still_valid(&actor).await.unwrap());
}

#[tokio::test]
async fn an_engineer_is_found_by_id_and_by_directory() {
    let door = Door::open().await;
    let wang = door.add(&account("demo"), "urn:x:10017").await;
    for named in [wang.id.to_string(), "staff:urn:x:10017".to_owned()] {
        let actor = door.ask(&engineer_token("demo", &named, &[])).await.expect("an actor");
        assert_eq!((actor.roles.as_slice(), actor.engineer), ([Role::Engineer].as_slice(), Some(wang.id)), "{named}");
        assert!(actor.is_engineer(wang.id));
        assert!(door.authenticator.still_valid(&actor).await.unwrap());
    }
}

#[tokio::test]
async fn an_engineer_of_another_account_is_not_found() {
    let door = Door::open().await;
    let wang = door.add(&account("demo"), "10017").await;
    for named in [wang.id.to_string(), "staff:10017".to_owned()] {
        let refused = door.ask(&engineer_token("other", &named, &[])).await.expect_err("a refusal");
        assert!(matches!(refused, AuthError::Inactive), "{named}");
    }
}

#[tokio::test]
async fn an_engineer_who_is_not_active_is_refused_until_they_are_again() {
    let door = Door::open().await;
    let demo = account("demo");
    let wang = door.add(&demo, "10017").await;
    let token = engineer_token("demo", "staff:10017", &[]);
    let actor = door.ask(&token).await.expect("an actor");
    let inactive = [
        Engineer { directory_state: DirectoryState::Disabled, ..wang.clone() },
        Engineer { directory_state: DirectoryState::Gone, ..wang.clone() },
        Engineer { deleted_at: Some(now()), ..wang.clone() },
    ];
    for changed in inactive {
        door.save(&demo, &changed).await;
        assert!(matches!(door.ask(&token).await, Err(AuthError::Inactive)), "{changed:?}");
        assert!(!door.authenticator.still_valid(&actor).await.unwrap(), "{changed:?}");
        door.save(&demo, &wang).await;
        assert_eq!(door.ask(&token).await.expect("an actor"), actor);
        assert!(door.authenticator.still_valid(&actor).await.unwrap());
    }
}

#[tokio::test]
async fn other_roles_outlive_the_role_engineer() {
    let door = Door::open().await;
    let demo = account("demo");
    let wang = door.add(&demo, "10017").await;
    let token = engineer_token("demo", "staff:10017", &["VIEWER"]);
    let before = door.ask(&token).await.expect("an actor");
    assert_eq!((before.roles.len(), before.engineer), (2, Some(wang.id)));
    door.save(&demo, &Engineer { directory_state: DirectoryState::Gone, ..wang.clone() }).await;
    assert!(!door.authenticator.still_valid(&before).await.unwrap(), "the roles are others by now");
    let after = door.ask(&token).await.expect("an actor");
    assert_eq!((after.roles.as_slice(), after.engineer), ([Role::Viewer].as_slice(), None));
    assert!(door.authenticator.still_valid(&after).await.unwrap());
}

#[tokio::test]
async fn a_database_that_fails_lets_no_engineer_in_and_says_nothing_of_itself() {
    let door = Door::open().await;
    door.add(&account("demo"), "10017").await;
    let token = engineer_token("demo", "staff:10017", &[]);
    let actor = door.ask(&token).await.expect("an actor");
    Migrator::down(door.store.migration_connection(), None).await.expect("an empty database");
    let refused = door.ask(&token).await.expect_err("a refusal");
    assert!(matches!(refused, AuthError::Unavailable(_)));
    assert_eq!(refused.to_string(), "the caller cannot be checked now");
    assert!(door.authenticator.still_valid(&actor).await.is_err());
}
