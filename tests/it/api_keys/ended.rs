//! Which of the callers that were let in would not be any more, in few statements however many they are.

use std::sync::{Arc, Mutex};

use rollcall::domain::actor::{Actor, Role};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use super::{make, other_admin, revoke, text};
use crate::harness::{
    app::{Caller, Database, Setup, TestApp},
    both_dbs,
    raw::connect,
};

both_dbs! {
    callers_who_would_not_be_let_in_again_are_told_apart_in_few_statements
    a_database_that_fails_ends_nobody
}

async fn let_in(app: &TestApp, caller: &Caller<'_>) -> Actor {
    app.app.authenticator.authenticate(caller.authorization().as_deref()).await.unwrap()
}

async fn add(caller: &Caller<'_>, name: &str) -> String {
    let document =
        "mutation($name: String!) { addEngineer(input: { name: $name, userType: OTHER }) { engineer { id } } }";
    text(&caller.data(document, json!({ "name": name })).await["addEngineer"]["engineer"]["id"])
}

async fn delete(caller: &Caller<'_>, id: &str) {
    let document = "mutation($id: ID!) { deleteEngineers(input: { ids: [$id] }) { deletedEngineerIds } }";
    caller.data(document, json!({ "id": id })).await;
}

async fn callers_who_would_not_be_let_in_again_are_told_apart_in_few_statements(database: Database) {
    let statements = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&statements);
    let on_statement: rollcall::store::OnStatement =
        Arc::new(move |sql: &str| kept.lock().unwrap().push(sql.to_owned()));
    let config = "[worker]\npoll_milliseconds = 60000\n".to_owned();
    let setup = Setup { config, on_statement: Some(on_statement), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let (admin, other) = (app.admin(), other_admin(&app));
    let (kept_key, dead_key, other_key) =
        (make(&admin, "VIEWER").await, make(&admin, "ADMIN").await, make(&other, "VIEWER").await);
    let (stays, goes) = (add(&admin, "stays").await, add(&admin, "goes").await);
    let short = app.token_for("demo", &[Role::Viewer], None, chrono::Duration::minutes(1));
    let callers = [
        (app.caller_with(kept_key.key), true),
        (app.caller_with(dead_key.key), false),
        (app.caller_with(other_key.key), true),
        (app.engineer(&stays), true),
        (app.engineer(&goes), false),
        (app.caller(Role::Viewer), true),
        (app.caller_with(short), false),
    ];
    let mut actors = Vec::new();
    for (caller, _) in &callers {
        actors.push(let_in(&app, caller).await);
    }
    let everyone: Vec<&Actor> = actors.iter().cycle().take(70).collect();
    assert_eq!(app.app.authenticator.list_ended(&everyone).await.unwrap(), [0; 0]);
    revoke(&admin, &[&dead_key.id]).await;
    delete(&admin, &goes).await;
    app.clock.advance(chrono::Duration::seconds(66));
    statements.lock().unwrap().clear();
    let ended = app.app.authenticator.list_ended(&everyone).await.unwrap();
    let reads: Vec<_> = statements.lock().unwrap().iter().filter(|sql| sql.starts_with("SELECT")).cloned().collect();
    let wanted: Vec<_> = (0..70).filter(|place| !callers[place % callers.len()].1).collect();
    assert_eq!(ended, wanted);
    assert_eq!(reads.len(), 3, "keys of two accounts and engineers of one: {reads:#?}");
    for (actor, (_, good)) in actors.iter().zip(&callers) {
        assert_eq!(app.app.authenticator.still_valid(actor).await.unwrap(), *good);
    }
    assert_eq!(app.app.authenticator.list_ended(&[]).await.unwrap(), [0; 0]);
}

async fn a_database_that_fails_ends_nobody(database: Database) {
    let app = TestApp::start(database).await;
    let made = make(&app.admin(), "VIEWER").await;
    let (key, token) = (let_in(&app, &app.caller_with(made.key)).await, let_in(&app, &app.admin()).await);
    let db = connect(&app).await;
    db.execute_unprepared("ALTER TABLE api_key RENAME TO lost").await.unwrap();
    assert!(app.app.authenticator.list_ended(&[&key, &token]).await.is_err());
    assert!(app.app.authenticator.still_valid(&key).await.is_err(), "one alone is not let do more");
    assert_eq!(app.app.authenticator.list_ended(&[&token]).await.unwrap(), [0; 0], "a token needs no database");
    db.execute_unprepared("ALTER TABLE lost RENAME TO api_key").await.unwrap();
    assert_eq!(app.app.authenticator.list_ended(&[&key, &token]).await.unwrap(), [0; 0]);
    db.close().await.unwrap();
}
