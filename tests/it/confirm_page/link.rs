//! The link: what looking does not do, what answering does, and links that are of no use.

use chrono::Duration;
use futures_util::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use rollcall::{
    domain::{channel::ChannelKind, clock::Clock as _},
    store::token_hash,
};
use serde_json::json;

use super::{EMAIL, ask, last_asked, status_of, title};
use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
    roll::{other_code, spaced, token_of},
};

both_dbs! {
    looking_ten_thousand_times_changes_nothing
    a_link_can_be_answered_for_48_hours_to_the_second_and_sent_again_after_that
    a_message_that_went_out_late_can_be_answered_for_48_hours_from_then
    five_wrong_codes_burn_a_link_however_they_are_spread
    what_is_no_code_costs_no_try
    the_consent_record_tells_what_was_shown_when_and_how_it_was_answered
    the_page_speaks_the_language_of_the_browser_then_of_the_person_then_of_the_account
    every_page_forbids_scripts_caching_and_referrers
}

async fn looking_ten_thousand_times_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    let before = (app.events().await, app.links().await, app.admin().look(&asked.person).await);
    let stop = format!("{}/stop", asked.path);
    let look = async |method: Method, path: &str, wanted: StatusCode| {
        let shown = app.browse(method.clone(), path, None).await;
        assert_eq!(shown.status, wanted, "{method} {path}");
    };
    // As the scanners of a mail server do it: many at once.
    let methods = [Method::GET, Method::HEAD].into_iter().cycle().take(10_000);
    stream::iter(methods).for_each_concurrent(16, |method| look(method, &asked.path, StatusCode::OK)).await;
    look(Method::OPTIONS, &asked.path, StatusCode::METHOD_NOT_ALLOWED).await;
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        look(method, &stop, StatusCode::METHOD_NOT_ALLOWED).await;
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(app.browse(method, &asked.path, None).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    let with_code = format!("{}?code={}", asked.path, asked.code);
    assert_eq!(app.browse(Method::GET, &with_code, None).await.status, StatusCode::OK);
    app.run_workers().await;
    assert_eq!((app.events().await, app.links().await, app.admin().look(&asked.person).await), before);
}

async fn a_link_can_be_answered_for_48_hours_to_the_second_and_sent_again_after_that(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let early = ask(&app, "early", "early@demo.example").await;
    let late = ask(&app, "late", "late@demo.example").await;
    let seen = admin.look(&late.person).await;
    let deadline = app.clock.now() + Duration::hours(48);
    assert_eq!(channel(&seen, "EMAIL")["expiresAt"], json!("2025-01-17T08:09:10.000Z"));

    app.clock.advance(Duration::hours(48) - Duration::seconds(1));
    assert!(!app.run_worker("expire").await.unwrap(), "nothing is due at 47:59:59");
    assert_eq!(status_of(&app, &late).await, "PENDING");
    assert_eq!(app.browse(Method::GET, &late.path, None).await.status, StatusCode::OK);
    let page = app.type_code(&early.path, &early.code).await;
    assert_eq!((page.status, title(&page)), (StatusCode::OK, "Confirmed, thank you"));

    app.clock.advance(Duration::milliseconds(999));
    assert!(!app.run_worker("expire").await.unwrap(), "nothing is due a millisecond before");
    app.clock.advance(Duration::milliseconds(1));
    assert_eq!(app.clock.now(), deadline);
    // The link is dead at that very moment, whether or not a worker has been there.
    for page in [
        app.browse(Method::GET, &late.path, None).await,
        app.type_code(&late.path, &late.code).await,
        app.press_stop(&late.path).await,
    ] {
        assert_eq!((page.status, title(&page)), (StatusCode::NOT_FOUND, "This link does not work"));
    }
    assert_eq!(status_of(&app, &late).await, "PENDING");
    assert!(app.run_worker("expire").await.unwrap(), "due at 48:00:00");
    assert_eq!([status_of(&app, &early).await, status_of(&app, &late).await], ["CONFIRMED", "EXPIRED"]);
    assert_eq!(app.changes().await.last().unwrap(), "EMAIL PENDING>EXPIRED EXPIRY");
    assert_eq!(app.events().await.last().unwrap().occurred_at, deadline);
    assert_eq!(app.type_code(&late.path, &late.code).await.status, StatusCode::NOT_FOUND);
    app.run_workers().await;
    assert_eq!(status_of(&app, &late).await, "EXPIRED", "the confirmation sync has nothing to add");

    let person = admin.find("late").await;
    assert_eq!((&person["subscribable"], admin.subscribe(&person, "EMAIL").await), (&json!(true), Ok(())));
    app.run_workers().await;
    let again = last_asked(&app, person, "late@demo.example").await;
    for page in [
        app.browse(Method::GET, &late.path, None).await,
        app.type_code(&late.path, &again.code).await,
        app.press_stop(&late.path).await,
    ] {
        assert_eq!((page.status, title(&page)), (StatusCode::NOT_FOUND, "This link does not work"), "the old link");
    }
    assert_eq!(app.type_code(&again.path, &again.code).await.status, StatusCode::OK);
    assert_eq!(status_of(&app, &again).await, "CONFIRMED");
}

