//! What the claims of others mean here.

use serde_json::{Value, json};

use super::{RSA, ask, key_set_config, payload, refused, start_with, taken};
use crate::harness::{app::TestApp, identity_provider::IdentityProvider};

/// A provider as Keycloak is: roles deep in the token, no account.
const LIKE_KEYCLOAK: &str = "account = 'demo'\nroles_claim = 'realm_access.roles'\nengineer_claim = 'employee_number'\n\
    engineer_directory = 'hr'\n[auth.role_mapping]\nviewer = ['staff', 'oncall-lead']\noperator = ['oncall-lead']\n\
    engineer = ['oncall']\n";

fn forbidden() -> (u16, String) {
    (403, "FORBIDDEN".to_owned())
}

/// Who the server takes the holder of such a token for.
async fn viewer(app: &TestApp, payload: &Value) -> Value {
    let caller = app.caller_with(RSA.token(payload));
    caller.data("{ viewer { subject roles account { id } engineer { name } } }", json!({})).await["viewer"].clone()
}

fn with_roles(app: &TestApp, roles: &Value) -> Value {
    let mut payload = payload(app);
    payload["realm_access"] = json!({ "roles": roles });
    for claim in ["account", "roles"] {
        payload.as_object_mut().expect("an object").remove(claim);
    }
    payload
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_roles_are_mapped_and_others_are_passed_over() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start_with(key_set_config(&provider, LIKE_KEYCLOAK)).await;
    let cases = [
        (json!(["staff"]), json!(["VIEWER"])),
        (json!(["offline_access", "staff", "staff"]), json!(["VIEWER"])),
        (json!(["oncall-lead"]), json!(["VIEWER", "OPERATOR"])),
        (json!("staff"), json!(["VIEWER"])),
        (json!("offline_access  oncall-lead"), json!(["VIEWER", "OPERATOR"])),
    ];
    for (roles, expected) in cases {
        let viewer = viewer(&app, &with_roles(&app, &roles)).await;
        assert_eq!((&viewer["roles"], &viewer["account"]["id"]), (&expected, &json!("demo")), "{roles}");
    }
    for none in [json!([]), json!(""), json!(["offline_access", "ADMIN", "Staff"])] {
        assert_eq!(ask(&app, &RSA.token(&with_roles(&app, &none))).await, forbidden(), "{none}");
    }
    for wrong in [json!(null), json!(7), json!({ "staff": true }), json!(["staff", 7])] {
        assert_eq!(ask(&app, &RSA.token(&with_roles(&app, &wrong))).await, refused(), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engineer_is_known_by_the_directorys_key_in_a_claim() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start_with(key_set_config(&provider, LIKE_KEYCLOAK)).await;
    app.write_directory("hr", &["urn:10017,wang,,IAM_USER,active,,", "u-2,li,,IAM_USER,disabled,,"]);
    let admin = app.app.local_admin(&"demo".parse().expect("an account"));
    app.app
        .services
        .sync_engineers(
            &admin,
            rollcall::service::sync_engineers::SyncEngineers { directory: Some("hr".to_owned()), ..Default::default() },
            None,
        )
        .await
        .expect("a run");
    app.run_workers().await;
    let token = |roles: &Value, number: Value| {
        let mut payload = with_roles(&app, roles);
        payload["employee_number"] = number;
        payload
    };
    let wang = viewer(&app, &token(&json!(["oncall"]), json!("urn:10017"))).await;
    assert_eq!((&wang["roles"], &wang["engineer"]["name"]), (&json!(["ENGINEER"]), &json!("wang")));
    let elsewhere = viewer(&app, &token(&json!(["oncall", "staff"]), json!("u-9"))).await;
    assert_eq!((&elsewhere["roles"], &elsewhere["engineer"]), (&json!(["VIEWER"]), &Value::Null));
    for number in ["u-2", "u-9", "hr:urn:10017"] {
        assert_eq!(ask(&app, &RSA.token(&token(&json!(["oncall"]), json!(number)))).await, forbidden(), "{number}");
    }
    for wrong in [json!(null), json!(""), json!(10017)] {
        assert_eq!(ask(&app, &RSA.token(&token(&json!(["oncall"]), wrong.clone()))).await, refused(), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_is_found_by_its_name_or_by_a_path_to_it() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let paths = [
        ("roles", json!({ "roles": ["VIEWER"] })),
        ("https://rollcall.example/roles", json!({ "https://rollcall.example/roles": ["VIEWER"] })),
        ("resource_access.rollcall.roles", json!({ "resource_access": { "rollcall": { "roles": ["VIEWER"] } } })),
        ("resource_access.roll.call.roles", json!({ "resource_access": { "roll.call": { "roles": ["VIEWER"] } } })),
    ];
    for (path, claims) in paths {
        let app = start_with(key_set_config(&provider, &format!("roles_claim = '{path}'"))).await;
        let mut payload = payload(&app);
        payload.as_object_mut().expect("an object").remove("roles");
        assert_eq!(ask(&app, &RSA.token(&payload)).await, refused(), "{path}");
        payload.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        assert_eq!(ask(&app, &RSA.token(&payload)).await, taken(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_is_the_one_of_the_claim_that_is_configured() {
    let provider = IdentityProvider::start(&[&RSA]).await;
    let app = start_with(key_set_config(&provider, "account_claim = 'tenant.key'")).await;
    let mut payload = payload(&app);
    assert_eq!(ask(&app, &RSA.token(&payload)).await, refused(), "the claim account is nothing here");
    payload["tenant"] = json!({ "key": "other" });
    assert_eq!(viewer(&app, &payload).await["account"]["id"], "other");
}
