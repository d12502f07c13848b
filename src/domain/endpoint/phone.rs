//! Phone numbers.

use std::{fmt, ops::RangeInclusive};

use phonenumber::{
    Metadata,
    country::{Id, Source},
    metadata::{DATABASE, Descriptor},
};

use super::{EndpointError, Reason};

/// A phone number in the form of ITU-T E.164: `+`, country code, national number; at most 15 digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// How many digits a number has, the country code included. The upper bound is E.164's; the lower one refuses what no
    /// country's plan holds.
    pub const DIGITS: RangeInclusive<usize> = 5..=15;

    /// The longest text looked at, in characters.
    const MAX_TYPED: usize = 64;

    /// Reads what a person typed. Spaces, hyphens, dots, slashes, parentheses and full-width digits are taken; a leading `+`
    /// or `00` goes before a country code; without one the number is of `default_country` (ISO 3166 alpha-2, such as `CN`).
    ///
    /// # Errors
    /// [`EndpointError::InvalidPhoneNumber`] unless the numbering plan of the country holds the number.
    pub fn parse(raw: &str, default_country: &str) -> Result<Self, EndpointError> {
        read(raw, default_country).map(Self).map_err(EndpointError::InvalidPhoneNumber)
    }

    /// The number that was stored. Only its form is looked at: numbering plans change, and a stored number stays readable.
    pub fn from_stored(stored: String) -> Option<Self> {
        let digits = stored.strip_prefix('+')?;
        let fits = Self::DIGITS.contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then_some(Self(stored))
    }

    /// The form in which stored numbers are searched for a part of a number as people write it: `138 0013` is `1380013`. `None`
    /// for a text that is no part of a number.
    pub fn search_form(part: &str) -> Option<String> {
        compact(part).ok()
    }

    /// Whether `country` can be a default country: an ISO 3166 alpha-2 code with a numbering plan.
    pub fn knows_country(country: &str) -> bool {
        find_plan(country).is_some()
    }

    /// The number in clear, such as `+8613800000000`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number for those who may not see it, such as `+86 138****0000`. The number of stars tells nothing. National
    /// numbers of fewer than 11 digits show half of their digits at most; longer ones show seven, as is customary.
    pub fn masked(&self) -> String {
        let digits = self.0.trim_start_matches('+');
        let (code, national) = digits.split_at(country_code_length(digits).min(digits.len()));
        let (head, tail) = match national.len() {
            11.. => (3, 4),
            few => (few / 4, few / 2 - few / 4),
        };
        let (head, rest) = national.split_at(head);
        let (_, tail) = rest.split_at(rest.len().saturating_sub(tail));
        format!("+{code} {head}****{tail}")
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

fn read(raw: &str, default_country: &str) -> Result<String, Reason> {
    let typed = compact(raw)?;
    let abroad = typed.strip_prefix('+').or_else(|| typed.strip_prefix("00"));
    let number = match abroad {
        Some(digits) => read_international(digits)?,
        None => read_national(&typed, default_country)?,
    };
    // Some plans list service numbers beyond E.164's bound (Japan's of 17 digits); `from_stored` would not read them back.
    if number.len() > *PhoneNumber::DIGITS.end() { Err(Reason::TooLong) } else { Ok(format!("+{number}")) }
}

/// The digits, with a leading `+` if there is one.
fn compact(raw: &str) -> Result<String, Reason> {
    let raw = raw.trim();
    if raw.is_empty() {
        return Err(Reason::Empty);
    }
    if raw.chars().count() > PhoneNumber::MAX_TYPED {
        return Err(Reason::TooLong);
    }
    let mut typed = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '0'..='9' => typed.push(c),
            '\u{FF10}'..='\u{FF19}' => typed.extend(char::from_u32(u32::from(c) - 0xFF10 + u32::from('0'))),
            '+' | '\u{FF0B}' if typed.is_empty() => typed.push('+'),
            ' ' | '\u{A0}' | '\u{3000}' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' => {}
            '(' | ')' | '\u{FF08}' | '\u{FF09}' | '.' | '/' => {}
            _ => return Err(Reason::ForbiddenCharacter),
        }
    }
    if typed.trim_start_matches('+').is_empty() { Err(Reason::NotANumber) } else { Ok(typed) }
}

/// Reads country code and national number. The digits are kept as they are, but for a trunk `0` after the country code, as
/// in `+44 (0)20`.
fn read_international(digits: &str) -> Result<String, Reason> {
    // No default country here: the library would strip the trunk prefix of that country from the numbers of another.
    let number = phonenumber::parse(None, format!("+{digits}")).map_err(|e| explain(&e, digits))?;
    let code = number.code().value();
    let typed = digits.strip_prefix(&code.to_string()).unwrap_or_default();
    let national = number.national().to_string();
    let is_kept = typed == national || typed.strip_prefix('0') == Some(&national);
    if is_kept && is_valid(&number) { Ok(format!("{code}{national}")) } else { Err(explain_length(code, typed.len())) }
}

