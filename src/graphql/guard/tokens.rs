//! The tokens of a document, counted before it is parsed.
//!
//! This looks only for where tokens end (GraphQL's specification, section 2.1); whether they make sense is the parser's to say.

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// How many tokens there are. Whitespace, commas and comments are none.
    pub tokens: usize,
    /// How many brackets of any kind are open at once.
    pub nesting: usize,
}

/// Counts, in one pass.
pub(super) fn scan(text: &str) -> Scan {
    let (mut found, mut open) = (Scan::default(), 0_usize);
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first() {
        let (is_token, length) = measure(*first, rest);
        found.tokens += usize::from(is_token);
        match first {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        found.nesting = found.nesting.max(open);
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// Whether a token begins here, and how long it, or what is none, is.
fn measure(first: u8, rest: &[u8]) -> (bool, usize) {
    match first {
        b' ' | b'\t' | b'\n' | b'\r' | b',' => (false, 1),
        b'#' => (false, count_while(rest, |byte| !matches!(byte, b'\n' | b'\r'))),
        0xEF if rest.starts_with("\u{feff}".as_bytes()) => (false, 3),
        b'"' => (true, measure_string(rest)),
        b'.' if rest.starts_with(b"...") => (true, 3),
        b'-' | b'0'..=b'9' => {
            let digits = count_while(rest.get(1..).unwrap_or_default(), |byte| {
                byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
            });
            (true, digits + 1)
        }
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
            (true, count_while(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        }
        _ => (true, 1),
    }
}

fn count_while(rest: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    rest.iter().take_while(|byte| holds(**byte)).count()
}

/// The length of a string with its quotes; one that does not end reaches to the end of its line, a block to the end of the text.
fn measure_string(rest: &[u8]) -> usize {
    const QUOTES: &[u8] = b"\"\"\"";
    if rest.starts_with(QUOTES) {
        let mut at = QUOTES.len();
        while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
            at += match tail {
                [b'\\', escaped @ ..] if escaped.starts_with(QUOTES) => 4,
                _ if tail.starts_with(QUOTES) => return at + QUOTES.len(),
                _ => 1,
            };
        }
        return rest.len();
    }
    let mut is_escaped = false;
    for (place, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return place,
            b'"' if !is_escaped => return place + 1,
            _ => is_escaped = *byte == b'\\' && !is_escaped,
        }
    }
    rest.len()
}
