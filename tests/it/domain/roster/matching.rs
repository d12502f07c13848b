//! Who is moved from one directory to another, and who is not.

use rollcall::domain::roster::{Entry, Remembered, SyncReason};

use super::{IAM, Run, deleted, elsewhere, gone, here, id, listed, listed_with_email};
use crate::domain::{engineer, with_email};

#[test]
fn a_person_of_another_directory_is_moved_by_their_email() {
    let known = vec![with_email(elsewhere(1, "c1", "old name"), "Lin@example.com")];
    let lin = listed_with_email("u1", "lin", "lin@EXAMPLE.com");
    let entries = Run::new(known, vec![lin.clone()]).entries();
    let reasons = vec![SyncReason::MatchedByEmail, SyncReason::NameChanged];
    assert_eq!(entries, [Entry::Moved(id(1), lin, reasons)]);
    assert_eq!(entries[0].identity(IAM).unwrap().external_id, "u1");
}

#[test]
fn a_person_added_by_hand_is_taken_over() {
    let entries = Run::new(vec![engineer(1, "lin")], vec![listed("u1", "lin")]).entries();
    assert_eq!(entries, [Entry::Moved(id(1), listed("u1", "lin"), vec![SyncReason::MatchedByName])]);
}

#[test]
fn a_gone_person_of_another_directory_is_moved_and_revived() {
    let entries = Run::new(vec![gone(elsewhere(1, "c1", "lin"))], vec![listed("u1", "lin")]).entries();
    let reasons = vec![SyncReason::MatchedByName, SyncReason::Revived];
    assert_eq!(entries, [Entry::Moved(id(1), listed("u1", "lin"), reasons)]);
}

#[test]
fn a_name_matches_only_where_no_email_speaks_against_it() {
    let known = with_email(elsewhere(1, "c1", "lin"), "lin@example.com");
    let other = listed_with_email("u1", "lin", "someone.else@example.com");
    assert_eq!(Run::new(vec![known.clone()], vec![other.clone()]).entries(), [Entry::Added(other.clone())]);
    let silent = listed("u1", "lin");
    let by_name = vec![SyncReason::MatchedByName];
    assert_eq!(Run::new(vec![known], vec![silent.clone()]).entries(), [Entry::Moved(id(1), silent, by_name)]);
    let by_name = vec![SyncReason::MatchedByName, SyncReason::EmailSeeded];
    let entries = Run::new(vec![elsewhere(1, "c1", "lin")], vec![other.clone()]).entries();
    assert_eq!(entries, [Entry::Moved(id(1), other, by_name)]);
}

#[test]
fn an_email_goes_before_a_name() {
    let known = vec![elsewhere(1, "c1", "lin"), with_email(elsewhere(2, "c2", "wu"), "lin@example.com")];
    let lin = listed_with_email("u1", "lin", "lin@example.com");
    let reasons = vec![SyncReason::MatchedByEmail, SyncReason::NameChanged];
    assert_eq!(Run::new(known, vec![lin.clone()]).entries(), [Entry::Moved(id(2), lin, reasons)]);
}

#[test]
fn an_ambiguous_match_is_nobody_s() {
    let two_on_the_roll = vec![
        with_email(elsewhere(1, "c1", "a"), "team@example.com"),
        with_email(elsewhere(2, "c2", "b"), "team@example.com"),
    ];
    let team = listed_with_email("u1", "lin", "team@example.com");
    assert_eq!(Run::new(two_on_the_roll, vec![team.clone()]).entries(), [Entry::Added(team)]);

    let two_of_a_name = vec![elsewhere(1, "c1", "lin"), engineer(2, "lin")];
    assert_eq!(Run::new(two_of_a_name, vec![listed("u1", "lin")]).entries(), [Entry::Added(listed("u1", "lin"))]);

    let two_listed = vec![listed("u1", "lin"), listed("u2", "lin")];
    let entries = Run::new(vec![elsewhere(1, "c1", "lin")], two_listed).entries();
    assert_eq!(entries, [Entry::Added(listed("u1", "lin")), Entry::Added(listed("u2", "lin"))]);

    let shared =
        vec![listed_with_email("u1", "a", "team@example.com"), listed_with_email("u2", "b", "Team@example.com")];
    let known = vec![with_email(elsewhere(1, "c1", "x"), "team@example.com")];
    let entries = Run::new(known, shared.clone()).entries();
    assert_eq!(entries, [Entry::Added(shared[0].clone()), Entry::Added(shared[1].clone())]);
}

