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

use std::{borrow::Cow, str};

use encoding_rs::GB18030;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const GB18030_MARK: &[u8] = &[0x84, 0x31, 0x95, 0x33];
/// The longest part of a strange heading that is repeated in a message, in characters.
const SHOWN_HEADING: usize = 64;

/// The file holds no table that can be read. The texts are fit for the person who made the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
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

/// How the text of a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Gb18030,
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
    /// A quoted cell is never closed, or goes on after its closing quote. Reading went on at the line after that quote.
    Quoting {
        /// The position of the cell.
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
            Some(RowFault::Quoting { .. } | RowFault::CellCount) => column == 0,
        };
        Some(self.cell(Some(column)).trim()).filter(|cell| in_place && !cell.is_empty())
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.as_ref().is_some_and(|cell| cell.trim().is_empty()))
    }
}

/// A table whose header has been read. Iterating gives the rows below it.
pub struct Table<'a> {
    splitter: Splitter<'a>,
    encoding: Encoding,
    header: Vec<String>,
}

impl<'a> Table<'a> {
    /// Reads the header: the first row with anything in it.
    ///
    /// # Errors
    /// When the file is empty, or does not begin with a row of text.
    pub fn open(bytes: &'a [u8]) -> Result<Self, TableError> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(TableError::Utf16);
        }
        let (text, encoding) = tell_encoding(bytes);
        let mut splitter = Splitter { text, at: 0, line: 1, delimiter: tell_delimiter(text) };
        let header = loop {
            let row = decode(splitter.next().ok_or(TableError::Empty)?, encoding);
            if row.fault.is_some() {
                return Err(TableError::BadHeader);
            }
            if !row.is_blank() {
                break row.cells.into_iter().flatten().map(|cell| cell.trim().to_owned()).collect();
            }
        };
        Ok(Self { splitter, encoding, header })
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
}

impl Iterator for Table<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let mut row = decode(self.splitter.next()?, self.encoding);
            if matches!(row.fault, None | Some(RowFault::Encoding { .. })) && row.is_blank() {
                continue;
            }
            let torn = matches!(row.fault, Some(RowFault::Quoting { .. }));
            if !torn && row.cells.len() != self.header.len() {
                row.fault = Some(RowFault::CellCount);
            }
            return Some(row);
        }
    }
}

/// The form in which headings are compared: trimmed, in lower case, blanks and hyphens as underscores.
pub fn normal_heading(heading: &str) -> String {
    heading.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The text without its byte order mark, and its encoding. Without a mark, what is valid UTF-8 is UTF-8; else the lines that
/// are not plain ASCII vote: were a few broken bytes enough to read a UTF-8 file as GB18030, every name in it would be garbled.
fn tell_encoding(bytes: &[u8]) -> (&[u8], Encoding) {
    if let Some(text) = bytes.strip_prefix(UTF8_MARK) {
        return (text, Encoding::Utf8);
    }
    if let Some(text) = bytes.strip_prefix(GB18030_MARK) {
        return (text, Encoding::Gb18030);
    }
    if str::from_utf8(bytes).is_ok() {
        return (bytes, Encoding::Utf8);
    }
    let telling = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_ascii());
    let (valid, broken): (Vec<_>, Vec<_>) = telling.partition(|line| str::from_utf8(line).is_ok());
    (bytes, if valid.len() > broken.len() { Encoding::Utf8 } else { Encoding::Gb18030 })
}

fn tell_delimiter(text: &[u8]) -> u8 {
    let first = text.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
    [b',', b'\t', b';'].into_iter().find(|candidate| first.is_some_and(|line| line.contains(candidate))).unwrap_or(b',')
}

fn decode(raw: RawRow<'_>, encoding: Encoding) -> Row {
    let decode_cell = |cell: Cow<'_, [u8]>| match encoding {
        Encoding::Utf8 => String::from_utf8(cell.into_owned()).ok(),
        Encoding::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(&cell).map(Cow::into_owned),
    };
    let cells: Vec<_> = raw.cells.into_iter().map(decode_cell).collect();
    let torn = raw.torn.map(|column| RowFault::Quoting { column });
    let garbled = cells.iter().position(Option::is_none).map(|column| RowFault::Encoding { column });
    Row { line: raw.line, fault: torn.or(garbled), cells }
}

/// A row as bytes.
struct RawRow<'a> {
    line: u64,
    cells: Vec<Cow<'a, [u8]>>,
    /// The position of the cell whose quotes do not match; the cells before it are good.
    torn: Option<usize>,
}

/// Splits bytes into rows and cells.
struct Splitter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    delimiter: u8,
}

impl<'a> Splitter<'a> {
    fn plain_cell(&self, start: usize) -> (Cow<'a, [u8]>, usize) {
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        let length = self.text[start..].iter().position(ends).unwrap_or(self.text.len() - start);
        (Cow::Borrowed(&self.text[start..start + length]), start + length)
    }

    /// The cell whose opening quote stands before `start`, and where it ends; `None` if its quotes do not match.
    fn quoted_cell(&self, start: usize) -> Option<(Cow<'a, [u8]>, usize)> {
        let mut cell = Cow::Borrowed(&self.text[start..start]);
        let mut at = start;
        loop {
            let quote = at + self.text[at..].iter().position(|byte| *byte == b'"')?;
            let piece = &self.text[at..quote];
            if cell.is_empty() {
                cell = Cow::Borrowed(piece);
            } else {
                cell.to_mut().extend_from_slice(piece);
            }
            match self.text.get(quote + 1) {
                Some(b'"') => cell.to_mut().push(b'"'),
                Some(b'\n' | b'\r') | None => return Some((cell, quote + 1)),
                Some(next) if *next == self.delimiter => return Some((cell, quote + 1)),
                Some(_) => return None,
            }
            at = quote + 2;
        }
    }

    /// Where the line begins that follows the one `at` stands on.
    fn next_line(&self, at: usize) -> usize {
        let end = self.text[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|length| at + length);
        end.map_or(self.text.len(), |end| end + if self.text[end..].starts_with(b"\r\n") { 2 } else { 1 })
    }

    fn advance(&mut self, end: usize) {
        let passed = &self.text[self.at..end];
        let breaks = passed.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        let pairs = passed.windows(2).filter(|pair| *pair == b"\r\n").count();
        self.line += u64::try_from(breaks - pairs).unwrap_or(u64::MAX);
        self.at = end;
    }
}

impl<'a> Iterator for Splitter<'a> {
    type Item = RawRow<'a>;

    fn next(&mut self) -> Option<RawRow<'a>> {
        if self.at >= self.text.len() {
            return None;
        }
        let mut row = RawRow { line: self.line, cells: Vec::new(), torn: None };
        let mut at = self.at;
        loop {
            let cell = match self.text.get(at) {
                Some(b'"') => self.quoted_cell(at + 1),
                _ => Some(self.plain_cell(at)),
            };
            let Some((cell, end)) = cell else {
                row.torn = Some(row.cells.len());
                self.advance(self.next_line(at));
                return Some(row);
            };
            row.cells.push(cell);
            if self.text.get(end) != Some(&self.delimiter) {
                self.advance(self.next_line(end));
                return Some(row);
            }
            at = end + 1;
        }
    }
}
