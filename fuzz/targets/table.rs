//! Tables in files: each byte belongs to some row, reading ends, and reading again gives the same.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rollcall::{
    adapter::directory::csv,
    domain::table::{Row, Table},
};

fuzz_target!(|input: &[u8]| {
    if let Ok(mut table) = Table::open(Cursor::new(input)) {
        let (first, passed) = read(&mut table);
        assert_eq!(passed, input.len() as u64);
        assert!(first.len() <= input.len(), "no row is made of nothing");
        assert!(first.windows(2).all(|rows| rows[0].line < rows[1].line), "rows stand below each other");
        table.go_back().expect("memory can be read");
        assert!((first, passed) == read(&mut table), "a second time it is the same");
    }
    if let Ok(listing) = csv::parse(input) {
        assert!(listing.people.iter().all(|person| !person.external_id.trim().is_empty() && !person.name.is_empty()));
        let lines = input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        assert!(listing.people.len() + listing.problems.len() < lines, "fewer than lines, one of which is the header");
    }
});

/// All rows, and how many bytes they took.
fn read(table: &mut Table<Cursor<&[u8]>>) -> (Vec<Row>, u64) {
    let rows = std::iter::from_fn(|| table.next_row().expect("memory can be read")).collect();
    (rows, table.passed())
}