#[test]
fn one_person_is_not_moved_twice_in_a_run() {
    let known = vec![with_email(elsewhere(1, "c1", "lin"), "lin@example.com")];
    let listing = vec![listed("u1", "lin"), listed_with_email("u2", "other", "lin@example.com")];
    let entries = Run::new(known, listing.clone()).entries();
    let moved = Entry::Moved(id(1), listing[0].clone(), vec![SyncReason::MatchedByName]);
    assert_eq!(entries, [moved, Entry::Added(listing[1].clone())]);
}

#[test]
fn people_of_this_very_directory_are_known_by_their_key_alone() {
    let known = vec![with_email(gone(here(1, "u1", "lin")), "lin@example.com")];
    let recreated = listed_with_email("u2", "lin", "lin@example.com");
    assert_eq!(Run::new(known, vec![recreated.clone()]).entries(), [Entry::Added(recreated)]);
}

#[test]
fn deleted_people_are_not_moved_by_a_match() {
    let entries = Run::new(vec![deleted(elsewhere(1, "c1", "lin"))], vec![listed("u1", "lin")]).entries();
    assert_eq!(entries, [Entry::Added(listed("u1", "lin"))]);
}

#[test]
fn two_directories_that_list_one_person_do_not_take_them_from_each_other() {
    let run = Run::new(vec![elsewhere(1, "c1", "lin")], vec![listed("u1", "lin")]);
    let run = run.remember("u1", Remembered::Engineer(id(1)));
    let plan = run.plan();
    assert_eq!(plan.entries, [Entry::Skipped(listed("u1", "lin"), SyncReason::MovedAway)]);
    assert_eq!((plan.gone(), plan.present_before), (0, 0));
}

#[test]
fn a_person_whom_the_other_directory_lost_comes_back() {
    let run = Run::new(vec![gone(elsewhere(1, "c1", "lin"))], vec![listed("u1", "lin")]);
    let run = run.remember("u1", Remembered::Engineer(id(1)));
    assert_eq!(run.entries(), [Entry::Moved(id(1), listed("u1", "lin"), vec![SyncReason::Revived])]);
}

#[test]
fn a_person_deleted_after_they_moved_stays_deleted_unless_the_run_restores() {
    for known in [deleted(elsewhere(1, "c1", "lin")), deleted(gone(elsewhere(1, "c1", "lin")))] {
        let run = Run::new(vec![known.clone()], vec![listed("u1", "lin")]);
        let run = run.remember("u1", Remembered::Engineer(id(1)));
        assert_eq!(run.entries(), [Entry::Skipped(listed("u1", "lin"), SyncReason::Deleted)]);
        match run.restoring().entries().as_slice() {
            [Entry::Moved(who, _, reasons)] => assert_eq!((*who, reasons[0]), (id(1), SyncReason::Restored)),
            entries => panic!("{entries:?}"),
        }
    }
}

#[test]
fn a_former_key_of_this_directory_counts_again_when_the_present_one_is_no_longer_listed() {
    let run = |listing| Run::new(vec![here(1, "u2", "lin")], listing).remember("u1", Remembered::Engineer(id(1)));
    let both = run(vec![listed("u1", "lin"), listed("u2", "lin")]).plan();
    assert_eq!(both.entries, [Entry::Skipped(listed("u1", "lin"), SyncReason::MovedAway)]);
    let back = run(vec![listed("u1", "lin")]).plan();
    assert_eq!(back.entries, [Entry::Moved(id(1), listed("u1", "lin"), vec![SyncReason::Revived])]);
    let unsure = Run { all_readable: false, ..run(vec![listed("u1", "lin")]) }.plan();
    assert_eq!(unsure.entries, [Entry::Skipped(listed("u1", "lin"), SyncReason::MovedAway)]);
}

#[test]
fn a_deleted_person_with_two_listed_keys_is_restored_once() {
    let listing = vec![listed("u1", "lin"), listed("u2", "lin")];
    let run = Run::new(vec![deleted(here(1, "u2", "lin"))], listing).remember("u1", Remembered::Engineer(id(1)));
    let skipped = Entry::Skipped(listed("u1", "lin"), SyncReason::MovedAway);
    let deleted = Entry::Skipped(listed("u2", "lin"), SyncReason::Deleted);
    assert_eq!(run.entries(), [skipped.clone(), deleted]);
    let restored = Entry::Updated(id(1), listed("u2", "lin"), vec![SyncReason::Restored]);
    assert_eq!(run.restoring().entries(), [skipped, restored]);
}
