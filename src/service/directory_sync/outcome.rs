//! What a run did to whom, as it is stored.

use crate::{
    domain::{
        id::EngineerId,
        roster::{Entry, ListedPerson, SyncReason},
    },
    port::directory::ListingProblem,
    store::SyncOutcome,
};

/// The outcome of an entry; `engineer` is who came onto the roll by it.
pub(super) fn outcome_of(entry: &Entry, engineer: Option<EngineerId>) -> SyncOutcome {
    let (outcome, known, person, reasons): (_, _, Option<&ListedPerson>, &[SyncReason]) = match entry {
        Entry::Added(person) => ("ADDED", None, Some(person), &[]),
        Entry::Updated(id, person, reasons) => ("UPDATED", Some(*id), Some(person), reasons),
        Entry::Moved(id, person, reasons) => ("MOVED", Some(*id), Some(person), reasons),
        Entry::Gone(id) => ("GONE", Some(*id), None, &[SyncReason::NotListed]),
        Entry::Skipped(person, reason) => ("SKIPPED", None, Some(person), std::slice::from_ref(reason)),
    };
    let faults = person.map_or(&[][..], |person| person.faults.as_slice());
    let mut codes: Vec<_> = reasons.iter().chain(faults).map(|reason| reason.name().to_owned()).collect();
    codes.dedup();
    SyncOutcome {
        outcome: outcome.to_owned(),
        engineer: known.or(engineer),
        external_id: person.map(|person| person.external_id.clone()),
        line: None,
        reasons: codes,
    }
}

/// The outcome of an entry that no longer fits, since the person was deleted after the plan was made.
pub(super) fn outcome_of_unfit(entry: &Entry) -> SyncOutcome {
    let outcome = outcome_of(entry, None);
    SyncOutcome {
        outcome: "SKIPPED".to_owned(),
        engineer: None,
        reasons: vec![SyncReason::Deleted.name().to_owned()],
        ..outcome
    }
}

/// The outcome of an entry that could not be read.
pub(super) fn outcome_of_problem(problem: &ListingProblem) -> SyncOutcome {
    let field = problem.field.as_ref().map(|field| format!("FIELD:{field}"));
    SyncOutcome {
        outcome: "REFUSED".to_owned(),
        engineer: None,
        external_id: problem.external_id.clone(),
        line: problem.line.and_then(|line| i64::try_from(line).ok()),
        reasons: std::iter::once(problem.code.name().to_owned()).chain(field).collect(),
    }
}
