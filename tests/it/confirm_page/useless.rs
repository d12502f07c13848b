//! Links that were answered, or that lead nowhere.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use rollcall::{
    domain::{channel::ChannelKind, clock::Clock as _},
    store::token_hash,
};

use super::{EMAIL, ask, status_of, title};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    roll::{other_code, status, token_of},
};

both_dbs! {
    every_useless_link_gets_a_plain_page_and_changes_nothing
    a_confirmed_link_stays_confirmed_and_can_still_be_stopped
    a_deleted_persons_link_changes_nothing_until_they_are_restored
    a_link_that_is_answered_before_its_sending_is_recorded_asks_nobody_again
}

async fn every_useless_link_gets_a_plain_page_and_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    let other = ask(&app, "gao", "gao@demo.example").await;
    let before = (app.events().await, app.links().await);
    let (shorter, _) = asked.path.split_at(asked.path.len() - 1);
    let useless = [
        "/c/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        shorter.to_owned(),
        format!("{}A", asked.path),
        asked.path.to_ascii_lowercase(),
        format!("/c/{}", token_hash(token_of(&asked.path))),
        "/c/%00".to_owned(),
        "/c/%FF%FE".to_owned(),
        format!("/c/{}", "x".repeat(3_000)),
        "/c/'%20OR%201=1--".to_owned(),
    ];
    let mut bodies = Vec::new();
    for path in &useless {
        for page in [
            app.browse(Method::GET, path, None).await,
            app.type_code(path, &asked.code).await,
            app.press_stop(path).await,
        ] {
            assert_eq!((page.status, title(&page)), (StatusCode::NOT_FOUND, "This link does not work"), "{path}");
            bodies.push(page.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nothing can be learnt from the difference");
    assert!(!bodies[0].contains("Demo Operations"), "nor whose server it is");
    // Someone else's code is a wrong code.
    assert_eq!(app.type_code(&asked.path, &other.code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.events().await, before.0);
    let tried: Vec<_> = app.links().await.iter().map(|link| link.wrong_codes).collect();
    assert_eq!(tried.iter().sum::<i32>(), 1);
    assert_eq!([status_of(&app, &asked).await, status_of(&app, &other).await], ["PENDING"; 2]);
}

async fn a_confirmed_link_stays_confirmed_and_can_still_be_stopped(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    app.type_code(&asked.path, &asked.code).await;
    let changes = app.changes().await;
    app.clock.advance(Duration::days(20));
    for page in [
        app.browse(Method::GET, &asked.path, None).await,
        app.type_code(&asked.path, &asked.code).await,
        app.type_code(&asked.path, &other_code(&asked.code)).await,
    ] {
        assert_eq!((page.status, title(&page)), (StatusCode::OK, "Already confirmed"));
    }
    app.run_workers().await;
    assert_eq!(app.changes().await, changes, "a replay changes nothing, and a confirmation does not expire");
    assert_eq!(app.links().await[0].answered_at, Some("2025-01-15T08:09:10Z".parse().unwrap()));

    for _ in 0..2 {
        let page = app.press_stop(&asked.path).await;
        assert_eq!((page.status, title(&page)), (StatusCode::OK, "Stopped"));
    }
    let page = app.type_code(&asked.path, &asked.code).await;
    assert_eq!((page.status, title(&page)), (StatusCode::OK, "Stopped"), "confirming again does not undo it");
    assert_eq!(app.changes().await[2..], ["EMAIL PENDING>CONFIRMED LINK", "EMAIL CONFIRMED>CANCELLED OPT_OUT"]);
    app.run_workers().await;
    assert_eq!(status_of(&app, &asked).await, "CANCELLED");
}

async fn a_deleted_persons_link_changes_nothing_until_they_are_restored(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    app.admin().delete(&asked.person).await;
    let events = app.events().await;
    for page in [
        app.browse(Method::GET, &asked.path, None).await,
        app.type_code(&asked.path, &asked.code).await,
        app.press_stop(&asked.path).await,
    ] {
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(app.events().await, events);
    app.admin().restore(&asked.person).await;
    assert_eq!(status_of(&app, &asked).await, "PENDING");
    assert_eq!(app.type_code(&asked.path, &asked.code).await.status, StatusCode::OK);
    assert_eq!(status_of(&app, &asked).await, "CONFIRMED");
}

/// The message is out a moment before anything tells the database so, and the process may die in between.
async fn a_link_that_is_answered_before_its_sending_is_recorded_asks_nobody_again(database: Database) {
    use entity::{channel, channel_subscription, confirmation_link};
    use sea_orm::{EntityTrait as _, sea_query::Expr};

    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    // What a crash right after the sending leaves behind.
    confirmation_link::Entity::update_many()
        .col_expr(confirmation_link::Column::SentAt, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
        .exec(app.database())
        .await
        .unwrap();
    channel_subscription::Entity::update_many()
        .col_expr(channel_subscription::Column::Phase, Expr::value("HAND_OVER"))
        .col_expr(channel_subscription::Column::Reference, Expr::value(Option::<String>::None))
        .col_expr(channel_subscription::Column::ClaimedBy, Expr::value("a process that died"))
        .col_expr(channel_subscription::Column::ClaimedUntil, Expr::value(app.clock.now() + Duration::minutes(2)))
        .exec(app.database())
        .await
        .unwrap();
    channel::Entity::update_many()
        .col_expr(channel::Column::Status, Expr::value("REQUESTED"))
        .exec(app.database())
        .await
        .unwrap();

    assert_eq!(status(&app.admin().look(&asked.person).await, "EMAIL"), "REQUESTED");
    assert_eq!(app.type_code(&asked.path, &asked.code).await.status, StatusCode::OK);
    assert_eq!(status_of(&app, &asked).await, "CONFIRMED");
    let before = app.events().await;
    app.clock.advance(Duration::minutes(2));
    app.run_workers().await;
    assert_eq!(app.last_message(EMAIL, ChannelKind::Email).await.code, asked.code, "no second message");
    assert_eq!(app.events().await, before);
    // Two confirmation syncs find the request where it should be.
    for _ in 0..3 {
        app.clock.advance(Duration::minutes(10));
        app.run_workers().await;
    }
    assert_eq!(status_of(&app, &asked).await, "CONFIRMED");
    assert_eq!(app.generations(&asked.person, ChannelKind::Email).await[0].phase, "HELD");
}
