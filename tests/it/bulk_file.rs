//! The file of bulk edits: formulas stay text, and an export imported untouched changes nothing.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use encoding_rs::GB18030;
use proptest::prelude::*;
use rollcall::{
    domain::table::{MAX_FILE_BYTES, MAX_ROW},
    service::{
        bulk_file::{self, BulkFile, BulkFileError, BulkRow, ExportRow, Key, MAX_ROWS, RowProblem, RowProblemCode},
        edit::Edit,
    },
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

/// All of a file.
#[derive(Debug)]
struct Whole {
    rows: Vec<BulkRow>,
    problems: Vec<RowProblem>,
    unknown_columns: Vec<String>,
}

fn read(bytes: &[u8]) -> Result<Whole, BulkFileError> {
    read_in_chunks(Cursor::new(bytes), 7)
}

fn read_in_chunks(source: impl Read + Seek, length: usize) -> Result<Whole, BulkFileError> {
    let mut file = BulkFile::open(source)?;
    let mut whole = Whole { rows: Vec::new(), problems: Vec::new(), unknown_columns: file.unknown_columns().to_vec() };
    loop {
        let chunk = file.next_chunk(length)?;
        assert!(chunk.rows.len() + chunk.problems.len() <= length);
        if chunk.is_empty() {
            assert_eq!(file.count_rows(), whole.rows.len() + whole.problems.len());
            return Ok(whole);
        }
        whole.rows.extend(chunk.rows);
        whole.problems.extend(chunk.problems);
    }
}

fn import(text: &str) -> Whole {
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
    let file = read(&bytes).unwrap();
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
    let file = read(&bytes).unwrap();
    assert_eq!((&file.rows[0].engineer, &file.rows[0].mobile), (&Key::Name("林晓梅".into()), &set("+8613800138000")));
}

#[test]
fn a_header_that_names_nobody_is_refused() {
    assert!(matches!(read(b"mobile,external_id\n1,2\n"), Err(BulkFileError::NoKeyColumn)));
    assert!(matches!(read(b""), Err(BulkFileError::Table(_))));
    assert!(matches!(read(b"id,mobile,Mobile\n"), Err(BulkFileError::Table(_))));
    assert_eq!(import("directory,external_id\n").rows, []);
}

#[test]
fn a_file_beyond_the_limit_or_broken_off_is_refused() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(matches!(read_in_chunks(file, 7), Err(BulkFileError::TooLarge)));
    assert!(matches!(read_in_chunks(BrokenOff, 7), Err(BulkFileError::Unreadable(_))));
}

struct BrokenOff;

impl Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl Seek for BrokenOff {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(1)
    }
}

#[test]
fn a_file_with_too_many_rows_is_refused_before_any_of_them_is_given() {
    let rows = |count: usize| format!("id,alias\n{}", "e,\n".repeat(count));
    assert_eq!(BulkFile::open(Cursor::new(rows(MAX_ROWS))).unwrap().count_rows(), MAX_ROWS);
    assert!(matches!(BulkFile::open(Cursor::new(rows(MAX_ROWS + 1))), Err(BulkFileError::TooManyRows)));
}

#[test]
fn a_row_longer_than_the_limit_is_refused_alone() {
    let long = "x".repeat(MAX_ROW);
    let file = import(&format!("id,alias\n1,{long}\n2,\"{long}\n3,c\n\"4\",{}\r\n5,e\n", "d".repeat(MAX_ROW - 6)));
    let problems: Vec<_> = file.problems.iter().map(|p| (p.line, p.code.name(), p.column.as_deref())).collect();
    assert_eq!(problems, [(2, "ROW_TOO_LONG", Some("alias")), (3, "INVALID_QUOTING", Some("alias"))]);
    assert_eq!(file.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5, 6], "a row of just the limit is taken");
}

#[test]
fn many_long_rows_are_given_a_few_at_a_time() {
    let mut text = "id,alias,notes\n".to_owned();
    text.extend((0..40).map(|i| format!("{i},,{}\n", "x".repeat(200_000))));
    let mut file = BulkFile::open(Cursor::new(text)).unwrap();
    let mut chunks = Vec::new();
    loop {
        match file.next_chunk(200).unwrap().rows.len() {
            0 => break,
            length => chunks.push(length),
        }
    }
    assert!(chunks.len() > 5 && chunks.iter().sum::<usize>() == 40, "{chunks:?}");
}

/// How much is read of a file at a time.
const PIECE: usize = 64 * 1024;

#[test]
fn where_a_piece_of_the_file_ends_makes_no_difference() {
    let tail = "\"two\r\nlines \"\"quoted\"\"\",1\r\n,x\r\n\r\n林,\"é\"\r\"bad\"x,y\n\"open,\n3,\n";
    for before in 0..=tail.len() {
        // The first piece ends after so many bytes of the tail.
        let header = "name,alias\n";
        let filler = "y".repeat(PIECE - before - header.len() - 3);
        let file = import(&format!("{header}{filler},z\n{tail}"));
        assert_eq!(file.rows[0].engineer, Key::Name(filler), "{before}");
        let lines: Vec<_> = file.rows[1..].iter().map(|row| (row.line, &row.engineer, &row.alias)).collect();
        let key = |name: &str| Key::Name(name.to_owned());
        let expected =
            [(3, &key("two\r\nlines \"quoted\""), &set("1")), (7, &key("林"), &set("é")), (10, &key("3"), &Edit::Keep)];
        assert_eq!(lines, expected, "{before}");
        let problems: Vec<_> = file.problems.iter().map(|p| (p.line, p.code.name())).collect();
        assert_eq!(problems, [(5, "MISSING_KEY"), (8, "INVALID_QUOTING"), (9, "INVALID_QUOTING")], "{before}");
    }
}

#[test]
fn the_encoding_is_judged_by_the_whole_file_however_late_it_shows() {
    let plain = "u,plain\n".repeat(PIECE / 8);
    for before in 0..8 {
        let text = format!("name,alias\n{}{plain}林晓梅,梅\n", "\n".repeat(before));
        let last = |bytes: &[u8]| read(bytes).unwrap().rows.pop().unwrap();
        assert_eq!(last(text.as_bytes()).engineer, Key::Name("林晓梅".into()), "UTF-8, {before}");
        let (bytes, _, _) = GB18030.encode(&text);
        assert_eq!(last(&bytes).engineer, Key::Name("林晓梅".into()), "GB18030, {before}");
        // A line of UTF-8 with a broken byte is outvoted by two good ones.
        let mixed = [b"name,alias\n".as_slice(), plain.as_bytes(), b"\xE6\x9E,x\n", "林,x\n晓,x\n".as_bytes()].concat();
        let file = read(&mixed).unwrap();
        assert_eq!(file.rows.last().unwrap().engineer, Key::Name("晓".into()));
        assert_eq!(file.problems.len(), 1);
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
        assert_eq!(read(&bytes).unwrap().rows[0].alias, Edit::Set(alias));
    }
}

#[test]
fn an_apostrophe_that_guards_nothing_is_part_of_the_value() {
    let bytes = export(&[ExportRow { alias: Some("'t Hooft"), ..LIN }]);
    assert_eq!(read(&bytes).unwrap().rows[0].alias, set("'t Hooft"));
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
        let file = read(&export(&rows)).unwrap();
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
