//! What every confirmation provider must keep to, shown on the built-in one and on the fake that other tests work with.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use rollcall::{
    adapter::{
        provider::builtin::{BuiltinProvider, Transports},
        random::SystemChance,
        transport::outbox::OutboxTransport,
    },
    domain::{
        channel::ChannelKind,
        clock::Clock as _,
        confirmation::Proof,
        id::{AccountId, ChannelSubscriptionId, EngineerId},
    },
    port::{
        provider::{ConfirmationProvider, ConfirmationRequest, ListedSubscription, ProviderError, ProviderStatus},
        transport::Transport,
    },
    store::{Answer, Consent, Link, token_hash},
};

use crate::harness::{
    app::{Database, TestApp},
    both_dbs,
    provider::FakeProvider,
};

mod builtin;

/// A provider under test, and the hands of the people whom it asks.
#[async_trait]
trait Bench: Sync {
    fn provider(&self) -> &dyn ConfirmationProvider;

    /// A person answers.
    async fn answer(&self, account: &AccountId, generation: ChannelSubscriptionId, status: ProviderStatus);

    /// So many people were asked; more than a page of the listing holds.
    async fn ask_more_than_a_page(&self) -> HashSet<String>;
}

macro_rules! contract {
    ($($clause:ident)*) => {
        both_dbs! { $($clause)* }

        async fn on_builtin(database: Database, clause: impl AsyncFnOnce(&dyn Bench)) {
            clause(&Builtin::start(database).await).await;
        }

        mod fake {
            $(#[tokio::test]
            async fn $clause() {
                super::clause::$clause(&super::Fake::new()).await;
            })*
        }

        $(async fn $clause(database: Database) {
            on_builtin(database, async |bench| clause::$clause(bench).await).await;
        })*
    };
}

contract! {
    what_was_never_asked_is_not_found_and_not_listed
    what_was_asked_is_found_and_listed_as_unconfirmed_under_its_reference
    asked_twice_it_is_the_same_wish
    answers_show_in_the_listing
    what_was_cancelled_is_gone_by_reference_and_by_generation
    cancelling_what_is_not_there_is_a_success
    accounts_know_nothing_of_each_other
    the_pages_hold_everything_once_and_come_to_an_end
    an_unknown_page_is_a_failure_and_not_an_end
}

fn account(name: &str) -> AccountId {
    name.parse().expect("an account")
}

fn request(account_name: &str, channel: ChannelKind) -> ConfirmationRequest {
    let now = "2025-01-15T08:09:10Z".parse::<DateTime<Utc>>().expect("a moment");
    let endpoint = if channel == ChannelKind::Email { "lin.wei@demo.example" } else { "+8613800138001" };
    ConfirmationRequest {
        account: account(account_name),
        engineer: EngineerId::generate(now, &SystemChance),
        name: "林薇".to_owned(),
        locale: None,
        channel,
        generation: ChannelSubscriptionId::generate(now, &SystemChance),
        endpoint: endpoint.to_owned(),
        expires_at: now + Duration::hours(48),
    }
}

/// The whole listing.
async fn list(bench: &dyn Bench, account_name: &str) -> Vec<ListedSubscription> {
    let mut all = Vec::new();
    let mut page = None;
    for _ in 0..100 {
        let listed = bench.provider().list(&account(account_name), page.as_deref()).await.expect("a page");
        all.extend(listed.entries);
        page = listed.next;
        if page.is_none() {
            return all;
        }
    }
    panic!("the listing does not end");
}

/// What each provider must keep to.
mod clause {
    use super::*;

    pub async fn what_was_never_asked_is_not_found_and_not_listed(bench: &dyn Bench) {
        assert_eq!(bench.provider().find(&request("demo", ChannelKind::Email)).await, Ok(None));
        assert_eq!(list(bench, "demo").await, []);
        assert!(!bench.provider().name().is_empty());
    }

