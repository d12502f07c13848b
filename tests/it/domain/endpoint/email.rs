//! Mail addresses.

use proptest::prelude::*;
use rollcall::domain::endpoint::{EmailAddress, EndpointError, Reason};

#[test]
fn ordinary_addresses_are_taken_and_their_domain_is_lower_cased() {
    let (local64, label63) = ("l".repeat(64), "d".repeat(63));
    let cases = [
        ("lin@example.com".to_owned(), "lin@example.com".to_owned()),
        ("  lin@example.com\r\n".to_owned(), "lin@example.com".to_owned()),
        ("Lin.Wei@Example.COM".to_owned(), "Lin.Wei@example.com".to_owned()),
        ("o'brien+oncall@mail.example.co.uk".to_owned(), "o'brien+oncall@mail.example.co.uk".to_owned()),
        ("!#$%&'*+-/=?^_`{|}~@example.com".to_owned(), "!#$%&'*+-/=?^_`{|}~@example.com".to_owned()),
        ("1@2.com".to_owned(), "1@2.com".to_owned()),
        ("a@xn--fiqs8s.xn--55qx5d".to_owned(), "a@xn--fiqs8s.xn--55qx5d".to_owned()),
        (format!("{local64}@example.com"), format!("{local64}@example.com")),
        (format!("a@{label63}.com"), format!("a@{label63}.com")),
    ];
    for (raw, address) in cases {
        assert_eq!(EmailAddress::parse(&raw).unwrap().as_str(), address);
    }
}

#[test]
fn what_is_no_address_is_refused_with_the_reason() {
    let cases = [
        ("", Reason::Empty),
        ("   ", Reason::Empty),
        ("lin", Reason::NoAtSign),
        ("lin.example.com", Reason::NoAtSign),
        ("lin@@example.com", Reason::SeveralAtSigns),
        ("lin@example.com@example.org", Reason::SeveralAtSigns),
        ("lin@example.com, wei@example.com", Reason::SeveralAtSigns),
        ("@example.com", Reason::WrongLocalPart),
        (".lin@example.com", Reason::WrongLocalPart),
        ("lin.@example.com", Reason::WrongLocalPart),
        ("lin..wei@example.com", Reason::WrongLocalPart),
        ("lin@", Reason::WrongDomain),
        ("lin@localhost", Reason::WrongDomain),
        ("lin@.example.com", Reason::WrongDomain),
        ("lin@example..com", Reason::WrongDomain),
        ("lin@example.com.", Reason::WrongDomain),
        ("lin@-example.com", Reason::WrongDomain),
        ("lin@example-.com", Reason::WrongDomain),
        ("lin@192.0.2.1", Reason::WrongDomain),
        ("lin@[192.0.2.1]", Reason::ForbiddenCharacter),
        ("lin@exa_mple.com", Reason::ForbiddenCharacter),
        ("lin@example.com:25", Reason::ForbiddenCharacter),
        ("lin wei@example.com", Reason::ForbiddenCharacter),
        ("lin@exam ple.com", Reason::ForbiddenCharacter),
        ("\"lin\"@example.com", Reason::ForbiddenCharacter),
        ("lin(work)@example.com", Reason::ForbiddenCharacter),
        ("Lin <lin@example.com>", Reason::ForbiddenCharacter),
        ("mailto:lin@example.com", Reason::ForbiddenCharacter),
        ("lin,wei@example.com", Reason::ForbiddenCharacter),
        ("lin;wei@example.com", Reason::ForbiddenCharacter),
        ("lin\\wei@example.com", Reason::ForbiddenCharacter),
        ("lin@example.com\r\nBcc: wei", Reason::ForbiddenCharacter),
        ("lin\r\n@example.com", Reason::ForbiddenCharacter),
        ("lin\t@example.com", Reason::ForbiddenCharacter),
        ("lin\u{0}@example.com", Reason::ForbiddenCharacter),
        ("lin\u{7f}@example.com", Reason::ForbiddenCharacter),
        ("林@example.com", Reason::NotAscii),
        ("lin@例子.公司", Reason::NotAscii),
        ("lin＠example.com", Reason::NotAscii),
        ("lin@example。com", Reason::NotAscii),
        ("lin\u{200B}@example.com", Reason::NotAscii),
        ("lin@exаmple.com", Reason::NotAscii), // a Cyrillic letter
    ];
    for (raw, reason) in cases {
        assert_eq!(EmailAddress::parse(raw), Err(EndpointError::InvalidEmailAddress(reason)), "{raw:?}");
    }
}

#[test]
fn the_lengths_of_an_address_are_bounded() {
    let refused = |raw: String| EmailAddress::parse(&raw).unwrap_err().reason();
    assert_eq!(refused(format!("{}@example.com", "l".repeat(65))), Reason::WrongLocalPart);
    assert_eq!(refused(format!("a@{}.com", "d".repeat(64))), Reason::WrongDomain);
    let of_length = |length: usize| {
        let domain = "d.".repeat(120) + "com";
        format!("{}@{domain}", "l".repeat(length - 1 - domain.len()))
    };
    assert_eq!(EmailAddress::parse(&of_length(254)).unwrap().as_str().len(), EmailAddress::MAX_LENGTH);
    assert_eq!(refused(of_length(255)), Reason::TooLong);
}

#[test]
fn addresses_that_differ_in_case_have_one_key() {
    let typed = EmailAddress::parse("Lin.Wei@Example.com").unwrap();
    let other = EmailAddress::parse("lin.wei@example.COM").unwrap();
    assert_ne!(typed, other);
    assert_eq!((typed.key().as_str(), other.key().as_str()), ("lin.wei@example.com", "lin.wei@example.com"));
}

#[test]
fn a_masked_address_shows_its_first_character_and_domain() {
    let address = EmailAddress::parse("alice@Example.com").unwrap();
    assert_eq!(address.masked(), "a***@example.com");
    assert_eq!(format!("{address:?}"), "EmailAddress(a***@example.com)");
}

#[test]
fn a_stored_address_is_read_back_only_in_its_own_form() {
    assert_eq!(EmailAddress::from_stored("Lin@example.com".to_owned()).unwrap().as_str(), "Lin@example.com");
    for bad in ["", "lin", " lin@example.com", "lin@Example.com"] {
        assert!(EmailAddress::from_stored(bad.to_owned()).is_none(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn reading_a_read_address_again_changes_nothing(raw in "[A-Za-z0-9+_.]{1,20}@[A-Za-z0-9.-]{1,20}\\.[A-Za-z]{2,5}") {
        if let Ok(address) = EmailAddress::parse(&raw) {
            prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
            prop_assert_eq!(EmailAddress::from_stored(address.as_str().to_owned()), Some(address));
        }
    }

    #[test]
    fn a_masked_address_holds_nothing_of_the_local_part_but_its_first_character(local in "[a-z]{2,20}", domain in "[0-9]{4,8}") {
        let address = EmailAddress::parse(&format!("{local}@{domain}.org")).unwrap();
        prop_assert_eq!(address.masked(), format!("{}***@{domain}.org", &local[..1]));
        prop_assert_eq!(format!("{address:?}"), format!("EmailAddress({})", address.masked()));
    }

    #[test]
    fn no_text_makes_the_reading_panic(raw in any::<String>(), near in "[a.@\\- \r\n]{0,30}") {
        let _ = EmailAddress::parse(&raw);
        let _ = EmailAddress::parse(&near);
    }
}
