//! Who is asked to confirm what, and how often: saving, subscribing again, opting out, cancelling.

use chrono::{DateTime, Duration, Utc};
use reqwest::{Method, StatusCode};
use rollcall::domain::{actor::Role, channel::ChannelKind, clock::Clock as _};
use serde_json::{Value, json};

use crate::harness::{
    app::{Database, Setup, TestApp, channel},
    both_dbs,
    roll::{path_of, status},
};

mod limits;
mod opt_out;

const MOBILE: &str = "+8613800138001";
const EMAIL: &str = "lin.wei@demo.example";

both_dbs! {
    saving_a_mobile_asks_by_sms_and_voice_saving_a_mail_asks_by_mail_and_the_same_value_asks_nothing
    what_a_directory_brings_asks_nobody
    what_a_directory_brings_is_asked_for_where_the_account_wants_that
    editing_clearing_and_cancelling_retire_the_request_and_its_link_is_useless
    a_confirmed_channel_falls_back_when_its_endpoint_is_edited
    an_old_code_does_not_confirm_a_new_request
    every_reason_why_a_channel_cannot_be_subscribed_is_told_and_enforced
    without_channels_only_what_can_be_subscribed_is_asked_for_and_told_of
    cancelling_tells_what_was_done_to_each_channel
    an_engineer_subscribes_and_cancels_only_their_own_channels
}

/// The moment in a field.
fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a moment").parse().expect("a moment")
}

/// Someone with a PENDING e-mail channel.
async fn add_pending(app: &TestApp) -> Value {
    let lin = app.admin().add("lin.wei", json!({ "email": EMAIL })).await;
    app.run_workers().await;
    assert_eq!(status(&app.admin().look(&lin).await, "EMAIL"), "PENDING");
    lin
}

async fn saving_a_mobile_asks_by_sms_and_voice_saving_a_mail_asks_by_mail_and_the_same_value_asks_nothing(
    database: Database,
) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin.wei", json!({})).await;
    assert_eq!(app.changes().await, [""; 0]);

    let saved = admin.update(&lin, json!({ "mobile": "138 0013 8001" })).await;
    assert_eq!(
        ["SMS", "VOICE", "EMAIL"].map(|kind| status(&saved, kind)),
        ["REQUESTED", "REQUESTED", "NOT_CONFIGURED"]
    );
    let saved = admin.update(&lin, json!({ "email": EMAIL })).await;
    assert_eq!(["SMS", "VOICE", "EMAIL"].map(|kind| status(&saved, kind)), ["REQUESTED"; 3]);
    app.run_workers().await;
    let mut asked: Vec<_> = app.outbox().await.into_iter().map(|one| (one.channel.name(), one.endpoint)).collect();
    asked.sort_unstable();
    let wanted = [("EMAIL", EMAIL), ("SMS", MOBILE), ("VOICE", MOBILE)];
    assert_eq!(asked, wanted.map(|(kind, endpoint)| (kind, endpoint.to_owned())));
    let mut changes = app.changes().await;
    changes.sort_unstable();
    let wanted = ["EMAIL", "SMS", "VOICE"].iter().flat_map(|kind| {
        [format!("{kind} NOT_CONFIGURED>REQUESTED EDIT"), format!("{kind} REQUESTED>PENDING PROVIDER_ACCEPTED")]
    });
    assert_eq!(changes, wanted.collect::<Vec<_>>());

    app.clock.advance(Duration::hours(1));
    let before = (admin.look(&lin).await, app.events().await);
    admin.update(&lin, json!({ "mobile": "+86 138-0013-8001", "email": "lin.wei@DEMO.example" })).await;
    app.run_workers().await;
    assert_eq!((admin.look(&lin).await, app.events().await), before, "the same values, written in another way");
    assert_eq!(app.outbox().await.len(), 3);
}

const ROWS: [&str; 1] = ["u-1,lin.wei,,IAM_USER,active,+8613800138001,lin.wei@demo.example"];

async fn what_a_directory_brings_asks_nobody(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &ROWS);
    let run = app.sync("hr", json!({})).await;
    assert_eq!((&run["state"], &run["counts"]["added"]), (&json!("SUCCEEDED"), &json!(1)), "{run}");
    let lin = app.admin().look(&app.admin().find("lin.wei").await).await;
    assert_eq!(["SMS", "VOICE", "EMAIL"].map(|kind| status(&lin, kind)), ["UNSUBSCRIBED"; 3]);
    assert_eq!(lin["subscribable"], true);
    assert!(app.outbox().await.is_empty());

    assert_eq!(app.admin().subscribe(&lin, "VOICE").await, Ok(()));
    app.run_workers().await;
    let asked: Vec<_> = app.outbox().await.into_iter().map(|one| one.channel).collect();
    assert_eq!(asked, [ChannelKind::Voice], "only what was subscribed");
}

