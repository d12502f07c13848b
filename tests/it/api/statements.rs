//! How many SQL statements an operation takes: a number that does not grow with what it reads.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{each, entries, text};
use crate::harness::{
    app::{Database, Setup, TestApp},
    both_dbs,
};

both_dbs! {
    lists_take_the_same_statements_at_50_and_at_100_people
    live_events_take_the_same_few_statements_each
    bulk_outcomes_with_their_engineers_are_read_together
}

/// The statements that the server ran.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A server that tells of its statements, and makes none by itself.
    async fn start(&self, database: Database) -> TestApp {
        let kept = Arc::clone(&self.0);
        let on_statement: rollcall::store::OnStatement = Arc::new(move |sql| kept.lock().unwrap().push(sql.to_owned()));
        let config = "[worker]\npoll_milliseconds = 60000\n".to_owned();
        TestApp::start_with(database, Setup { config, on_statement: Some(on_statement), ..Setup::default() }).await
    }
}

const CHANNELS: &str = "channels { id kind status usable subscribable notSubscribableReason expiresAt }";

/// 100 people with a mobile and a mail address, of whom half are asked, and one directory sync for each.
async fn fill(app: &TestApp) {
    let row =
        |number: usize| format!("u-{number},p{number:03},,OTHER,active,+86138001{number:05},p{number}@demo.example");
    let rows: Vec<_> = (0..100).map(row).collect();
    app.write_directory("hr", &rows.iter().map(String::as_str).collect::<Vec<_>>());
    let run = app.sync("hr", json!({})).await;
    assert_eq!(run["counts"]["added"], 100, "{run}");
    let asked = json!({ "channels": ["EMAIL", "SMS"], "filter": { "search": "p0" } });
    let subscribe = "mutation($input: SubscribeChannelsInput!) { subscribeChannels(input: $input) { outcomes { userError { code } } } }";
    let outcomes =
        app.admin().data(subscribe, json!({ "input": asked })).await["subscribeChannels"]["outcomes"].clone();
    assert_eq!(entries(&outcomes).len(), 200);
    app.run_workers().await;
    for _ in 0..100 {
        let sync = "mutation { syncEngineers(input: { directory: \"contractors\" }) { userErrors { code } } }";
        assert_eq!(app.admin().data(sync, json!({})).await["syncEngineers"]["userErrors"], json!([]));
    }
}

/// What is asked for, with what, and how many statements it may take: one for the page or the ids of a kind, one for the length,
/// one each for engineers, channels and the guards of their endpoints, one for the log's epoch.
type Ask<'a> = (String, Box<dyn Fn(usize) -> Value + 'a>, usize);

