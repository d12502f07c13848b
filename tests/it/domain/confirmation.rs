//! The state machine of a channel: every status with everything that can happen to it.

mod table;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{
        Channel, Confirmation, ConfirmationStatus, FailureCode, Happening, LINK_LIFETIME, NoStep, Origin, Proof,
        StatusChangeCause,
    },
    id::ChannelSubscriptionId,
};

use super::{after, asked_states, channel, generation, request, start};

fn pending(number: u128, expires_at: DateTime<Utc>) -> Channel {
    channel(ChannelKind::Email, Confirmation::Pending { request: request(number), expires_at })
}

fn time_passed(now: DateTime<Utc>) -> Happening {
    Happening::TimePassed { generation: generation(1), now }
}

fn by_link(number: u128, at: DateTime<Utc>) -> Happening {
    Happening::Confirmed { generation: generation(number), proof: Proof::Link, at }
}

fn go(channel: &mut Channel, happening: Happening) -> ConfirmationStatus {
    channel.state = channel.apply(happening).unwrap().to;
    channel.status()
}

#[test]
fn every_name_is_read_back() {
    for status in ConfirmationStatus::ALL {
        assert_eq!(ConfirmationStatus::from_name(status.name()), Some(status));
    }
    for cause in StatusChangeCause::ALL {
        assert_eq!(StatusChangeCause::from_name(cause.name()), Some(cause));
    }
    for code in FailureCode::ALL {
        assert_eq!(FailureCode::from_name(code.name()), Some(code));
    }
    for kind in ChannelKind::ALL {
        assert_eq!(ChannelKind::from_name(kind.name()), Some(kind));
    }
    assert_eq!(ConfirmationStatus::from_name("pending"), None);
}

#[test]
fn a_link_lives_for_48_hours_to_the_second() {
    assert_eq!(LINK_LIFETIME, Duration::hours(48));
    let channel = pending(1, start() + LINK_LIFETIME);
    let last = start() + Duration::hours(47) + Duration::minutes(59) + Duration::seconds(59);
    for alive in [start(), last, last + Duration::milliseconds(999)] {
        assert_eq!(channel.apply(time_passed(alive)), Err(NoStep::Unchanged), "{alive}");
        assert_eq!(channel.apply(by_link(1, alive)).unwrap().to.status(), ConfirmationStatus::Confirmed, "{alive}");
    }
    let death = last + Duration::seconds(1);
    for dead in [death, death + Duration::days(400)] {
        let step = channel.apply(time_passed(dead)).unwrap();
        assert_eq!((step.to.status(), step.cause), (ConfirmationStatus::Expired, StatusChangeCause::Expiry), "{dead}");
        assert_eq!(step.to, Confirmation::Expired { request: request(1), expires_at: death });
        assert_eq!(channel.apply(by_link(1, dead)), Err(NoStep::Impossible(ConfirmationStatus::Pending)), "{dead}");
    }
}

#[test]
fn a_code_lives_as_long_as_its_link() {
    let channel = pending(1, after(100));
    let by_code = |at| Happening::Confirmed { generation: generation(1), proof: Proof::Code, at };
    assert_eq!(channel.apply(by_code(after(99))).unwrap().cause, StatusChangeCause::Code);
    assert_eq!(channel.apply(by_code(after(100))), Err(NoStep::Impossible(ConfirmationStatus::Pending)));
}

#[test]
fn an_expired_link_confirms_nothing_but_the_sync_still_can() {
    let mut channel = pending(1, after(100));
    go(&mut channel, time_passed(after(100)));
    assert_eq!(channel.apply(by_link(1, after(50))), Err(NoStep::Impossible(ConfirmationStatus::Expired)));
    let found = Happening::Confirmed { generation: generation(1), proof: Proof::Sync, at: after(200) };
    let step = channel.apply(found).unwrap();
    assert_eq!((step.to.status(), step.cause), (ConfirmationStatus::Confirmed, StatusChangeCause::Sync));
}

#[test]
fn an_expired_channel_can_be_asked_again_and_confirmed() {
    let mut channel = pending(1, after(100));
    go(&mut channel, time_passed(after(100)));
    let again = Happening::Subscribed { request: request(2), origin: Origin::Person };
    assert_eq!(go(&mut channel, again), ConfirmationStatus::Requested);
    let accepted = Happening::Accepted { generation: generation(2), expires_at: after(1000) };
    assert_eq!(go(&mut channel, accepted), ConfirmationStatus::Pending);
    assert_eq!(go(&mut channel, by_link(2, after(999))), ConfirmationStatus::Confirmed);
}

#[test]
fn a_resend_makes_the_old_link_useless() {
    let mut channel = pending(1, after(100));
    let resend = Happening::Subscribed { request: request(2), origin: Origin::Person };
    assert_eq!(channel.apply(resend).unwrap().retired, Some(generation(1)));
    go(&mut channel, resend);
    assert_eq!(channel.apply(by_link(1, after(50))), Err(NoStep::Late));
    go(&mut channel, Happening::Accepted { generation: generation(2), expires_at: after(200) });
    assert_eq!(channel.apply(by_link(1, after(50))), Err(NoStep::Late));
    assert_eq!(go(&mut channel, by_link(2, after(50))), ConfirmationStatus::Confirmed);
}

