//! The fields of `Mutation`, one file per noun: read the input, call the use case, show what came of it.

pub(super) mod api_key;
pub(super) mod channel;
pub(super) mod confirmation;
pub(super) mod contact;
pub(super) mod deletion;
pub(super) mod directory_sync;
pub(super) mod engineer;
mod ids;
mod once;

use super::{error::Result, object::user_error::UserError};
use crate::{
    domain::{
        account::Locale,
        refusal::{Refusal, RefusalCode},
    },
    service::ServiceError,
};

/// Parts what a person can act on from what they cannot: the inner error holds refusals, the outer one a fault.
fn part<T>(result: Result<T, ServiceError>, locale: Locale) -> Result<Result<T, Vec<UserError>>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(ServiceError::Refused(refusals)) => {
            Ok(Err(refusals.into_iter().map(|refusal| UserError::new(refusal, locale)).collect()))
        }
        Err(ServiceError::Forbidden(_)) => Ok(Err(refuse(Refusal::new(RefusalCode::NotAllowed), locale))),
        Err(error @ (ServiceError::Store(_) | ServiceError::UnknownAccount)) => Err(error.into()),
    }
}

/// A single refusal as a payload's `userErrors`.
fn refuse(refusal: Refusal, locale: Locale) -> Vec<UserError> {
    vec![UserError::new(refusal, locale)]
}
