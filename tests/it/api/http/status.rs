//! Which status an answer has, by the rules of today and by those of the draft.

use rollcall::http::graphql_status::{
    MediaType::{self, EventStream, GraphqlResponse, Json},
    Outcome,
    Profile::{self, Audit, Draft2026},
    status_of,
};

#[test]
fn the_outcome_the_form_and_the_rules_decide_the_status() {
    // json, graphql-response+json and event-stream as audited; the same by the draft.
    let table = [
        (Outcome::Unreadable, [400, 400, 400], [400, 400, 400]),
        (Outcome::IllFormed, [400, 400, 400], [422, 422, 422]),
        (Outcome::Unparsed, [200, 400, 200], [400, 400, 200]),
        (Outcome::Refused, [200, 400, 200], [422, 422, 200]),
        (Outcome::NotCarried, [400, 400, 400], [422, 422, 422]),
        (Outcome::Unauthenticated, [401; 3], [401; 3]),
        (Outcome::Forbidden, [403; 3], [403; 3]),
        (Outcome::RateLimited, [429; 3], [429; 3]),
        (Outcome::Unavailable, [503; 3], [503; 3]),
        (Outcome::Failed, [500; 3], [500; 3]),
        (Outcome::Complete, [200; 3], [200; 3]),
        (Outcome::Partial, [200, 200, 200], [294, 294, 200]),
    ];
    let all =
        |outcome, profile| [Json, GraphqlResponse, EventStream].map(|form| status_of(outcome, form, profile).as_u16());
    for (outcome, audited, drafted) in table {
        assert_eq!(all(outcome, Audit), audited, "{outcome:?}");
        assert_eq!(all(outcome, Draft2026), drafted, "{outcome:?}");
    }
}

#[test]
fn the_rules_of_the_audits_hold_unless_something_else_is_said() {
    assert_eq!(Profile::default(), Audit);
    assert_eq!(MediaType::GraphqlResponse.name(), "application/graphql-response+json; charset=utf-8");
}