async fn lists_take_the_same_statements_at_50_and_at_100_people(database: Database) {
    let statements = Statements::default();
    let app = statements.start(database).await;
    fill(&app).await;
    let all = "{ engineers(first: 100) { nodes { id channels { id } } } statusChanges(first: 100) { nodes { id } }
        directorySyncs(first: 100) { nodes { id } } run: directorySyncs(last: 1) { nodes { id } } }";
    let all = app.admin().data(all, json!({})).await;
    let people = each(&all["engineers"]["nodes"], "id");
    let channels: Vec<_> =
        entries(&all["engineers"]["nodes"]).iter().map(|person| text(&person["channels"][2]["id"])).collect();
    let changes = each(&all["statusChanges"]["nodes"], "id");
    let syncs = each(&all["directorySyncs"]["nodes"], "id");
    let run = &all["run"]["nodes"][0]["id"];
    let nodes = format!(
        "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Engineer {{ {CHANNELS} }} ... on Channel {{ status subscribable }}
            ... on StatusChange {{ cursor engineer {{ name {CHANNELS} }} }} ... on DirectorySync {{ state }} }} }}"
    );
    let page = |count: usize| json!({ "n": count });
    let ids = |ids: &[String], count: usize| json!({ "ids": ids[..count] });
    let mixed: Vec<_> = [&people, &channels, &changes, &syncs].iter().flat_map(|ids| ids[..25].to_vec()).collect();
    let mixed = |count: usize| {
        let some: Vec<_> = mixed.chunks(25).flat_map(|kind| kind[..count / 4].to_vec()).collect();
        json!({ "ids": some })
    };
    let asks: Vec<Ask<'_>> = vec![
        (format!("query($n: Int) {{ engineers(first: $n) {{ nodes {{ id name {CHANNELS} }} totalCount }} }}"), Box::new(page), 4),
        (
            format!(
                "query($n: Int) {{ engineers(last: $n) {{ edges {{ cursor node {{ name subscribable reachability {CHANNELS}
                    channel(kind: SMS) {{ nextRequestAt checkedAt }} }} }} pageInfo {{ hasNextPage hasPreviousPage }} }} }}"
            ),
            Box::new(page),
            3,
        ),
        (
            "query($n: Int) { engineers(first: $n) { nodes { id statusChanges(first: 2) { totalCount nodes { to cursor
                engineer { name } } } } } }"
                .to_owned(),
            Box::new(page),
            5,
        ),
        (
            format!("query($n: Int) {{ statusChanges(first: $n) {{ nodes {{ cursor to engineer {{ name {CHANNELS} }} }} totalCount }} }}"),
            Box::new(page),
            6,
        ),
        ("query($n: Int) { directorySyncs(first: $n) { nodes { state counts { added } } totalCount } }".to_owned(), Box::new(page), 2),
        (
            format!("query($n: Int, $id: ID!) {{ directorySync(id: $id) {{ outcomes(first: $n) {{ nodes {{ externalId
                engineer {{ name {CHANNELS} }} }} totalCount }} }} }}"),
            Box::new(|count| json!({ "n": count, "id": run })),
            6,
        ),
        (nodes.clone(), Box::new(|count| ids(&people, count)), 3),
        (nodes.clone(), Box::new(|count| ids(&channels, count)), 3),
        (nodes.clone(), Box::new(|count| ids(&changes, count)), 5),
        (nodes.clone(), Box::new(|count| ids(&syncs, count)), 1),
        (nodes, Box::new(mixed), 9),
    ];
    for (query, variables, most) in asks {
        let mut counts = Vec::new();
        for count in [50, 100] {
            statements.take();
            app.admin().data(&query, variables(count)).await;
            let ran = statements.take();
            assert!(!ran.is_empty() && ran.len() <= most, "{} statements for {query}:\n{}", ran.len(), ran.join("\n"));
            counts.push(ran.len());
        }
        assert_eq!(counts[0], counts[1], "{query}");
    }
}

async fn live_events_take_the_same_few_statements_each(database: Database) {
    let statements = Statements::default();
    let app = statements.start(database).await;
    let admin = app.admin();
    let begin = admin.data("{ liveCursor }", json!({})).await["liveCursor"].clone();
    fill(&app).await;
    let people = admin.data("{ engineers(first: 100) { nodes { id } } }", json!({})).await;
    let people = each(&people["engineers"]["nodes"], "id");
    let query = format!(
        "subscription($after: String, $filter: StatusChangeFilter) {{ confirmationStatusChanged(after: $after, filter: $filter) {{
            cursor to engineer {{ name {CHANNELS} }} }} }}"
    );
    let mut totals = Vec::new();
    for some in [&people[10..20], &people[20..40]] {
        let mut socket = admin.connect().await;
        statements.take();
        let variables = json!({ "after": begin, "filter": { "engineerIds": some } });
        let stream = socket.subscribe(&query, variables).await;
        // Each was asked on two channels, and two messages went out.
        let events = some.len() * 4;
        for _ in 0..events {
            socket.next(&stream).await;
        }
        let ran = statements.take();
        // The engineer, their channels and the guards of their endpoints; the log itself is read in batches.
        assert!(ran.len() >= events && ran.len() <= 3 * events + 12, "{}:\n{}", ran.len(), ran.join("\n"));
        totals.push(ran.len());
    }
    assert!(totals[1] <= totals[0] + 3 * 40, "{totals:?}");
}

async fn bulk_outcomes_with_their_engineers_are_read_together(database: Database) {
    let statements = Statements::default();
    let app = statements.start(database).await;
    fill(&app).await;
    let people = app.admin().data("{ engineers(first: 100) { nodes { id } } }", json!({})).await;
    let people = each(&people["engineers"]["nodes"], "id");
    let query = format!(
        "mutation($ids: [ID!]) {{ subscribeChannels(input: {{ engineerIds: $ids, channels: [VOICE] }}) {{ outcomes {{ status
            engineer {{ name {CHANNELS} }} }} }} }}"
    );
    let mut totals = Vec::new();
    for ids in [&people[..20], &people[20..60]] {
        statements.take();
        let outcomes = app.admin().data(&query, json!({ "ids": ids })).await["subscribeChannels"]["outcomes"].clone();
        assert!(entries(&outcomes).iter().all(|outcome| outcome["status"] == "REQUESTED"), "{outcomes}");
        totals.push(statements.take().len());
    }
    assert_eq!(totals[0], totals[1], "as many for 20 people as for 40");
}
