//! A confirmation provider that does what a test tells it to, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall::{
    domain::{
        channel::ChannelKind,
        id::{AccountId, ChannelSubscriptionId},
    },
    port::provider::{
        Accepted, ConfirmationProvider, ConfirmationRequest, ListedSubscription, ProviderError, ProviderStatus,
        StatusPage,
    },
};
use tokio::sync::{Semaphore, watch};

/// What the provider was asked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// What it holds for a generation.
    Find(ChannelSubscriptionId),
    /// To ask a person.
    Request(ChannelSubscriptionId),
    /// A page of its listing.
    List(Option<String>),
    /// To forget a request.
    Cancel(ChannelSubscriptionId, Option<String>),
}

/// A request that the provider holds.
#[derive(Clone)]
struct Held {
    account: AccountId,
    generation: ChannelSubscriptionId,
    reference: String,
    status: ProviderStatus,
}

#[derive(Default)]
struct Inner {
    calls: Vec<Call>,
    requests: Vec<ConfirmationRequest>,
    held: Vec<Held>,
    lost: Vec<Held>,
    find_failures: VecDeque<ProviderError>,
    request_failures: VecDeque<ProviderError>,
    list_failures: VecDeque<Option<ProviderError>>,
    cancel_failures: VecDeque<ProviderError>,
    page_size: Option<usize>,
    shared_reference: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

/// The provider. Without a script it takes every request and lists all it holds on one page.
#[derive(Default)]
pub struct FakeProvider {
    inner: Mutex<Inner>,
    requests: Gate,
    listings: Gate,
}

impl FakeProvider {
    /// A provider that holds nothing.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the provider")
    }

    /// Everything that it was asked.
    pub fn calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    /// The requests to ask a person, those that failed included.
    pub fn requests(&self) -> Vec<ConfirmationRequest> {
        self.inner().requests.clone()
    }

    /// How often a person was asked by that channel: requests that failed asked nobody.
    pub fn count_held(&self, channel: ChannelKind) -> usize {
        let inner = self.inner();
        let of_channel = |held: &&Held| {
            inner.requests.iter().any(|request| request.generation == held.generation && request.channel == channel)
        };
        inner.held.iter().filter(of_channel).count()
    }

    /// The next requests fail like that, asking nobody; those after them succeed.
    pub fn fail_requests(&self, errors: impl IntoIterator<Item = ProviderError>) {
        self.inner().request_failures.extend(errors);
    }

    /// The next looks at what it holds fail like that.
    pub fn fail_finds(&self, errors: impl IntoIterator<Item = ProviderError>) {
        self.inner().find_failures.extend(errors);
    }

    /// The next pages of listings: `None` for one that succeeds.
    pub fn fail_lists(&self, errors: impl IntoIterator<Item = Option<ProviderError>>) {
        self.inner().list_failures.extend(errors);
    }

    /// The next cancellations fail like that, and what should have been forgotten is still held.
    pub fn fail_cancels(&self, errors: impl IntoIterator<Item = ProviderError>) {
        self.inner().cancel_failures.extend(errors);
    }

    /// How many entries a page of the listing holds.
    pub fn page_by(&self, entries: usize) {
        self.inner().page_size = Some(entries);
    }

    /// All requests from now on get this one reference.
    pub fn share_reference(&self, reference: &str) {
        self.inner().shared_reference = Some(reference.to_owned());
    }

    /// The deadline that it tells with each request from now on.
    pub fn expire_at(&self, at: DateTime<Utc>) {
        self.inner().expires_at = Some(at);
    }

    /// The person behind that channel's last request answers at the provider.
    pub fn answer(&self, channel: ChannelKind, endpoint: &str, status: ProviderStatus) {
        let mut inner = self.inner();
        let last = inner.requests.iter().rev().find(|one| one.channel == channel && one.endpoint == endpoint);
        let generation = last.expect("such a request").generation;
        set_status(&mut inner, generation, status);
    }

    /// The person behind that request answers at the provider.
    pub fn answer_generation(&self, generation: ChannelSubscriptionId, status: ProviderStatus) {
        set_status(&mut self.inner(), generation, status);
    }

    /// It loses the requests of these endpoints without being asked to.
    pub fn lose(&self, endpoints: &[&str]) {
        let mut inner = self.inner();
        let lost: Vec<_> = inner
            .requests
            .iter()
            .filter(|request| endpoints.contains(&request.endpoint.as_str()))
            .map(|request| request.generation)
            .collect();
        let (lost, held) = inner.held.drain(..).partition(|held| lost.contains(&held.generation));
        inner.lost = lost;
        inner.held = held;
    }

    /// What it lost last is there again.
    pub fn regain(&self) {
        let mut inner = self.inner();
        let lost = std::mem::take(&mut inner.lost);
        inner.held.extend(lost);
    }

    /// Whether it holds that generation.
    pub fn holds(&self, generation: ChannelSubscriptionId) -> bool {
        self.inner().held.iter().any(|held| held.generation == generation)
    }

    /// Requests are taken from now on, but their answers do not come until [`FakeProvider::release_requests`].
    pub fn hold_requests(&self) {
        self.requests.close();
    }

    /// Waits until the answer to a request is held back.
    pub async fn request_is_held(&self) {
        self.requests.arrived().await;
    }