    pub async fn what_was_asked_is_found_and_listed_as_unconfirmed_under_its_reference(bench: &dyn Bench) {
        for (place, channel) in [ChannelKind::Email, ChannelKind::Sms, ChannelKind::Voice].into_iter().enumerate() {
            let request = request("demo", channel);
            let accepted = bench.provider().request(&request).await.expect("it is taken");
            assert!(accepted.expires_at.is_none_or(|at| at <= request.expires_at), "never longer than promised");
            let found = bench.provider().find(&request).await.expect("an answer").expect("it is held");
            assert_eq!(found.reference, accepted.reference);
            let listed = list(bench, "demo").await;
            assert_eq!(listed.len(), place + 1);
            let entry = ListedSubscription { reference: accepted.reference, status: ProviderStatus::Unconfirmed };
            assert!(listed.contains(&entry), "{listed:?}");
        }
    }

    pub async fn asked_twice_it_is_the_same_wish(bench: &dyn Bench) {
        let request = request("demo", ChannelKind::Email);
        let first = bench.provider().request(&request).await.expect("it is taken");
        let second = bench.provider().request(&request).await.expect("it is taken again");
        assert_eq!(first.reference, second.reference);
        assert_eq!(list(bench, "demo").await.len(), 1);
    }

    pub async fn answers_show_in_the_listing(bench: &dyn Bench) {
        for status in [ProviderStatus::Confirmed, ProviderStatus::OptedOut] {
            let request = request("demo", ChannelKind::Email);
            let reference = bench.provider().request(&request).await.expect("it is taken").reference;
            bench.answer(&request.account, request.generation, status).await;
            let entry = ListedSubscription { reference: reference.clone(), status };
            assert!(list(bench, "demo").await.contains(&entry), "{status:?}");
            let found = bench.provider().find(&request).await.expect("an answer").expect("it is held");
            assert_eq!(found.reference, reference, "an answer does not take it away");
        }
    }

    pub async fn what_was_cancelled_is_gone_by_reference_and_by_generation(bench: &dyn Bench) {
        for answered in [None, Some(ProviderStatus::Confirmed), Some(ProviderStatus::OptedOut)] {
            for by_reference in [true, false] {
                let request = request("demo", ChannelKind::Email);
                let accepted = bench.provider().request(&request).await.expect("it is taken");
                if let Some(status) = answered {
                    bench.answer(&request.account, request.generation, status).await;
                }
                let reference = by_reference.then_some(accepted.reference.as_str());
                bench
                    .provider()
                    .cancel(&request.account, request.generation, reference)
                    .await
                    .expect("it is cancelled");
                assert_eq!(bench.provider().find(&request).await, Ok(None), "{answered:?} {by_reference}");
                assert_eq!(list(bench, "demo").await, [], "{answered:?} {by_reference}");
            }
        }
    }

    pub async fn cancelling_what_is_not_there_is_a_success(bench: &dyn Bench) {
        let request = request("demo", ChannelKind::Email);
        let cancel = async |reference| bench.provider().cancel(&request.account, request.generation, reference).await;
        assert_eq!(cancel(None).await, Ok(()));
        assert_eq!(cancel(Some("no-such-reference")).await, Ok(()));
        let accepted = bench.provider().request(&request).await.expect("it is taken");
        assert_eq!(cancel(Some(&accepted.reference)).await, Ok(()));
        assert_eq!(cancel(Some(&accepted.reference)).await, Ok(()), "twice");
    }

    pub async fn accounts_know_nothing_of_each_other(bench: &dyn Bench) {
        let ours = request("demo", ChannelKind::Email);
        let reference = bench.provider().request(&ours).await.expect("it is taken").reference;
        assert_eq!(list(bench, "other").await, []);
        bench.provider().cancel(&account("other"), ours.generation, Some(&reference)).await.expect("nothing to cancel");
        assert_eq!(list(bench, "demo").await.len(), 1, "another account cannot cancel it");
    }