async fn what_a_directory_brings_is_asked_for_where_the_account_wants_that(database: Database) {
    let config = "[accounts.demo]\nsubscribe_on_sync = true\n".to_owned();
    let app = TestApp::start_with(database, Setup { config, ..Setup::default() }).await;
    app.write_directory("hr", &ROWS);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin.wei").await;
    assert_eq!(["SMS", "VOICE", "EMAIL"].map(|kind| status(&lin, kind)), ["PENDING"; 3]);
    app.sync("hr", json!({})).await;
    assert_eq!(app.outbox().await.len(), 3, "a second sync asks nobody again");
}

async fn editing_clearing_and_cancelling_retire_the_request_and_its_link_is_useless(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let ways = [
        ("edit", "edit@demo.example", "PENDING"),
        ("clear", "clear@demo.example", "NOT_CONFIGURED"),
        ("cancel", "cancel@demo.example", "UNSUBSCRIBED"),
    ];
    for (way, email, reached) in ways {
        let person = admin.add(way, json!({ "email": email })).await;
        app.run_workers().await;
        let message = app.last_message(email, ChannelKind::Email).await;
        let path = path_of(&message.link);
        assert_eq!(app.browse(Method::GET, &path, None).await.status, StatusCode::OK);
        app.clock.advance(Duration::seconds(1));
        match way {
            "edit" => drop(admin.update(&person, json!({ "email": "new@demo.example" })).await),
            "clear" => drop(admin.update(&person, json!({ "email": null })).await),
            _ => drop(admin.cancel(&person, json!(["EMAIL"])).await),
        }
        let retired = app.generations(&person, ChannelKind::Email).await.remove(0);
        assert_eq!((retired.phase.as_str(), retired.retired_at), ("CANCEL", Some(app.clock.now())), "{way}");
        assert!(retired.endpoint_sealed.is_some(), "{way}: cancelling may need it");

        // Useless at once, before and after the provider was told.
        for told in [false, true] {
            if told {
                app.run_workers().await;
            }
            assert_eq!(app.browse(Method::GET, &path, None).await.status, StatusCode::NOT_FOUND, "{way} {told}");
            assert_eq!(app.type_code(&path, &message.code).await.status, StatusCode::NOT_FOUND, "{way} {told}");
            assert_eq!(app.press_stop(&path).await.status, StatusCode::NOT_FOUND, "{way} {told}");
        }
        assert_eq!(status(&admin.look(&person).await, "EMAIL"), reached, "{way}");
        let closed = app.generations(&person, ChannelKind::Email).await.remove(0);
        assert_eq!((closed.phase.as_str(), closed.endpoint_sealed), ("CLOSED", None), "{way}: nothing needs it now");
        assert!(app.links().await.iter().all(|link| link.generation != closed.id), "{way}: nobody had answered it");
    }
    let blocked = admin.try_subscribe(&admin.find("cancel").await, json!({ "channels": ["EMAIL"] })).await;
    assert_ne!(blocked["outcomes"][0]["userError"]["code"], "OPTED_OUT", "a useless link blocks nothing");
}

async fn a_confirmed_channel_falls_back_when_its_endpoint_is_edited(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add_pending(&app).await;
    let old = app.last_message(EMAIL, ChannelKind::Email).await;
    assert_eq!(app.type_code(&path_of(&old.link), &old.code).await.status, StatusCode::OK);
    assert_eq!(status(&app.admin().look(&lin).await, "EMAIL"), "CONFIRMED");

    app.clock.advance(Duration::seconds(1));
    app.admin().update(&lin, json!({ "email": "new@demo.example" })).await;
    let changes = app.changes().await;
    assert_eq!(changes.last().map(String::as_str), Some("EMAIL CONFIRMED>REQUESTED EDIT"), "one event, not two");
    app.run_workers().await;
    assert_eq!(app.type_code(&path_of(&old.link), &old.code).await.status, StatusCode::NOT_FOUND);
    let edited = app.admin().look(&lin).await;
    assert_eq!((status(&edited, "EMAIL"), &channel(&edited, "EMAIL")["usable"]), ("PENDING", &json!(false)));
    let new = app.last_message("new@demo.example", ChannelKind::Email).await;
    assert_eq!(app.type_code(&path_of(&new.link), &new.code).await.status, StatusCode::OK);
    assert_eq!(status(&app.admin().look(&lin).await, "EMAIL"), "CONFIRMED");
    let answered: Vec<_> = app.links().await.into_iter().map(|link| (link.answer, link.token_hash.is_some())).collect();
    let confirmed = || Some("CONFIRMED".to_owned());
    assert_eq!(answered, [(confirmed(), false), (confirmed(), true)], "the consent record outlives its link");
}

