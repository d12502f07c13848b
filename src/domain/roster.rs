//! The roster diff: what a directory's listing means for the roll.
//!
//! The plan is made from three things: who is known, who is listed, and which directory identities were seen before. It is pure,
//! so the same plan serves the dry run and the run itself.

use std::collections::{HashMap, HashSet};

use super::{
    endpoint::{EmailAddress, PhoneNumber},
    engineer::{DirectoryIdentity, DirectoryState, Engineer, UserType},
    id::EngineerId,
    named::named,
};

/// The share of a directory's people, in percent, that may be gone without confirmation.
pub const GONE_PERCENT: usize = 20;

/// The number of people that may be gone without confirmation.
pub const GONE_PEOPLE: usize = 50;

/// A person of a listing, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPerson {
    /// The directory's key.
    pub external_id: String,
    /// The user name.
    pub name: String,
    /// The kind of user.
    pub user_type: UserType,
    /// Whether the directory lets them in.
    pub active: bool,
    /// The identity provider of a federated user.
    pub identity_provider: Option<String>,
    /// Seeds the alias.
    pub alias: Option<String>,
    /// Seeds the mobile.
    pub mobile: Option<PhoneNumber>,
    /// Seeds the e-mail address.
    pub email: Option<EmailAddress>,
    /// What of the entry was left out because it is not valid.
    pub faults: Vec<SyncReason>,
}

impl ListedPerson {
    const fn state(&self) -> DirectoryState {
        if self.active { DirectoryState::Active } else { DirectoryState::Disabled }
    }
}

/// What was seen of a directory identity before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// It belongs, or once belonged, to that engineer.
    Engineer(EngineerId),
    /// Its person was deleted and erased.
    Erased,
}

named! {
    /// Why something happens, or does not, to one person in a sync.
    pub enum SyncReason {
        /// The name differs.
        NameChanged = "NAME_CHANGED",
        /// The user type differs.
        UserTypeChanged = "USER_TYPE_CHANGED",
        /// The identity provider differs.
        IdentityProviderChanged = "IDENTITY_PROVIDER_CHANGED",
        /// The directory enabled or disabled the person.
        StateChanged = "STATE_CHANGED",
        /// The person was GONE and is listed again.
        Revived = "REVIVED",
        /// The person was deleted and comes back, as the run asked for.
        Restored = "RESTORED",
        /// The alias was set for the first time.
        AliasSeeded = "ALIAS_SEEDED",
        /// The mobile was set for the first time.
        MobileSeeded = "MOBILE_SEEDED",
        /// The e-mail address was set for the first time.
        EmailSeeded = "EMAIL_SEEDED",
        /// Found by the e-mail address in another directory.
        MatchedByEmail = "MATCHED_BY_EMAIL",
        /// Found by the name in another directory.
        MatchedByName = "MATCHED_BY_NAME",
        /// The person was deleted on the roll, and the run does not ask for deleted people.
        Deleted = "DELETED",
        /// The person moved to another directory, and is still listed there.
        MovedAway = "MOVED_AWAY",
        /// The directory no longer lists the person.
        NotListed = "NOT_LISTED",
        /// The listed mobile is no phone number.
        InvalidPhoneNumber = "INVALID_PHONE_NUMBER",
        /// The listed e-mail address is none.
        InvalidEmailAddress = "INVALID_EMAIL_ADDRESS",
        /// The listed alias is too long or holds characters that are not allowed.
        InvalidAlias = "INVALID_ALIAS",
        /// The listed name is too long or holds characters that are not allowed.
        InvalidName = "INVALID_NAME",
    }
}

/// What a run does to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Comes onto the roll.
    Added(ListedPerson),
    /// Is on the roll and differs.
    Updated(EngineerId, ListedPerson, Vec<SyncReason>),
    /// Is on the roll from elsewhere, and is from this directory now. Confirmations stay.
    Moved(EngineerId, ListedPerson, Vec<SyncReason>),
    /// Is no longer listed.
    Gone(EngineerId),
    /// Is listed and stays off the roll, or stays as it is.
    Skipped(ListedPerson, SyncReason),
}

