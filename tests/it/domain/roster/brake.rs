//! How many people may be gone without a person's word.

use rollcall::domain::roster::{GONE_PEOPLE, GONE_PERCENT, RosterPlan};

use super::{Run, here, listed};

/// The plan of a run in which so many of so many people are no longer listed.
fn losing(lost: usize, of: usize) -> RosterPlan {
    let names: Vec<_> = (0..of).map(|number| format!("u{number}")).collect();
    let known = names.iter().enumerate().map(|(number, name)| here(number as u128, name, name)).collect();
    let still_listed = names.iter().skip(lost).map(|name| listed(name, name)).collect();
    let plan = Run::new(known, still_listed).plan();
    assert_eq!((plan.gone(), plan.unchanged, plan.present_before), (lost, of - lost, of));
    plan
}

#[test]
fn more_than_20_percent_or_50_people_need_a_confirmation() {
    assert_eq!((GONE_PERCENT, GONE_PEOPLE), (20, 50));
    for (lost, of, stops) in [
        (0, 0, false),
        (0, 10, false),
        (1, 1, true),
        (1, 4, true),
        (1, 5, false),
        (2, 9, true),
        (2, 10, false),
        (3, 10, true),
        (20, 100, false),
        (21, 100, true),
        (50, 250, false),
        (50, 249, true),
        (51, 255, true),
        (50, 1000, false),
        (51, 1000, true),
    ] {
        assert_eq!(losing(lost, of).needs_confirmation(), stops, "{lost} of {of}");
    }
}

#[test]
fn people_who_come_do_not_make_up_for_people_who_go() {
    let known: Vec<_> = (0..10).map(|number| here(number, &format!("u{number}"), "x")).collect();
    let listing: Vec<_> = (3..100).map(|number| listed(&format!("u{number}"), "x")).collect();
    let plan = Run::new(known, listing).plan();
    assert_eq!((plan.gone(), plan.present_before), (3, 10));
    assert!(plan.needs_confirmation());
}