async fn an_old_code_does_not_confirm_a_new_request(database: Database) {
    let app = TestApp::start(database).await;
    let lin = add_pending(&app).await;
    let old = app.last_message(EMAIL, ChannelKind::Email).await;
    app.clock.advance(Duration::minutes(1));
    assert_eq!(app.admin().subscribe(&lin, "EMAIL").await, Ok(()));
    app.run_workers().await;
    let new = app.last_message(EMAIL, ChannelKind::Email).await;
    assert_ne!((&old.link, &old.message_id), (&new.link, &new.message_id));
    assert_eq!(app.browse(Method::GET, &path_of(&old.link), None).await.status, StatusCode::NOT_FOUND);
    // Two codes of six digits are the same once in a million runs.
    assert_eq!(app.type_code(&path_of(&new.link), &old.code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status(&app.admin().look(&lin).await, "EMAIL"), "PENDING");
    assert_eq!(app.type_code(&path_of(&new.link), &new.code).await.status, StatusCode::OK);
}

async fn every_reason_why_a_channel_cannot_be_subscribed_is_told_and_enforced(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    app.write_directory("hr", &["u-1,off,,IAM_USER,disabled,,off@demo.example"]);
    app.sync("hr", json!({})).await;
    let webhook = "https://oapi.dingtalk.com/robot/send?access_token=\
                   0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let endpoints = json!([{ "kind": "DINGTALK", "value": webhook }]);
    let lin = admin.add("lin.wei", json!({ "mobile": MOBILE, "email": EMAIL, "endpoints": endpoints })).await;
    let gao = admin.add("gao", json!({ "email": "gao@demo.example" })).await;
    assert_reason(&app, &lin, "SMS", "IN_PROGRESS").await;
    app.run_workers().await;
    assert_reason(&app, &lin, "SMS", "RATE_LIMITED").await;
    let message = app.last_message(EMAIL, ChannelKind::Email).await;
    app.type_code(&path_of(&message.link), &message.code).await;
    assert_reason(&app, &lin, "EMAIL", "ALREADY_CONFIRMED").await;
    assert_reason(&app, &lin, "DINGTALK", "NOT_NEEDED").await;
    assert_reason(&app, &lin, "LARK", "NOT_NEEDED").await;
    assert_reason(&app, &gao, "VOICE", "NO_ENDPOINT").await;
    let message = app.last_message("gao@demo.example", ChannelKind::Email).await;
    app.press_stop(&path_of(&message.link)).await;
    assert_reason(&app, &gao, "EMAIL", "OPTED_OUT").await;
    assert_reason(&app, &admin.find("off").await, "EMAIL", "ENGINEER_INACTIVE").await;
    for person in ["lin.wei", "gao", "off"] {
        assert_eq!(admin.find(person).await["subscribable"], false, "{person}");
    }
    app.clock.advance(Duration::minutes(1));
    assert_eq!(admin.find("lin.wei").await["subscribable"], true, "the phone can be asked again");
    assert_eq!(admin.subscribe(&lin, "SMS").await, Ok(()));
}

/// The query tells why, and the mutation refuses for just that.
async fn assert_reason(app: &TestApp, engineer: &Value, kind: &str, reason: &str) {
    let admin = app.admin();
    let before = app.events().await.len();
    let seen = admin.look(engineer).await;
    let seen = channel(&seen, kind);
    assert_eq!((&seen["notSubscribableReason"], &seen["subscribable"]), (&json!(reason), &json!(false)), "{kind}");
    assert_eq!(admin.subscribe(engineer, kind).await, Err(reason.to_owned()), "{kind}");
    assert_eq!(app.events().await.len(), before, "{reason}: nothing was changed");
}

async fn without_channels_only_what_can_be_subscribed_is_asked_for_and_told_of(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory("hr", &ROWS);
    app.sync("hr", json!({})).await;
    let lin = app.admin().find("lin.wei").await;
    app.admin().subscribe(&lin, "SMS").await.expect("the first request");
    let payload = app.admin().try_subscribe(&lin, json!({})).await;
    let outcomes = payload["outcomes"].as_array().expect("outcomes");
    let told: Vec<_> = outcomes.iter().map(|one| (&one["channel"], &one["status"], &one["userError"])).collect();
    let requested = json!("REQUESTED");
    assert_eq!(told, [(&json!("VOICE"), &requested, &Value::Null), (&json!("EMAIL"), &requested, &Value::Null)]);
    let again = app.admin().try_subscribe(&lin, json!({})).await;
    assert_eq!((&again["outcomes"], &again["userErrors"]), (&json!([]), &json!([])), "nothing is left to ask");

    let nobody = json!({ "id": "engineer:00000000000000000000000000000000" });
    let unknown = app.admin().try_subscribe(&nobody, json!({})).await;
    assert_eq!(unknown["outcomes"][0]["userError"]["code"], "NOT_FOUND", "{unknown}");
}

async fn cancelling_tells_what_was_done_to_each_channel(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin.wei", json!({ "mobile": MOBILE })).await;
    app.run_workers().await;
    let told = |outcomes: Value| -> Vec<(String, String, Value)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let one = |one: &Value| (text(&one["channel"]), text(&one["status"]), one["userError"]["code"].clone());
        outcomes.as_array().expect("outcomes").iter().map(one).collect()
    };
    let cancelled = told(admin.cancel(&lin, json!(["SMS", "EMAIL", "LARK"])).await);
    let wanted = |wanted: &[(&str, &str, Value)]| -> Vec<_> {
        wanted.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), c.clone())).collect()
    };
    let all = [
        ("SMS", "UNSUBSCRIBED", Value::Null),
        ("EMAIL", "NOT_CONFIGURED", json!("NO_ENDPOINT")),
        ("LARK", "NOT_CONFIGURED", json!("NOT_NEEDED")),
    ];
    assert_eq!(cancelled, wanted(&all));
    let rest = told(admin.cancel(&lin, Value::Null).await);
    assert!(rest.contains(&("VOICE".to_owned(), "UNSUBSCRIBED".to_owned(), Value::Null)), "{rest:?}");
    let changes = app.changes().await;
    let cancels: Vec<_> = changes.iter().filter(|change| change.ends_with("CANCEL")).map(String::as_str).collect();
    assert_eq!(cancels, ["SMS PENDING>UNSUBSCRIBED CANCEL", "VOICE PENDING>UNSUBSCRIBED CANCEL"]);

    let nobody = json!({ "id": "engineer:00000000000000000000000000000000" });
    for channels in [Value::Null, json!(["SMS"])] {
        let unknown = told(admin.cancel(&nobody, channels).await);
        assert_eq!(unknown, wanted(&[("SMS", "NOT_CONFIGURED", json!("NOT_FOUND"))]));
    }
}

