//! What a directory's listing means for the roll.

mod brake;
mod histories;
mod matching;
mod seeds;

use std::collections::{HashMap, HashSet};

use rollcall::domain::{
    engineer::{DirectoryState, Engineer, UserType},
    id::EngineerId,
    roster::{Entry, ListedPerson, Remembered, RosterInput, RosterPlan, SyncReason, plan},
};
use uuid::Uuid;

use super::{email, engineer, from_directory, start};

/// The directory that most tests read.
const IAM: &str = "iam";
/// Another directory of the same account.
const CSV: &str = "csv";

/// A roll and a run over it. Everything is readable and deleted people stay away unless a test says otherwise.
struct Run {
    known: Vec<Engineer>,
    remembered: HashMap<String, Remembered>,
    listed: Vec<ListedPerson>,
    unreadable: HashSet<String>,
    all_readable: bool,
    restore_deleted: bool,
}

impl Run {
    fn new(known: Vec<Engineer>, listed: Vec<ListedPerson>) -> Self {
        Self {
            known,
            remembered: HashMap::new(),
            listed,
            unreadable: HashSet::new(),
            all_readable: true,
            restore_deleted: false,
        }
    }

    fn remember(mut self, external_id: &str, remembered: Remembered) -> Self {
        self.remembered.insert(external_id.to_owned(), remembered);
        self
    }

    fn restoring(self) -> Self {
        Self { restore_deleted: true, ..self }
    }

    fn plan(&self) -> RosterPlan {
        plan(RosterInput {
            directory: IAM,
            known: &self.known,
            remembered: &self.remembered,
            listed: self.listed.clone(),
            unreadable: &self.unreadable,
            all_readable: self.all_readable,
            restore_deleted: self.restore_deleted,
        })
    }

    /// The plan's entries, where it should hold nothing but changes.
    fn entries(&self) -> Vec<Entry> {
        self.plan().entries
    }
}

fn id(number: u128) -> EngineerId {
    EngineerId(Uuid::from_u128(number))
}

/// Someone listed without anything to seed.
fn listed(external_id: &str, name: &str) -> ListedPerson {
    ListedPerson {
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        user_type: UserType::IamUser,
        active: true,
        identity_provider: None,
        alias: None,
        mobile: None,
        email: None,
        faults: Vec::new(),
    }
}

fn listed_with_email(external_id: &str, name: &str, address: &str) -> ListedPerson {
    ListedPerson { email: Some(email(address)), ..listed(external_id, name) }
}

/// Someone on the roll from [`IAM`].
fn here(number: u128, external_id: &str, name: &str) -> Engineer {
    from_directory(engineer(number, name), IAM, external_id)
}

/// Someone on the roll from [`CSV`].
fn elsewhere(number: u128, external_id: &str, name: &str) -> Engineer {
    from_directory(engineer(number, name), CSV, external_id)
}

fn gone(engineer: Engineer) -> Engineer {
    Engineer { directory_state: DirectoryState::Gone, ..engineer }
}

fn deleted(engineer: Engineer) -> Engineer {
    Engineer { deleted_at: Some(start()), ..engineer }
}

#[test]
fn every_reason_is_read_back() {
    for reason in SyncReason::ALL {
        assert_eq!(SyncReason::from_name(reason.name()), Some(reason));
    }
}

#[test]
fn an_unknown_person_is_added_with_the_directorys_identity() {
    let lin = listed("u1", "lin");
    let entries = Run::new(vec![], vec![lin.clone()]).entries();
    assert_eq!(entries, [Entry::Added(lin)]);
    let identity = entries[0].identity(IAM).unwrap();
    assert_eq!((identity.directory.as_str(), identity.external_id.as_str()), (IAM, "u1"));
}

#[test]
fn a_person_who_is_as_listed_is_unchanged() {
    let plan = Run::new(vec![here(1, "u1", "lin")], vec![listed("u1", "lin")]).plan();
    assert_eq!(plan, RosterPlan { entries: vec![], unchanged: 1, present_before: 1 });
}

#[test]
fn what_the_directory_owns_is_updated_with_the_reasons() {
    let changed = ListedPerson {
        user_type: UserType::IamUserSso,
        active: false,
        identity_provider: Some("okta".to_owned()),
        ..listed("u1", "lin-fang")
    };
    let reasons = vec![
        SyncReason::StateChanged,
        SyncReason::NameChanged,
        SyncReason::UserTypeChanged,
        SyncReason::IdentityProviderChanged,
    ];
    let entries = Run::new(vec![here(1, "u1", "lin")], vec![changed.clone()]).entries();
    assert_eq!(entries, [Entry::Updated(id(1), changed, reasons)]);
    assert_eq!(entries[0].identity(IAM), None);
}

#[test]
fn a_disabled_person_who_is_let_in_again_is_updated() {
    let known = Engineer { directory_state: DirectoryState::Disabled, ..here(1, "u1", "lin") };
    let entries = Run::new(vec![known], vec![listed("u1", "lin")]).entries();
    assert_eq!(entries, [Entry::Updated(id(1), listed("u1", "lin"), vec![SyncReason::StateChanged])]);
}

