//! Why a typed value was refused.

use super::Reason;

/// A typed value was refused. It names the fault and never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No phone number.
    #[error("not a phone number: {}", .0.name())]
    InvalidPhoneNumber(Reason),
    /// No mail address.
    #[error("not a mail address: {}", .0.name())]
    InvalidEmailAddress(Reason),
    /// Not the webhook of a robot of that channel.
    #[error("not a webhook of the channel: {}", .0.name())]
    InvalidWebhook(Reason),
    /// A text or a robot's secret that cannot be used.
    #[error("the value cannot be used: {}", .0.name())]
    InvalidValue(Reason),
    /// A text or a robot's secret that is longer than allowed.
    #[error("longer than {max} characters")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
}

impl EndpointError {
    /// The code in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidPhoneNumber(_) => "INVALID_PHONE_NUMBER",
            Self::InvalidEmailAddress(_) => "INVALID_EMAIL_ADDRESS",
            Self::InvalidWebhook(_) => "INVALID_WEBHOOK",
            Self::InvalidValue(_) => "INVALID_VALUE",
            Self::TooLong { .. } => "TOO_LONG",
        }
    }

    /// What exactly is wrong, for a message that says so.
    pub const fn reason(self) -> Reason {
        match self {
            Self::InvalidPhoneNumber(reason)
            | Self::InvalidEmailAddress(reason)
            | Self::InvalidWebhook(reason)
            | Self::InvalidValue(reason) => reason,
            Self::TooLong { .. } => Reason::TooLong,
        }
    }
}