async fn an_engineer_subscribes_and_cancels_only_their_own_channels(database: Database) {
    let app = TestApp::start(database).await;
    app.write_directory(
        "hr",
        &["u-1,lin.wei,,IAM_USER,active,,lin.wei@demo.example", "u-2,gao,,IAM_USER,active,,gao@demo.example"],
    );
    app.sync("hr", json!({})).await;
    let (lin, gao) = (app.admin().find("lin.wei").await, app.admin().find("gao").await);
    let caller = app.engineer(lin["id"].as_str().expect("an id"));
    assert_eq!(caller.subscribe(&lin, "EMAIL").await, Ok(()));
    assert_eq!(caller.subscribe(&gao, "EMAIL").await, Err("NOT_FOUND".to_owned()), "they do not see others");
    assert_eq!(app.caller(Role::Viewer).subscribe(&gao, "EMAIL").await, Err("NOT_ALLOWED".to_owned()));
    assert_eq!(app.caller(Role::Operator).subscribe(&gao, "EMAIL").await, Ok(()));
    let outcomes = caller.cancel(&gao, json!(["EMAIL"])).await;
    assert_eq!(outcomes[0]["userError"]["code"], "NOT_FOUND");
    let outcomes = app.caller(Role::Viewer).cancel(&gao, json!(["EMAIL"])).await;
    assert_eq!(outcomes[0]["userError"]["code"], "NOT_ALLOWED");
    assert_eq!(status(&app.admin().look(&gao).await, "EMAIL"), "REQUESTED");
    assert_eq!(caller.cancel(&lin, json!(["EMAIL"])).await[0]["status"], "UNSUBSCRIBED");
}
