//! The one way in which channels change: a batch of engineers, locked, with what happens to their channels, and everything that
//! follows from it written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{Account, Core};
use crate::{
    domain::{
        audit::{AuditRecord, Portrait},
        channel::ChannelKind,
        confirmation::{Channel, Confirmation, Happening, NoStep, Request, Step},
        engineer::{Circumstances, Engineer},
        event::{Event, StatusChange},
        id::{ChannelSubscriptionId, EngineerId},
        resend::EndpointGuard,
    },
    store::{StoreError, Subscription, Tx},
};

/// Engineers of one account, locked to the end of the transaction, and what happens to their channels.
pub(super) struct Batch<'a> {
    core: &'a Core,
    account: &'a Account,
    pub now: DateTime<Utc>,
    pub engineers: BTreeMap<EngineerId, Engineer>,
    channels: HashMap<EngineerId, Vec<Channel>>,
    guards: BTreeMap<String, EndpointGuard>,
    guards_before: BTreeMap<String, EndpointGuard>,
    /// Requests that the resend limits hold back: what they count for, should they be retired before they are handed over.
    waiting: HashMap<ChannelSubscriptionId, Reservation>,
    requests: Vec<Subscription>,
    retired: Vec<ChannelSubscriptionId>,
    changed: BTreeSet<(EngineerId, ChannelKind)>,
    events: Vec<Event>,
    audit: Option<Audit>,
}

/// What the audit log is to be told.
struct Audit {
    record: AuditRecord,
    /// How those stood who were there at first.
    before: BTreeMap<EngineerId, Portrait>,
    /// Of whom it is told.
    told: BTreeSet<EngineerId>,
    /// What portraits do not show.
    notes: Vec<(EngineerId, AuditNote)>,
}

/// Something that the portraits of an engineer do not show.
pub(super) struct AuditNote {
    /// What.
    pub field: String,
    /// How it was, masked; `None` where it was not there.
    pub before: Option<String>,
    /// How it is now, masked; `None` where it is not there.
    pub after: Option<String>,
}

/// A request that counts against the limits of an endpoint at a moment that lies ahead.
struct Reservation {
    endpoint_key: String,
    channel: ChannelKind,
    at: DateTime<Utc>,
}

impl<'a> Batch<'a> {
    /// Locks these engineers, deleted ones included, and reads their channels.
    pub async fn lock(
        core: &'a Core,
        account: &'a Account,
        tx: &Tx,
        ids: &[EngineerId],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let engineers = tx.rows().lock_engineers(ids).await?.into_iter().collect::<BTreeMap<_, _>>();
        let found: Vec<_> = engineers.keys().copied().collect();
        let channels = tx.rows().list_channels(&found).await?;
        let mut batch = Self::empty(core, account, now);
        batch.engineers = engineers;
        batch.channels = channels;
        batch.find_waiting();
        Ok(batch)
    }

    /// A batch of nobody, for engineers who come onto the roll by it.
    pub fn empty(core: &'a Core, account: &'a Account, now: DateTime<Utc>) -> Self {
        Self {
            core,
            account,
            now,
            engineers: BTreeMap::new(),
            channels: HashMap::new(),
            guards: BTreeMap::new(),
            guards_before: BTreeMap::new(),
            waiting: HashMap::new(),
            requests: Vec::new(),
            retired: Vec::new(),
            changed: BTreeSet::new(),
            events: Vec::new(),
            audit: None,
        }
    }

    /// Begins to keep what the audit log is to be told of those who are in the batch by now. To be called before anything changes.
    pub fn audit(&mut self, record: AuditRecord) {
        let before = self.engineers.keys().map(|id| (*id, self.portrait(*id))).collect();
        self.audit = Some(Audit { record, before, told: BTreeSet::new(), notes: Vec::new() });
    }

    /// Has the audit log told of that engineer when the batch is saved.
    pub fn tell_of(&mut self, id: EngineerId) {
        if let Some(audit) = &mut self.audit {
            audit.told.insert(id);
        }
    }

    /// Has the audit log told of something that portraits do not show.
    pub fn note(&mut self, id: EngineerId, note: AuditNote) {
        if let Some(audit) = &mut self.audit {
            audit.notes.push((id, note));
        }
    }

