//! What the database says of the roll and of the work that waits, as gauges.

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::Seconds;
use crate::service::measure::{Measures, Span};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    account: String,
    channel: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfQueue {
    account: String,
    queue: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDirectory {
    account: String,
    directory: String,
}

/// The gauges, with what was measured; without, only that the database did not answer.
pub(super) fn describe(measures: Option<&Measures>, now: DateTime<Utc>) -> Registry {
    let mut registry = Registry::with_prefix("rollcall");
    let up = Gauge::<i64>::default();
    up.set(measures.is_some().into());
    registry.register("database_up", "Whether the database answered the last measurement", up);
    let roll = Roll::register(&mut registry);
    if let Some(measures) = measures {
        roll.fill(measures, now);
    }
    registry
}

struct Roll {
    engineers: Family<OfAccount, Gauge>,
    unreachable: Family<OfAccount, Gauge>,
    channels: Family<OfChannel, Gauge>,
    due: Family<OfQueue, Gauge>,
    oldest_due: Family<OfQueue, Seconds>,
    confirmation_sync: Sync<OfAccount>,
    directory_sync: Sync<OfDirectory>,
}

struct Sync<L> {
    age: Family<L, Seconds>,
    took: Family<L, Seconds>,
}

impl Roll {
    fn register(registry: &mut Registry) -> Self {
        Self {
            engineers: add(registry, "engineers", "People on the roll"),
            unreachable: add(registry, "engineers_unreachable", "People whom no channel reaches"),
            channels: add(registry, "channels", "Channels of people on the roll, by status"),
            due: add(registry, "queue_due", "Work that is due and waits"),
            oldest_due: add_seconds(registry, "queue_oldest_due", "For how long the oldest work has been due"),
            confirmation_sync: Sync {
                age: add_seconds(registry, "confirmation_sync_age", "Since the last complete confirmation sync began"),
                took: add_seconds(registry, "confirmation_sync_duration", "How long it took"),
            },
            directory_sync: Sync {
                age: add_seconds(registry, "directory_sync_age", "Since the last successful directory sync ended"),
                took: add_seconds(registry, "directory_sync_duration", "How long it took"),
            },
        }
    }

    fn fill(&self, measures: &Measures, now: DateTime<Utc>) {
        for roll in &measures.rolls {
            let account = roll.account.to_string();
            self.engineers.get_or_create(&OfAccount { account: account.clone() }).set(count(roll.engineers));
            self.unreachable.get_or_create(&OfAccount { account: account.clone() }).set(count(roll.unreachable));
            for channel in &roll.channels {
                let (kind, status) = (channel.kind.name(), channel.status.name());
                let labels = OfChannel { account: account.clone(), channel: kind, status };
                self.channels.get_or_create(&labels).set(count(channel.count));
            }
        }
        for queue in &measures.queues {
            let labels = OfQueue { account: queue.account.to_string(), queue: queue.kind.name() };
            self.due.get_or_create(&labels).set(count(queue.due));
            self.oldest_due.get_or_create(&labels).set(queue.oldest.map_or(0.0, |since| seconds(now - since)));
        }
        for (account, span) in &measures.confirmation_syncs {
            let labels = OfAccount { account: account.to_string() };
            self.confirmation_sync.set(&labels, span.began, span, now);
        }
        for (account, directory, span) in &measures.directory_syncs {
            let labels = OfDirectory { account: account.to_string(), directory: directory.clone() };
            self.directory_sync.set(&labels, span.ended.unwrap_or(span.began), span, now);
        }
    }
}

impl<L: Labels> Sync<L> {
    fn set(&self, labels: &L, since: DateTime<Utc>, span: &Span, now: DateTime<Utc>) {
        self.age.get_or_create(labels).set(seconds(now - since));
        if let Some(ended) = span.ended {
            self.took.get_or_create(labels).set(seconds(ended - span.began));
        }
    }
}

/// What a set of labels must be able to do.
trait Labels: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + std::marker::Sync + 'static {}

impl<L> Labels for L where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + std::marker::Sync + 'static
{
}

fn add<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

fn add_seconds<L: Labels>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Seconds> {
    let family = Family::default();
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A clock that was set back makes no negative ages.
fn seconds(length: TimeDelta) -> f64 {
    length.to_std().unwrap_or_default().as_secs_f64()
}
