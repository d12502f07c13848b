//! Which status changes a stream tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::{CHANGES, add, edit, follow, live_cursor, read_log, take};
use crate::harness::{
    app::{Caller, Database, TestApp},
    both_dbs,
};

both_dbs! {
    a_filter_lets_through_exactly_what_it_names
    a_filter_of_too_many_ids_is_bad_input
}

const CANCEL: &str = "mutation($ids: [ID!]!) { cancelChannels(input: { engineerIds: $ids, channels: [SMS] }) {
    outcomes { status userError { code } } userErrors { code } } }";

/// The changes of two people that the filters below tell apart. Gives their ids.
async fn make_changes(app: &TestApp) -> (String, String) {
    let admin = app.admin();
    let (lin, chen) = (add(&admin, "lin").await, add(&admin, "chen").await);
    edit(&admin, &lin, json!({ "email": "lin@demo.example", "mobile": "+86 138 0013 8001" })).await;
    edit(&admin, &chen, json!({ "email": "chen@demo.example" })).await;
    app.run_workers().await;
    let code = app.outbox().await.into_iter().find(|message| message.endpoint == "chen@demo.example").unwrap().code;
    let confirm = "mutation($input: ConfirmChannelInput!) { confirmChannel(input: $input) { userErrors { code } } }";
    let input = json!({ "engineerId": chen, "channel": "EMAIL", "code": code });
    let confirmed = admin.data(confirm, json!({ "input": input })).await;
    assert_eq!(confirmed["confirmChannel"]["userErrors"], json!([]));
    admin.data(CANCEL, json!({ "ids": [lin] })).await;
    edit(&admin, &lin, json!({ "email": null })).await;
    (lin, chen)
}

/// Whether a filter names a change: the documented meaning, written anew.
fn names(filter: &Value, change: &Value) -> bool {
    [("engineerIds", "engineerId"), ("channelIn", "channel"), ("toIn", "to"), ("causeIn", "cause")]
        .iter()
        .all(|(list, field)| filter[list].as_array().is_none_or(|wanted| wanted.contains(&change[field])))
}

async fn list_history(admin: &Caller<'_>, filter: &Value) -> Vec<Value> {
    let document = "query($filter: StatusChangeFilter) { statusChanges(first: 100, filter: $filter) { nodes {
        cursor id occurredAt engineerId channel from to cause } } }";
    let mut data = admin.data(document, json!({ "filter": filter })).await;
    let mut newest_first = data["statusChanges"]["nodes"].take().as_array().unwrap().clone();
    newest_first.reverse();
    newest_first
}

async fn a_filter_lets_through_exactly_what_it_names(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin();
    let begin = live_cursor(&admin).await;
    let (lin, chen) = make_changes(&app).await;
    let log = read_log(&app).await;
    let unknown = "engineer:00000000000000000000000000000000";
    let filters = [
        (json!({}), log.len()),
        (json!({ "engineerIds": [lin] }), 8),
        (json!({ "engineerIds": [chen, unknown] }), 3),
        (json!({ "engineerIds": [unknown, "nonsense"] }), 0),
        (json!({ "engineerIds": [] }), 0),
        (json!({ "channelIn": ["SMS", "VOICE"] }), 5),
        (json!({ "channelIn": [] }), 0),
        (json!({ "toIn": ["PENDING"] }), 4),
        (json!({ "toIn": ["CONFIRMED", "UNSUBSCRIBED"] }), 2),
        (json!({ "toIn": [] }), 0),
        (json!({ "causeIn": ["CODE"] }), 1),
        (json!({ "causeIn": ["EDIT", "CANCEL"] }), 6),
        (json!({ "causeIn": [] }), 0),
        (json!({ "engineerIds": [lin], "channelIn": ["EMAIL"], "toIn": ["NOT_CONFIGURED"], "causeIn": ["EDIT"] }), 1),
        (json!({ "engineerIds": [chen], "channelIn": ["SMS"] }), 0),
    ];
    for (filter, count) in filters {
        let wanted: Vec<_> = log.iter().filter(|change| names(&filter, change)).cloned().collect();
        assert_eq!(wanted.len(), count, "{filter} {log:#?}");
        let (mut socket, stream) = follow(&admin, &begin, filter.clone()).await;
        assert_eq!(take(&mut socket, &stream, count).await, wanted, "{filter}");
        assert!(socket.is_quiet(Duration::from_millis(100)).await, "more than {filter} names");
        assert_eq!(list_history(&admin, &filter).await, wanted, "the list and the stream differ on {filter}");
    }
}

async fn a_filter_of_too_many_ids_is_bad_input(database: Database) {
    let app = TestApp::start(database).await;
    for (count, refusal) in [(1_001, json!("BAD_USER_INPUT")), (1_000, Value::Null)] {
        let ids = vec!["engineer:00000000000000000000000000000000"; count];
        let mut socket = app.admin().connect().await;
        let stream = socket.subscribe(CHANGES, json!({ "filter": { "engineerIds": ids } })).await;
        if refusal.is_null() {
            assert!(socket.is_quiet(Duration::from_millis(100)).await);
        } else {
            assert_eq!(socket.refusal(&stream).await, refusal);
        }
    }
}
