//! A run that is cut off in the middle, loses its lease, or has company.

use std::{
    panic::resume_unwind,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use rollcall::{
    adapter::random::SystemChance,
    domain::{chance::Chance, clock::Clock, id::DirectorySyncId},
    port::directory::{DirectoryError, DirectorySource, Listing},
    service::{ServiceError, Services},
    store::{EngineerFilter, StoreError},
};
use serde_json::{Value, json};
use tokio::{runtime::Handle, task::block_in_place};

use super::steps::{
    Process, assert_counts, changes_since, cursor, demo, find_run, outcome, people, queue, roll, texts, write,
};
use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    clock::TestClock,
};

/// Where an id is made in the second chunk of a run that adds people: the first makes one for each of its 200 people and a few
/// for its events.
const IN_THE_SECOND_CHUNK: usize = 300;

const LEASE: &str = "directory-sync/demo";

both_dbs! {
    a_run_that_is_cut_off_in_the_middle_goes_on_in_another_process
    a_run_that_goes_on_and_fails_tells_how_many_it_had_changed
    a_run_that_goes_on_and_needs_confirmation_tells_how_many_it_had_changed
    a_worker_that_slept_past_its_lease_writes_nothing_more_until_it_has_a_new_one
    a_worker_whose_lease_is_another_process_writes_nothing
    two_processes_do_a_run_once
    a_person_who_was_deleted_after_the_plan_is_left_out_and_told
}

/// Randomness that does something besides when it was asked for so many times.
struct Trap<F> {
    calls: AtomicUsize,
    at: usize,
    spring: F,
}

impl<F: Fn() + Send + Sync> Chance for Trap<F> {
    fn fill(&self, bytes: &mut [u8]) {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.spring)();
        }
        SystemChance.fill(bytes);
    }
}

fn trapped(app: &TestApp, at: usize, spring: impl Fn() + Send + Sync + 'static) -> Services {
    let trap = Trap { calls: AtomicUsize::new(0), at, spring };
    Process { chance: Arc::new(trap), ..Process::of(app) }.services(app)
}

