//! Bytes into rows and cells, of which no more is held than the row at hand and what was read ahead.

use std::io::{self, Read, Seek, SeekFrom};

use super::{MAX_ROW, RowFault};

/// How much is read at a time, in bytes.
const READ_AHEAD: usize = 64 * 1024;

/// A row as bytes.
pub(super) struct RawRow {
    pub line: u64,
    pub cells: Vec<Vec<u8>>,
    /// What is wrong with the cell after the last; the cells before it are good.
    pub fault: Option<RowFault>,
}

/// A place between two rows.
#[derive(Clone, Copy)]
pub(super) struct Place {
    offset: u64,
    line: u64,
}

/// Splits what a source gives.
pub(super) struct Splitter<R> {
    source: R,
    /// What was read and may still be needed.
    held: Vec<u8>,
    /// Where in `held` the next row begins.
    at: usize,
    /// Where in the source `held` begins, in bytes.
    offset: u64,
    /// Whether the source has no more than is held.
    is_whole: bool,
    /// The line on which the next row begins, counted from 1.
    line: u64,
    delimiter: u8,
}

impl<R: Read + Seek> Splitter<R> {
    /// Begins at that byte of the source, passes over blank lines and tells the delimiter.
    pub fn open(mut source: R, offset: u64) -> io::Result<Self> {
        source.seek(SeekFrom::Start(offset))?;
        let mut splitter = Self { source, held: Vec::new(), at: 0, offset, is_whole: false, line: 1, delimiter: b',' };
        splitter.tell_delimiter()?;
        Ok(splitter)
    }

    /// How many bytes of the source were passed over.
    pub fn passed(&self) -> u64 {
        self.place().offset
    }

    /// Where the next row begins.
    pub fn place(&self) -> Place {
        Place { offset: self.offset + u64::try_from(self.at).unwrap_or(u64::MAX), line: self.line }
    }

    /// Goes back to a place.
    pub fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(place.offset))?;
        self.held.clear();
        (self.at, self.is_whole) = (0, false);
        (self.offset, self.line) = (place.offset, place.line);
        Ok(())
    }

    /// The next row; `None` at the end.
    pub fn next_row(&mut self) -> io::Result<Option<RawRow>> {
        loop {
            let held = &self.held[self.at..];
            let text = &held[..held.len().min(MAX_ROW)];
            if text.is_empty() && self.is_whole {
                return Ok(None);
            }
            let is_whole = self.is_whole && text.len() == held.len();
            let Split { cells, end } = Text { bytes: text, is_whole, delimiter: self.delimiter }.split();
            if matches!(end, End::Unknown(_)) && text.len() < MAX_ROW {
                self.read_on()?;
                continue;
            }
            let (line, column) = (self.line, cells.len());
            let (fault, cell) = match end {
                End::Row(next) => {
                    let cells = cells.iter().map(|cell| cell.read(text)).collect();
                    self.advance(next);
                    return Ok(Some(RawRow { line, cells, fault: None }));
                }
                End::Unknown(at) if text.get(at) != Some(&b'"') => (RowFault::TooLong { column }, at),
                End::Torn(at) | End::Unknown(at) => (RowFault::Quoting { column }, at),
            };
            let cells = cells.iter().map(|cell| cell.read(text)).collect();
            self.advance(cell);
            self.skip_line()?;
            return Ok(Some(RawRow { line, cells, fault: Some(fault) }));
        }
    }

    fn tell_delimiter(&mut self) -> io::Result<()> {
        loop {
            let text = &self.held[self.at..];
            let next = next_line(text, self.is_whole);
            let line = &text[..next.unwrap_or(text.len())];
            let is_blank = line.trim_ascii().is_empty();
            if next.is_none() && !self.is_whole && line.len() < MAX_ROW {
                self.read_on()?;
            } else if is_blank && !(line.is_empty() && self.is_whole) {
                self.skip_line()?;
            } else {
                let found = [b',', b'\t', b';'].into_iter().find(|candidate| line.contains(candidate));
                self.delimiter = found.unwrap_or(b',');
                return Ok(());
            }
        }
    }

    /// Passes over the rest of a line, however long it is.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let text = &self.held[self.at..];
            if let Some(next) = next_line(text, self.is_whole) {
                self.advance(next);
                return Ok(());
            }
            if self.is_whole {
                self.advance(text.len());
                return Ok(());
            }
            // A CR at the end may be half of a line break.
            self.at = self.held.len() - usize::from(text.ends_with(b"\r"));
            self.read_on()?;
        }
    }

    /// Lets go of what was passed over, and reads on.
    fn read_on(&mut self) -> io::Result<()> {
        self.held.drain(..self.at);
        self.offset += u64::try_from(self.at).unwrap_or(u64::MAX);
        self.at = 0;
        let read_ahead = u64::try_from(READ_AHEAD).unwrap_or(u64::MAX);
        self.is_whole = self.source.by_ref().take(read_ahead).read_to_end(&mut self.held)? < READ_AHEAD;
        Ok(())
    }

    /// Passes over that many bytes.
    fn advance(&mut self, length: usize) {
        let passed = &self.held[self.at..self.at + length];
        let breaks = passed.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        let pairs = passed.windows(2).filter(|pair| *pair == b"\r\n").count();
        self.line += u64::try_from(breaks - pairs).unwrap_or(u64::MAX);
        self.at += length;
    }
}

