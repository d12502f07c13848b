//! Names and aliases.

use proptest::prelude::*;
use rollcall::domain::{
    endpoint::{EndpointError, Reason},
    text::clean_text,
};

#[test]
fn names_of_all_scripts_are_taken_and_trimmed() {
    let cases = [
        ("林伟", "林伟"),
        ("  Lin Wei\r\n", "Lin Wei"),
        ("\u{3000}林　伟\u{3000}", "林　伟"),
        ("葛\u{E0100}城", "葛\u{E0100}城"),
        ("O'Brien (on call) <3 = + @", "O'Brien (on call) <3 = + @"),
        ("José Łukasz Ünal 🚒", "José Łukasz Ünal 🚒"),
        ("محمد", "محمد"),
        ("", ""),
        (" \t\r\n ", ""),
    ];
    for (raw, text) in cases {
        assert_eq!(clean_text(raw, 64).as_deref(), Ok(text));
    }
}

#[test]
fn what_breaks_a_line_or_does_not_show_is_refused() {
    let controls = ["\n", "\r", "\r\n", "\t", "\0", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}", "\u{2028}", "\u{2029}"];
    let invisible = [
        "\u{ad}",
        "\u{34f}",
        "\u{61c}",
        "\u{115f}",
        "\u{180e}",
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{200e}",
        "\u{200f}",
        "\u{202a}",
        "\u{202b}",
        "\u{202c}",
        "\u{202d}",
        "\u{202e}",
        "\u{2060}",
        "\u{2066}",
        "\u{2067}",
        "\u{2068}",
        "\u{2069}",
        "\u{206f}",
        "\u{3164}",
        "\u{feff}",
        "\u{ffa0}",
        "\u{fff9}",
        "\u{e0041}",
    ];
    let refused = |middle: &str| clean_text(&format!("a{middle}b"), 64);
    for middle in controls {
        assert_eq!(refused(middle), Err(EndpointError::InvalidValue(Reason::ControlCharacter)), "{middle:?}");
    }
    for middle in invisible {
        assert_eq!(refused(middle), Err(EndpointError::InvalidValue(Reason::InvisibleCharacter)), "{middle:?}");
    }
    assert!(clean_text("\u{202e}abc", 64).is_err() && clean_text("abc\u{feff}", 64).is_err());
}

#[test]
fn the_limit_counts_characters_and_not_bytes() {
    assert_eq!(clean_text(&format!(" {} ", "林".repeat(64)), 64), Ok("林".repeat(64)));
    assert_eq!(clean_text(&"林".repeat(65), 64), Err(EndpointError::TooLong { max: 64 }));
}

proptest! {
    #[test]
    fn a_clean_text_is_short_trimmed_and_stays_as_it_is(raw in any::<String>()) {
        if let Ok(text) = clean_text(&raw, 20) {
            prop_assert!(text.chars().count() <= 20 && text.trim() == text && !text.chars().any(char::is_control));
            prop_assert_eq!(clean_text(&text, 20), Ok(text));
        }
    }
}
