//! What the configuration says about an account, and the languages that rollcall speaks.

use std::{fmt, str::FromStr};

use chrono::Duration;

use super::id::AccountId;

/// An account as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// The account's key.
    pub id: AccountId,
    /// The organisation, as people read it in a message. Never blank, one line.
    pub name: String,
    /// Who sends the account's mail.
    pub sender: MailAddress,
    /// Where answers to that mail go, unless to the sender.
    pub reply_to: Option<MailAddress>,
    /// Whom to ask about a message, as people read it. Never blank.
    pub contact: String,
    /// The privacy notice, or where it stands (a URL).
    pub privacy_notice: Option<String>,
    /// The language of messages to people who have none of their own.
    pub locale: Locale,
    /// The time zone in which a deadline is told.
    pub time_zone: chrono_tz::Tz,
    /// The country of mobile numbers that are written without one.
    pub default_country: CountryCode,
    /// Whether a directory sync asks people to confirm what it brings.
    pub subscribe_on_sync: bool,
    /// How long a deleted person can be restored.
    pub erase_after: Duration,
    /// The names of the directories, in alphabetical order. Never empty.
    pub directories: Vec<String>,
}

/// A mail address, with the name shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// The name shown, if there is one.
    pub name: Option<String>,
    /// The address itself, such as `oncall@example.com`.
    pub address: String,
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

/// The text is not the two-letter code of a country that has a telephone network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a country code of two capital letters, such as CN")]
pub struct InvalidCountryCode;

/// A country by its two capital letters (ISO 3166-1 alpha-2), one of those whose telephone numbers `phonenumber` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountryCode(phonenumber::country::Id);

impl CountryCode {
    /// China, the default.
    pub const CN: Self = Self(phonenumber::country::Id::CN);

    /// The country as the telephone number library names it.
    pub const fn id(self) -> phonenumber::country::Id {
        self.0
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl FromStr for CountryCode {
    type Err = InvalidCountryCode;

    fn from_str(text: &str) -> Result<Self, InvalidCountryCode> {
        let two_letters = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        if !two_letters {
            return Err(InvalidCountryCode);
        }
        text.parse().map(Self).map_err(|_| InvalidCountryCode)
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A language that rollcall speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Chinese in simplified characters.
    ZhCn,
}

impl Locale {
    /// The language tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// The language of a tag (BCP 47, in any case): every English, and the Chinese that is written in simplified characters.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        let mut parts = tag.split('-');
        match (parts.next(), parts.next()) {
            (Some("en"), _) => Some(Self::En),
            (Some("zh"), None | Some("hans" | "cn" | "sg")) => Some(Self::ZhCn),
            (_, _) => None,
        }
    }

    /// The best language for an `Accept-Language` header (RFC 9110, section 12.5.4): the known one of the highest weight, the
    /// earlier among equals, and English where none is known.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (Self::default(), 0.0);
        for (locale, weight) in accept_language.split(',').filter_map(read_preference) {
            if weight > best.1 {
                best = (locale, weight);
            }
        }
        best.0
    }
}

/// Reads one entry of `Accept-Language`, such as `zh-CN;q=0.8`. An unreadable weight leaves the entry out.
fn read_preference(entry: &str) -> Option<(Locale, f32)> {
    let mut parts = entry.split(';').map(str::trim);
    let locale = Locale::from_tag(parts.next()?)?;
    let weight = match parts.next() {
        None => 1.0,
        Some(weight) => weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?.parse().ok()?,
    };
    Some((locale, weight))
}
