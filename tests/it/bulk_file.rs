//! The file of bulk edits: formulas stay text, and an export imported untouched changes nothing.

use std::io;

use encoding_rs::GB18030;
use proptest::prelude::*;
use rollcall::service::{
    bulk_file::{self, BulkFile, BulkFileError, ExportRow, Key, RowProblemCode, read},
    edit::Edit,
};

const LIN: ExportRow<'_> = ExportRow {
    id: "engineer:0198f2a4c1d07cc2a9b1d2f3e4a5b6c7",
    directory: Some("staff"),
    external_id: Some("u-1"),
    name: "林晓梅",
    alias: Some("Mei"),
    mobile: Some("+8613800138000"),
    email: None,
    wecom_set: true,
    dingtalk_set: false,
    lark_set: false,
    state: "ACTIVE",
};

fn export(rows: &[ExportRow<'_>]) -> Vec<u8> {
    let mut bytes = bulk_file::header();
    bytes.extend(rows.iter().flat_map(bulk_file::row));
    bytes
}

fn import(text: &str) -> BulkFile {
    read(text.as_bytes()).unwrap()
}

fn set(value: &str) -> Edit {
    Edit::Set(value.to_owned())
}

#[test]
fn a_blank_cell_keeps_a_hyphen_clears_and_anything_else_is_the_new_value() {
    let file = import(
        "id,alias,mobile,email,wecom,dingtalk,dingtalk_secret,lark_secret\n\
         engineer:1,,-, a@example.com,https://example.com/hook, - ,SECabc,'-\n",
    );
    let row = &file.rows[0];
    assert_eq!((row.line, &row.engineer), (2, &Key::Id("engineer:1".into())));
    assert_eq!((&row.alias, &row.mobile, &row.email), (&Edit::Keep, &Edit::Clear, &set(" a@example.com")));
    assert_eq!((&row.wecom, &row.dingtalk, &row.lark), (&set("https://example.com/hook"), &Edit::Clear, &Edit::Keep));
    assert_eq!((&row.dingtalk_secret, &row.lark_secret), (&set("SECabc"), &set("-")));
    assert_eq!(file.unknown_columns, Vec::<String>::new());
}

#[test]
fn the_id_counts_before_directory_and_external_id_and_these_before_the_name() {
    let file = import(
        "name,external_id,directory,id\n\
         Anna,u-1,staff,engineer:1\n\
         Anna,u-1,staff,\n\
         Anna,u-1,,\n\
         ,u-1,,\n",
    );
    let keys: Vec<_> = file.rows.iter().map(|row| row.engineer.clone()).collect();
    let external = Key::External { directory: "staff".into(), external_id: "u-1".into() };
    assert_eq!(keys, [Key::Id("engineer:1".into()), external, Key::Name("Anna".into())]);
    assert_eq!(file.problems.len(), 1);
    assert_eq!((file.problems[0].line, file.problems[0].code), (5, RowProblemCode::MissingKey));
}

#[test]
fn bad_rows_are_refused_with_their_lines_while_the_good_ones_go_on() {
    let mut bytes = "\u{FEFF}id,别名,Mobile,Shoe size\n".as_bytes().to_vec();
    bytes.extend(b"e:1,\"two\nlines\",,\n\ne:2,x\n,x,,\ne:3,\xFF,,\ne:4,\"x,,\ne:5,y,,44\n");
    let file = read(bytes.as_slice()).unwrap();
    assert_eq!(file.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 9]);
    assert_eq!(file.rows[0].alias, set("two\nlines"));
    assert_eq!(file.unknown_columns, ["Shoe size"]);
    let problems: Vec<_> = file.problems.iter().map(|p| (p.line, p.code.name(), p.column.as_deref())).collect();
    let expected = [
        (5, "WRONG_FIELD_COUNT", None),
        (6, "MISSING_KEY", None),
        (7, "INVALID_ENCODING", Some("别名")),
        (8, "INVALID_QUOTING", Some("别名")),
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_file_that_a_spreadsheet_program_saved_in_gb18030_is_read() {
    let (bytes, _, _) = GB18030.encode("姓名,手机号\n林晓梅,'+8613800138000\n");
    let file = read(bytes.as_ref()).unwrap();
    assert_eq!((&file.rows[0].engineer, &file.rows[0].mobile), (&Key::Name("林晓梅".into()), &set("+8613800138000")));
}

#[test]
fn a_header_that_names_nobody_is_refused() {
    assert!(matches!(read(&b"mobile,external_id\n1,2\n"[..]), Err(BulkFileError::NoKeyColumn)));
    assert!(matches!(read(&b""[..]), Err(BulkFileError::Table(_))));
    assert!(matches!(read(&b"id,mobile,Mobile\n"[..]), Err(BulkFileError::Table(_))));
    assert_eq!(import("directory,external_id\n").rows, []);
}

#[test]
fn a_file_beyond_the_limit_or_broken_off_is_refused() {
    assert!(matches!(read(io::repeat(b'a')), Err(BulkFileError::TooLarge)));
    assert!(matches!(read(BrokenOff), Err(BulkFileError::Unreadable(_))));
}

struct BrokenOff;

impl io::Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn an_export_is_marked_as_utf8_and_quotes_every_cell() {
    let text = String::from_utf8(export(&[LIN])).unwrap();
    assert_eq!(
        text,
        "\u{FEFF}\"id\",\"directory\",\"external_id\",\"name\",\"alias\",\"mobile\",\"email\",\"wecom_set\",\
         \"dingtalk_set\",\"lark_set\",\"state\"\r\n\
         \"engineer:0198f2a4c1d07cc2a9b1d2f3e4a5b6c7\",\"staff\",\"u-1\",\"林晓梅\",\"Mei\",\"'+8613800138000\",\"\",\
         \"yes\",\"no\",\"no\",\"ACTIVE\"\r\n"
    );
    let file = import(&text);
    assert_eq!((file.unknown_columns.len(), file.problems.len(), file.rows.len()), (0, 0, 1));
}

#[test]
fn no_cell_of_an_export_begins_like_a_formula() {
    let starts = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'=", " =", "\u{3000}＝"];
    for start in starts {
        let alias = format!("{start}cmd|'/c calc'!A1");
        let bytes = export(&[ExportRow { alias: Some(&alias), name: &alias, ..LIN }]);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let record = reader.records().next().unwrap().unwrap();
        assert_eq!((&record[3], &record[4]), (&*format!("'{alias}"), &*format!("'{alias}")));
        assert_eq!(read(bytes.as_slice()).unwrap().rows[0].alias, Edit::Set(alias));
    }
}

#[test]
fn an_apostrophe_that_guards_nothing_is_part_of_the_value() {
    let bytes = export(&[ExportRow { alias: Some("'t Hooft"), ..LIN }]);
    assert_eq!(read(bytes.as_slice()).unwrap().rows[0].alias, set("'t Hooft"));
}

#[test]
fn values_do_not_show_in_debug_output() {
    let file = import("id,mobile,dingtalk_secret\nengineer:1,+8613800138000,SECabc\n");
    let shown = format!("{file:?}");
    assert!(!shown.contains("138") && !shown.contains("SEC"), "{shown}");
}

/// What the engineer holds once the edit is made.
fn apply(edit: &Edit, held: &str) -> String {
    match edit {
        Edit::Keep => held.to_owned(),
        Edit::Clear => String::new(),
        Edit::Set(value) => value.clone(),
    }
}

proptest! {
    #[test]
    fn an_export_imported_untouched_changes_nothing(
        people in prop::collection::vec(("[-=+@'＝－ \t\r\n\",;a林]{0,6}", any::<String>(), "[+'-]{0,2}[0-9 ]{0,14}"), 1..10)
    ) {
        let rows: Vec<_> = people
            .iter()
            .map(|(alias, mail, mobile)| ExportRow { alias: Some(alias), email: Some(mail), mobile: Some(mobile), ..LIN })
            .collect();
        let file = read(export(&rows).as_slice()).unwrap();
        prop_assert_eq!(&file.problems, &[]);
        prop_assert_eq!(file.rows.len(), people.len());
        for (row, (alias, mail, mobile)) in file.rows.iter().zip(&people) {
            prop_assert_eq!(&row.engineer, &Key::Id(LIN.id.to_owned()));
            prop_assert_eq!(&apply(&row.alias, alias), alias);
            prop_assert_eq!(&apply(&row.email, mail), mail);
            prop_assert_eq!(&apply(&row.mobile, mobile), mobile);
            let others = [&row.wecom, &row.dingtalk, &row.lark, &row.dingtalk_secret, &row.lark_secret];
            prop_assert!(others.into_iter().all(|edit| *edit == Edit::Keep));
        }
    }
}
