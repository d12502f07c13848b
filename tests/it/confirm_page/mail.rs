//! The message over a real SMTP conversation: its languages, and what is left of it in the database.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
    roll::{path_of, status},
    smtp::SmtpCatcher,
};

both_dbs! {
    mail_is_in_the_language_of_the_person_else_of_the_account
    the_database_holds_only_hashes_of_links_and_codes
    a_mail_server_that_is_down_delays_the_message_and_one_that_refuses_the_address_fails_it
}

fn setup(mail: &SmtpCatcher, more: &str) -> Setup {
    let port = mail.address().port();
    let config = format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n{more}");
    Setup { config, ..Setup::default() }
}

async fn mail_is_in_the_language_of_the_person_else_of_the_account(database: Database) {
    let mail = SmtpCatcher::start().await;
    let more = "[accounts.demo]\nlocale = \"zh-CN\"\nreply_to = \"Duty <duty@demo.example>\"\n";
    let app = TestApp::start_with(database, setup(&mail, more)).await;
    let english = "17 January 2025, 16:09 (UTC+08:00)";
    let cases = [
        ("林薇", json!({ "email": "lin@demo.example" }), "林薇，您好：", "2025年1月17日 16:09"),
        ("ann", json!({ "email": "ann@demo.example", "locale": "en" }), "Hello ann,", english),
        (
            "gao",
            json!({ "email": "gao@demo.example", "locale": "zh-CN", "alias": "高远" }),
            "高远，您好：",
            "2025年1月17日",
        ),
    ];
    for (name, fields, greeting, deadline) in cases {
        app.admin().add(name, fields.clone()).await;
        app.run_workers().await;
        let message = mail.next_mail().await;
        assert_eq!(message.to, [fields["email"].as_str().unwrap()]);
        assert_eq!(message.from, "rollcall@demo.example");
        assert_eq!(message.header("From").unwrap(), "Demo <rollcall@demo.example>");
        assert_eq!(message.header("Reply-To").unwrap(), "Duty <duty@demo.example>");
        let (text, html) = (message.part("text/plain").unwrap(), message.part("text/html").unwrap());
        let (link, code) = message.link_and_code();
        assert!(link.starts_with(&format!("http://{}/c/", app.address)), "{link}");
        for part in [&text, &html] {
            for words in
                [greeting, deadline, "Demo Operations Ltd", "ops@demo.example", "Demo privacy notice", &link, &code]
            {
                assert!(part.contains(words), "{words} is missing from: {part}");
            }
        }
        let chinese = deadline != english;
        assert_eq!(message.header("Subject").unwrap().contains("请确认"), chinese);
        assert_eq!(html.contains("<html lang=\"zh-CN\">"), chinese);
        let page = app.type_code(&path_of(&link), &code).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.body.contains("已确认，谢谢"), chinese, "the page without Accept-Language speaks it too");
    }
    assert!(app.outbox().await.is_empty(), "nothing of it stands in the outbox");
}

async fn the_database_holds_only_hashes_of_links_and_codes(database: Database) {
    let postgres = database.url().is_some();
    let mail = SmtpCatcher::start().await;
    let app = TestApp::start_with(database, setup(&mail, "")).await;
    let person = app.admin().add("lin.wei", json!({ "email": "lin@demo.example" })).await;
    app.run_workers().await;
    let (link, code) = mail.next_mail().await.link_and_code();
    let token = path_of(&link).split_off("/c/".len());
    assert_eq!(token.len(), 22, "128 bits in base64url");

    let stored = if postgres { everything_in(&app).await } else { everything_on_disk(&app) };
    let hash = rollcall::store::token_hash(&token);
    let holds = |what: &str| stored.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(holds(&hash), "the search finds what is there");
    assert!(holds("lin@demo.example"), "the search finds what is there");
    assert!(!holds(&token), "the token stands in the database");
    // By chance the six digits stand somewhere else once in some ten thousand runs.
    assert!(!holds(&code), "the code stands in the database");
    let links = app.links().await;
    assert_ne!(links[0].code_hash, rollcall::store::token_hash(&code), "a bare hash of six digits would be no secret");
    assert_eq!(app.browse(Method::GET, &path_of(&link), None).await.status, StatusCode::OK);
    assert_eq!(status(&app.admin().look(&person).await, "EMAIL"), "PENDING");
}

/// The database file and the write-ahead log beside it.
fn everything_on_disk(app: &TestApp) -> Vec<u8> {
    let mut all = Vec::new();
    for name in ["rollcall.sqlite", "rollcall.sqlite-wal"] {
        all.extend(std::fs::read(app.path(name)).expect("a database file"));
    }
    all
}

/// Every row of every table as text.
async fn everything_in(app: &TestApp) -> Vec<u8> {
    use sea_orm::{ConnectionTrait as _, Statement};
    let ask = async |sql: String| {
        let statement = Statement::from_string(app.database().get_database_backend(), sql);
        app.database().query_all_raw(statement).await.expect("rows")
    };
    let tables = ask("SELECT tablename::text AS t FROM pg_tables WHERE schemaname = 'public'".to_owned()).await;
    let mut all = Vec::new();
    for table in tables {
        let table: String = table.try_get("", "t").expect("a name");
        for row in ask(format!("SELECT one::text AS t FROM \"{table}\" one")).await {
            all.extend(row.try_get::<String>("", "t").expect("a row").into_bytes());
        }
    }
    all
}

async fn a_mail_server_that_is_down_delays_the_message_and_one_that_refuses_the_address_fails_it(database: Database) {
    let mail = SmtpCatcher::start_with(crate::harness::smtp::CatcherOptions {
        recipient_replies: [
            ("busy@demo.example".to_owned(), "451 4.3.0 come again later".to_owned()),
            ("gone@demo.example".to_owned(), "550 5.1.1 no such user".to_owned()),
        ]
        .into(),
        ..Default::default()
    })
    .await;
    let app = TestApp::start_with(database, setup(&mail, "")).await;
    let admin = app.admin();
    let busy = admin.add("busy", json!({ "email": "busy@demo.example" })).await;
    let gone = admin.add("gone", json!({ "email": "gone@demo.example" })).await;
    app.run_workers().await;
    assert_eq!(status(&admin.look(&busy).await, "EMAIL"), "REQUESTED", "tried again later");
    let failed = admin.look(&gone).await;
    assert_eq!(status(&failed, "EMAIL"), "FAILED");
    let failed = crate::harness::app::channel(&failed, "EMAIL");
    assert_eq!((&failed["failureCode"], &failed["subscribable"]), (&json!("ENDPOINT_REFUSED"), &json!(false)));
    app.clock.advance(Duration::minutes(1));
    assert_eq!(admin.subscribe(&gone, "EMAIL").await, Ok(()), "a failure can be asked again");
}