/// What a listing means for the roll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterPlan {
    /// The changes, in the order of the listing, the gone last.
    pub entries: Vec<Entry>,
    /// How many people are as the directory says.
    pub unchanged: usize,
    /// How many people of this directory were on the roll before and not GONE.
    pub present_before: usize,
}

impl RosterPlan {
    /// How many people would be gone.
    pub fn gone(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Gone(_))).count()
    }

    /// Whether so many would be gone that a person must confirm it: more than [`GONE_PERCENT`] or [`GONE_PEOPLE`].
    pub fn needs_confirmation(&self) -> bool {
        are_too_many_gone(self.gone(), self.present_before)
    }
}

/// Whether so many of so many are missing that the listing itself must be doubted: more than [`GONE_PERCENT`] or [`GONE_PEOPLE`].
pub const fn are_too_many_gone(gone: usize, present_before: usize) -> bool {
    gone > GONE_PEOPLE || gone * 100 > present_before * GONE_PERCENT
}

/// What the plan is made from.
pub struct RosterInput<'a> {
    /// The directory that was read.
    pub directory: &'a str,
    /// Everyone of the account, deleted people who are not erased included.
    pub known: &'a [Engineer],
    /// What was seen of this directory's identities before, by external id.
    pub remembered: &'a HashMap<String, Remembered>,
    /// The listing.
    pub listed: Vec<ListedPerson>,
    /// External ids that are listed but could not be read; their people are not gone.
    pub unreadable: &'a HashSet<String>,
    /// False when an entry of the listing hides even its external id: it may be anyone, so then nobody is gone.
    pub all_readable: bool,
    /// Whether deleted people come back.
    pub restore_deleted: bool,
}

/// Makes the plan.
pub fn plan(input: RosterInput<'_>) -> RosterPlan {
    let lookup = Lookup::new(&input);
    let RosterInput { directory, known, listed, restore_deleted, .. } = input;
    let mut plan = RosterPlan::default();
    let mut seen = HashSet::new();
    for person in listed {
        match lookup.find(&person) {
            Found::Nobody => plan.entries.push(Entry::Added(person)),
            Found::Erased if restore_deleted => plan.entries.push(Entry::Added(person)),
            Found::Erased => plan.entries.push(Entry::Skipped(person, SyncReason::Deleted)),
            Found::Here(engineer) => {
                seen.insert(engineer.id);
                plan.compare(engineer, person, restore_deleted);
            }
            Found::Elsewhere(engineer, _) if engineer.deleted_at.is_some() && !restore_deleted => {
                plan.entries.push(Entry::Skipped(person, SyncReason::Deleted));
            }
            Found::Elsewhere(engineer, _) if !seen.insert(engineer.id) => plan.entries.push(Entry::Added(person)),
            Found::Elsewhere(engineer, reason) => {
                let mut reasons = vec![reason];
                reasons.extend(differences(engineer, &person).filter(|further| *further != reason));
                plan.entries.push(Entry::Moved(engineer.id, person, reasons));
            }
            Found::MovedAway => plan.entries.push(Entry::Skipped(person, SyncReason::MovedAway)),
        }
    }
    for engineer in known.iter().filter(|engineer| is_present(engineer, directory)) {
        plan.present_before += 1;
        if !seen.contains(&engineer.id) && !lookup.held.contains(&engineer.id) {
            plan.entries.push(Entry::Gone(engineer.id));
        }
    }
    plan
}