#[test]
fn a_person_no_longer_listed_is_gone_after_all_others() {
    let known = vec![here(1, "u1", "lin"), here(2, "u2", "wu")];
    let plan = Run::new(known, vec![listed("u2", "wu"), listed("u3", "he")]).plan();
    assert_eq!(plan.entries, [Entry::Added(listed("u3", "he")), Entry::Gone(id(1))]);
    assert_eq!((plan.unchanged, plan.present_before, plan.gone()), (1, 2, 1));
}

#[test]
fn only_present_people_of_this_directory_can_be_gone() {
    let known = vec![
        gone(here(1, "u1", "a")),
        deleted(here(2, "u2", "b")),
        elsewhere(3, "c1", "c"),
        engineer(4, "d"),
        Engineer { directory_state: DirectoryState::Disabled, ..here(5, "u5", "e") },
    ];
    let plan = Run::new(known, vec![]).plan();
    assert_eq!((plan.entries, plan.present_before), (vec![Entry::Gone(id(5))], 1));
}

#[test]
fn a_person_whose_entry_could_not_be_read_is_not_gone() {
    let known = vec![here(1, "u1", "lin"), here(2, "u2", "wu")];
    let run = Run { unreadable: HashSet::from(["u1".to_owned()]), ..Run::new(known, vec![]) };
    assert_eq!(run.entries(), [Entry::Gone(id(2))]);
}

#[test]
fn nobody_is_gone_while_an_entry_may_be_anyone() {
    let known = vec![here(1, "u1", "lin"), here(2, "u2", "wu"), here(3, "u3", "he")];
    let listing = vec![listed("u1", "lin-fang"), listed("u9", "new")];
    let plan = Run { all_readable: false, ..Run::new(known, listing) }.plan();
    let updated = Entry::Updated(id(1), listed("u1", "lin-fang"), vec![SyncReason::NameChanged]);
    assert_eq!(plan.entries, [updated, Entry::Added(listed("u9", "new"))]);
    assert_eq!((plan.gone(), plan.present_before, plan.needs_confirmation()), (0, 3, false));
}

#[test]
fn a_gone_person_who_is_listed_again_is_revived() {
    let plan = Run::new(vec![gone(here(1, "u1", "lin"))], vec![listed("u1", "lin")]).plan();
    assert_eq!(plan.entries, [Entry::Updated(id(1), listed("u1", "lin"), vec![SyncReason::Revived])]);
    assert_eq!(plan.present_before, 0);
    let disabled = ListedPerson { active: false, ..listed("u1", "lin") };
    let entries = Run::new(vec![gone(here(1, "u1", "lin"))], vec![disabled.clone()]).entries();
    assert_eq!(entries, [Entry::Updated(id(1), disabled, vec![SyncReason::Revived])]);
}

#[test]
fn a_deleted_person_stays_deleted_unless_the_run_restores() {
    let run = Run::new(vec![deleted(here(1, "u1", "lin"))], vec![listed("u1", "lin-fang")]);
    assert_eq!(run.entries(), [Entry::Skipped(listed("u1", "lin-fang"), SyncReason::Deleted)]);
    let reasons = vec![SyncReason::Restored, SyncReason::NameChanged];
    assert_eq!(run.restoring().entries(), [Entry::Updated(id(1), listed("u1", "lin-fang"), reasons)]);
}

#[test]
fn an_erased_person_stays_away_unless_the_run_restores() {
    let run = Run::new(vec![], vec![listed("u1", "lin")]).remember("u1", Remembered::Erased);
    assert_eq!(run.entries(), [Entry::Skipped(listed("u1", "lin"), SyncReason::Deleted)]);
    assert_eq!(run.restoring().entries(), [Entry::Added(listed("u1", "lin"))]);
}

#[test]
fn an_erased_person_takes_over_nobody() {
    let known = vec![elsewhere(2, "c1", "lin")];
    let run = Run::new(known, vec![listed("u1", "lin")]).remember("u1", Remembered::Erased);
    assert_eq!(run.entries(), [Entry::Skipped(listed("u1", "lin"), SyncReason::Deleted)]);
}

#[test]
fn a_person_listed_with_a_fault_is_told_of_and_otherwise_unchanged() {
    let faulty = ListedPerson { faults: vec![SyncReason::InvalidPhoneNumber], ..listed("u1", "lin") };
    let plan = Run::new(vec![here(1, "u1", "lin")], vec![faulty.clone()]).plan();
    assert_eq!(plan.entries, [Entry::Skipped(faulty.clone(), SyncReason::InvalidPhoneNumber)]);
    assert_eq!(plan.unchanged, 1);
    let renamed = ListedPerson { name: "lin-fang".to_owned(), ..faulty };
    let entries = Run::new(vec![here(1, "u1", "lin")], vec![renamed.clone()]).entries();
    assert_eq!(entries, [Entry::Updated(id(1), renamed, vec![SyncReason::NameChanged])]);
}
