//! How the text of a file is encoded, told piece by piece in bounded memory.

use std::{
    io::{self, Read},
    str,
};

use encoding_rs::GB18030;

use super::TableError;

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const GB18030_MARK: &[u8] = &[0x84, 0x31, 0x95, 0x33];
const UTF16_MARKS: [&[u8]; 2] = [&[0xFF, 0xFE], &[0xFE, 0xFF]];

/// How much is looked at at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// How the text of a file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Gb18030,
}

impl Encoding {
    /// The cell as text; `None` where it is not valid.
    pub fn decode(self, cell: Vec<u8>) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(cell).ok(),
            Self::Gb18030 => {
                GB18030.decode_without_bom_handling_and_without_replacement(&cell).map(std::borrow::Cow::into_owned)
            }
        }
    }
}

/// The encoding, and how many bytes the byte order mark takes. Without a mark the source is read to its end, and what is valid
/// UTF-8 is UTF-8; else the lines that are not plain ASCII vote: were a few broken bytes enough to read a UTF-8 file as GB18030,
/// every name in it would be garbled.
pub(super) fn tell(source: &mut impl Read) -> Result<(Encoding, u64), TableError> {
    let mut piece = Vec::with_capacity(PIECE);
    let mut votes = Votes::default();
    let mut is_first = true;
    while read_piece(source, &mut piece)? > 0 {
        if is_first {
            if UTF16_MARKS.iter().any(|mark| piece.starts_with(mark)) {
                return Err(TableError::Utf16);
            }
            if piece.starts_with(UTF8_MARK) {
                return Ok((Encoding::Utf8, 3));
            }
            if piece.starts_with(GB18030_MARK) {
                return Ok((Encoding::Gb18030, 4));
            }
        }
        is_first = false;
        votes.take(&piece);
    }
    Ok((votes.count(), 0))
}

/// Fills the piece, short of [`PIECE`] bytes only at the source's end.
fn read_piece(source: &mut impl Read, piece: &mut Vec<u8>) -> io::Result<usize> {
    piece.clear();
    source.take(u64::try_from(PIECE).unwrap_or(u64::MAX)).read_to_end(piece)
}

/// What the lines so far say.
#[derive(Default)]
struct Votes {
    valid: u64,
    broken: u64,
    line: Line,
}

/// The line at hand.
#[derive(Default)]
struct Line {
    /// Whether it has anything but ASCII.
    is_telling: bool,
    is_broken: bool,
    /// The beginning of a character whose rest is still to come: 3 bytes at most.
    partial: Vec<u8>,
}

impl Votes {
    fn take(&mut self, piece: &[u8]) {
        for (place, part) in piece.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
            // The first part goes on with the line at hand.
            if place > 0 {
                self.end_line();
            }
            self.line.take(part);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_telling {
            return;
        }
        if line.is_broken || !line.partial.is_empty() {
            self.broken += 1;
        } else {
            self.valid += 1;
        }
    }

    fn count(mut self) -> Encoding {
        self.end_line();
        if self.broken == 0 || self.valid > self.broken { Encoding::Utf8 } else { Encoding::Gb18030 }
    }
}

impl Line {
    fn take(&mut self, part: &[u8]) {
        if part.is_ascii() && self.partial.is_empty() {
            return;
        }
        self.is_telling = true;
        if self.is_broken {
            return;
        }
        self.partial.extend_from_slice(part);
        match str::from_utf8(&self.partial) {
            Ok(_) => self.partial.clear(),
            Err(error) if error.error_len().is_none() => drop(self.partial.drain(..error.valid_up_to())),
            Err(_) => {
                self.is_broken = true;
                self.partial.clear();
            }
        }
    }
}
