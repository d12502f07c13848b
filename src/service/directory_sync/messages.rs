//! How many messages a plan leads to, where the account asks the people whom a directory brings.

use std::collections::HashSet;

use crate::{
    domain::{
        id::AccountId,
        roster::{Entry, ListedPerson, RosterPlan, SyncReason},
    },
    store::{Store, StoreError},
};

/// How many endpoints are looked up at once.
const LOOKUP: usize = 500;

/// How many messages go out for what the plan seeds. Nobody is asked at an endpoint whose person opted out.
pub(super) async fn count_messages(store: &Store, id: &AccountId, plan: &RosterPlan) -> Result<usize, StoreError> {
    let rows = store.rows(id);
    let asked: Vec<_> = plan.entries.iter().flat_map(asked_endpoints).collect();
    let keys: Vec<_> = asked.iter().map(|(endpoint, _)| rows.endpoint_key(endpoint)).collect();
    let mut closed = HashSet::new();
    for chunk in keys.chunks(LOOKUP) {
        let guards = rows.find_guards(chunk).await?;
        closed.extend(guards.into_iter().filter(|(_, guard)| guard.opted_out_at.is_some()).map(|(key, _)| key));
    }
    let open = asked.iter().zip(&keys).filter(|(_, key)| !closed.contains(*key));
    Ok(open.map(|((_, messages), _)| messages).sum())
}

/// The endpoints at which an entry leads to messages, and to how many each: a mobile is asked by SMS and by voice.
fn asked_endpoints(entry: &Entry) -> impl Iterator<Item = (&str, usize)> {
    let (person, mobile, email): (Option<&ListedPerson>, _, _) = match entry {
        Entry::Added(person) => (Some(person), true, true),
        Entry::Updated(_, person, reasons) | Entry::Moved(_, person, reasons) => {
            let seeds = |reason| reasons.contains(&reason);
            (Some(person), seeds(SyncReason::MobileSeeded), seeds(SyncReason::EmailSeeded))
        }
        Entry::Gone(_) | Entry::Skipped(..) => (None, false, false),
    };
    let person = person.filter(|person| person.active);
    let mobile = person.and_then(|person| person.mobile.as_ref()).filter(|_| mobile);
    let email = person.and_then(|person| person.email.as_ref()).filter(|_| email);
    let mobile = mobile.map(|mobile| (mobile.as_str(), 2));
    mobile.into_iter().chain(email.map(|email| (email.as_str(), 1)))
}