#[test]
fn an_edit_while_the_provider_is_being_asked_makes_its_answer_late() {
    let mut channel = channel(ChannelKind::Email, Confirmation::Requested(request(1)));
    let edit = Happening::EndpointSet { request: Some(request(2)), origin: Origin::Person };
    let step = channel.apply(edit).unwrap();
    assert_eq!((step.from.status(), step.to.status()), (ConfirmationStatus::Requested, ConfirmationStatus::Requested));
    assert_eq!((step.cause, step.retired), (StatusChangeCause::Edit, Some(generation(1))));
    go(&mut channel, edit);
    let accepted = Happening::Accepted { generation: generation(1), expires_at: after(100) };
    let refused = Happening::Refused { generation: generation(1), code: FailureCode::EndpointRefused };
    assert_eq!(channel.apply(accepted), Err(NoStep::Late));
    assert_eq!(channel.apply(refused), Err(NoStep::Late));
}

#[test]
fn every_answer_to_another_generation_is_late_in_every_status() {
    let answers = [
        Happening::Accepted { generation: generation(9), expires_at: after(100) },
        Happening::Refused { generation: generation(9), code: FailureCode::SenderRefused },
        by_link(9, after(1)),
        Happening::Confirmed { generation: generation(9), proof: Proof::Sync, at: after(1) },
        Happening::TimePassed { generation: generation(9), now: after(1_000_000) },
        Happening::OptedOut { generation: generation(9) },
        Happening::GoneAtProvider { generation: generation(9) },
    ];
    let unasked = [Confirmation::NotConfigured, Confirmation::Unsubscribed, Confirmation::NotRequired];
    for state in asked_states(request(1)).into_iter().chain(unasked) {
        for answer in answers {
            assert_eq!(channel(ChannelKind::Email, state).apply(answer), Err(NoStep::Late), "{state:?} {answer:?}");
        }
    }
}

#[test]
fn a_robot_is_never_asked() {
    for kind in ChannelKind::ALL.into_iter().filter(|kind| !kind.needs_confirmation()) {
        let mut robot = Channel::empty(kind);
        let subscribe = Happening::Subscribed { request: request(1), origin: Origin::Person };
        assert_eq!(robot.apply(subscribe), Err(NoStep::Impossible(ConfirmationStatus::NotConfigured)));
        for request in [None, Some(request(1))] {
            let step = robot.apply(Happening::EndpointSet { request, origin: Origin::Person }).unwrap();
            assert_eq!((step.to, step.retired), (Confirmation::NotRequired, None), "{}", kind.name());
        }
        robot.state = Confirmation::NotRequired;
        assert_eq!(robot.apply(subscribe), Err(NoStep::Impossible(ConfirmationStatus::NotRequired)));
        let edited = robot.apply(Happening::EndpointSet { request: None, origin: Origin::Person }).unwrap();
        assert_eq!((edited.from, edited.to), (Confirmation::NotRequired, Confirmation::NotRequired));
        let cleared = robot.apply(Happening::EndpointCleared { origin: Origin::Person }).unwrap();
        assert_eq!(cleared.to, Confirmation::NotConfigured);
    }
}

/// What a random history does next; a generation is counted back from the newest one.
#[derive(Debug, Clone, Copy)]
enum Move {
    Subscribe(Origin),
    Set(bool, Origin),
    Clear(Origin),
    Cancel,
    Accept(u128),
    Refuse(u128),
    Confirm(u128, Proof),
    Wait(u128, i64),
    OptOut(u128),
    Lose(u128),
}

fn any_move() -> impl Strategy<Value = Move> {
    let origin = || prop_oneof![Just(Origin::Person), Just(Origin::Directory)];
    let proof = prop_oneof![Just(Proof::Link), Just(Proof::Code), Just(Proof::Sync)];
    let back = || prop_oneof![4 => Just(0_u128), 1 => 1_u128..4];
    prop_oneof![
        3 => origin().prop_map(Move::Subscribe),
        2 => (any::<bool>(), origin()).prop_map(|(ask, origin)| Move::Set(ask, origin)),
        1 => origin().prop_map(Move::Clear),
        1 => Just(Move::Cancel),
        4 => back().prop_map(Move::Accept),
        1 => back().prop_map(Move::Refuse),
        4 => (back(), proof).prop_map(|(back, proof)| Move::Confirm(back, proof)),
        3 => (back(), 0_i64..60 * 60 * 60).prop_map(|(back, seconds)| Move::Wait(back, seconds)),
        1 => back().prop_map(Move::OptOut),
        1 => back().prop_map(Move::Lose),
    ]
}

