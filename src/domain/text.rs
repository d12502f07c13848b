//! Short texts that people type: names, aliases.

use super::endpoint::{EndpointError, Reason};

/// Trims a text of one line and checks that it shows as what it is. A blank text comes back empty: whether one is needed is
/// for the caller to say. Texts end up in mails, logs, files and chat messages, so what could break a line or feign another
/// text is refused: control characters, characters that do not show, characters that turn the direction of writing.
///
/// # Errors
/// [`EndpointError::TooLong`] over `max_chars` characters; [`EndpointError::InvalidValue`] for a refused character.
pub fn clean_text(raw: &str, max_chars: usize) -> Result<String, EndpointError> {
    let text = raw.trim();
    if text.chars().nth(max_chars).is_some() {
        return Err(EndpointError::TooLong { max: max_chars });
    }
    if text.chars().any(is_control) {
        return Err(EndpointError::InvalidValue(Reason::ControlCharacter));
    }
    if text.chars().any(is_invisible) {
        return Err(EndpointError::InvalidValue(Reason::InvisibleCharacter));
    }
    Ok(text.to_owned())
}

/// Control characters, and the two separators of Unicode that break a line.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters without a shape of their own, after Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`. Variation
/// selectors are let through: they tell apart the forms of Chinese and Japanese names.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E007F}'
    )
}
