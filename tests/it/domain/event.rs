//! Places in the event log, and their form for clients.

use proptest::prelude::*;
use rollcall::domain::{
    channel::ChannelKind,
    confirmation::{ConfirmationStatus, Happening, Origin, StatusChangeCause},
    event::{Cursor, CursorExpired, EngineerChangeKind, Event, InvalidCursor, LogBounds, Position, StatusChange},
    id::{DirectorySyncId, EngineerId},
};
use uuid::Uuid;

use super::{asked_states, channel, request};

const EPOCH: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

fn bounds(pruned_to: i64, head: i64) -> LogBounds {
    LogBounds { epoch: EPOCH, pruned_to: Position(pruned_to), head: Position(head) }
}

#[test]
fn a_cursor_is_the_epoch_and_the_position_in_hexadecimal() {
    let cursor = Cursor { epoch: EPOCH, position: Position(26) };
    assert_eq!(cursor.to_string(), "0123456789abcdef0123456789abcdef.1a");
    assert_eq!("0123456789abcdef0123456789abcdef.1a".parse(), Ok(cursor));
}

#[test]
fn what_is_no_cursor_is_refused() {
    let epoch = "0123456789abcdef0123456789abcdef";
    let refused = [
        String::new(),
        ".".to_owned(),
        epoch.to_owned(),
        format!("{epoch}."),
        format!(".{epoch}"),
        format!("{epoch}.g"),
        format!("{epoch}.-1"),
        format!("{epoch}.-0"),
        format!("{epoch}.+1"),
        format!("{epoch}. 1"),
        format!("{epoch}.1 "),
        format!("{epoch}.1.1"),
        format!("{epoch}.8000000000000000"),
        format!("{epoch}.10000000000000000"),
        format!("{}.1", epoch.trim_start_matches('0')),
        format!("{epoch}0.1"),
        "01234567-89ab-cdef-0123-456789abcdef.1".to_owned(),
        format!("{{{epoch}}}.1"),
        "林.1".to_owned(),
        "engineer:0123456789abcdef0123456789abcdef".to_owned(),
    ];
    for text in refused {
        assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text:?}");
    }
}

#[test]
fn a_stream_resumes_from_any_place_that_the_log_still_continues() {
    let log = bounds(10, 20);
    for (position, resumed) in [
        (0, Err(CursorExpired)),
        (9, Err(CursorExpired)),
        (10, Ok(Position(10))),
        (11, Ok(Position(11))),
        (20, Ok(Position(20))),
        (21, Err(CursorExpired)),
        (i64::MAX, Err(CursorExpired)),
    ] {
        assert_eq!(log.resume(log.cursor(Position(position))), resumed, "{position}");
    }
    assert_eq!(log.resume(log.head_cursor()), Ok(log.head));
}

#[test]
fn an_empty_log_resumes_from_its_beginning() {
    let log = bounds(0, 0);
    assert_eq!(log.resume(log.head_cursor()), Ok(Position(0)));
    assert_eq!(log.resume(log.cursor(Position(1))), Err(CursorExpired));
}

#[test]
fn a_cursor_of_another_log_has_expired_wherever_it_points() {
    let log = bounds(0, 20);
    for position in [0, 10, 20] {
        let foreign = Cursor { epoch: Uuid::from_u128(1), position: Position(position) };
        assert_eq!(log.resume(foreign), Err(CursorExpired), "{position}");
    }
}

#[test]
fn a_status_change_tells_the_step_it_comes_from() {
    let who = EngineerId(Uuid::from_u128(5));
    let [_, pending, ..] = asked_states(request(1));
    let edit = Happening::EndpointSet { request: Some(request(2)), origin: Origin::Person };
    let step = channel(ChannelKind::Sms, pending).apply(edit).unwrap();
    let expected = StatusChange {
        engineer: who,
        channel: ChannelKind::Sms,
        from: ConfirmationStatus::Pending,
        to: ConfirmationStatus::Requested,
        cause: StatusChangeCause::Edit,
    };
    assert_eq!(StatusChange::of(who, ChannelKind::Sms, &step), expected);
}

#[test]
fn only_events_about_one_engineer_name_one() {
    let (who, sync) = (EngineerId(Uuid::from_u128(5)), DirectorySyncId(Uuid::from_u128(6)));
    let kind = EngineerChangeKind::Deleted;
    assert_eq!(Event::EngineerChanged { engineer: who, kind }.engineer(), Some(who));
    assert_eq!(Event::RollChanged { sync: Some(sync), count: 3 }.engineer(), None);
    assert_eq!(Event::SyncProgressed { sync }.engineer(), None);
}

proptest! {
    #[test]
    fn every_cursor_is_read_back(epoch in any::<u128>(), position in 0..=i64::MAX) {
        let cursor = Cursor { epoch: Uuid::from_u128(epoch), position: Position(position) };
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn what_is_read_is_a_place_that_can_exist(text in "[0-9a-fA-F+. -]{30,52}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert!(cursor.position >= Position(0));
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }
}
