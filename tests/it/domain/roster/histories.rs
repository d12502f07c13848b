//! Whatever was synced before, a plan is complete, and carried out it leaves nothing to do.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rollcall::domain::{
    engineer::{DirectoryIdentity, DirectoryState, Engineer, Touched, UserType},
    id::EngineerId,
    roster::{Entry, ListedPerson, Remembered, RosterInput, RosterPlan, SyncReason, plan},
};

use super::listed;
use crate::domain::{email, engineer, start};

/// A roll to which plans are applied, as the store does it.
#[derive(Default)]
struct Roll {
    people: Vec<Engineer>,
    remembered: HashMap<String, HashMap<String, Remembered>>,
    added: u128,
}

/// One run of a random history.
#[derive(Debug, Clone)]
struct Sync {
    directory: String,
    listed: Vec<ListedPerson>,
    unreadable: HashSet<String>,
    all_readable: bool,
    restore_deleted: bool,
    /// Whom a person deletes, or erases, afterwards: places on the roll.
    deletes: Vec<usize>,
    erases: Vec<usize>,
}

impl Roll {
    fn plan(&self, sync: &Sync) -> RosterPlan {
        let nobody = HashMap::new();
        plan(RosterInput {
            directory: &sync.directory,
            known: &self.people,
            remembered: self.remembered.get(&sync.directory).unwrap_or(&nobody),
            listed: sync.listed.clone(),
            unreadable: &sync.unreadable,
            all_readable: sync.all_readable,
            restore_deleted: sync.restore_deleted,
        })
    }

    fn get(&mut self, id: EngineerId) -> &mut Engineer {
        self.people.iter_mut().find(|engineer| engineer.id == id).expect("the plan names people of the roll")
    }

    fn apply(&mut self, directory: &str, plan: &RosterPlan) {
        for entry in &plan.entries {
            match entry {
                Entry::Added(person) => {
                    self.added += 1;
                    let mut new = engineer(self.added, &person.name);
                    follow(&mut new, person);
                    let id = new.id;
                    self.people.push(new);
                    self.identify(id, directory, person);
                }
                Entry::Updated(id, person, _) => follow(self.get(*id), person),
                Entry::Moved(id, person, _) => {
                    follow(self.get(*id), person);
                    self.identify(*id, directory, person);
                }
                Entry::Gone(id) => self.get(*id).directory_state = DirectoryState::Gone,
                Entry::Skipped(..) => {}
            }
        }
    }

    fn identify(&mut self, id: EngineerId, directory: &str, person: &ListedPerson) {
        let external_id = person.external_id.clone();
        let keys = self.remembered.entry(directory.to_owned()).or_default();
        keys.insert(external_id.clone(), Remembered::Engineer(id));
        self.get(id).identity = Some(DirectoryIdentity { directory: directory.to_owned(), external_id });
    }

    fn delete(&mut self, place: usize) {
        if let Some(engineer) = self.people.get_mut(place) {
            engineer.deleted_at = Some(start());
        }
    }

    /// Erases someone who is deleted; of them nothing stays but that their keys are known.
    fn erase(&mut self, place: usize) {
        if self.people.get(place).is_none_or(|engineer| engineer.deleted_at.is_none()) {
            return;
        }
        let id = self.people.remove(place).id;
        for remembered in self.remembered.values_mut().flat_map(HashMap::values_mut) {
            if *remembered == Remembered::Engineer(id) {
                *remembered = Remembered::Erased;
            }
        }
    }

    fn present(&self, directory: &str) -> Vec<&Engineer> {
        let of = |engineer: &&Engineer| engineer.identity.as_ref().is_some_and(|it| it.directory == directory);
        let there =
            |engineer: &&Engineer| engineer.deleted_at.is_none() && engineer.directory_state != DirectoryState::Gone;
        self.people.iter().filter(of).filter(there).collect()
    }
}

/// Takes over what the directory says.
fn follow(engineer: &mut Engineer, person: &ListedPerson) {
    engineer.name.clone_from(&person.name);
    engineer.user_type = person.user_type;
    engineer.directory_state = if person.active { DirectoryState::Active } else { DirectoryState::Disabled };
    engineer.deleted_at = None;
    if person.email.is_some() && !engineer.touched.email {
        engineer.email.clone_from(&person.email);
        engineer.touched = Touched { email: true, ..engineer.touched };
    }
}

/// People of few names, addresses and keys, so that they collide.
fn any_listing() -> impl Strategy<Value = Vec<ListedPerson>> {
    let person = (0..4_u8, prop::option::of(0..4_u8), any::<bool>(), any::<bool>());
    prop::collection::btree_map(0..6_u8, person, 0..6).prop_map(|people| {
        let read = |(key, (name, address, active, other)): (u8, (u8, Option<u8>, bool, bool))| ListedPerson {
            email: address.map(|number| email(&format!("m{number}@example.com"))),
            user_type: if other { UserType::Other } else { UserType::IamUser },
            active,
            ..listed(&format!("u{key}"), &format!("n{name}"))
        };
        people.into_iter().map(read).collect()
    })
}

fn any_sync() -> impl Strategy<Value = Sync> {
    let directory = prop::sample::select(vec!["iam".to_owned(), "csv".to_owned()]);
    let places = || prop::collection::vec(0..8_usize, 0..2);
    let unreadable = prop::collection::hash_set(0..6_u8, 0..2);
    let (readable, restore) = (prop::bool::weighted(0.8), prop::bool::weighted(0.2));
    (directory, any_listing(), unreadable, readable, restore, places(), places()).prop_map(
        |(directory, mut listed, unreadable, all_readable, restore_deleted, deletes, erases)| {
            let unreadable: HashSet<_> = unreadable.into_iter().map(|key| format!("u{key}")).collect();
            listed.retain(|person| !unreadable.contains(&person.external_id));
            Sync { directory, listed, unreadable, all_readable, restore_deleted, deletes, erases }
        },
    )
}