impl RosterPlan {
    fn compare(&mut self, engineer: &Engineer, person: ListedPerson, restore_deleted: bool) {
        if engineer.deleted_at.is_some() && !restore_deleted {
            return self.entries.push(Entry::Skipped(person, SyncReason::Deleted));
        }
        let mut reasons: Vec<_> = differences(engineer, &person).collect();
        if engineer.deleted_at.is_some() {
            reasons.insert(0, SyncReason::Restored);
        }
        if reasons.is_empty() && person.faults.is_empty() {
            self.unchanged += 1;
        } else if reasons.is_empty() {
            let reason = person.faults[0];
            self.unchanged += 1;
            self.entries.push(Entry::Skipped(person, reason));
        } else {
            self.entries.push(Entry::Updated(engineer.id, person, reasons));
        }
    }
}

fn is_present(engineer: &Engineer, directory: &str) -> bool {
    engineer.deleted_at.is_none()
        && engineer.directory_state != DirectoryState::Gone
        && engineer.identity.as_ref().is_some_and(|identity| identity.directory == directory)
}

/// What the directory says that the roll does not say yet. A blank never erases, and a field that was set once is not seeded.
fn differences(engineer: &Engineer, person: &ListedPerson) -> impl Iterator<Item = SyncReason> {
    let touched = engineer.touched;
    let idp_differs = person.identity_provider.is_some() && engineer.identity_provider != person.identity_provider;
    let state = match (engineer.directory_state, person.state()) {
        (DirectoryState::Gone, _) => Some(SyncReason::Revived),
        (before, now) if before != now => Some(SyncReason::StateChanged),
        (DirectoryState::Active | DirectoryState::Disabled, _) => None,
    };
    [
        state,
        (engineer.name != person.name).then_some(SyncReason::NameChanged),
        (engineer.user_type != person.user_type).then_some(SyncReason::UserTypeChanged),
        idp_differs.then_some(SyncReason::IdentityProviderChanged),
        (!touched.alias && person.alias.is_some()).then_some(SyncReason::AliasSeeded),
        (!touched.mobile && person.mobile.is_some()).then_some(SyncReason::MobileSeeded),
        (!touched.email && person.email.is_some()).then_some(SyncReason::EmailSeeded),
    ]
    .into_iter()
    .flatten()
}

enum Found<'a> {
    /// On the roll from this directory.
    Here(&'a Engineer),
    /// On the roll from another directory, under another key or by hand, and taken over; or deleted there.
    Elsewhere(&'a Engineer, SyncReason),
    /// Once of this directory under this key, now present in another one or under another key.
    MovedAway,
    /// Deleted and erased.
    Erased,
    /// New.
    Nobody,
}

struct Lookup<'a> {
    directory: &'a str,
    /// Those of this directory who are listed, or may be: they are not gone, and nobody else takes them over.
    held: HashSet<EngineerId>,
    by_external_id: HashMap<&'a str, &'a Engineer>,
    by_id: HashMap<EngineerId, &'a Engineer>,
    by_email: HashMap<String, Candidate<'a>>,
    by_name: HashMap<&'a str, Candidate<'a>>,
    remembered: &'a HashMap<String, Remembered>,
}

/// A match must be the only one: two people with one e-mail address or name are nobody's match.
enum Candidate<'a> {
    One(&'a Engineer),
    Several,
}

impl<'a> Candidate<'a> {
    const fn only(&self) -> Option<&'a Engineer> {
        match self {
            Self::One(engineer) => Some(engineer),
            Self::Several => None,
        }
    }
}

fn add_candidate<'a, K: std::hash::Hash + Eq>(map: &mut HashMap<K, Candidate<'a>>, key: K, engineer: &'a Engineer) {
    map.entry(key).and_modify(|found| *found = Candidate::Several).or_insert(Candidate::One(engineer));
}

