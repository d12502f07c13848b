//! Phone numbers.

use phonenumber::metadata::DATABASE;
use proptest::prelude::*;
use rollcall::domain::endpoint::{EndpointError, PhoneNumber, Reason};

fn read(raw: &str, country: &str) -> Result<String, Reason> {
    match PhoneNumber::parse(raw, country) {
        Ok(number) => Ok(number.as_str().to_owned()),
        Err(EndpointError::InvalidPhoneNumber(reason)) => Err(reason),
        Err(other) => panic!("{raw:?} was refused with {other:?}"),
    }
}

#[test]
fn numbers_are_read_as_people_type_them() {
    let cases = [
        ("13800000000", "CN", "+8613800000000"),
        ("  138 0000 0000 ", "CN", "+8613800000000"),
        ("138-0000-0000", "CN", "+8613800000000"),
        ("138\u{2010}0000\u{2013}0000", "CN", "+8613800000000"),
        ("+86 138 0000 0000", "US", "+8613800000000"),
        ("(+86) 138 0000 0000", "US", "+8613800000000"),
        ("+86-13800000000\r\n", "CN", "+8613800000000"),
        ("0086 13800000000", "US", "+8613800000000"),
        ("8613800000000", "CN", "+8613800000000"),
        ("013800000000", "CN", "+8613800000000"),
        ("１３８００００００００", "CN", "+8613800000000"),
        ("＋８６　１３８００００００００", "US", "+8613800000000"),
        ("（010）6552 1234", "CN", "+861065521234"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("1 202 555 0123", "US", "+12025550123"),
        ("+1 202.555.0123", "CN", "+12025550123"),
        ("001 202 555 0123", "CN", "+12025550123"),
        ("01512 3456789", "DE", "+4915123456789"),
        ("030/123456", "DE", "+4930123456"),
        ("+49 (0)1512 3456789", "CN", "+4915123456789"),
        ("07400 123456", "GB", "+447400123456"),
        ("+44 (0) 20 7031 3000", "CN", "+442070313000"),
        ("5123 4567", "HK", "+85251234567"),
        ("+852 5123 4567", "CN", "+85251234567"),
        ("090-1234-5678", "JP", "+819012345678"),
        ("+81 90 1234 5678", "CN", "+819012345678"),
        ("8123 4567", "SG", "+6581234567"),
        ("0065 8123 4567", "CN", "+6581234567"),
        ("13800000000", "cn", "+8613800000000"),
        ("+39 06 6982 1234", "CN", "+390669821234"),
    ];
    for (raw, country, number) in cases {
        assert_eq!(read(raw, country).as_deref(), Ok(number), "{raw:?} in {country}");
    }
}

#[test]
fn what_is_no_number_is_refused_with_the_reason() {
    let cases = [
        ("", "CN", Reason::Empty),
        (" \t ", "CN", Reason::Empty),
        ("-", "CN", Reason::NotANumber),
        ("+", "CN", Reason::NotANumber),
        ("( )", "CN", Reason::NotANumber),
        ("lin@example.com", "CN", Reason::ForbiddenCharacter),
        ("1380000000O", "CN", Reason::ForbiddenCharacter),
        ("1-800-FLOWERS", "US", Reason::ForbiddenCharacter),
        ("tel:+8613800000000", "CN", Reason::ForbiddenCharacter),
        ("+8613800000000;ext=1", "CN", Reason::ForbiddenCharacter),
        ("13800000000 x5", "CN", Reason::ForbiddenCharacter),
        ("13800000000#", "CN", Reason::ForbiddenCharacter),
        ("138,0000,0000", "CN", Reason::ForbiddenCharacter),
        ("138\t00000000", "CN", Reason::ForbiddenCharacter),
        ("138\n00000000", "CN", Reason::ForbiddenCharacter),
        ("138\u{0}00000000", "CN", Reason::ForbiddenCharacter),
        ("138\u{200B}00000000", "CN", Reason::ForbiddenCharacter),
        ("\u{202D}13800000000\u{202C}", "CN", Reason::ForbiddenCharacter),
        ("٠١٢٣٤٥٦٧٨٩", "CN", Reason::ForbiddenCharacter),
        ("一三八〇〇〇〇〇〇〇〇", "CN", Reason::ForbiddenCharacter),
        ("++8613800000000", "CN", Reason::ForbiddenCharacter),
        ("86+13800000000", "CN", Reason::ForbiddenCharacter),
        ("12", "CN", Reason::TooShort),
        ("138", "CN", Reason::TooShort),
        ("+8613", "CN", Reason::TooShort),
        ("138000000001", "CN", Reason::TooLong),
        ("1380000000", "CN", Reason::NoSuchNumber),
        ("23800000000", "CN", Reason::NoSuchNumber),
        ("+8617912345678", "CN", Reason::NoSuchNumber),
        ("+86138000000000000", "CN", Reason::TooLong),
        ("13800000000 / 13900000000", "CN", Reason::TooLong),
        ("99999999999999999999999999999999", "CN", Reason::TooLong),
        ("+1 202 555 012", "CN", Reason::TooShort),
        ("+1 202 555 01234", "CN", Reason::TooLong),
        ("+1 123 555 0123", "CN", Reason::NoSuchNumber),
        ("+999 123456789", "CN", Reason::UnknownCountryCode),
        ("+0 13800000000", "CN", Reason::UnknownCountryCode),
        ("+00 86 13800000000", "CN", Reason::UnknownCountryCode),
        ("13800000000", "", Reason::UnknownCountryCode),
        ("13800000000", "ZZ", Reason::UnknownCountryCode),
        ("13800000000", "China", Reason::UnknownCountryCode),
        ("011 44 20 7031 3000", "US", Reason::InternationalPrefix),
        ("010 86 138 0000 0000", "JP", Reason::InternationalPrefix),
    ];
    for (raw, country, reason) in cases {
        assert_eq!(read(raw, country), Err(reason), "{raw:?} in {country:?}");
    }
    assert_eq!(read(&" 1".repeat(33), "CN"), Err(Reason::TooLong));
}

#[test]
fn a_number_with_a_country_code_needs_no_default_country() {
    assert_eq!(read("+8613800000000", "ZZ").as_deref(), Ok("+8613800000000"));
}

#[test]
fn the_mobiles_of_every_country_are_read_with_and_without_their_country_code() {
    let mut countries = 0;
    for plan in DATABASE.iter().filter(|plan| plan.id() != "001") {
        let Some(national) = plan.descriptors().mobile().and_then(|mobile| mobile.example()) else { continue };
        let canonical = format!("+{}{national}", plan.country_code());
        assert_eq!(read(&canonical, "CN").as_ref(), Ok(&canonical), "{}", plan.id());
        assert_eq!(read(national, plan.id()).as_ref(), Ok(&canonical), "{}", plan.id());
        let masked = PhoneNumber::from_stored(canonical).unwrap().masked();
        assert!(masked.starts_with(&format!("+{} ", plan.country_code())), "{masked} of {}", plan.id());
        countries += 1;
    }
    assert!(countries > 200, "only {countries} countries");
}

#[test]
fn no_default_country_makes_the_reading_panic() {
    let known = (b'A'..=b'Z')
        .flat_map(|a| (b'A'..=b'Z').map(move |b| String::from_utf8(vec![a, b]).unwrap()))
        .filter(|country| {
            for raw in ["13800000000", "0", "00", "000", "011", "0044", "1", "12345678901234567"] {
                let _ = PhoneNumber::parse(raw, country);
            }
            PhoneNumber::knows_country(country)
        })
        .count();
    assert!((200..300).contains(&known), "{known} countries are known");
    assert!(PhoneNumber::knows_country("CN") && !PhoneNumber::knows_country("ZZ") && !PhoneNumber::knows_country(""));
}

#[test]
fn a_masked_number_shows_the_country_and_few_digits() {
    let cases = [
        ("+8613800000000", "+86 138****0000"),
        ("+12025550123", "+1 20****123"),
        ("+4915123456789", "+49 151****6789"),
        ("+447400123456", "+44 74****456"),
        ("+85251234567", "+852 51****67"),
        ("+819012345678", "+81 90****678"),
        ("+6581234567", "+65 81****67"),
        ("+2903123", "+290 3****3"),
        ("+29012", "+290 ****2"),
    ];
    for (number, masked) in cases {
        assert_eq!(PhoneNumber::from_stored(number.to_owned()).unwrap().masked(), masked);
    }
}

#[test]
fn debug_output_holds_no_number() {
    let number = PhoneNumber::parse("13812345678", "CN").unwrap();
    assert_eq!(format!("{number:?}"), "PhoneNumber(+86 138****5678)");
}

#[test]
fn a_stored_number_is_read_back_by_its_form_alone() {
    for good in ["+8613800000000", "+99912345", "+123456789012345"] {
        assert_eq!(PhoneNumber::from_stored(good.to_owned()).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "+",
        "13800000000",
        "+1234",
        "+1234567890123456",
        "+0123456",
        "+86 138000",
        "+86１３８００００００００",
        "++8613800",
    ] {
        assert!(PhoneNumber::from_stored(bad.to_owned()).is_none(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn reading_a_read_number_again_changes_nothing(
        raw in r"(\+|00)?[0-9]{1,3}[0-9 ()\-]{3,14}",
        country in prop::sample::select(vec!["CN", "US", "DE", "GB", "HK", "JP", "SG", "IT", "AR", "BR", "RU", "MX"]),
        other in prop::sample::select(vec!["CN", "US", "RU", "HU"]),
    ) {
        if let Ok(number) = PhoneNumber::parse(&raw, country) {
            prop_assert_eq!(PhoneNumber::parse(number.as_str(), other), Ok(number.clone()));
            prop_assert_eq!(PhoneNumber::from_stored(number.as_str().to_owned()), Some(number));
        }
    }

    #[test]
    fn a_chinese_mobile_reads_the_same_in_every_spelling(digits in "1(3[0-9]|5[0-35-9]|8[0-9])[0-9]{8}") {
        let canonical = format!("+86{digits}");
        let grouped = format!("{} {}-{}", &digits[..3], &digits[3..7], &digits[7..]);
        for raw in [&digits, &canonical, &grouped, &format!("0086{digits}"), &format!("+86 {grouped}")] {
            prop_assert_eq!(read(raw, "CN"), Ok(canonical.clone()));
        }
    }

    #[test]
    fn a_masked_number_hides_at_least_four_digits_and_half_of_a_short_one(stored in r"\+[1-9][0-9]{4,14}") {
        let number = PhoneNumber::from_stored(stored.clone()).unwrap();
        let masked = number.masked();
        let (code, rest) = masked.split_once(' ').unwrap();
        let national = stored.strip_prefix(code).unwrap().len();
        let shown = rest.bytes().filter(u8::is_ascii_digit).count();
        prop_assert!(shown <= 7 && shown <= if national < 11 { national / 2 } else { national - 4 }, "{}", masked);
        let debug = format!("{number:?}");
        prop_assert!(rest.contains("****") && debug.contains(&masked) && !debug.contains(&stored[1..]));
    }

    #[test]
    fn no_text_makes_the_reading_panic(raw in any::<String>(), country in "[A-Z]{0,3}", digits in r"[+0-9()\-. ]{0,40}") {
        let _ = PhoneNumber::parse(&raw, "CN");
        let _ = PhoneNumber::parse(&raw, &country);
        let _ = PhoneNumber::parse(&digits, &country);
        let _ = PhoneNumber::from_stored(raw).map(|number| number.masked());
    }
}