/// Everyone whom an entry concerns, by their key in the listing.
fn keys(plan: &RosterPlan) -> Vec<&str> {
    let listed = plan.entries.iter().filter_map(|entry| match entry {
        Entry::Added(person)
        | Entry::Updated(_, person, _)
        | Entry::Moved(_, person, _)
        | Entry::Skipped(person, _) => Some(person.external_id.as_str()),
        Entry::Gone(_) => None,
    });
    listed.collect()
}

/// Everyone on the roll whom an entry changes.
fn changed(plan: &RosterPlan) -> Vec<EngineerId> {
    let id = |entry: &Entry| match entry {
        Entry::Updated(id, ..) | Entry::Moved(id, ..) | Entry::Gone(id) => Some(*id),
        Entry::Added(_) | Entry::Skipped(..) => None,
    };
    plan.entries.iter().filter_map(id).collect()
}

fn is_unique<T: std::hash::Hash + Eq>(items: &[T]) -> bool {
    items.iter().collect::<HashSet<_>>().len() == items.len()
}

fn check_plan(roll: &Roll, sync: &Sync, plan: &RosterPlan) -> Result<(), TestCaseError> {
    let present = roll.present(&sync.directory);
    prop_assert_eq!(plan.present_before, present.len());
    prop_assert!(is_unique(&changed(plan)), "someone is in two entries: {:?}", plan);
    prop_assert!(is_unique(&keys(plan)), "a listed person is in two entries: {:?}", plan);
    prop_assert_eq!(keys(plan).len() + plan.unchanged, sync.listed.len(), "each listed person counts once");
    let mut unchanged = 0;
    for engineer in present {
        let key = &engineer.identity.as_ref().unwrap().external_id;
        let is_listed = sync.listed.iter().any(|person| person.external_id == *key);
        let entry = plan.entries.iter().find(|entry| match entry {
            Entry::Updated(id, ..) | Entry::Moved(id, ..) | Entry::Gone(id) => *id == engineer.id,
            Entry::Added(_) | Entry::Skipped(..) => false,
        });
        match entry {
            Some(Entry::Updated(..)) => prop_assert!(is_listed),
            Some(Entry::Moved(_, _, reasons)) => {
                prop_assert!(!is_listed);
                prop_assert_eq!(reasons[0], SyncReason::Revived);
            }
            Some(Entry::Gone(_)) => {
                prop_assert!(!is_listed && sync.all_readable && !sync.unreadable.contains(key));
            }
            Some(Entry::Added(_) | Entry::Skipped(..)) => unreachable!("they name nobody of the roll"),
            None if is_listed => unchanged += 1,
            None => prop_assert!(!sync.all_readable || sync.unreadable.contains(key), "{} was left out", engineer.name),
        }
    }
    prop_assert_eq!(plan.unchanged, unchanged);
    Ok(())
}

fn check_reasons(plan: &RosterPlan, sync: &Sync) -> Result<(), TestCaseError> {
    for entry in &plan.entries {
        match entry {
            Entry::Updated(_, _, reasons) | Entry::Moved(_, _, reasons) => {
                prop_assert!(!reasons.is_empty() && is_unique(reasons), "{:?}", reasons);
                prop_assert!(sync.restore_deleted || !reasons.contains(&SyncReason::Restored));
            }
            Entry::Skipped(_, reason) => {
                prop_assert!(matches!(reason, SyncReason::Deleted | SyncReason::MovedAway));
                prop_assert!(!sync.restore_deleted || *reason != SyncReason::Deleted);
            }
            Entry::Added(_) | Entry::Gone(_) => {}
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_plan_is_complete_and_leaves_nothing_to_do(history in prop::collection::vec(any_sync(), 1..12)) {
        let mut roll = Roll::default();
        for sync in history {
            let first = roll.plan(&sync);
            check_plan(&roll, &sync, &first)?;
            check_reasons(&first, &sync)?;
            roll.apply(&sync.directory, &first);
            let identities: Vec<_> = roll.people.iter().filter_map(|engineer| engineer.identity.clone()).collect();
            prop_assert!(is_unique(&identities), "two people have one identity");
            let again = roll.plan(&sync);
            let rest: Vec<_> = again.entries.iter().filter(|entry| !matches!(entry, Entry::Skipped(..))).collect();
            prop_assert!(rest.is_empty(), "{:?} after {:?}", rest, first.entries);
            sync.deletes.iter().for_each(|place| roll.delete(*place));
            sync.erases.iter().for_each(|place| roll.erase(*place));
        }
    }

    #[test]
    fn two_directories_in_turn_come_to_rest(left in any_listing(), right in any_listing()) {
        let mut roll = Roll::default();
        let sync = |directory: &str, listed: &[ListedPerson]| Sync {
            directory: directory.to_owned(),
            listed: listed.to_vec(),
            unreadable: HashSet::new(),
            all_readable: true,
            restore_deleted: false,
            deletes: Vec::new(),
            erases: Vec::new(),
        };
        let (left, right) = (sync("iam", &left), sync("csv", &right));
        for one in [&left, &right] {
            let plan = roll.plan(one);
            roll.apply(&one.directory, &plan);
        }
        for one in [&left, &right] {
            let plan = roll.plan(one);
            let skipped = |entry: &Entry| matches!(entry, Entry::Skipped(_, SyncReason::MovedAway));
            prop_assert!(plan.entries.iter().all(skipped), "{:?}", plan.entries);
        }
    }
}
