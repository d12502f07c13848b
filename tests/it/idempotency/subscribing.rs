//! Asking many people under a key: it is done in chunks, and goes on where it was cut off.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use rollcall::{
    domain::{channel::ChannelKind, confirmation::ConfirmationStatus, once::Once},
    service::subscribe_channels::{SubscribeChannels, Whom},
    store::{EngineerFilter, OnStatement},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{kept, reused, run};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    outcomes_are_told_again_as_they_were
    hundreds_of_people_are_asked_once_each_by_callers_who_share_the_work
    what_was_cut_off_goes_on_with_the_people_who_were_meant_at_first
    nobody_at_all_is_remembered_too
}

const SUBSCRIBE: &str = "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) {
    outcomes { engineerId engineer { name } channel status userError { code message field params { name value } } }
    userErrors { code field } } }";

/// More than two chunks.
const PEOPLE: usize = 450;

/// That many people with a mail address.
async fn fill(app: &TestApp) {
    let rows: Vec<_> =
        (0..PEOPLE).map(|number| format!("u-{number},p{number:03},,OTHER,active,,p{number}@demo.example")).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let run = app.sync("hr", json!({})).await;
    assert_eq!(run["counts"]["added"], PEOPLE, "{run}");
}

/// Everyone whom nobody asked yet: a group that the asking itself empties.
fn unasked(key: &str) -> Value {
    json!({
        "filter": { "channel": "EMAIL", "statusIn": ["UNSUBSCRIBED"] }, "channels": ["EMAIL"], "idempotencyKey": key
    })
}

async fn count_requests(app: &TestApp) -> usize {
    app.changes().await.iter().filter(|change| change.starts_with("EMAIL UNSUBSCRIBED>REQUESTED")).count()
}

async fn outcomes_are_told_again_as_they_were(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let lin = admin.add("lin", json!({ "email": "lin@demo.example" })).await;
    let wang = admin.add("wang", json!({ "mobile": "+86 138 0013 8000" })).await;
    app.run_workers().await;
    app.clock.advance(chrono::Duration::seconds(59));
    let ids = json!([lin["id"], "nonsense", wang["id"], "engineer:ffffffffffffffffffffffffffffffff"]);
    let input = json!({ "engineerIds": ids, "channels": ["EMAIL", "LARK"], "idempotencyKey": "k" });
    let first = run(&admin, SUBSCRIBE, input.clone()).await;
    let codes: Vec<_> =
        first["outcomes"].as_array().expect("outcomes").iter().map(|one| &one["userError"]["code"]).collect();
    assert_eq!(codes[..2], [&json!("RATE_LIMITED"), &json!("NOT_NEEDED")], "{first}");
    assert_eq!(codes.len(), 8);
    app.clock.advance(chrono::Duration::hours(1));
    assert_eq!(run(&admin, SUBSCRIBE, input.clone()).await, first, "by now it would be allowed");
    let mut lifted = input;
    lifted["liftOptOut"] = true.into();
    assert_eq!(run(&admin, SUBSCRIBE, lifted).await["userErrors"], reused());
}

async fn hundreds_of_people_are_asked_once_each_by_callers_who_share_the_work(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app).await;
    let admin = app.admin();
    let answers = join_all((0..4).map(|_| run(&admin, SUBSCRIBE, unasked("all")))).await;
    let outcomes = answers[0]["outcomes"].as_array().expect("outcomes");
    assert_eq!(outcomes.len(), PEOPLE);
    assert!(outcomes.iter().all(|one| one["status"] == "REQUESTED" && one["userError"].is_null()));
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(count_requests(&app).await, PEOPLE);
    assert_eq!(kept(&app).await.len(), 1 + PEOPLE.div_ceil(200));
}

async fn what_was_cut_off_goes_on_with_the_people_who_were_meant_at_first(database: Database) {
    let (begun, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let on_statement: OnStatement = {
        let (begun, second) = (Arc::clone(&begun), Arc::clone(&second));
        Arc::new(move |sql| {
            // The head and the first part, then the head again: the first chunk is committed, and the second one begins.
            if sql.starts_with("INSERT INTO \"idempotency_key\"") && begun.fetch_add(1, Ordering::SeqCst) == 2 {
                second.notify_one();
            }
        })
    };
    let app = TestApp::start_with(database, Setup { on_statement: Some(on_statement), ..Setup::default() }).await;
    fill(&app).await;
    let actor = app.app.local_admin(&"demo".parse().expect("an account"));
    let once = Once::new("subscribeChannels", "all", "everyone".to_owned()).unwrap_or_else(|_| panic!("a good key"));
    let wish = || SubscribeChannels {
        whom: Whom::Filter(EngineerFilter {
            channel: Some(ChannelKind::Email),
            status_in: Some(vec![ConfirmationStatus::Unsubscribed]),
            ..EngineerFilter::default()
        }),
        channels: Some(vec![ChannelKind::Email]),
        lift_opt_out: false,
    };
    tokio::select! {
        biased;
        () = second.notified() => {}
        done = app.app.services.subscribe_channels(&actor, wish(), Some(&once)) => {
            panic!("it was not cut off: {} outcomes", done.expect("outcomes").len());
        }
    }
    assert_eq!(count_requests(&app).await, 200);
    let outcomes = app.app.services.subscribe_channels(&actor, wish(), Some(&once)).await.expect("outcomes");
    assert_eq!(outcomes.len(), PEOPLE);
    assert!(outcomes.iter().all(|one| one.status == ConfirmationStatus::Requested && one.refusal.is_none()));
    assert_eq!(count_requests(&app).await, PEOPLE);
    let again = app.app.services.subscribe_channels(&actor, wish(), Some(&once)).await.expect("outcomes");
    assert_eq!(again, outcomes);
}

async fn nobody_at_all_is_remembered_too(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let nobody = json!({ "outcomes": [], "userErrors": [] });
    assert_eq!(run(&admin, SUBSCRIBE, unasked("all")).await, nobody);
    admin.add("lin", json!({})).await;
    let with_mail = admin.add("wang", json!({ "email": "wang@demo.example" })).await;
    admin.cancel(&with_mail, json!(["EMAIL"])).await;
    assert_eq!(run(&admin, SUBSCRIBE, unasked("all")).await, nobody, "nobody was meant");
    assert_eq!(run(&admin, SUBSCRIBE, unasked("other")).await["outcomes"].as_array().map(Vec::len), Some(1));
}
