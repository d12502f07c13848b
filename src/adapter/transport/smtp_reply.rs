//! What a failed SMTP conversation means.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use crate::{domain::wording::one_line, port::transport::TransportError};

/// How far the conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connecting, greeting, STARTTLS.
    Connect,
    /// Signing in.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    Recipient,
    /// DATA, and the reply to the content.
    Data,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Auth => "signing in",
            Self::MailFrom => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
        }
    }

    /// Whether the server may know the recipient already. It likes to quote the address in its reply.
    const fn recipient_is_known(self) -> bool {
        match self {
            Self::Connect | Self::Auth | Self::MailFrom => false,
            Self::Recipient | Self::Data => true,
        }
    }
}

/// Judges the reply. Only a refusal for good (5yz) tells of the endpoint or of the sender; the rest may pass.
pub(super) fn judge(stage: Stage, error: &Error) -> TransportError {
    let text = describe(stage, error);
    match (stage, error.is_permanent()) {
        (Stage::Recipient, true) if concerns_the_sender(error) => TransportError::SenderRefused(text),
        (Stage::Recipient, true) => TransportError::EndpointRefused,
        (Stage::MailFrom | Stage::Data, true) => TransportError::SenderRefused(text),
        // A wrong password is mended by an operator; it is no reason to fail everyone who waits meanwhile.
        (Stage::Connect | Stage::Auth, _) | (Stage::MailFrom | Stage::Recipient | Stage::Data, false) => {
            TransportError::Unavailable(text)
        }
    }
}

/// Whether a refusal of RCPT TO is about us. A server that does not relay for us, or wants us to sign in first, says so here,
/// with 530 (RFC 4954), 503 or a status of the class "security or policy" (RFC 3463, X.7); no recipient is to blame.
fn concerns_the_sender(error: &Error) -> bool {
    let code = error.status().map(u16::from);
    matches!(code, Some(503 | 530)) || enhanced_status(error).is_some_and(|status| status.starts_with("5.7."))
}

/// What happened, for an operator, without contact data.
fn describe(stage: Stage, error: &Error) -> String {
    let stage_name = stage.name();
    match error.status() {
        Some(code) if stage.recipient_is_known() => match enhanced_status(error) {
            Some(status) => format!("{stage_name}: {code} {status}"),
            None => format!("{stage_name}: {code}"),
        },
        Some(code) => format!("{stage_name}: {code} {}", one_line(&source(error), 200)),
        // lettre quotes a reply that it cannot read.
        None if stage.recipient_is_known() && error.is_response() => format!("{stage_name}: a reply that is not SMTP"),
        None => format!("{stage_name}: {}", one_line(&error.to_string(), 200)),
    }
}

/// The enhanced status code (RFC 3463) that the reply begins with, such as `5.1.1`.
fn enhanced_status(error: &Error) -> Option<String> {
    let reply = source(error);
    let word = reply.split_whitespace().next()?;
    let digits = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = word.split('.').collect();
    (parts.len() == 3 && parts.into_iter().all(digits)).then(|| word.to_owned())
}

/// The server's words.
fn source(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