    fn portrait(&self, id: EngineerId) -> Portrait {
        match (self.engineers.get(&id), self.channels.get(&id)) {
            (Some(engineer), Some(channels)) => Portrait::of(engineer, channels),
            (_, _) => Portrait::default(),
        }
    }

    fn record(&self, tx: &mut Tx) {
        let Some(Audit { record, before, told, notes }) = &self.audit else { return };
        for id in told {
            let nobody = Portrait::default();
            let before = before.get(id).unwrap_or(&nobody);
            let mut changed = Portrait::compare(before, &self.portrait(*id));
            for (_, AuditNote { field, before, after }) in notes.iter().filter(|(of, _)| of == id) {
                before.iter().for_each(|before| changed.0.set(field, before));
                after.iter().for_each(|after| changed.1.set(field, after));
            }
            tx.record(record.on(*id).changed(changed), self.core.chance.as_ref());
        }
    }

    /// Adds an engineer who comes onto the roll, without channels.
    pub fn add(&mut self, engineer: Engineer) {
        self.channels.insert(engineer.id, ChannelKind::ALL.map(Channel::empty).to_vec());
        self.engineers.insert(engineer.id, engineer);
    }

    fn find_waiting(&mut self) {
        for (id, channels) in &self.channels {
            for channel in channels {
                let endpoint = self.engineers.get(id).and_then(|engineer| engineer.endpoint(channel.kind));
                if let (Confirmation::Requested(request), Some(endpoint)) = (channel.state, endpoint)
                    && request.due_at > self.now
                {
                    let endpoint_key = self.core.store.sealer().endpoint_key(&self.account.settings.id, endpoint);
                    let reservation = Reservation { endpoint_key, channel: channel.kind, at: request.due_at };
                    self.waiting.insert(request.generation, reservation);
                }
            }
        }
    }

    /// Locks the guards of all endpoints that the engineers have by now, and of those that requests wait for. Called once, after
    /// edits and before requests, so that guards are locked in one order.
    pub async fn lock_guards(&mut self, tx: &Tx) -> Result<(), StoreError> {
        let rows = tx.rows();
        let endpoints = self.engineers.values().flat_map(|engineer| {
            [ChannelKind::Sms, ChannelKind::Email].into_iter().filter_map(|kind| engineer.endpoint(kind))
        });
        let waiting = self.waiting.values().map(|reservation| reservation.endpoint_key.clone());
        let keys: Vec<_> = endpoints.map(|endpoint| rows.endpoint_key(endpoint)).chain(waiting).collect();
        self.guards = rows.lock_guards(&keys).await?;
        self.guards_before.clone_from(&self.guards);
        Ok(())
    }

    /// One channel.
    pub fn channel(&self, engineer: EngineerId, kind: ChannelKind) -> Option<&Channel> {
        self.channels.get(&engineer)?.iter().find(|channel| channel.kind == kind)
    }

    /// Whether a channel ends at a chat robot.
    pub fn has_robot(&self, engineer: EngineerId, kind: ChannelKind) -> bool {
        self.channel(engineer, kind).is_some_and(|channel| channel.robot.is_some())
    }

    /// Whether the account lacks the beta access to a channel.
    pub const fn is_restricted(&self, _kind: ChannelKind) -> bool {
        // Beta access does not exist yet, so no channel is a beta channel.
        false
    }

