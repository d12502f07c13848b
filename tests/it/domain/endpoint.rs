//! What people type as endpoints, good and hostile.

mod email;
mod phone;
mod text;
mod webhook;

use std::collections::HashSet;

use rollcall::domain::endpoint::{EndpointError, Reason};

#[test]
fn every_reason_has_a_code_of_its_own() {
    let names: HashSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
    assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')), "{names:?}");
}

#[test]
fn an_error_names_its_code_and_its_reason() {
    let cases = [
        (EndpointError::InvalidPhoneNumber(Reason::TooShort), "INVALID_PHONE_NUMBER", Reason::TooShort),
        (EndpointError::InvalidEmailAddress(Reason::NoAtSign), "INVALID_EMAIL_ADDRESS", Reason::NoAtSign),
        (EndpointError::InvalidWebhook(Reason::WrongHost), "INVALID_WEBHOOK", Reason::WrongHost),
        (EndpointError::InvalidValue(Reason::Empty), "INVALID_VALUE", Reason::Empty),
        (EndpointError::TooLong { max: 64 }, "TOO_LONG", Reason::TooLong),
    ];
    for (error, code, reason) in cases {
        assert_eq!((error.code(), error.reason()), (code, reason));
    }
}