/// A channel with what is known of its past.
struct History {
    channel: Channel,
    newest: u128,
    now: DateTime<Utc>,
    retired: Vec<ChannelSubscriptionId>,
}

impl History {
    fn happening(&mut self, next: Move) -> Happening {
        let newest = self.newest;
        let back = |steps: u128| generation(newest.saturating_sub(steps));
        let mut fresh = || {
            self.newest += 1;
            request(self.newest)
        };
        match next {
            Move::Subscribe(origin) => Happening::Subscribed { request: fresh(), origin },
            Move::Set(ask, origin) => Happening::EndpointSet { request: ask.then(fresh), origin },
            Move::Clear(origin) => Happening::EndpointCleared { origin },
            Move::Cancel => Happening::Cancelled,
            Move::Accept(steps) => {
                Happening::Accepted { generation: back(steps), expires_at: self.now + LINK_LIFETIME }
            }
            Move::Refuse(steps) => Happening::Refused { generation: back(steps), code: FailureCode::EndpointRefused },
            Move::Confirm(steps, proof) => Happening::Confirmed { generation: back(steps), proof, at: self.now },
            Move::Wait(steps, seconds) => {
                self.now += Duration::seconds(seconds);
                Happening::TimePassed { generation: back(steps), now: self.now }
            }
            Move::OptOut(steps) => Happening::OptedOut { generation: back(steps) },
            Move::Lose(steps) => Happening::GoneAtProvider { generation: back(steps) },
        }
    }

    fn present(&self) -> Option<ChannelSubscriptionId> {
        self.channel.state.request().map(|request| request.generation)
    }
}

/// The generation that a happening answers.
const fn answered(happening: Happening) -> Option<ChannelSubscriptionId> {
    match happening {
        Happening::Accepted { generation, .. }
        | Happening::Refused { generation, .. }
        | Happening::Confirmed { generation, .. }
        | Happening::TimePassed { generation, .. }
        | Happening::OptedOut { generation }
        | Happening::GoneAtProvider { generation } => Some(generation),
        Happening::Subscribed { .. }
        | Happening::EndpointSet { .. }
        | Happening::EndpointCleared { .. }
        | Happening::Cancelled => None,
    }
}

/// Whether only that happening can lead to the status.
fn fits(status: ConfirmationStatus, happening: Happening) -> bool {
    match status {
        ConfirmationStatus::NotConfigured => matches!(happening, Happening::EndpointCleared { .. }),
        ConfirmationStatus::NotRequired => matches!(happening, Happening::EndpointSet { .. }),
        ConfirmationStatus::Unsubscribed => {
            matches!(happening, Happening::EndpointSet { request: None, .. } | Happening::Cancelled)
        }
        ConfirmationStatus::Requested => {
            matches!(happening, Happening::Subscribed { .. } | Happening::EndpointSet { request: Some(_), .. })
        }
        ConfirmationStatus::Pending => matches!(happening, Happening::Accepted { .. }),
        ConfirmationStatus::Confirmed => matches!(happening, Happening::Confirmed { .. }),
        ConfirmationStatus::Expired => matches!(happening, Happening::TimePassed { .. }),
        ConfirmationStatus::Cancelled => {
            matches!(happening, Happening::OptedOut { .. } | Happening::GoneAtProvider { .. })
        }
        ConfirmationStatus::Failed => matches!(happening, Happening::Refused { .. }),
    }
}

proptest! {
    #[test]
    fn no_history_breaks_the_rules(
        kind in prop::sample::select(ChannelKind::ALL.to_vec()),
        moves in prop::collection::vec(any_move(), 1..60),
    ) {
        let mut past = History { channel: Channel::empty(kind), newest: 0, now: start(), retired: Vec::new() };
        for next in moves {
            let happening = past.happening(next);
            let (before, present) = (past.channel.state, past.present());
            let result = past.channel.apply(happening);
            if answered(happening).is_some() {
                prop_assert_eq!(result == Err(NoStep::Late), answered(happening) != present);
            } else {
                prop_assert_ne!(result, Err(NoStep::Late));
            }
            let Ok(step) = result else { continue };
            prop_assert_eq!(step.from, before);
            prop_assert!(fits(step.to.status(), happening), "{:?} by {:?}", step.to, happening);
            if let (Confirmation::Pending { expires_at, .. }, Happening::Confirmed { proof, at, .. }) = (before, happening) {
                prop_assert!(proof == Proof::Sync || at < expires_at);
            }
            past.channel.state = step.to;
            prop_assert_eq!(step.retired, present.filter(|_| past.present() != present));
            past.retired.extend(step.retired);
            prop_assert!(past.present().is_none_or(|now| !past.retired.contains(&now)), "a retired generation is back");
            if answered(happening).is_some() {
                prop_assert_eq!(past.present(), present, "an answer began another generation");
            }
            if !kind.needs_confirmation() {
                prop_assert!(matches!(step.to, Confirmation::NotConfigured | Confirmation::NotRequired));
            }
        }
    }
}
