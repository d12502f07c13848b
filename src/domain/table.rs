//! Tables in text files (CSV), as people and spreadsheet programs write them: bytes in, rows with line numbers out.
//!
//! The splitting follows RFC 4180 and is strict about quotes, which is why it is our own: a lenient reader lets one stray
//! quote swallow the rows after it, and in a directory whoever is swallowed would be taken for gone. Here the row with the
//! stray quote is at fault alone, and reading goes on at the next line.
//!
//! - Encoding: UTF-8, with or without a byte order mark, or GB18030 (and so GBK and GB2312). A file that is UTF-8 but for a
//!   few rows stays UTF-8. Both can be split bytewise: no byte of a longer character is a quote, a delimiter or a line end.
//! - Delimiter: comma; where the first line has none, tab or semicolon.
//! - A line ends with LF, CRLF or CR. A line break inside a quoted cell belongs to the cell.
//! - Rows with nothing in them are left out.
//! - A file is read twice, in pieces: once to tell its encoding, once for its rows. What is held of it is one row, of
//!   [`MAX_ROW`] bytes at most, and a piece that was read ahead.

mod encoding;
mod splitter;

use std::io::{self, Read, Seek};

use self::{
    encoding::Encoding,
    splitter::{Place, RawRow, Splitter},
};

/// The largest file with a table that rollcall reads, in bytes: 64 MiB, which is several hundred thousand people.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The longest row that is read, in bytes: 256 KiB. A cell of a spreadsheet holds 32,767 characters at most.
pub const MAX_ROW: usize = 256 * 1024;

/// The longest part of a strange heading that is repeated in a message, in characters.
const SHOWN_HEADING: usize = 64;

/// The file holds no table that can be read. The texts are fit for the person who made the file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The bytes did not arrive.
    #[error("the file could not be read to its end")]
    Unreadable(#[from] io::Error),
    /// There is no row at all.
    #[error("the file is empty: its first line must name the columns")]
    Empty,
    /// The file begins with the byte order mark of UTF-16.
    #[error("the file is in UTF-16: save it as CSV in UTF-8 (or GB18030)")]
    Utf16,
    /// The first row is not text, or its quotes do not match.
    #[error("the first line is no header: it must be text in UTF-8 or GB18030 that names the columns")]
    BadHeader,
    /// Two columns mean the same.
    #[error("the header names the column {0} twice")]
    DuplicateColumn(&'static str),
}

/// A column that a reader of tables knows.
#[derive(Debug, Clone, Copy)]
pub struct KnownColumn {
    /// Its name, in the normal form of [`normal_heading`].
    pub name: &'static str,
    /// Other headings for it, in the same form.
    pub also: &'static [&'static str],
}

/// Which column stands where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    places: Vec<(&'static str, usize)>,
    /// The headings that nobody knows, as written.
    pub unknown: Vec<String>,
}

impl Layout {
    /// The position of a column in each row; `None` where the file lacks it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
    }
}

/// Why a row cannot be taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// A quoted cell is not closed before the file or [`MAX_ROW`] ends, or goes on after its closing quote. Reading went on at
    /// the line after its first quote.
    Quoting {
        /// The position of the cell.
        column: usize,
    },
    /// The row is longer than [`MAX_ROW`].
    TooLong {
        /// The position of the cell in which the limit lies.
        column: usize,
    },
    /// The row has more or fewer cells than the header.
    CellCount,
    /// A cell is not valid in the file's encoding.
    Encoding {
        /// The position of the cell.
        column: usize,
    },
}

/// One row under the header.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What is wrong with it, if anything.
    pub fault: Option<RowFault>,
    /// The cells as written; `None` where a cell is not valid in the file's encoding.
    cells: Vec<Option<String>>,
}

impl Row {
    /// The cell at that position, as written; "" where there is none.
    pub fn cell(&self, column: Option<usize>) -> &str {
        column.and_then(|column| self.cells.get(column)?.as_deref()).unwrap_or("")
    }