    /// The answers come.
    pub fn release_requests(&self) {
        self.requests.open();
    }

    /// Pages are made up from now on, but do not come until [`FakeProvider::release_listings`].
    pub fn hold_listings(&self) {
        self.listings.close();
    }

    /// Waits until a page is held back.
    pub async fn listing_is_held(&self) {
        self.listings.arrived().await;
    }

    /// Pages that are asked for from now on come at once; those that are held back stay so.
    pub fn let_others_list(&self) {
        self.listings.let_others_pass();
    }

    /// The pages come.
    pub fn release_listings(&self) {
        self.listings.open();
    }
}

fn set_status(inner: &mut Inner, generation: ChannelSubscriptionId, status: ProviderStatus) {
    let held = inner.held.iter_mut().find(|held| held.generation == generation);
    held.expect("the provider holds it").status = status;
}

#[async_trait]
impl ConfirmationProvider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn find(&self, request: &ConfirmationRequest) -> Result<Option<Accepted>, ProviderError> {
        let mut inner = self.inner();
        inner.calls.push(Call::Find(request.generation));
        if let Some(error) = inner.find_failures.pop_front() {
            return Err(error);
        }
        let held = inner.held.iter().find(|held| held.generation == request.generation);
        Ok(held.map(|held| Accepted { reference: held.reference.clone(), expires_at: inner.expires_at }))
    }

    async fn request(&self, request: &ConfirmationRequest) -> Result<Accepted, ProviderError> {
        let accepted = self.inner().take(request);
        // What it took stays with it, also where nobody waits for the answer any more.
        self.requests.pass().await;
        accepted
    }

    async fn list(&self, account: &AccountId, page: Option<&str>) -> Result<StatusPage, ProviderError> {
        let listed = self.inner().list(account, page);
        self.listings.pass().await;
        listed
    }

    async fn cancel(
        &self,
        account: &AccountId,
        generation: ChannelSubscriptionId,
        reference: Option<&str>,
    ) -> Result<(), ProviderError> {
        let mut inner = self.inner();
        inner.calls.push(Call::Cancel(generation, reference.map(str::to_owned)));
        if let Some(error) = inner.cancel_failures.pop_front() {
            return Err(error);
        }
        inner.held.retain(|held| {
            let meant = held.generation == generation || reference == Some(held.reference.as_str());
            held.account != *account || !meant
        });
        Ok(())
    }
}

impl Inner {
    fn take(&mut self, request: &ConfirmationRequest) -> Result<Accepted, ProviderError> {
        self.calls.push(Call::Request(request.generation));
        self.requests.push(request.clone());
        if let Some(error) = self.request_failures.pop_front() {
            return Err(error);
        }
        let expires_at = self.expires_at;
        if let Some(held) = self.held.iter().find(|held| held.generation == request.generation) {
            return Ok(Accepted { reference: held.reference.clone(), expires_at });
        }
        let reference = self.shared_reference.clone().unwrap_or(format!("fake-{}", self.requests.len()));
        self.held.push(Held {
            account: request.account.clone(),
            generation: request.generation,
            reference: reference.clone(),
            status: ProviderStatus::Unconfirmed,
        });
        Ok(Accepted { reference, expires_at })
    }

    fn list(&mut self, account: &AccountId, page: Option<&str>) -> Result<StatusPage, ProviderError> {
        self.calls.push(Call::List(page.map(str::to_owned)));
        if let Some(error) = self.list_failures.pop_front().flatten() {
            return Err(error);
        }
        let wrong = |_| ProviderError::Unavailable { message: "there is no such page".to_owned(), retry_after: None };
        let start: usize = page.map_or(Ok(0), str::parse).map_err(wrong)?;
        let size = self.page_size.unwrap_or(usize::MAX);
        let of_account: Vec<_> = self.held.iter().filter(|held| held.account == *account).collect();
        let end = start.saturating_add(size);
        let entry = |held: &&Held| ListedSubscription { reference: held.reference.clone(), status: held.status };
        Ok(StatusPage {
            entries: of_account.iter().skip(start).take(size).map(entry).collect(),
            next: (end < of_account.len()).then(|| end.to_string()),
        })
    }
}

/// Where calls can be held back.
struct Gate {
    state: watch::Sender<GateState>,
    waiting: Semaphore,
}

#[derive(Clone, Copy, Default)]
struct GateState {
    closed: bool,
    openings: u32,
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: watch::Sender::default(), waiting: Semaphore::new(0) }
    }
}

impl Gate {
    fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    fn let_others_pass(&self) {
        self.state.send_modify(|state| state.closed = false);
    }

    fn open(&self) {
        self.state.send_modify(|state| *state = GateState { closed: false, openings: state.openings + 1 });
    }

    async fn arrived(&self) {
        self.waiting.acquire().await.expect("the gate").forget();
    }

    async fn pass(&self) {
        let mut state = self.state.subscribe();
        let found = *state.borrow();
        if found.closed {
            self.waiting.add_permits(1);
            state.wait_for(|now| now.openings > found.openings).await.expect("the gate");
        }
    }
}

/// An answer that says to come again, at once or after so many seconds.
pub fn unavailable(retry_after: Option<u64>) -> ProviderError {
    ProviderError::Unavailable { message: "the provider is down".to_owned(), retry_after }
}
