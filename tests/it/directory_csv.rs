//! The CSV directory: what people and spreadsheet programs write is read, and a bad row spoils nothing but itself.

use std::collections::HashSet;

use encoding_rs::GB18030;
use proptest::prelude::*;
use rollcall::{
    adapter::directory::csv::{CsvDirectory, parse},
    domain::{
        endpoint::{EmailAddress, PhoneNumber},
        engineer::UserType,
        table::MAX_FILE_BYTES,
    },
    port::directory::{DirectoryError, DirectoryPerson, DirectorySource, Listing, ListingProblem, ListingProblemCode},
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/engineers.csv");

fn names(listing: &Listing) -> Vec<&str> {
    listing.people.iter().map(|person| person.name.as_str()).collect()
}

fn problem(line: u64, external_id: Option<&str>, code: ListingProblemCode, field: Option<&str>) -> ListingProblem {
    ListingProblem {
        line: Some(line),
        external_id: external_id.map(str::to_owned),
        code,
        field: field.map(str::to_owned),
    }
}

fn refusal(bytes: &[u8]) -> String {
    match parse(bytes) {
        Err(DirectoryError::Refused(why)) => why,
        Err(DirectoryError::Unavailable(why)) => panic!("unavailable: {why}"),
        Ok(listing) => panic!("read {} people", listing.people.len()),
    }
}

#[tokio::test]
async fn the_example_file_has_25_distinct_people_one_of_them_disabled() {
    let listing = CsvDirectory::new(EXAMPLE).list_people().await.unwrap();
    assert_eq!(listing.problems, []);
    assert_eq!(listing.unknown_fields, Vec::<String>::new());
    let people = &listing.people;
    assert_eq!(people.len(), 25);
    assert_eq!(people.iter().filter(|person| !person.active).count(), 1);
    assert!(people.iter().any(|person| person.mobile.is_none()));
    assert!(people.iter().any(|person| person.email.is_none()));
    assert!(people.iter().all(|person| person.user_type != UserType::VirtualUserSso));
    assert!(people.iter().all(|person| person.email.iter().all(|mail| mail.contains("@example."))));
    let mobiles: Vec<_> = people.iter().filter_map(|person| person.mobile.as_deref()).collect();
    let numbers: HashSet<_> = mobiles.iter().map(|mobile| PhoneNumber::parse(mobile, "CN").unwrap()).collect();
    assert_eq!(numbers.len(), mobiles.len());
    let mails: Vec<_> = people.iter().filter_map(|person| person.email.as_deref()).collect();
    let addresses: HashSet<_> =
        mails.iter().map(|mail| EmailAddress::parse(mail).unwrap().as_str().to_owned()).collect();
    assert_eq!(addresses.len(), mails.len());
    assert_eq!(people.iter().map(|person| &person.name).collect::<HashSet<_>>().len(), 25);
}

#[test]
fn every_column_is_read() {
    let file = "external_id,name,alias,user_type,state,identity_provider,mobile,email\n\
                u-1, 林晓梅 ,Mei,iam_user_sso,Disabled,corp, 138 0013 8000 ,mei@example.com\n\
                u-2,Anna,,,,,,\n";
    let listing = parse(file.as_bytes()).unwrap();
    let mei = DirectoryPerson {
        external_id: "u-1".into(),
        name: "林晓梅".into(),
        user_type: UserType::IamUserSso,
        active: false,
        identity_provider: Some("corp".into()),
        mobile: Some("138 0013 8000".into()),
        email: Some("mei@example.com".into()),
        alias: Some("Mei".into()),
    };
    let anna = DirectoryPerson {
        external_id: "u-2".into(),
        name: "Anna".into(),
        user_type: UserType::Other,
        active: true,
        identity_provider: None,
        mobile: None,
        email: None,
        alias: None,
    };
    assert_eq!(listing, Listing { people: vec![mei, anna], ..Listing::default() });
}

#[test]
fn utf8_with_and_without_a_mark_and_gb18030_read_the_same() {
    let file = "工号,姓名,手机号,邮箱\nu-1,林晓梅,13800138000,mei@example.cn\nu-2,㐂𠮷,,\n";
    let plain = parse(file.as_bytes()).unwrap();
    assert_eq!(names(&plain), ["林晓梅", "㐂𠮷"]);
    assert_eq!(plain.people[0].email.as_deref(), Some("mei@example.cn"));
    assert_eq!(parse(format!("\u{FEFF}{file}").as_bytes()).unwrap(), plain);
    let (encoded, _, lossy) = GB18030.encode(file);
    assert!(!lossy && std::str::from_utf8(&encoded).is_err());
    assert_eq!(parse(&encoded).unwrap(), plain);
    assert_eq!(parse(&[&[0x84, 0x31, 0x95, 0x33], encoded.as_ref()].concat()).unwrap(), plain);
}

#[test]
fn utf16_is_refused_with_a_word_on_how_to_save_the_file() {
    assert!(refusal(b"\xFF\xFEe\0x\0t\0").contains("UTF-16"));
}

#[test]
fn a_row_in_a_broken_encoding_is_refused_and_garbles_no_other() {
    let mut file = "external_id,name\nu-1,林晓梅\nu-2,王建国\nu-3,".as_bytes().to_vec();
    file.extend(b"\xFF\xFE\nu-4,Anna\n");
    let listing = parse(&file).unwrap();
    assert_eq!(names(&listing), ["林晓梅", "王建国", "Anna"]);
    assert_eq!(listing.problems, [problem(4, Some("u-3"), ListingProblemCode::InvalidEncoding, Some("name"))]);
}

#[test]
fn a_row_that_is_not_gb18030_is_refused_while_the_others_go_on() {
    let (good, _, _) = GB18030.encode("external_id,name\nu-1,林晓梅\n");
    let file = [good.as_ref(), b"u-2,\x81\nu-3,\xFF\xFF\nu-4,Anna\n"].concat();
    let listing = parse(&file).unwrap();
    assert_eq!(names(&listing), ["林晓梅", "Anna"]);
    let lines: Vec<_> = listing.problems.iter().map(|problem| (problem.line, problem.code)).collect();
    assert_eq!(lines, [(Some(3), ListingProblemCode::InvalidEncoding), (Some(4), ListingProblemCode::InvalidEncoding)]);
}

#[test]
fn bad_rows_are_refused_with_their_lines_while_the_good_ones_go_on() {
    use ListingProblemCode::{Duplicate, InvalidValue, MissingValue, WrongFieldCount};

    let file = "External ID,Name,User-Type,状态\n\
                u-1,Anna,,\n\
                ,Nobody,,\n\
                u-2,,,\n\
                u-3,Bo,ROBOT,\n\
                u-4,Cy,VIRTUAL_USER_SSO,\n\
                u-5,Di,,perhaps\n\
                u-6,Ed\n\
                u-7,Fay,,,extra\n\
                u-1,Anna again,,\n\
                u-8,Gus\u{7},,\n\
                u-9,Hal,OTHER,停用\n\
                \"u-\n10\",Ida,,\n";
    let listing = parse(file.as_bytes()).unwrap();
    assert_eq!(names(&listing), ["Anna", "Hal"]);
    assert!(!listing.people[1].active);
    let expected = [
        problem(3, None, MissingValue, Some("External ID")),
        problem(4, Some("u-2"), MissingValue, Some("Name")),
        problem(5, Some("u-3"), InvalidValue, Some("User-Type")),
        problem(6, Some("u-4"), InvalidValue, Some("User-Type")),
        problem(7, Some("u-5"), InvalidValue, Some("状态")),
        problem(8, Some("u-6"), WrongFieldCount, None),
        problem(9, Some("u-7"), WrongFieldCount, None),
        problem(10, Some("u-1"), Duplicate, Some("External ID")),
        problem(11, Some("u-8"), InvalidValue, Some("Name")),
        problem(13, None, InvalidValue, Some("External ID")),
    ];
    assert_eq!(listing.problems, expected);
}

#[test]
fn a_row_with_a_wrong_number_of_cells_names_nobody_if_its_key_may_have_shifted() {
    let listing = parse(b"name,external_id,mobile\nOkafor, James,u-1,\nAnna,u-2,\n").unwrap();
    assert_eq!(names(&listing), ["Anna"]);
    assert_eq!(listing.problems, [problem(2, None, ListingProblemCode::WrongFieldCount, None)]);
}

#[test]
fn line_breaks_in_quoted_cells_keep_the_line_numbers_right() {
    for line_end in ["\n", "\r\n", "\r"] {
        let lines = [
            "",
            "external_id,name,alias",
            "",
            "u-1,\"Anna",
            "",
            "Lindqvist\",\"says \"\"hi\"\"\"",
            ",,",
            "u-2,,",
            "u-3,Bo,",
        ];
        let listing = parse(lines.join(line_end).as_bytes()).unwrap();
        assert_eq!(names(&listing), ["Anna Lindqvist", "Bo"]);
        assert_eq!(listing.people[0].alias.as_deref(), Some("says \"hi\""));
        assert_eq!(listing.problems, [problem(8, Some("u-2"), ListingProblemCode::MissingValue, Some("name"))]);
    }
}

#[test]
fn a_stray_quote_costs_its_own_row_and_swallows_nobody() {
    let file = b"external_id,name,alias\nu-1,\"Anna,\nu-2,Bo,\nu-3,\"Cy, Jr\",\nu-4,Di,\"\nu-5,Ed \"E\" Ek,\n";
    let listing = parse(file).unwrap();
    assert_eq!(names(&listing), ["Bo", "Cy, Jr", "Ed \"E\" Ek"]);
    let expected = [
        problem(2, Some("u-1"), ListingProblemCode::InvalidValue, Some("name")),
        problem(5, Some("u-4"), ListingProblemCode::InvalidValue, Some("alias")),
    ];
    assert_eq!(listing.problems, expected);
}

#[test]
fn unknown_columns_are_reported_and_left_out() {
    let listing = parse("external_id,Team,name,备注,\nu-1,db,Anna,x,\n".as_bytes()).unwrap();
    assert_eq!(names(&listing), ["Anna"]);
    assert_eq!(listing.unknown_fields, ["Team", "备注"]);
}

#[test]
fn semicolons_and_tabs_divide_cells_where_the_header_has_no_comma() {
    for delimiter in [";", "\t"] {
        let file = ["external_id,name", "u-1,\"Okafor; J\t\""].join("\n").replace(',', delimiter);
        assert_eq!(names(&parse(file.as_bytes()).unwrap()), ["Okafor; J"]);
    }
}

#[test]
fn a_file_without_a_usable_header_is_refused_with_the_reason() {
    assert!(refusal(b"").contains("empty"));
    assert!(refusal(b"\n \r\n").contains("empty"));
    assert!(refusal(b"u-1,Anna\n").contains("external_id and name is missing"));
    assert!(refusal(b"external_id,email\nu-1,a@example.com\n").contains("name is missing"));
    assert!(refusal("external_id,name,姓名\n".as_bytes()).contains("name twice"));
    assert!(refusal(b"external_id,\"name\nu-1,Anna\n").contains("header"));
}

#[test]
fn a_header_alone_is_an_empty_listing() {
    assert_eq!(parse(b"external_id,name").unwrap(), Listing::default());
}

#[tokio::test]
async fn a_missing_file_is_refused_with_its_path_and_so_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("nobody.csv"), folder.path().to_owned()] {
        match CsvDirectory::new(&path).list_people().await {
            Err(DirectoryError::Refused(why)) => assert!(why.contains(path.to_str().unwrap()), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
    match CsvDirectory::new(file.path()).list_people().await {
        Err(DirectoryError::Refused(why)) => assert!(why.contains("larger than 64 MiB"), "{why}"),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_another_csv_writer_wrote_is_read_as_meant(aliases in prop::collection::vec("[a-z,;\"'\r\n 林]{0,12}", 1..8)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["external_id", "name", "mobile"]).unwrap();
        for (number, alias) in aliases.iter().enumerate() {
            writer.write_record([&format!("u-{number}"), "Anna", alias]).unwrap();
        }
        let listing = parse(&writer.into_inner().unwrap()).unwrap();
        let read: Vec<_> = listing.people.iter().map(|person| person.mobile.as_deref().unwrap_or("")).collect();
        let written: Vec<_> = aliases.iter().map(|alias| alias.trim()).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn no_file_breaks_the_reader(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), any::<u8>()], 0..200)) {
        let file = [b"external_id,name\n", bytes.as_slice(), b"\nu-last,Last"].concat();
        let listing = parse(&file).unwrap();
        let lines: Vec<_> = listing.problems.iter().map(|problem| problem.line).collect();
        prop_assert!(lines.is_sorted());
    }
}