/// What everyone checks of a run that added 450 people, however it came about.
async fn assert_450_added(app: &TestApp, id: &str, since: &Value) {
    let run = find_run(&app.admin(), id).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("added", 450)]);
    assert_eq!(run["counts"]["done"], 450);
    let mut external_ids: Vec<_> = run["outcomes"].as_array().unwrap().iter().map(|one| &one["externalId"]).collect();
    external_ids.sort_by_key(ToString::to_string);
    external_ids.dedup();
    assert_eq!(external_ids.len(), 450);
    let people = roll(app).await;
    let mut names: Vec<_> = people.iter().map(|one| one["name"].to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!((people.len(), names.len()), (450, 450));
    let changes = changes_since(app, since).await;
    assert!(changes.iter().all(|change| change["kind"] == "ROLL_CHANGED"), "{changes:?}");
    let counts: Vec<_> = changes.iter().map(|change| change["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [200, 200, 50], "each person is in one chunk");
}

async fn a_run_that_is_cut_off_in_the_middle_goes_on_in_another_process(database: Database) {
    let app = TestApp::start(database).await;
    let since = cursor(&app).await;
    write(&app, "hr", &people(450));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let dying = trapped(&app, IN_THE_SECOND_CHUNK, || resume_unwind(Box::new("the process is no more")));
    let mut socket = app.admin().connect().await;
    let query = "subscription($id: ID!) { directorySyncProgress(id: $id) { state counts { done } } }";
    let progress = socket.subscribe(query, json!({ "id": id })).await;
    assert_eq!(socket.next(&progress).await["directorySyncProgress"]["state"], "QUEUED");
    let died = tokio::spawn(async move { dying.run_due_directory_sync("dying").await }).await;
    assert!(died.unwrap_err().is_panic());
    while socket.next(&progress).await["directorySyncProgress"]["counts"]["done"] != 200 {}

    let left = find_run(&app.admin(), &id).await;
    assert_eq!((&left["state"], &left["counts"]["done"]), (&json!("RUNNING"), &json!(200)));
    assert_eq!((&left["counts"]["total"], &left["counts"]["added"]), (&json!(450), &json!(200)));
    assert_eq!(roll(&app).await.len(), 200, "the second chunk left nothing");

    let living = Process::of(&app).services(&app);
    assert!(!living.run_due_directory_sync("living").await.unwrap(), "the lease is not over");
    app.clock.advance(Duration::minutes(5));
    assert!(living.run_due_directory_sync("living").await.unwrap());
    assert!(!living.run_due_directory_sync("living").await.unwrap());
    assert_450_added(&app, &id, &since).await;
}

/// A run that was cut off when it had added 200 of 450 people, and went on when the directory listed only so many any more.
async fn go_on_with(database: Database, listed: usize) -> Value {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(100));
    app.sync("hr", json!({})).await;
    write(&app, "hr", &people(550));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let dying = trapped(&app, IN_THE_SECOND_CHUNK, || resume_unwind(Box::new("the process is no more")));
    let died = tokio::spawn(async move { dying.run_due_directory_sync("dying").await }).await;
    assert!(died.unwrap_err().is_panic());
    assert_eq!(roll(&app).await.len(), 300);

    write(&app, "hr", &people(listed));
    app.clock.advance(Duration::minutes(5));
    assert!(Process::of(&app).services(&app).run_due_directory_sync("living").await.unwrap());
    assert_eq!(roll(&app).await.len(), 300);
    find_run(&app.admin(), &id).await
}

async fn a_run_that_goes_on_and_fails_tells_how_many_it_had_changed(database: Database) {
    let run = go_on_with(database, 0).await;
    assert_eq!(run["state"], "FAILED");
    assert_eq!(run["failureMessage"], "The directory cannot be read; 200 people were changed before it stopped.");
    assert!(run["failureDetail"].as_str().unwrap().contains("it lists nobody"), "{run}");
}

async fn a_run_that_goes_on_and_needs_confirmation_tells_how_many_it_had_changed(database: Database) {
    let run = go_on_with(database, 30).await;
    assert_eq!(run["state"], "NEEDS_CONFIRMATION");
    assert_eq!(
        run["failureMessage"],
        "270 people would be gone; 200 people were changed before it stopped. Run again with confirmRemovals if that is right."
    );
    assert_eq!(run["failureDetail"], Value::Null);
}

async fn a_worker_that_slept_past_its_lease_writes_nothing_more_until_it_has_a_new_one(database: Database) {
    let app = TestApp::start(database).await;
    let since = cursor(&app).await;
    write(&app, "hr", &people(450));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let clock = app.clock.clone();
    let sleepy = trapped(&app, 100, move || clock.advance(Duration::minutes(6)));
    let lost = sleepy.run_due_directory_sync("sleepy").await;
    assert!(matches!(lost, Err(ServiceError::Store(StoreError::LeaseLost))), "{lost:?}");
    let left = find_run(&app.admin(), &id).await;
    assert_eq!((&left["state"], &left["counts"]["done"]), (&json!("RUNNING"), &json!(200)));
    assert_eq!(roll(&app).await.len(), 200);
    assert!(sleepy.run_due_directory_sync("sleepy").await.unwrap());
    assert_450_added(&app, &id, &since).await;
}

/// A directory that takes so long that another process has the lease by then.
struct Slow {
    services: Services,
    clock: TestClock,
    source: Arc<dyn DirectorySource>,
}

#[async_trait]
impl DirectorySource for Slow {
    async fn list_people(&self) -> Result<Listing, DirectoryError> {
        self.clock.advance(Duration::minutes(5));
        let store = self.services.store();
        let taken = store.take_lease(LEASE, "thief", self.clock.now(), Duration::minutes(5)).await;
        assert!(taken.unwrap().is_some(), "the first lease is over");
        self.source.list_people().await
    }
}

async fn a_worker_whose_lease_is_another_process_writes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    write(&app, "hr", &people(3));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let since = cursor(&app).await;
    let slow = Slow {
        services: app.app.services.clone(),
        clock: app.clock.clone(),
        source: Arc::clone(&app.app.services.account(&demo()).unwrap().directories["hr"].source),
    };
    let services = Process { source: Some(Arc::new(slow)), ..Process::of(&app) }.services(&app);
    let lost = services.run_due_directory_sync("slow").await;
    assert!(matches!(lost, Err(ServiceError::Store(StoreError::LeaseLost))), "{lost:?}");
    let left = find_run(&app.admin(), &id).await;
    assert_eq!((&left["state"], &left["counts"]["total"]), (&json!("RUNNING"), &json!(0)));
    assert_eq!(left["outcomes"], json!([]));
    assert_eq!(roll(&app).await.len(), 0);

    app.run_workers().await;
    assert_eq!(find_run(&app.admin(), &id).await["state"], "RUNNING", "the run is the other process's");
    app.clock.advance(Duration::minutes(5));
    app.run_workers().await;
    let run = find_run(&app.admin(), &id).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("added", 3)]);
    assert_eq!(changes_since(&app, &since).await.len(), 1);
}

