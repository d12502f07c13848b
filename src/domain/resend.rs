//! How often a person may be asked: the guard of one endpoint of one account.

use chrono::{DateTime, Duration, Utc};

use super::channel::ChannelKind;

/// The least time between two messages to one endpoint by one channel.
pub const CHANNEL_PAUSE: Duration = Duration::minutes(1);

/// The most messages to one endpoint in an hour, over all channels and engineers.
pub const PER_HOUR: usize = 5;

/// The most messages to one endpoint in a day, over all channels and engineers.
pub const PER_DAY: usize = 10;

const HOUR: Duration = Duration::hours(1);
const DAY: Duration = Duration::hours(24);

/// What is remembered of one endpoint of one account, whoever it belongs to: the recent requests, and an opt-out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointGuard {
    /// When the person behind the endpoint opted out; nobody asks it again until an operator lifts that.
    pub opted_out_at: Option<DateTime<Utc>>,
    /// The requests of the last day, oldest first; the last ones may lie ahead.
    pub requests: Vec<GuardedRequest>,
}

/// One request that counts against the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardedRequest {
    /// By which channel.
    pub channel: ChannelKind,
    /// When it was, or will be, handed to the provider.
    pub at: DateTime<Utc>,
}

impl EndpointGuard {
    /// The first moment, not before `now`, at which the limits allow a further request by that channel.
    pub fn next_request_at(&self, channel: ChannelKind, now: DateTime<Utc>) -> DateTime<Utc> {
        let newest_first = || self.requests.iter().rev();
        let pause = newest_first().find(|request| request.channel == channel).map(|last| last.at + CHANNEL_PAUSE);
        let hour = newest_first().nth(PER_HOUR - 1).map(|request| request.at + HOUR);
        let day = newest_first().nth(PER_DAY - 1).map(|request| request.at + DAY);
        [pause, hour, day].into_iter().flatten().fold(now, DateTime::max)
    }

    /// Whether there is nothing to remember: nobody opted out, and no request counts against the limits any more.
    pub fn is_idle(&self, now: DateTime<Utc>) -> bool {
        self.opted_out_at.is_none() && self.requests.iter().all(|request| request.at + DAY <= now)
    }

    /// Counts a request by that channel at the first moment that the limits allow, and tells that moment.
    pub fn reserve(&mut self, channel: ChannelKind, now: DateTime<Utc>) -> DateTime<Utc> {
        let at = self.next_request_at(channel, now);
        self.requests.retain(|request| request.at + DAY > now);
        let place = self.requests.partition_point(|request| request.at <= at);
        self.requests.insert(place, GuardedRequest { channel, at });
        at
    }

    /// Gives back a request that was counted ahead and never handed over, so that a corrected typing error costs nothing.
    pub fn release(&mut self, channel: ChannelKind, at: DateTime<Utc>) {
        if let Some(place) = self.requests.iter().position(|request| *request == GuardedRequest { channel, at }) {
            self.requests.remove(place);
        }
    }
}