    /// The trimmed cell, if it surely belongs to that column although the row may be at fault: in a row with a wrong number
    /// of cells only the first is in its place for sure.
    pub fn surely(&self, column: usize) -> Option<&str> {
        let in_place = match self.fault {
            None | Some(RowFault::Encoding { .. }) => true,
            Some(RowFault::Quoting { .. } | RowFault::TooLong { .. } | RowFault::CellCount) => column == 0,
        };
        Some(self.cell(Some(column)).trim()).filter(|cell| in_place && !cell.is_empty())
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.as_ref().is_some_and(|cell| cell.trim().is_empty()))
    }
}

/// A table whose header has been read.
pub struct Table<R> {
    splitter: Splitter<R>,
    encoding: Encoding,
    header: Vec<String>,
    /// Where the rows under the header begin.
    rows: Place,
}

impl<R: Read + Seek> Table<R> {
    /// Tells the encoding, which takes one pass over the whole source, and reads the header: the first row with anything in it.
    ///
    /// # Errors
    /// When the file is empty, does not begin with a row of text, or cannot be read.
    pub fn open(mut source: R) -> Result<Self, TableError> {
        source.rewind()?;
        let (encoding, mark) = encoding::tell(&mut source)?;
        let mut splitter = Splitter::open(source, mark)?;
        let header = loop {
            let row = decode(splitter.next_row()?.ok_or(TableError::Empty)?, encoding);
            if row.fault.is_some() {
                return Err(TableError::BadHeader);
            }
            if !row.is_blank() {
                break row.cells.into_iter().flatten().map(|cell| cell.trim().to_owned()).collect();
            }
        };
        let rows = splitter.place();
        Ok(Self { splitter, encoding, header, rows })
    }

    /// The heading at that position, as written but for blanks around it.
    pub fn heading(&self, column: usize) -> Option<&str> {
        self.header.get(column).map(String::as_str)
    }

    /// Finds the known columns, whatever their order.
    ///
    /// # Errors
    /// When two headings mean the same column.
    pub fn locate(&self, known: &[KnownColumn]) -> Result<Layout, TableError> {
        let mut layout = Layout { places: Vec::new(), unknown: Vec::new() };
        for (place, heading) in self.header.iter().enumerate() {
            let normal = normal_heading(heading);
            let column = known.iter().find(|column| column.name == normal || column.also.contains(&normal.as_str()));
            match column {
                Some(column) if layout.find(column.name).is_some() => {
                    return Err(TableError::DuplicateColumn(column.name));
                }
                Some(column) => layout.places.push((column.name, place)),
                None if heading.is_empty() => {}
                None => layout.unknown.push(heading.chars().take(SHOWN_HEADING).collect()),
            }
        }
        Ok(layout)
    }

    /// The next row with anything in it; `None` at the end.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        while let Some(raw) = self.splitter.next_row()? {
            let mut row = decode(raw, self.encoding);
            if matches!(row.fault, None | Some(RowFault::Encoding { .. })) && row.is_blank() {
                continue;
            }
            let is_torn = matches!(row.fault, Some(RowFault::Quoting { .. } | RowFault::TooLong { .. }));
            if !is_torn && row.cells.len() != self.header.len() {
                row.fault = Some(RowFault::CellCount);
            }
            return Ok(Some(row));
        }
        Ok(None)
    }

    /// How many bytes of the source were passed over.
    pub fn passed(&self) -> u64 {
        self.splitter.passed()
    }

    /// Goes back to the first row.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn go_back(&mut self) -> io::Result<()> {
        self.splitter.go_to(self.rows)
    }
}

/// The form in which headings are compared: trimmed, in lower case, blanks and hyphens as underscores.
pub fn normal_heading(heading: &str) -> String {
    heading.trim().to_lowercase().replace([' ', '-'], "_")
}

fn decode(raw: RawRow, encoding: Encoding) -> Row {
    let cells: Vec<_> = raw.cells.into_iter().map(|cell| encoding.decode(cell)).collect();
    let garbled = cells.iter().position(Option::is_none).map(|column| RowFault::Encoding { column });
    Row { line: raw.line, fault: raw.fault.or(garbled), cells }
}
