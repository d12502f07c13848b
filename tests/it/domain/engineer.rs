//! Who can be asked, and who can be reached.

use proptest::prelude::*;
use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{Channel, Confirmation, ConfirmationStatus},
    engineer::{
        Circumstances, DirectoryState, Engineer, NotSubscribableReason as Reason, Reachability, Touched, UserType,
    },
    refusal::RefusalCode,
    resend::EndpointGuard,
};

use super::{after, asked_states, channel, email, engineer, mobile, request, start};

fn every_state() -> Vec<Confirmation> {
    let unasked = [Confirmation::NotConfigured, Confirmation::Unsubscribed, Confirmation::NotRequired];
    asked_states(request(1)).into_iter().chain(unasked).collect()
}

fn state(status: ConfirmationStatus) -> Confirmation {
    every_state().into_iter().find(|state| state.status() == status).unwrap()
}

fn usable_guard() -> EndpointGuard {
    EndpointGuard::default()
}

fn opted_out_guard() -> EndpointGuard {
    EndpointGuard { opted_out_at: Some(start()), ..EndpointGuard::default() }
}

fn busy_guard(kind: ChannelKind) -> EndpointGuard {
    let mut guard = EndpointGuard::default();
    guard.reserve(kind, after(-10));
    guard
}

/// What is told of a mail channel in that status.
fn judge(status: ConfirmationStatus, active: bool, restricted: bool, guard: &EndpointGuard) -> Result<(), Reason> {
    let around = Circumstances { engineer_active: active, restricted, guard, now: start() };
    channel(ChannelKind::Email, state(status)).subscribable(around)
}

#[test]
fn every_name_is_read_back() {
    for value in UserType::ALL {
        assert_eq!(UserType::from_name(value.name()), Some(value));
    }
    for value in DirectoryState::ALL {
        assert_eq!(DirectoryState::from_name(value.name()), Some(value));
    }
    for value in Reachability::ALL {
        assert_eq!(Reachability::from_name(value.name()), Some(value));
    }
}

#[test]
fn a_channel_can_be_asked_in_these_statuses_and_not_in_those() {
    let expected = [
        (ConfirmationStatus::NotConfigured, Err(Reason::NoEndpoint)),
        (ConfirmationStatus::Unsubscribed, Ok(())),
        (ConfirmationStatus::Requested, Err(Reason::InProgress)),
        (ConfirmationStatus::Pending, Ok(())),
        (ConfirmationStatus::Confirmed, Err(Reason::AlreadyConfirmed)),
        (ConfirmationStatus::Expired, Ok(())),
        (ConfirmationStatus::Cancelled, Ok(())),
        (ConfirmationStatus::Failed, Ok(())),
        (ConfirmationStatus::NotRequired, Err(Reason::NotNeeded)),
    ];
    assert_eq!(expected.map(|(status, _)| status), ConfirmationStatus::ALL);
    for (status, answer) in expected {
        assert_eq!(judge(status, true, false, &usable_guard()), answer, "{}", status.name());
    }
}

#[test]
fn a_robot_without_an_endpoint_needs_no_confirmation_either() {
    let guard = usable_guard();
    let around = Circumstances { engineer_active: true, restricted: false, guard: &guard, now: start() };
    for kind in [ChannelKind::Wecom, ChannelKind::Dingtalk, ChannelKind::Lark] {
        assert_eq!(Channel::empty(kind).subscribable(around), Err(Reason::NotNeeded), "{}", kind.name());
    }
    for kind in [ChannelKind::Sms, ChannelKind::Voice, ChannelKind::Email] {
        assert_eq!(Channel::empty(kind).subscribable(around), Err(Reason::NoEndpoint), "{}", kind.name());
    }
}

#[test]
fn the_reason_told_is_the_one_that_stands_longest() {
    let (opted_out, busy) = (opted_out_guard(), busy_guard(ChannelKind::Email));
    let both = EndpointGuard { opted_out_at: Some(start()), ..busy.clone() };
    let expired = ConfirmationStatus::Expired;
    assert_eq!(judge(expired, true, false, &busy), Err(Reason::RateLimited));
    assert_eq!(judge(expired, true, false, &opted_out), Err(Reason::OptedOut));
    assert_eq!(judge(expired, true, false, &both), Err(Reason::OptedOut));
    assert_eq!(judge(expired, true, true, &both), Err(Reason::Restricted));
    assert_eq!(judge(expired, false, true, &both), Err(Reason::EngineerInactive));
    assert_eq!(judge(ConfirmationStatus::Requested, false, true, &both), Err(Reason::InProgress));
    assert_eq!(judge(ConfirmationStatus::Confirmed, false, true, &both), Err(Reason::AlreadyConfirmed));
    assert_eq!(judge(ConfirmationStatus::NotConfigured, false, true, &both), Err(Reason::NoEndpoint));
    assert_eq!(judge(ConfirmationStatus::NotRequired, false, true, &both), Err(Reason::NotNeeded));
}

#[test]
fn a_resend_is_allowed_again_when_the_limit_ends() {
    let guard = busy_guard(ChannelKind::Email);
    let channel = channel(ChannelKind::Email, state(ConfirmationStatus::Pending));
    let at = |seconds| {
        channel.subscribable(Circumstances {
            engineer_active: true,
            restricted: false,
            guard: &guard,
            now: after(seconds),
        })
    };
    assert_eq!(at(49), Err(Reason::RateLimited));
    assert_eq!(at(50), Ok(()));
}