    /// What besides the channel decides over it.
    pub fn circumstances<'b>(
        &self,
        engineer: &Engineer,
        kind: ChannelKind,
        guard: &'b EndpointGuard,
    ) -> Circumstances<'b> {
        Circumstances {
            engineer_active: engineer.is_active(),
            restricted: self.is_restricted(kind),
            guard,
            now: self.now,
        }
    }

    /// The guard of the endpoint at which a channel ends. Only guards that were locked can be looked at, and changed.
    pub fn guard(&mut self, engineer: EngineerId, kind: ChannelKind) -> Option<&mut EndpointGuard> {
        let endpoint = self.engineers.get(&engineer)?.endpoint(kind)?;
        let key = self.core.store.sealer().endpoint_key(&self.account.settings.id, endpoint);
        self.guards.get_mut(&key)
    }

    /// A new request for a channel that has an endpoint: counted against the limits, and work for the provider.
    pub fn request(&mut self, engineer: EngineerId, kind: ChannelKind) -> Option<Request> {
        let now = self.now;
        let due_at = self.guard(engineer, kind)?.reserve(kind, now);
        let endpoint = self.engineers.get(&engineer)?.endpoint(kind)?.to_owned();
        let generation = ChannelSubscriptionId::generate(now, self.core.chance.as_ref());
        self.requests.push(Subscription {
            id: generation,
            engineer,
            channel: kind,
            provider: self.account.provider.name().to_owned(),
            reference: None,
            endpoint: Some(endpoint),
            requested_at: now,
            due_at,
            attempts: 0,
            retired_at: None,
            missing_since: None,
        });
        Some(Request { generation, requested_at: now, due_at })
    }

    /// The request that goes with a new endpoint, unless nobody is to be asked: the person is not ACTIVE, the channel is
    /// restricted, or the person behind the endpoint opted out.
    pub fn request_for_new_endpoint(&mut self, engineer: EngineerId, kind: ChannelKind) -> Option<Request> {
        let active = self.engineers.get(&engineer).is_some_and(Engineer::is_active);
        let open = self.guard(engineer, kind).is_some_and(|guard| guard.opted_out_at.is_none());
        if active && open && !self.is_restricted(kind) { self.request(engineer, kind) } else { None }
    }

    /// Lets something happen to a channel, and logs the change of its status.
    pub fn apply(&mut self, engineer: EngineerId, kind: ChannelKind, happening: Happening) -> Result<Step, NoStep> {
        let step = self.apply_unlogged(engineer, kind, happening)?;
        if step.from.status() != step.to.status() {
            self.events.push(Event::StatusChanged(StatusChange::of(engineer, kind, &step)));
        }
        Ok(step)
    }

    /// The same without an event: for how channels stand when their engineer comes onto the roll by a bulk run.
    pub fn apply_unlogged(
        &mut self,
        engineer: EngineerId,
        kind: ChannelKind,
        happening: Happening,
    ) -> Result<Step, NoStep> {
        let channel = self
            .channels
            .get_mut(&engineer)
            .and_then(|channels| channels.iter_mut().find(|channel| channel.kind == kind))
            .ok_or(NoStep::Late)?;
        let step = channel.apply(happening)?;
        channel.state = step.to;
        if let Some(retired) = step.retired {
            self.release(retired);
            self.retired.push(retired);
        }
        self.changed.insert((engineer, kind));
        Ok(step)
    }

    /// A request that was never handed over no longer counts against the limits.
    fn release(&mut self, retired: ChannelSubscriptionId) {
        if let Some(reservation) = self.waiting.remove(&retired)
            && let Some(guard) = self.guards.get_mut(&reservation.endpoint_key)
        {
            guard.release(reservation.channel, reservation.at);
        }
    }

    /// Adds an event that is not a status change.
    pub fn log(&mut self, event: Event) {
        self.events.push(event);
    }

    /// How many messages the batch's requests lead to.
    pub const fn messages(&self) -> usize {
        self.requests.len()
    }

    /// Writes everything but the engineers' own rows.
    pub async fn save(self, tx: &mut Tx) -> Result<(), StoreError> {
        self.record(tx);
        let rows = tx.rows();
        let mut guards = self.guards;
        guards.retain(|key, guard| self.guards_before.get(key) != Some(guard));
        rows.save_guards(&guards).await?;
        rows.insert_subscriptions(&self.requests).await?;
        rows.retire_subscriptions(&self.retired, self.now).await?;
        let changed: Vec<_> = self
            .changed
            .iter()
            .filter_map(|(engineer, kind)| {
                let channel = self.channels.get(engineer)?.iter().find(|channel| channel.kind == *kind)?;
                Some((*engineer, channel))
            })
            .collect();
        rows.save_channels(&changed).await?;
        for event in self.events {
            tx.log(event, self.now, self.core.chance.as_ref());
        }
        Ok(())
    }
}