async fn a_message_that_went_out_late_can_be_answered_for_48_hours_from_then(database: Database) {
    let app = TestApp::start(database).await;
    let person = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.clock.advance(Duration::hours(5));
    app.run_workers().await;
    let asked = last_asked(&app, person, EMAIL).await;
    let message = app.last_message(EMAIL, ChannelKind::Email).await;
    assert!(message.text.contains("17 January 2025, 21:09 (UTC+08:00)"), "{}", message.text);
    app.clock.advance(Duration::hours(48) - Duration::seconds(1));
    app.run_workers().await;
    assert_eq!(app.type_code(&asked.path, &asked.code).await.status, StatusCode::OK);
    assert_eq!(status_of(&app, &asked).await, "CONFIRMED");
}

async fn five_wrong_codes_burn_a_link_however_they_are_spread(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    let other = ask(&app, "gao", "gao@demo.example").await;
    let wrong = other_code(&asked.code);
    for left in ["4 tries are left", "3 tries are left", "2 tries are left", "1 try is left"] {
        app.clock.advance(Duration::hours(1));
        let page = app.type_code(&asked.path, &wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(left), "{left}: {}", page.body);
        assert_eq!(app.browse(Method::GET, &asked.path, None).await.status, StatusCode::OK);
    }
    let page = app.type_code(&asked.path, &wrong).await;
    assert_eq!((page.status, title(&page)), (StatusCode::TOO_MANY_REQUESTS, "Too many wrong codes"));
    for page in [app.type_code(&asked.path, &asked.code).await, app.browse(Method::GET, &asked.path, None).await] {
        assert_eq!((page.status, title(&page)), (StatusCode::TOO_MANY_REQUESTS, "Too many wrong codes"));
    }
    assert_eq!(status_of(&app, &asked).await, "PENDING");
    assert_eq!(app.type_code(&other.path, &other.code).await.status, StatusCode::OK, "another link is not harmed");

    app.admin().subscribe(&asked.person, "EMAIL").await.expect("a new message");
    app.run_workers().await;
    let again = last_asked(&app, asked.person, EMAIL).await;
    assert_eq!(app.type_code(&again.path, &other_code(&again.code)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(app.type_code(&again.path, &again.code).await.status, StatusCode::OK);
}

async fn what_is_no_code_costs_no_try(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    for code in ["", "   "] {
        assert_eq!(app.type_code(&asked.path, code).await.status, StatusCode::OK, "the question is shown again");
    }
    let send = |body: &str| app.request(Method::POST, &asked.path).body(body.to_owned()).send();
    assert_eq!(send("123456").await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let form = app.request(Method::POST, &asked.path).form(&[("other", "123456")]).send().await.unwrap();
    assert_eq!(form.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let long = "1".repeat(10_000);
    assert_eq!(app.type_code(&asked.path, &long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(app.links().await[0].wrong_codes, 0);

    assert_eq!(
        app.type_code(&asked.path, &spaced(&asked.code)).await.status,
        StatusCode::OK,
        "people copy blanks along"
    );
    assert_eq!(status_of(&app, &asked).await, "CONFIRMED");
}

async fn the_consent_record_tells_what_was_shown_when_and_how_it_was_answered(database: Database) {
    let app = TestApp::start(database).await;
    let (yes, no) = (ask(&app, "yes", "yes@demo.example").await, ask(&app, "no", "no@demo.example").await);
    app.clock.advance(Duration::minutes(7));
    let form = [("code", yes.code.as_str())];
    app.request(Method::POST, &yes.path).header("accept-language", "zh-CN").form(&form).send().await.unwrap();
    app.press_stop(&no.path).await;
    for (asked, answer) in [(&yes, "CONFIRMED"), (&no, "OPTED_OUT")] {
        let hash = Some(token_hash(token_of(&asked.path)));
        let record = app.links().await.into_iter().find(|link| link.token_hash == hash).unwrap();
        assert_eq!(record.answer.as_deref(), Some(answer));
        assert_eq!(record.answered_via.as_deref(), Some("LINK"));
        assert_eq!(record.answered_at, Some(app.clock.now()));
        let shown: serde_json::Value = serde_json::from_str(&record.shown.unwrap()).unwrap();
        let (locale, words) = match answer {
            "CONFIRMED" => {
                ("zh-CN", ["Demo Operations Ltd", "电子邮件", "2025年1月17日 16:09", "[确认] [不是我 / 停止]"])
            }
            _ => ("en", ["Demo Operations Ltd", "e-mail", "17 January 2025, 16:09", "[Confirm] [Not me / stop]"]),
        };
        assert_eq!(shown["locale"], locale);
        let text = shown["text"].as_str().unwrap();
        for words in words.iter().chain(&["Demo privacy notice", "ops@demo.example"]) {
            assert!(text.contains(words), "{words} is missing from: {text}");
        }
        assert!(!text.contains("yes@demo.example") && !text.contains("no@demo.example"), "masked: {text}");
    }
}

async fn the_page_speaks_the_language_of_the_browser_then_of_the_person_then_of_the_account(database: Database) {
    let config = "[accounts.demo]\nlocale = \"zh-CN\"\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    let (chinese, english) = ("发生故障时可以联系您吗？", "May we reach you in incidents?");
    let lin = ask(&app, "lin.wei", EMAIL).await;
    app.admin().add("ann", json!({ "email": "ann@demo.example", "locale": "en" })).await;
    app.run_workers().await;
    let ann = last_asked(&app, json!({}), "ann@demo.example").await;
    let cases = [
        (&lin, None, chinese),
        (&lin, Some("en-GB,en;q=0.9,zh;q=0.1"), english),
        (&lin, Some("fr,de;q=0.5"), chinese),
        (&ann, None, english),
        (&ann, Some("zh-CN,zh;q=0.9"), chinese),
        (&ann, Some("de"), english),
    ];
    for (asked, language, wanted) in cases {
        let page = app.browse(Method::GET, &asked.path, language).await;
        assert_eq!(title(&page), wanted, "{language:?}");
        let tag = if wanted == chinese { "zh-CN" } else { "en" };
        assert!(page.body.contains(&format!("<html lang=\"{tag}\">")), "{language:?}");
    }
    let page = app.browse(Method::GET, "/c/AAAAAAAAAAAAAAAAAAAAAA", Some("zh")).await;
    assert_eq!(title(&page), "链接无效");
}

async fn every_page_forbids_scripts_caching_and_referrers(database: Database) {
    let app = TestApp::start(database).await;
    let asked = ask(&app, "lin.wei", EMAIL).await;
    let wrong = other_code(&asked.code);
    for page in [
        app.browse(Method::GET, &asked.path, None).await,
        app.browse(Method::HEAD, &asked.path, None).await,
        app.type_code(&asked.path, &wrong).await,
        app.browse(Method::GET, "/c/unknown", None).await,
        app.type_code(&asked.path, &asked.code).await,
        app.browse(Method::GET, &asked.path, None).await,
        app.press_stop(&asked.path).await,
    ] {
        let header = |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let policy = header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.split("; ").any(|given| given == part), "{policy}");
        }
        assert!(!policy.contains("script-src"), "{policy}");
        assert_eq!(header("referrer-policy").as_deref(), Some("no-referrer"));
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(header("x-robots-tag").as_deref(), Some("noindex"));
        assert_eq!(header("content-type").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(header("set-cookie"), None);
        let body = page.body.to_ascii_lowercase();
        assert!(!body.contains("<script") && !body.contains("http://") && !body.contains("https://"), "{body}");
        assert!(!body.contains(EMAIL), "the address is masked");
    }
}
