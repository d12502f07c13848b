//! Counts over the roll, and what SQL makes of reachability, against the domain's own judgement of the same people.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use proptest::{
    prelude::{Strategy, any},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use rollcall::{
    domain::{
        channel::ChannelKind,
        clock::Clock,
        confirmation::{Channel, Confirmation, ConfirmationStatus, FailureCode, Request},
        engineer::{DirectoryState, Engineer, Reachability, Touched, UserType},
        id::{ChannelSubscriptionId, EngineerId},
    },
    store::EngineerFilter,
};
use serde_json::{Value, json};

use super::{entries, stranger_admin, text};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
};

both_dbs! {
    filters_by_reachability_and_status_agree_with_the_domain_on_any_roll
    the_roster_summary_is_a_recount_of_the_roll
}

/// One person and how their channels stand.
#[derive(Debug, Clone)]
struct Person {
    engineer: Engineer,
    channels: Vec<Channel>,
}

impl Person {
    fn status(&self, kind: ChannelKind) -> ConfirmationStatus {
        self.channels
            .iter()
            .find(|channel| channel.kind == kind)
            .map_or(ConfirmationStatus::NotConfigured, Channel::status)
    }

    fn on_the_roll(&self) -> bool {
        self.engineer.deleted_at.is_none()
    }

    fn reachability(&self) -> Reachability {
        Reachability::of(&self.channels, self.engineer.is_active(), |_| false)
    }
}

/// How a channel stands that is as far as that; it expires, if ever, so many minutes from now.
fn state(status: ConfirmationStatus, key: u128, now: DateTime<Utc>, minutes: i64) -> Confirmation {
    let generation = ChannelSubscriptionId(uuid::Uuid::from_u128(key));
    let request = Request { generation, requested_at: now, due_at: now };
    let expires_at = now + Duration::minutes(minutes);
    match status {
        ConfirmationStatus::NotConfigured => Confirmation::NotConfigured,
        ConfirmationStatus::Unsubscribed => Confirmation::Unsubscribed,
        ConfirmationStatus::NotRequired => Confirmation::NotRequired,
        ConfirmationStatus::Requested => Confirmation::Requested(request),
        ConfirmationStatus::Pending => Confirmation::Pending { request, expires_at },
        ConfirmationStatus::Confirmed => Confirmation::Confirmed { request, at: now },
        ConfirmationStatus::Expired => Confirmation::Expired { request, expires_at: now },
        ConfirmationStatus::Cancelled => Confirmation::Cancelled(request),
        ConfirmationStatus::Failed => Confirmation::Failed { request, code: FailureCode::EndpointRefused },
    }
}

/// A person of any directory state, one in eight deleted, with any status on any channel. Half of all channels stand well, so
/// that there are people of every reachability; a channel may lack its row, or have one that says NOT_CONFIGURED.
fn any_person(now: DateTime<Utc>) -> impl Strategy<Value = Person> {
    let any_channel = (any::<u128>(), 0..24_usize, 1..1_000_i64);
    (any::<u128>(), 0..6_usize, 0..8_u8, proptest::collection::vec(any_channel, 6)).prop_map(
        move |(key, state_of, deleted, marks)| {
            let id = EngineerId(uuid::Uuid::from_u128(key));
            let directory_state = *DirectoryState::ALL.get(state_of).unwrap_or(&DirectoryState::Active);
            let engineer = Engineer {
                id,
                name: format!("person-{key:032x}"),
                alias: None,
                user_type: UserType::Other,
                identity_provider: None,
                identity: None,
                directory_state,
                locale: None,
                mobile: None,
                email: None,
                touched: Touched::default(),
                version: 0,
                created_at: now,
                updated_at: now,
                synced_at: None,
                deleted_at: (deleted == 0).then_some(now),
            };
            let channel = |(kind, (key, mark, minutes)): (ChannelKind, (u128, usize, i64))| {
                let status = match mark {
                    0..=8 => *ConfirmationStatus::ALL.get(mark)?,
                    9..=12 => ConfirmationStatus::Confirmed,
                    13..=15 => ConfirmationStatus::NotRequired,
                    _ => return None,
                };
                Some(Channel { kind, state: state(status, key, now, minutes), robot: None })
            };
            Person { engineer, channels: ChannelKind::ALL.into_iter().zip(marks).filter_map(channel).collect() }
        },
    )
}