/// Reads a number without a country code: as it stands if the country's plan holds it, else by the library's knowledge of
/// trunk prefixes. The library alone is not enough: it takes the `7` of a Kazakh 771… for the country code.
fn read_national(digits: &str, default_country: &str) -> Result<String, Reason> {
    let (country, plan) = find_plan(default_country).ok_or(Reason::UnknownCountryCode)?;
    let refusal = match read_international(&format!("{}{digits}", plan.country_code())) {
        Ok(number) => return Ok(number),
        Err(reason) => reason,
    };
    let number = phonenumber::parse(Some(country), digits).map_err(|_| refusal)?;
    match number.code().source() {
        Source::Default | Source::Number if is_valid(&number) => {
            Ok(format!("{}{}", number.code().value(), number.national()))
        }
        Source::Default | Source::Number => Err(refusal),
        // Such as 011 from the United States. Here the library would apply the rules of the wrong country.
        Source::Idd | Source::Plus => Err(Reason::InternationalPrefix),
    }
}

/// Whether a plan of the country code holds the number. The library's own check is content when the *beginning* of the
/// digits fits a pattern, and so takes some numbers with a digit too many.
fn is_valid(number: &phonenumber::PhoneNumber) -> bool {
    let national = number.national().to_string();
    let fits = |kind: &Descriptor| {
        kind.is_match(&national) && kind.national_number().find(&national).is_some_and(|m| m.end() == national.len())
    };
    number.is_valid() && plans_of(number.code().value()).any(|plan| kinds_of(plan).any(fits))
}

fn explain_length(code: u16, length: usize) -> Reason {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    // People are reached at mobiles and fixed lines; service numbers of other lengths would only blur the answer.
    let kinds = || plans_of(code).flat_map(|plan| [plan.descriptors().mobile(), plan.descriptors().fixed_line()]);
    let lengths = || kinds().flatten().flat_map(Descriptor::possible_length).copied();
    match (lengths().min(), lengths().max()) {
        (Some(least), _) if length < least => Reason::TooShort,
        (_, Some(most)) if length > most => Reason::TooLong,
        _ => Reason::NoSuchNumber,
    }
}

fn plans_of(code: u16) -> impl Iterator<Item = &'static Metadata> {
    DATABASE.by_code(&code).unwrap_or_default().into_iter()
}

/// The kinds of number that a plan tells apart.
fn kinds_of(plan: &Metadata) -> impl Iterator<Item = &Descriptor> {
    let kinds = plan.descriptors();
    [
        kinds.mobile(),
        kinds.fixed_line(),
        kinds.voip(),
        kinds.personal_number(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
        kinds.toll_free(),
        kinds.shared_cost(),
        kinds.premium_rate(),
    ]
    .into_iter()
    .flatten()
}

fn explain(error: &phonenumber::ParseError, digits: &str) -> Reason {
    use phonenumber::ParseError;
    match error {
        _ if digits.len() > *PhoneNumber::DIGITS.end() => Reason::TooLong,
        _ if digits.len() < *PhoneNumber::DIGITS.start() => Reason::TooShort,
        ParseError::NoNumber => Reason::NotANumber,
        ParseError::InvalidCountryCode => Reason::UnknownCountryCode,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => Reason::TooShort,
        ParseError::TooLong => Reason::TooLong,
        ParseError::MalformedInteger(_) => Reason::NoSuchNumber,
    }
}

/// The numbering plan of a country, by its alpha-2 code.
fn find_plan(country: &str) -> Option<(Id, &'static Metadata)> {
    let id: Id = country.to_ascii_uppercase().parse().ok()?;
    // The library panics on a country that it can name but has no plan of.
    Some((id, DATABASE.by_id(id.as_ref())?))
}

/// How many of the digits are the country code, by the assignments of ITU-T E.164 (2016, list of assigned country codes):
/// one digit in zones 1 and 7, two for the codes named here, three for all others.
fn country_code_length(digits: &str) -> usize {
    let bytes = digits.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'1' | b'7'), _) => 1,
        (Some(b'2'), Some(b'0' | b'7'))
        | (Some(b'3'), Some(b'0'..=b'4' | b'6' | b'9'))
        | (Some(b'4'), Some(b'0' | b'1' | b'3'..=b'9'))
        | (Some(b'5'), Some(b'1'..=b'8'))
        | (Some(b'6'), Some(b'0'..=b'6'))
        | (Some(b'8'), Some(b'1' | b'2' | b'4' | b'6'))
        | (Some(b'9'), Some(b'0'..=b'5' | b'8')) => 2,
        _ => 3,
    }
}
