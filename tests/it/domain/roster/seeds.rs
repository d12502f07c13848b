//! A directory seeds a field once, ever.

use rollcall::domain::{
    endpoint::EmailAddress,
    engineer::{Engineer, Touched},
    roster::{Entry, ListedPerson, SyncReason},
};

use super::{Run, here, id, listed};
use crate::domain::{email, mobile};

fn full() -> ListedPerson {
    ListedPerson {
        alias: Some("小林".to_owned()),
        mobile: Some(mobile("13800000000")),
        email: Some(email("lin@example.com")),
        ..listed("u1", "lin")
    }
}

#[test]
fn fields_that_never_were_are_seeded() {
    let entries = Run::new(vec![here(1, "u1", "lin")], vec![full()]).entries();
    let reasons = vec![SyncReason::AliasSeeded, SyncReason::MobileSeeded, SyncReason::EmailSeeded];
    assert_eq!(entries, [Entry::Updated(id(1), full(), reasons)]);
}

#[test]
fn each_field_is_seeded_on_its_own() {
    let all = Touched { alias: true, mobile: true, email: true };
    for (touched, reason) in [
        (Touched { alias: false, ..all }, SyncReason::AliasSeeded),
        (Touched { mobile: false, ..all }, SyncReason::MobileSeeded),
        (Touched { email: false, ..all }, SyncReason::EmailSeeded),
    ] {
        let known = Engineer { touched, ..here(1, "u1", "lin") };
        assert_eq!(Run::new(vec![known], vec![full()]).entries(), [Entry::Updated(id(1), full(), vec![reason])]);
    }
}

#[test]
fn a_field_that_someone_cleared_stays_clear() {
    let touched = Touched { alias: true, mobile: true, email: true };
    let known = Engineer { touched, ..here(1, "u1", "lin") };
    let plan = Run::new(vec![known], vec![full()]).plan();
    assert_eq!((plan.entries, plan.unchanged), (vec![], 1));
}

#[test]
fn an_edit_is_never_overwritten() {
    let known = Engineer {
        alias: Some("Lin".to_owned()),
        mobile: Some(mobile("13900000000")),
        email: EmailAddress::parse("other@example.com").ok(),
        touched: Touched { alias: true, mobile: true, email: true },
        ..here(1, "u1", "lin")
    };
    let plan = Run::new(vec![known], vec![full()]).plan();
    assert_eq!((plan.entries, plan.unchanged), (vec![], 1));
}

#[test]
fn a_blank_never_erases() {
    let known = Engineer {
        alias: Some("Lin".to_owned()),
        identity_provider: Some("okta".to_owned()),
        mobile: Some(mobile("13900000000")),
        email: Some(email("lin@example.com")),
        touched: Touched { alias: true, mobile: true, email: true },
        ..here(1, "u1", "lin")
    };
    let plan = Run::new(vec![known], vec![listed("u1", "lin")]).plan();
    assert_eq!((plan.entries, plan.unchanged), (vec![], 1));
}

#[test]
fn a_blank_does_not_use_up_the_one_seeding() {
    let known = here(1, "u1", "lin");
    assert_eq!(Run::new(vec![known.clone()], vec![listed("u1", "lin")]).entries(), []);
    let entries = Run::new(vec![known], vec![full()]).entries();
    assert!(matches!(entries.as_slice(), [Entry::Updated(_, _, reasons)] if reasons.len() == 3), "{entries:?}");
}
