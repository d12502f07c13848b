//! Using keys: over HTTP and on sockets, good and not, and how their use is noted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{create, make, revoke, text};
use crate::harness::{
    app::{Caller, Database, Setup, TestApp},
    both_dbs,
    socket::Socket,
};

both_dbs! {
    a_key_does_what_its_role_allows_over_every_door
    keys_that_are_not_good_are_refused_alike
    a_socket_does_nothing_more_for_a_revoked_key
    the_use_of_a_key_is_written_once_a_minute_at_most
}

const WHO: &str = "{ viewer { subject roles permissions engineer { id } tokenExpiresAt account { id } } }";

async fn a_key_does_what_its_role_allows_over_every_door(database: Database) {
    let app = TestApp::start(database).await;
    for (role, rights) in [("VIEWER", 1), ("OPERATOR", 6), ("ADMIN", 11)] {
        let made = make(&app.admin(), role).await;
        let holder = app.caller_with(made.key.clone());
        let mut told = vec![holder.data(WHO, json!({})).await["viewer"].clone()];
        let mut socket = holder.connect().await;
        let asked = socket.subscribe(WHO, json!({})).await;
        told.push(socket.next(&asked).await["viewer"].clone());
        for viewer in told {
            assert_eq!((&viewer["subject"], &viewer["roles"]), (&json!(made.id), &json!([role])));
            assert_eq!(viewer["permissions"].as_array().unwrap().len(), rights, "{viewer}");
            assert_eq!((&viewer["engineer"], &viewer["tokenExpiresAt"]), (&Value::Null, &Value::Null));
            assert_eq!(viewer["account"]["id"], "demo");
        }
        let added = app.caller_with(made.key);
        let add =
            "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { userErrors { code } } }";
        let refused = added.data(add, json!({ "name": role })).await["addEngineer"]["userErrors"].clone();
        assert_eq!(refused.as_array().unwrap().is_empty(), role != "VIEWER", "{refused}");
        let export = added.request(Method::GET, "/export").send().await.unwrap();
        assert_eq!(export.status() == 200, role == "ADMIN");
    }
}

/// What a caller is told whose credential is not taken: status, headers that matter, body.
async fn refusal(caller: &Caller<'_>) -> (u16, Option<String>, Value) {
    let request = caller.request(Method::POST, "/graphql").json(&json!({ "query": "{ liveCursor }" }));
    let response = request.send().await.unwrap();
    let header = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), header, response.json().await.unwrap())
}

async fn keys_that_are_not_good_are_refused_alike(database: Database) {
    let app = TestApp::start(database).await;
    let (revoked, good) = (make(&app.admin(), "ADMIN").await, make(&app.admin(), "ADMIN").await);
    revoke(&app.admin(), &[&revoked.id]).await;
    let until = "2999-01-01T00:00:00Z";
    let expired = create(&app.admin(), json!({ "label": "short", "role": "ADMIN", "expiresAt": until })).await;
    app.clock.advance(chrono::Duration::days(365 * 999));
    let cut = good.key[..51].to_owned();
    let unknown = format!("rck_{:048x}", 7);
    let not_good = [
        unknown.clone(),
        revoked.key,
        text(&expired["key"]),
        cut,
        format!("{}0", good.key),
        good.key.to_uppercase(),
        good.key.replace("rck_", "rck_ "),
        "rck_".to_owned(),
        "rck_' OR 1=1 --".to_owned(),
    ];
    let told = refusal(&app.caller_with(unknown)).await;
    assert_eq!((told.0, &told.2["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    for key in &not_good {
        assert_eq!(refusal(&app.caller_with(key.clone())).await, told, "{key}");
        let mut socket = Socket::open_raw(app.address).await;
        let payload = json!({ "authorization": format!("Bearer {key}") });
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.receive_or_code().await, Err(4403), "{key}");
    }
    let bare = app.request(Method::POST, "/graphql").header("authorization", &good.key);
    assert_eq!(bare.json(&json!({ "query": "{ liveCursor }" })).send().await.unwrap().status(), 401);
    app.caller_with(good.key).data("{ liveCursor }", json!({})).await;
}

async fn a_socket_does_nothing_more_for_a_revoked_key(database: Database) {
    let app = TestApp::start(database).await;
    let made = make(&app.admin(), "VIEWER").await;
    let mut socket = app.caller_with(made.key).connect().await;
    let asked = socket.subscribe("{ liveCursor }", json!({})).await;
    socket.next(&asked).await;
    revoke(&app.admin(), &[&made.id]).await;
    let asked = socket.subscribe("{ liveCursor }", json!({})).await;
    assert_eq!(socket.refusal(&asked).await, "UNAUTHENTICATED");
}

/// When the key was last used, once that is not `before` any more.
async fn last_use_after(app: &TestApp, before: &Value) -> Value {
    let patience = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let listed = app.admin().data("{ apiKeys { nodes { lastUsedAt } } }", json!({})).await;
        let last = listed["apiKeys"]["nodes"][0]["lastUsedAt"].clone();
        if last != *before {
            return last;
        }
        assert!(tokio::time::Instant::now() < patience, "the use was not written");
        tokio::task::yield_now().await;
    }
}

async fn the_use_of_a_key_is_written_once_a_minute_at_most(database: Database) {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let on_statement: rollcall::store::OnStatement = Arc::new(move |sql: &str| {
        if sql.starts_with("UPDATE \"api_key\"") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let setup = Setup { on_statement: Some(on_statement), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let holder = app.caller_with(make(&app.admin(), "VIEWER").await.key);
    let mut last = Value::Null;
    for minute in 1..=3 {
        for _ in 0..10 {
            holder.data("{ liveCursor }", json!({})).await;
            app.clock.advance(chrono::Duration::seconds(1));
        }
        let now = last_use_after(&app, &last).await;
        assert!(last.is_null() || text(&last) < text(&now));
        assert_eq!(writes.load(Ordering::Relaxed), minute);
        last = now;
        app.clock.advance(chrono::Duration::seconds(50));
    }
}