    pub async fn the_pages_hold_everything_once_and_come_to_an_end(bench: &dyn Bench) {
        let mut wanted = bench.ask_more_than_a_page().await;
        let first = bench.provider().list(&account("demo"), None).await.expect("a page");
        assert!(first.next.is_some(), "it is more than a page");
        let listed = list(bench, "demo").await;
        assert_eq!(listed.len(), wanted.len());
        for entry in listed {
            assert!(wanted.remove(&entry.reference), "{} is there twice, or was never asked", entry.reference);
        }
    }

    pub async fn an_unknown_page_is_a_failure_and_not_an_end(bench: &dyn Bench) {
        let page = bench.provider().list(&account("demo"), Some("no page")).await;
        assert!(matches!(page, Err(ProviderError::Unavailable { .. })), "{page:?}");
    }
}

struct Fake(Arc<FakeProvider>);

impl Fake {
    fn new() -> Self {
        Self(FakeProvider::new())
    }
}

#[async_trait]
impl Bench for Fake {
    fn provider(&self) -> &dyn ConfirmationProvider {
        self.0.as_ref()
    }

    async fn answer(&self, _: &AccountId, generation: ChannelSubscriptionId, status: ProviderStatus) {
        self.0.answer_generation(generation, status);
    }

    async fn ask_more_than_a_page(&self) -> HashSet<String> {
        self.0.page_by(7);
        let mut references = HashSet::new();
        for _ in 0..23 {
            references
                .insert(self.0.request(&request("demo", ChannelKind::Email)).await.expect("it is taken").reference);
        }
        references
    }
}

struct Builtin {
    app: TestApp,
    provider: BuiltinProvider,
}

impl Builtin {
    async fn start(database: Database) -> Self {
        let app = TestApp::start(database).await;
        let outbox: Arc<dyn Transport> = Arc::new(OutboxTransport::new(app.app.services.store().clone()));
        let provider = new_builtin(&app, outbox);
        Self { app, provider }
    }
}

fn new_builtin(app: &TestApp, transport: Arc<dyn Transport>) -> BuiltinProvider {
    let settings = app.app.services.accounts().map(|account| account.settings.clone());
    BuiltinProvider {
        store: app.app.services.store().clone(),
        clock: Arc::new(app.clock.clone()),
        chance: Arc::new(SystemChance),
        transports: Transports { email: Arc::clone(&transport), phone: transport },
        accounts: settings.map(|settings| (settings.id.clone(), settings)).collect(),
        public_url: "https://roll.example.org".to_owned(),
    }
}

#[async_trait]
impl Bench for Builtin {
    fn provider(&self) -> &dyn ConfirmationProvider {
        &self.provider
    }

    async fn answer(&self, account: &AccountId, generation: ChannelSubscriptionId, status: ProviderStatus) {
        let answer = match status {
            ProviderStatus::Confirmed => Answer::Confirmed,
            ProviderStatus::OptedOut => Answer::OptedOut,
            ProviderStatus::Unconfirmed => panic!("that is no answer"),
        };
        let consent = Consent { answer, via: Proof::Link, shown: "{}".to_owned(), at: self.app.clock.now() };
        let tx = self.app.app.services.store().begin(account).await.expect("a transaction");
        tx.rows().answer_link(generation, consent).await.expect("an answer");
        tx.commit().await.expect("a commit");
    }

    async fn ask_more_than_a_page(&self) -> HashSet<String> {
        let mut references = HashSet::new();
        let tx = self.app.app.services.store().begin(&account("demo")).await.expect("a transaction");
        // Twice a page exactly, so that the end of a full page is met too.
        for _ in 0..1_000 {
            let request = request("demo", ChannelKind::Email);
            let link = Link {
                generation: request.generation,
                engineer: request.engineer,
                channel: request.channel,
                token_hash: Some(token_hash(&request.generation.to_string())),
                code_hash: String::new(),
                wrong_codes: 0,
                expires_at: request.expires_at,
                sent_at: Some(self.app.clock.now()),
                answer: None,
            };
            tx.rows().save_link(&link).await.expect("a link");
            references.insert(request.generation.to_string());
        }
        tx.commit().await.expect("a commit");
        references
    }
}