impl<'a> Lookup<'a> {
    fn new(input: &RosterInput<'a>) -> Self {
        let listed_ids: HashSet<&str> = input.listed.iter().map(|person| person.external_id.as_str()).collect();
        let mut lookup = Self {
            directory: input.directory,
            held: HashSet::new(),
            by_external_id: HashMap::new(),
            by_id: input.known.iter().map(|engineer| (engineer.id, engineer)).collect(),
            by_email: HashMap::new(),
            by_name: HashMap::new(),
            remembered: input.remembered,
        };
        for engineer in input.known {
            match &engineer.identity {
                Some(identity) if identity.directory == input.directory => {
                    let id = identity.external_id.as_str();
                    lookup.by_external_id.insert(id, engineer);
                    if !input.all_readable || listed_ids.contains(id) || input.unreadable.contains(id) {
                        lookup.held.insert(engineer.id);
                    }
                }
                Some(_) | None if engineer.deleted_at.is_none() => {
                    if let Some(email) = &engineer.email {
                        add_candidate(&mut lookup.by_email, email.key(), engineer);
                    }
                    add_candidate(&mut lookup.by_name, &engineer.name, engineer);
                }
                Some(_) | None => {}
            }
        }
        lookup.forget_shared_matches(&input.listed);
        lookup
    }

    /// One person on the roll cannot be two people of the listing.
    fn forget_shared_matches(&mut self, listed: &[ListedPerson]) {
        let mut emails = HashSet::new();
        let mut names = HashSet::new();
        for person in listed {
            if let Some(email) = &person.email
                && !emails.insert(email.key())
            {
                self.by_email.remove(&email.key());
            }
            if !names.insert(person.name.as_str()) {
                self.by_name.remove(person.name.as_str());
            }
        }
    }

    fn find(&self, person: &ListedPerson) -> Found<'a> {
        if let Some(engineer) = self.by_external_id.get(person.external_id.as_str()) {
            return Found::Here(engineer);
        }
        match self.remembered.get(&person.external_id) {
            Some(Remembered::Erased) => return Found::Erased,
            Some(Remembered::Engineer(id)) => {
                if let Some(engineer) = self.by_id.get(id) {
                    return self.return_of(engineer);
                }
            }
            None => {}
        }
        self.find_elsewhere(person)
    }

    /// Someone who was of this directory once, moved, and is listed here again: they come back only if the other directory lost
    /// them, or their other key is no longer listed here. Else two directories that list the same person would take them from
    /// each other for ever.
    fn return_of(&self, engineer: &'a Engineer) -> Found<'a> {
        let here = engineer.identity.as_ref().is_some_and(|identity| identity.directory == self.directory);
        let deleted = engineer.deleted_at.is_some();
        let present = if here {
            self.held.contains(&engineer.id)
        } else {
            !deleted && engineer.directory_state != DirectoryState::Gone
        };
        match (present, deleted) {
            (true, _) => Found::MovedAway,
            (false, true) => Found::Elsewhere(engineer, SyncReason::Restored),
            (false, false) => Found::Elsewhere(engineer, SyncReason::Revived),
        }
    }

    fn find_elsewhere(&self, person: &ListedPerson) -> Found<'a> {
        let by_email = person.email.as_ref().and_then(|email| self.by_email.get(&email.key())?.only());
        if let Some(engineer) = by_email {
            return Found::Elsewhere(engineer, SyncReason::MatchedByEmail);
        }
        let by_name = self.by_name.get(person.name.as_str()).and_then(Candidate::only);
        match by_name {
            Some(engineer) if engineer.email.is_none() || person.email.is_none() => {
                Found::Elsewhere(engineer, SyncReason::MatchedByName)
            }
            Some(_) | None => Found::Nobody,
        }
    }
}

impl Entry {
    /// The identity that the run gives to the engineer, where it gives one.
    pub fn identity(&self, directory: &str) -> Option<DirectoryIdentity> {
        match self {
            Self::Added(person) | Self::Moved(_, person, _) => {
                Some(DirectoryIdentity { directory: directory.to_owned(), external_id: person.external_id.clone() })
            }
            Self::Updated(..) | Self::Gone(_) | Self::Skipped(..) => None,
        }
    }
}