/// A roll of people of all sorts, stored as it stands: the same at every run.
async fn fill(app: &TestApp, count: usize) -> Vec<Person> {
    let now = app.clock.now();
    let people = proptest::collection::vec(any_person(now), count);
    let people = people.new_tree(&mut TestRunner::deterministic()).expect("people").current();
    let account = "demo".parse().expect("an account");
    let tx = app.app.services.store().begin(&account).await.unwrap();
    let engineers: Vec<_> = people.iter().map(|person| person.engineer.clone()).collect();
    tx.rows().insert_engineers(&engineers).await.unwrap();
    let channels = people.iter().flat_map(|person| person.channels.iter().map(|channel| (person.engineer.id, channel)));
    tx.rows().save_channels(&channels.collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    for reachability in Reachability::ALL {
        let some = people.iter().filter(|person| person.on_the_roll() && person.reachability() == reachability).count();
        assert!(some > count / 20, "too few people are {reachability:?}: {some}");
    }
    people
}

async fn filters_by_reachability_and_status_agree_with_the_domain_on_any_roll(database: Database) {
    let app = TestApp::start(database).await;
    let people = fill(&app, 400).await;
    let account = "demo".parse().expect("an account");
    let store = app.app.services.store();
    let check = |filter: EngineerFilter, wanted: Box<dyn Fn(&Person) -> bool>| {
        let expected: BTreeSet<_> = people
            .iter()
            .filter(|person| person.on_the_roll() && wanted(person))
            .map(|person| person.engineer.id)
            .collect();
        let (store, account) = (&store, &account);
        async move {
            let rows = store.rows(account);
            let found = rows.list_engineer_ids(&filter, None, 1_000).await.unwrap();
            assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected, "{filter:?}");
            assert_eq!(rows.count_engineers(&filter).await.unwrap(), u64::try_from(expected.len()).unwrap());
        }
    };
    for chosen in 0..8_u8 {
        let wanted: Vec<_> =
            (0..3_u8).filter(|bit| chosen & (1 << bit) != 0).map(|bit| Reachability::ALL[usize::from(bit)]).collect();
        let filter = EngineerFilter { reachability_in: Some(wanted.clone()), ..EngineerFilter::default() };
        check(filter, Box::new(move |person| wanted.contains(&person.reachability()))).await;
    }
    let sets = ConfirmationStatus::ALL.map(|status| vec![status]).into_iter().chain([
        vec![ConfirmationStatus::Confirmed, ConfirmationStatus::NotConfigured],
        vec![ConfirmationStatus::Pending, ConfirmationStatus::Requested, ConfirmationStatus::Failed],
        ConfirmationStatus::ALL.to_vec(),
        Vec::new(),
    ]);
    for statuses in sets {
        for channel in ChannelKind::ALL.into_iter().map(Some).chain([None]) {
            let filter = EngineerFilter { channel, status_in: Some(statuses.clone()), ..EngineerFilter::default() };
            let statuses = statuses.clone();
            let wanted = move |person: &Person| {
                let kinds = channel.map_or_else(|| ChannelKind::ALL.to_vec(), |kind| vec![kind]);
                kinds.into_iter().any(|kind| statuses.contains(&person.status(kind)))
            };
            check(filter, Box::new(wanted)).await;
        }
    }
    // What each person is told to be is what they are found by.
    let query = "query($after: String) { engineers(first: 100, after: $after) { nodes { id reachability }
        pageInfo { hasNextPage endCursor } } }";
    let (mut after, mut seen) = (Value::Null, 0);
    loop {
        let page = app.admin().data(query, json!({ "after": after })).await["engineers"].clone();
        for node in entries(&page["nodes"]) {
            let person =
                people.iter().find(|person| person.engineer.id.to_string() == text(&node["id"])).expect("known");
            assert_eq!(text(&node["reachability"]), person.reachability().name(), "{person:?}");
            seen += 1;
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, people.iter().filter(|person| person.on_the_roll()).count());
}

const SUMMARY: &str = "{ rosterSummary { engineers expiringSoon byReachability { reachability count }
    byChannelAndStatus { channel status count } } }";

async fn the_roster_summary_is_a_recount_of_the_roll(database: Database) {
    let app = TestApp::start(database).await;
    let empty = app.admin().data(SUMMARY, json!({})).await["rosterSummary"].clone();
    let zeros = |list: &Value| entries(list).iter().all(|entry| entry["count"] == 0);
    assert!(
        empty["engineers"] == 0 && zeros(&empty["byReachability"]) && zeros(&empty["byChannelAndStatus"]),
        "{empty}"
    );

    let mut people = fill(&app, 400).await;
    people.retain(Person::on_the_roll);
    let summary = app.admin().data(SUMMARY, json!({})).await["rosterSummary"].clone();
    assert_eq!(summary["engineers"], people.len());
    let reachabilities: Vec<_> = Reachability::ALL
        .into_iter()
        .map(|wanted| {
            let count = people.iter().filter(|person| person.reachability() == wanted).count();
            json!({ "reachability": wanted.name(), "count": count })
        })
        .collect();
    assert_eq!(summary["byReachability"], json!(reachabilities));
    let mut pairs = Vec::new();
    for kind in ChannelKind::ALL {
        for status in ConfirmationStatus::ALL {
            let count = people.iter().filter(|person| person.status(kind) == status).count();
            pairs.push(json!({ "channel": kind.name(), "status": status.name(), "count": count }));
        }
    }
    assert_eq!(summary["byChannelAndStatus"], json!(pairs));
    let soon = |channel: &&Channel| {
        let bound = app.clock.now() + Duration::hours(6);
        matches!(channel.state, Confirmation::Pending { expires_at, .. } if expires_at < bound)
    };
    let soon = people.iter().flat_map(|person| &person.channels).filter(soon).count();
    assert!(soon > 10, "{soon}");
    assert_eq!(summary["expiringSoon"], soon);
    assert_eq!(stranger_admin(&app).data(SUMMARY, json!({})).await["rosterSummary"], empty);
}
