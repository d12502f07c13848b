//! Mail addresses.

use std::fmt;

use super::{EndpointError, Reason};

/// A mail address that ordinary mail can be sent to: the dot-atom form of RFC 5322 before the `@`, a full domain name after
/// it, within the lengths of RFC 5321 section 4.5.3.1. The domain is in lower case, the local part as typed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The longest address, in characters: a path of RFC 5321 without its angle brackets.
    pub const MAX_LENGTH: usize = 254;

    /// The longest local part, in characters.
    const MAX_LOCAL: usize = 64;
    /// The longest label of a domain name, in characters (RFC 1035).
    const MAX_LABEL: usize = 63;

    /// Reads what a person typed. Quoted local parts, address literals (`[192.0.2.1]`) and non-ASCII addresses are refused;
    /// a domain of another script is taken in its ASCII form (`xn--…`).
    ///
    /// # Errors
    /// [`EndpointError::InvalidEmailAddress`] if it is no such address.
    pub fn parse(raw: &str) -> Result<Self, EndpointError> {
        read(raw.trim()).map(Self).map_err(EndpointError::InvalidEmailAddress)
    }

    /// The address that was stored, in the form that [`parse`](Self::parse) gives.
    pub fn from_stored(stored: String) -> Option<Self> {
        read(&stored).is_ok_and(|address| address == stored).then_some(Self(stored))
    }

    /// The address in clear.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address for comparing: two addresses with the same key are taken for one mailbox. Servers may tell `A@x.org` from
    /// `a@x.org`, hardly any does.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The address for those who may not see it, such as `a***@b.c`. The number of stars tells nothing.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let first = local.get(..1).unwrap_or_default();
        format!("{first}***@{domain}")
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

fn read(text: &str) -> Result<String, Reason> {
    if text.is_empty() {
        return Err(Reason::Empty);
    }
    if !text.is_ascii() {
        return Err(Reason::NotAscii);
    }
    if text.len() > EmailAddress::MAX_LENGTH {
        return Err(Reason::TooLong);
    }
    let (local, domain) = text.split_once('@').ok_or(Reason::NoAtSign)?;
    if domain.contains('@') {
        return Err(Reason::SeveralAtSigns);
    }
    check_local(local)?;
    check_domain(domain)?;
    Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
}

fn check_local(local: &str) -> Result<(), Reason> {
    // `atext` of RFC 5322 section 3.2.3, and the dots between atoms.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    if !local.bytes().all(allowed) {
        return Err(Reason::ForbiddenCharacter);
    }
    let atoms_fit = local.split('.').all(|atom| !atom.is_empty());
    if atoms_fit && local.len() <= EmailAddress::MAX_LOCAL { Ok(()) } else { Err(Reason::WrongLocalPart) }
}

fn check_domain(domain: &str) -> Result<(), Reason> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if !domain.bytes().all(allowed) {
        return Err(Reason::ForbiddenCharacter);
    }
    let label_fits = |label: &str| {
        (1..=EmailAddress::MAX_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    // A last label of digits alone is an IP address (RFC 3696 section 2), not a name.
    let named = domain.rsplit_once('.').is_some_and(|(_, top)| !top.bytes().all(|b| b.is_ascii_digit()));
    if named && domain.split('.').all(label_fits) { Ok(()) } else { Err(Reason::WrongDomain) }
}
