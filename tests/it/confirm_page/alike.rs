//! Links that lead nowhere: whether there ever was such a link cannot be told from the answer, nor from how long it took.

use std::sync::{Arc, Mutex};

use chrono::Duration;
use reqwest::{Method, header};
use rollcall::store::token_hash;
use serde_json::json;

use super::{Asked, ask};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
    roll::{ShownPage, token_of},
};

both_dbs! {
    wrong_replaced_expired_and_foreign_links_get_the_same_answer_after_the_same_work
}

/// What a server has asked its database.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Those since the last time, without those by which the event log is watched.
    fn take(&self) -> Vec<String> {
        let mut all = std::mem::take(&mut *self.0.lock().unwrap());
        all.retain(|statement| !statement.contains("position"));
        all
    }
}

/// An answer without what differs from one to the next.
fn essence(page: ShownPage) -> (u16, String, String) {
    let ShownPage { status, mut headers, body } = page;
    headers.remove(header::DATE);
    headers.remove("x-request-id").expect("each has one");
    (status.as_u16(), format!("{headers:?}"), body)
}

async fn wrong_replaced_expired_and_foreign_links_get_the_same_answer_after_the_same_work(database: Database) {
    let statements = Statements::default();
    let seen = statements.clone();
    let on_statement: rollcall::store::OnStatement =
        Arc::new(move |statement: &str| seen.0.lock().unwrap().push(statement.to_owned()));
    let setup = Setup { on_statement: Some(on_statement), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let links = make_useless(&app).await;
    let code = "123456";
    let mut expected: Option<Vec<_>> = None;
    for (what, path) in links {
        let mut answers = Vec::new();
        for language in [None, Some("zh-CN")] {
            for method in [Method::GET, Method::HEAD] {
                statements.take();
                let page = app.browse(method, &path, language).await;
                answers.push((essence(page), statements.take()));
            }
        }
        statements.take();
        let page = app.type_code(&path, code).await;
        answers.push((essence(page), statements.take()));
        let page = app.press_stop(&path).await;
        answers.push((essence(page), statements.take()));
        assert!(answers.iter().all(|((status, ..), done)| *status == 404 && done.len() == 3), "{what}: {answers:#?}");
        match &expected {
            None => expected = Some(answers),
            Some(expected) => assert_eq!(*expected, answers, "{what}"),
        }
    }
}

/// Links that lead nowhere, each for another reason.
async fn make_useless(app: &TestApp) -> Vec<(&'static str, String)> {
    let admin = app.admin();
    let make = async |name: &str| ask(app, name, &format!("{name}@demo.example")).await;
    let expired = make("expired").await;
    app.clock.advance(Duration::hours(24));
    let unseen = make("unseen").await;
    app.clock.advance(Duration::hours(24));
    assert!(app.run_worker("expire").await.unwrap());
    let [replaced, edited, cleared, deleted, foreign] = [
        make("replaced").await,
        make("edited").await,
        make("cleared").await,
        make("deleted").await,
        make("foreign").await,
    ];
    app.clock.advance(Duration::hours(24));
    admin.subscribe(&replaced.person, "EMAIL").await.unwrap();
    admin.update(&edited.person, json!({ "email": "elsewhere@demo.example" })).await;
    admin.update(&cleared.person, json!({ "email": null })).await;
    admin.delete(&deleted.person).await;
    while app.run_worker("hand-over").await.unwrap() {}
    // As where the operator took an account out of the configuration.
    let hash = token_hash(token_of(&foreign.path));
    app.run_sql(&format!("UPDATE confirmation_link SET account = 'gone' WHERE token_hash = '{hash}'")).await;
    let path = |asked: Asked| asked.path;
    vec![
        ("wrong", "/c/AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("unreadable", "/c/%FF%FE".to_owned()),
        ("long", format!("/c/{}", "x".repeat(3_000))),
        ("expired", path(expired)),
        ("expired, and no worker has been there", path(unseen)),
        ("replaced", path(replaced)),
        ("edited", path(edited)),
        ("cleared", path(cleared)),
        ("deleted", path(deleted)),
        ("foreign", path(foreign)),
    ]
}