/// Where the line ends that the text begins with, its break included; `None` where that lies beyond the text.
fn next_line(text: &[u8], is_whole: bool) -> Option<usize> {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (text[end], text.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some(end + 2),
        (b'\r', None) if !is_whole => None,
        _ => Some(end + 1),
    }
}

/// A part of a file that begins with a row.
struct Text<'a> {
    bytes: &'a [u8],
    /// Whether the file ends where the part ends.
    is_whole: bool,
    delimiter: u8,
}

/// The cells of a row, and how it ends.
struct Split {
    cells: Vec<Cell>,
    end: End,
}

enum End {
    /// Well: the next row begins here.
    Row(usize),
    /// The quotes of the cell that begins here do not match.
    Torn(usize),
    /// The text ends before the cell that begins here, or the line break after it.
    Unknown(usize),
}

/// Where in the text a cell stands, without its outer quotes.
struct Cell {
    start: usize,
    end: usize,
    /// Whether a quote in it is written twice.
    has_quotes: bool,
}

impl Cell {
    fn read(&self, text: &[u8]) -> Vec<u8> {
        let written = &text[self.start..self.end];
        if !self.has_quotes {
            return written.to_vec();
        }
        let mut cell = Vec::with_capacity(written.len());
        let mut rest = written;
        while let Some(quote) = rest.iter().position(|byte| *byte == b'"') {
            cell.extend_from_slice(&rest[..=quote]);
            rest = rest.get(quote + 2..).unwrap_or_default();
        }
        cell.extend_from_slice(rest);
        cell
    }
}

impl Text<'_> {
    fn split(&self) -> Split {
        let mut cells = Vec::new();
        let mut at = 0;
        let end = loop {
            let cell = if self.bytes.get(at) == Some(&b'"') { self.quoted_cell(at) } else { self.plain_cell(at) };
            let (cell, end) = match cell {
                Ok(found) => found,
                Err(end) => break end,
            };
            if self.bytes.get(end) == Some(&self.delimiter) {
                cells.push(cell);
                at = end + 1;
                continue;
            }
            match next_line(&self.bytes[end..], self.is_whole) {
                Some(length) => {
                    cells.push(cell);
                    break End::Row(end + length);
                }
                None if self.is_whole => {
                    cells.push(cell);
                    break End::Row(self.bytes.len());
                }
                None => break End::Unknown(at),
            }
        };
        Split { cells, end }
    }

    /// The cell that begins at `start`, and where its delimiter or line break stands.
    fn plain_cell(&self, start: usize) -> Result<(Cell, usize), End> {
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        match self.bytes[start..].iter().position(ends) {
            Some(length) => Ok((Cell { start, end: start + length, has_quotes: false }, start + length)),
            None if self.is_whole => Ok((Cell { start, end: self.bytes.len(), has_quotes: false }, self.bytes.len())),
            None => Err(End::Unknown(start)),
        }
    }

    /// The cell whose opening quote stands at `opening`, and where its delimiter or line break stands.
    fn quoted_cell(&self, opening: usize) -> Result<(Cell, usize), End> {
        let unclosed = || if self.is_whole { End::Torn(opening) } else { End::Unknown(opening) };
        let start = opening + 1;
        let mut at = start;
        let mut has_quotes = false;
        loop {
            let quote = at + self.bytes[at..].iter().position(|byte| *byte == b'"').ok_or_else(unclosed)?;
            match self.bytes.get(quote + 1) {
                Some(b'"') => has_quotes = true,
                None if !self.is_whole => return Err(End::Unknown(opening)),
                Some(b'\n' | b'\r') | None => return Ok((Cell { start, end: quote, has_quotes }, quote + 1)),
                Some(next) if *next == self.delimiter => {
                    return Ok((Cell { start, end: quote, has_quotes }, quote + 1));
                }
                Some(_) => return Err(End::Torn(opening)),
            }
            at = quote + 2;
        }
    }
}
