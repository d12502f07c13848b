//! The scalars. What a person types is a String and judged by the domain; these are for what the server knows.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, Utc};

use crate::domain::endpoint;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateTime(pub chrono::DateTime<Utc>);

/// A moment as RFC 3339 in UTC with milliseconds, such as `2026-11-24T08:30:00.000Z`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        read_moment(&value).map(Self).ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        read_moment(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

fn read_moment(value: &Value) -> Option<chrono::DateTime<Utc>> {
    let Value::String(text) = value else { return None };
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// An e-mail address in clear.
#[derive(Clone)]
pub(super) struct EmailAddress(pub endpoint::EmailAddress);

/// An e-mail address such as `lin@example.com`. Output only: what a person types is a String.
#[Scalar(specified_by_url = "https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address")]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> InputValueResult<Self> {
        let address = match &value {
            Value::String(text) => endpoint::EmailAddress::parse(text).ok(),
            _ => None,
        };
        address.map(Self).ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if endpoint::EmailAddress::parse(text).is_ok())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// A phone number in clear.
#[derive(Clone)]
pub(super) struct PhoneNumber(pub endpoint::PhoneNumber);

/// A phone number in the form of E.164, such as `+8613800138000`. Output only: what a person types is a String.
#[Scalar(specified_by_url = "https://www.itu.int/rec/T-REC-E.164")]
impl ScalarType for PhoneNumber {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::String(text) => endpoint::PhoneNumber::from_stored(text.clone()),
            _ => None,
        };
        number.map(Self).ok_or_else(|| InputValueError::expected_type(value))
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if endpoint::PhoneNumber::from_stored(text.clone()).is_some())
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// A count as a GraphQL `Int`.
pub(super) fn int(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