#[test]
fn every_reason_is_refused_with_a_code_of_its_name() {
    let names = [
        (Reason::AlreadyConfirmed, "ALREADY_CONFIRMED"),
        (Reason::NoEndpoint, "NO_ENDPOINT"),
        (Reason::Restricted, "RESTRICTED"),
        (Reason::InProgress, "IN_PROGRESS"),
        (Reason::RateLimited, "RATE_LIMITED"),
        (Reason::NotNeeded, "NOT_NEEDED"),
        (Reason::EngineerInactive, "ENGINEER_INACTIVE"),
        (Reason::OptedOut, "OPTED_OUT"),
    ];
    for (reason, name) in names {
        assert_eq!(RefusalCode::from(reason).name(), name);
    }
}

#[test]
fn only_listed_people_who_are_let_in_and_not_deleted_are_active() {
    for (state, deleted, active) in [
        (DirectoryState::Active, false, true),
        (DirectoryState::Active, true, false),
        (DirectoryState::Disabled, false, false),
        (DirectoryState::Disabled, true, false),
        (DirectoryState::Gone, false, false),
        (DirectoryState::Gone, true, false),
    ] {
        let person = Engineer { directory_state: state, deleted_at: deleted.then(start), ..engineer(1, "lin") };
        assert_eq!(person.is_active(), active, "{} {deleted}", state.name());
    }
}

#[test]
fn sms_and_voice_share_the_mobile() {
    let person = Engineer {
        mobile: Some(mobile("13800000000")),
        email: Some(email("lin@example.com")),
        touched: Touched { alias: false, mobile: true, email: true },
        ..engineer(1, "lin")
    };
    assert_eq!(person.endpoint(ChannelKind::Sms), Some("+8613800000000"));
    assert_eq!(person.endpoint(ChannelKind::Voice), Some("+8613800000000"));
    assert_eq!(person.endpoint(ChannelKind::Email), Some("lin@example.com"));
    assert_eq!(person.endpoint(ChannelKind::Wecom), None);
}

#[test]
fn a_channel_is_usable_when_it_is_proved_and_nothing_stands_against_it() {
    for state in every_state() {
        let kind = if state == Confirmation::NotRequired { ChannelKind::Lark } else { ChannelKind::Sms };
        let proved = matches!(state.status(), ConfirmationStatus::Confirmed | ConfirmationStatus::NotRequired);
        let channel = channel(kind, state);
        assert_eq!(channel.usable(true, false), proved, "{state:?}");
        assert!(!channel.usable(false, false), "{state:?}");
        assert!(!channel.usable(true, true), "{state:?}");
    }
}

/// Channels with their status, the restricted ones among them, and what follows for someone who is active.
type Case = (&'static [(ChannelKind, ConfirmationStatus)], &'static [ChannelKind], Reachability);

#[test]
fn reachability_counts_configured_channels_that_are_not_restricted() {
    use ChannelKind::{Email, Lark, Sms, Voice, Wecom};
    use ConfirmationStatus::{Confirmed, Expired, NotConfigured, NotRequired, Pending, Requested, Unsubscribed};
    use Reachability::{Partial, Reachable, Unreachable};
    let cases: &[Case] = &[
        (&[], &[], Unreachable),
        (&[(Sms, NotConfigured), (Email, NotConfigured)], &[], Unreachable),
        (&[(Sms, Confirmed)], &[], Reachable),
        (&[(Sms, Confirmed), (Email, NotConfigured)], &[], Reachable),
        (&[(Lark, NotRequired), (Email, Confirmed)], &[], Reachable),
        (&[(Sms, Confirmed), (Voice, Pending)], &[], Partial),
        (&[(Lark, NotRequired), (Email, Unsubscribed)], &[], Partial),
        (&[(Sms, Requested), (Voice, Pending), (Email, Expired)], &[], Unreachable),
        (&[(Sms, Confirmed), (Voice, Pending)], &[Voice], Reachable),
        (&[(Sms, Expired), (Voice, Confirmed)], &[Voice], Unreachable),
        (&[(Wecom, NotRequired)], &[Wecom], Unreachable),
    ];
    for (channels, restricted, expected) in cases {
        let channels: Vec<_> = channels.iter().map(|(kind, status)| channel(*kind, state(*status))).collect();
        let of = |active| Reachability::of(&channels, active, |kind| restricted.contains(&kind));
        assert_eq!(of(true), *expected, "{channels:?} {restricted:?}");
        assert_eq!(of(false), Unreachable, "{channels:?} {restricted:?}");
    }
}

/// What architecture section 2 says, word by word.
fn restate(channels: &[Channel], active: bool, restricted: &[ChannelKind]) -> Reachability {
    let (mut usable, mut unusable) = (false, false);
    for channel in channels {
        if restricted.contains(&channel.kind) || channel.status() == ConfirmationStatus::NotConfigured {
            continue;
        }
        let proved = matches!(channel.status(), ConfirmationStatus::Confirmed | ConfirmationStatus::NotRequired);
        if proved && active {
            usable = true;
        } else {
            unusable = true;
        }
    }
    if usable && unusable {
        Reachability::Partial
    } else if usable {
        Reachability::Reachable
    } else {
        Reachability::Unreachable
    }
}

proptest! {
    #[test]
    fn reachability_is_what_the_words_say(
        states in prop::collection::vec(prop::sample::select(every_state()), 6),
        restricted in prop::sample::subsequence(ChannelKind::ALL.to_vec(), 0..=3),
        active in any::<bool>(),
    ) {
        let channels: Vec<_> = ChannelKind::ALL.into_iter().zip(states).map(|(kind, state)| channel(kind, state)).collect();
        let told = Reachability::of(&channels, active, |kind| restricted.contains(&kind));
        prop_assert_eq!(told, restate(&channels, active, &restricted));
    }
}
