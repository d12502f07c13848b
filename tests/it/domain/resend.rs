//! How often a person may be asked.

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use rollcall::domain::{
    channel::ChannelKind,
    resend::{CHANNEL_PAUSE, EndpointGuard, PER_DAY, PER_HOUR},
};

use super::{after, start};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A guard with requests by those channels at those seconds, none of which had to wait.
fn guard(requests: &[(ChannelKind, i64)]) -> EndpointGuard {
    let mut guard = EndpointGuard::default();
    for (channel, seconds) in requests {
        assert_eq!(guard.reserve(*channel, after(*seconds)), after(*seconds), "{requests:?}");
    }
    guard
}

#[test]
fn the_limits_are_one_a_minute_five_an_hour_and_ten_a_day() {
    assert_eq!((CHANNEL_PAUSE, PER_HOUR, PER_DAY), (Duration::minutes(1), 5, 10));
}

#[test]
fn a_guard_has_nothing_to_remember_a_day_after_the_last_request_unless_someone_opted_out() {
    assert!(EndpointGuard::default().is_idle(start()));
    let mut guard = guard(&[(ChannelKind::Sms, 0), (ChannelKind::Voice, 60)]);
    assert!(!guard.is_idle(after(DAY + 59)));
    assert!(guard.is_idle(after(DAY + 60)));
    guard.opted_out_at = Some(start());
    assert!(!guard.is_idle(after(1000 * DAY)));
}

#[test]
fn a_first_request_goes_out_at_once() {
    assert_eq!(EndpointGuard::default().next_request_at(ChannelKind::Email, start()), start());
}

#[test]
fn a_channel_pauses_for_a_minute_and_leaves_the_other_alone() {
    let guard = guard(&[(ChannelKind::Sms, 0)]);
    assert_eq!(guard.next_request_at(ChannelKind::Sms, after(0)), after(MINUTE));
    assert_eq!(guard.next_request_at(ChannelKind::Sms, after(59)), after(MINUTE));
    assert_eq!(guard.next_request_at(ChannelKind::Sms, after(60)), after(60));
    assert_eq!(guard.next_request_at(ChannelKind::Voice, after(0)), after(0));
}

#[test]
fn a_sixth_request_within_an_hour_waits_until_the_first_is_an_hour_old() {
    use ChannelKind::{Sms, Voice};
    let guard = guard(&[(Sms, 0), (Voice, 0), (Sms, 300), (Voice, 300), (Sms, 600)]);
    for channel in [Sms, Voice] {
        assert_eq!(guard.next_request_at(channel, after(900)), after(HOUR), "{channel:?}");
        assert_eq!(guard.next_request_at(channel, after(HOUR - 1)), after(HOUR), "{channel:?}");
        assert_eq!(guard.next_request_at(channel, after(HOUR)), after(HOUR), "{channel:?}");
    }
}

#[test]
fn an_eleventh_request_within_a_day_waits_until_the_first_is_a_day_old() {
    let requests: Vec<_> = (0..10).map(|number| (ChannelKind::Email, number * 2 * HOUR)).collect();
    let guard = guard(&requests);
    assert_eq!(guard.next_request_at(ChannelKind::Email, after(20 * HOUR)), after(DAY));
    assert_eq!(guard.next_request_at(ChannelKind::Email, after(DAY - 1)), after(DAY));
    assert_eq!(guard.next_request_at(ChannelKind::Email, after(DAY)), after(DAY));
}

#[test]
fn what_is_reserved_ahead_counts_as_if_it_had_gone_out() {
    let mut guard = EndpointGuard::default();
    let times: Vec<_> = (0..12).map(|_| guard.reserve(ChannelKind::Email, start())).collect();
    let seconds = [0, 60, 120, 180, 240, HOUR, HOUR + 60, HOUR + 120, HOUR + 180, HOUR + 240, DAY, DAY + 60];
    assert_eq!(times, seconds.map(after));
    assert!(guard.requests.is_sorted_by_key(|request| request.at));
}

#[test]
fn an_endpoint_without_requests_for_a_day_is_as_new() {
    let mut guard = guard(&[(ChannelKind::Email, 0), (ChannelKind::Email, 60)]);
    assert_eq!(guard.reserve(ChannelKind::Email, after(2 * DAY)), after(2 * DAY));
    assert_eq!(guard.requests.len(), 1);
}

/// The limits once more, as a count over sliding windows.
fn violation(times: &[(ChannelKind, DateTime<Utc>)]) -> Option<String> {
    let within = |from: DateTime<Utc>, span| times.iter().filter(|(_, at)| *at >= from && *at < from + span).count();
    for (channel, at) in times {
        let by_channel =
            times.iter().filter(|(other, time)| other == channel && *time >= *at && *time < *at + Duration::minutes(1));
        if by_channel.count() > 1 {
            return Some(format!("two within a minute from {at}"));
        }
        if within(*at, Duration::hours(1)) > 5 {
            return Some(format!("more than five in the hour from {at}"));
        }
        if within(*at, Duration::days(1)) > 10 {
            return Some(format!("more than ten in the day from {at}"));
        }
    }
    None
}

fn asks(longest_pause: i64) -> impl Strategy<Value = Vec<(ChannelKind, i64)>> {
    let kind = prop::sample::select(vec![ChannelKind::Sms, ChannelKind::Voice, ChannelKind::Email]);
    let pause = prop_oneof![2 => Just(0), 3 => 0..180_i64, 2 => 0..longest_pause];
    prop::collection::vec((kind, pause), 1..60)
}

proptest! {
    #[test]
    fn no_sequence_of_requests_breaks_a_limit(asks in asks(3 * HOUR)) {
        let (mut guard, mut now, mut times) = (EndpointGuard::default(), start(), Vec::new());
        for (channel, pause) in asks {
            now += Duration::seconds(pause);
            let told = guard.next_request_at(channel, now);
            let at = guard.reserve(channel, now);
            prop_assert_eq!(at, told);
            prop_assert!(at >= now);
            times.push((channel, at));
        }
        prop_assert_eq!(violation(&times), None);
        prop_assert!(guard.requests.is_sorted_by_key(|request| request.at));
    }

    #[test]
    fn nobody_waits_whom_the_limits_let_through(asks in asks(6 * HOUR)) {
        let (mut guard, mut now, mut times) = (EndpointGuard::default(), start(), Vec::new());
        for (channel, pause) in asks {
            now += Duration::seconds(pause);
            times.push((channel, now));
            let allowed = violation(&times).is_none();
            prop_assert_eq!(guard.next_request_at(channel, now) == now, allowed);
            if allowed {
                guard.reserve(channel, now);
            } else {
                times.pop();
            }
        }
    }
}