async fn two_processes_do_a_run_once(database: Database) {
    let app = TestApp::start(database).await;
    let since = cursor(&app).await;
    write(&app, "hr", &people(450));
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let (one, two) = (Process::of(&app).services(&app), Process::of(&app).services(&app));
    let (one, two) = tokio::join!(
        tokio::spawn(async move { one.run_due_directory_sync("one").await }),
        tokio::spawn(async move { two.run_due_directory_sync("two").await }),
    );
    assert!(one.unwrap().unwrap() ^ two.unwrap().unwrap(), "one of them did it");
    assert_450_added(&app, &id, &since).await;
}

/// A clock that deletes everyone named `leaver` when it is first looked at after the plan was noted.
struct Meddler {
    clock: TestClock,
    app: Arc<rollcall::app::App>,
    run: DirectorySyncId,
    done: AtomicBool,
    handle: OnceLock<Handle>,
}

impl Meddler {
    async fn meddle(&self) {
        let account = demo();
        let rows = self.app.services.store().rows(&account);
        let noted = rows.find_sync(self.run).await.unwrap().unwrap().counts.total > 0;
        if noted && !self.done.swap(true, Ordering::SeqCst) {
            let named = EngineerFilter { search: Some("leaver".to_owned()), ..EngineerFilter::default() };
            let leavers = rows.list_engineer_ids(&named, None, 10).await.unwrap();
            let admin = self.app.local_admin(&account);
            let outcomes = self.app.services.delete_engineers(&admin, &leavers, false).await.unwrap();
            assert_eq!(outcomes.len(), 2);
        }
    }
}

impl Clock for Meddler {
    fn now(&self) -> DateTime<Utc> {
        if !self.done.load(Ordering::SeqCst) {
            block_in_place(|| self.handle.get_or_init(Handle::current).block_on(self.meddle()));
        }
        self.clock.now()
    }

    fn uptime(&self) -> std::time::Duration {
        self.clock.uptime()
    }
}

async fn a_person_who_was_deleted_after_the_plan_is_left_out_and_told(database: Database) {
    let app = TestApp::start(database).await;
    let mut rows = people(10);
    rows.extend(["u-98,leaver,,,,,".to_owned(), "u-99,leaver,,,,,".to_owned()]);
    write(&app, "hr", &rows);
    app.sync("hr", json!({})).await;
    // One of the two is renamed and the other is gone.
    rows.truncate(10);
    rows[0] = "u-1,renamed,,IAM_USER,active,,".to_owned();
    rows.push("u-98,left,,,,,".to_owned());
    write(&app, "hr", &rows);
    let id = queue(&app.admin(), json!({ "directory": "hr" })).await;
    let meddler = Meddler {
        clock: app.clock.clone(),
        app: Arc::clone(&app.app),
        run: id.parse().unwrap(),
        done: AtomicBool::new(false),
        handle: OnceLock::new(),
    };
    let services = Process { clock: Arc::new(meddler), ..Process::of(&app) }.services(&app);
    let owner = app.app.owner().to_owned();
    tokio::spawn(async move { services.run_due_directory_sync(&owner).await }).await.unwrap().unwrap();

    let run = find_run(&app.admin(), &id).await;
    assert_eq!(run["state"], "SUCCEEDED");
    assert_counts(&run, &[("updated", 1), ("unchanged", 9), ("skipped", 2)]);
    assert_eq!(run["counts"]["done"], 12);
    assert_eq!(outcome(&run, "u-98"), ("SKIPPED", vec!["DELETED"]));
    let last = run["outcomes"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["outcome"], texts(&last["reasons"])), (&json!("SKIPPED"), vec!["DELETED"]));
    assert_eq!(roll(&app).await.len(), 10);
}
