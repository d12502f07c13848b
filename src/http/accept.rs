//! The header `Accept` (RFC 9110, section 12.5.1): which media types a caller takes, and which of them rather.

use std::cmp::Reverse;

use axum::http::{HeaderMap, header};

/// What a caller takes.
pub(super) struct Accept {
    ranges: Vec<Range>,
}

/// How much a media type is wanted: by its weight, then by how exactly it is named, then by how early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wish {
    weight: u16,
    exactness: Exactness,
    place: Reverse<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exactness {
    /// `*/*`
    Anything,
    /// `text/*`
    Kind,
    /// `text/html`
    Type,
    /// `text/html;charset=utf-8`
    Characters,
}

struct Range {
    /// In lower case.
    media_type: String,
    /// In thousandths.
    weight: u16,
    exactness: Exactness,
    place: usize,
}

impl Wish {
    /// Whether the caller named the media type, or its kind: `*/*` wishes for nothing in particular.
    pub(super) fn is_named(self) -> bool {
        self.exactness > Exactness::Anything
    }
}

impl Accept {
    /// What the request says. Without the header, or where it is blank, everything is taken. What is not written as it must be
    /// is passed over.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let lists = headers.get_all(header::ACCEPT).iter().map(|list| list.to_str().unwrap_or_default());
        let entries: Vec<_> = lists.flat_map(|list| split(list, ',')).filter(|entry| !entry.is_empty()).collect();
        if entries.is_empty() {
            let anything =
                Range { media_type: "*/*".to_owned(), weight: FULL, exactness: Exactness::Anything, place: 0 };
            return Self { ranges: vec![anything] };
        }
        let ranges = entries.into_iter().enumerate().filter_map(|(place, entry)| read_range(entry, place)).collect();
        Self { ranges }
    }

    /// How much a media type in UTF-8 is wanted; `None` where it is not taken. It is written in lower case.
    pub(super) fn find_wish(&self, media_type: &str) -> Option<Wish> {
        let fitting = self.ranges.iter().filter(|range| range.holds(media_type));
        // The most exact of them decides, and of two that are the same the first.
        let decisive = fitting.max_by_key(|range| (range.exactness, Reverse(range.place)))?;
        let Range { weight, exactness, place, .. } = *decisive;
        (weight > 0).then_some(Wish { weight, exactness, place: Reverse(place) })
    }
}

impl Range {
    fn holds(&self, media_type: &str) -> bool {
        match self.exactness {
            Exactness::Anything => true,
            Exactness::Kind => media_type.split('/').next() == self.media_type.split('/').next(),
            Exactness::Type | Exactness::Characters => media_type == self.media_type,
        }
    }
}

/// The weight of what has none.
const FULL: u16 = 1000;

fn read_range(entry: &str, place: usize) -> Option<Range> {
    let mut parts = split(entry, ';');
    let media_type = parts.next()?.to_ascii_lowercase();
    let mut exactness = match media_type.split_once('/')? {
        ("*", "*") => Exactness::Anything,
        ("*" | "", _) | (_, "") => return None,
        (_, "*") => Exactness::Kind,
        (_, _) => Exactness::Type,
    };
    let mut weight = FULL;
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value = value.trim_matches('"');
        if name.eq_ignore_ascii_case("q") {
            weight = read_weight(value)?;
            // What follows the weight says nothing of the media type.
            break;
        }
        // Our media types have no other parameter: a range with one is of something that we do not have.
        if !(name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")) {
            return None;
        }
        exactness = exactness.max(Exactness::Characters);
    }
    Some(Range { media_type, weight, exactness, place })
}

/// A weight in thousandths: `0`, `0.75`, `1.000`.
fn read_weight(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{part:0<3}").parse().ok().filter(|_| is_number)?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(FULL),
        (_, _) => None,
    }
}

/// The parts between separators that are not quoted, without the blanks around them.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted && !was_escaped => escaped = true,
            _ => {}
        }
        c == separator && !quoted
    });
    parts.map(|part| part.trim_matches([' ', '\t']))
}
