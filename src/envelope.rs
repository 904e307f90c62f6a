//! The bridge's answer, read as it arrives: `{"value":[{"Status":200,…,"Json":"…"}]}`.
//!
//! The procedures return `Json` last, so that everything else is known when its text begins; another order is read as
//! well. Of the text there is one copy: the unescaped one, which is what SQL wrote, byte for byte.

use std::str;

use wide::u8x16;

use crate::retry::Failure;

/// The most bytes that the other columns may have.
const MAX_COLUMNS_BYTES: usize = 16 * 1024;

/// The columns other than `Json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The HTTP status for the client.
    pub status: u16,
    /// The row's version, without quotes.
    pub etag: Option<String>,
    /// The id of a created row.
    pub created_id: Option<i32>,
    /// The last id of a page when more rows follow.
    pub next_after: Option<i32>,
    /// Whether the request key had been used before, so that nothing was done this time.
    pub replayed: bool,
}

/// A parser that takes the answer in parts.
#[derive(Debug)]
pub struct Envelope {
    id_column: Option<&'static str>,
    state: State,
    /// What arrived and cannot be understood before more has: columns, an escape, a character.
    pending: Vec<u8>,
    /// The columns so far; a status of 0 is none.
    head: Head,
    json: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the row.
    Begin,
    /// In the row, behind the text of `Json`.
    Row,
    /// Inside that text.
    Text,
    /// Behind the row, with this much of [`TAIL`] already seen.
    Tail(usize),
}

/// What is known of the column `Json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Json {
    Unseen,
    Null,
    Text,
}

/// What closes the list and the envelope.
const TAIL: &[u8] = b"]}";

impl Envelope {
    /// A parser at the beginning; `id_column` is the column that becomes [`Head::created_id`].
    pub fn new(id_column: Option<&'static str>) -> Self {
        Self {
            id_column,
            state: State::Begin,
            pending: Vec::new(),
            head: Head::default(),
            json: Json::Unseen,
        }
    }

    /// Takes the next bytes of the answer and returns the piece of the text that they bring, whole characters only.
    ///
    /// # Errors
    ///
    /// [`Failure::Malformed`] for what is not JSON, [`Failure::Contract`] for JSON of another shape than one row of the
    /// agreed types.
    pub fn push(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        if !self.pending.is_empty() {
            self.pending.append(&mut bytes);
            bytes = std::mem::take(&mut self.pending);
        }
        match simdutf8::compat::from_utf8(&bytes) {
            Ok(_) => {}
            Err(error) if error.error_len().is_none() => self.pending = bytes.split_off(error.valid_up_to()),
            Err(_) => return Err(Failure::Malformed),
        }
        let mut at = 0;
        let mut text = Vec::new();
        loop {
            match self.state {
                State::Begin | State::Row => {
                    let mut scanner = Scanner { bytes: &bytes, at };
                    match self.columns(&mut scanner) {
                        Ok(state) => (self.state, at) = (state, scanner.at),
                        Err(Stop::Failed(failure)) => return Err(failure),
                        Err(Stop::Unfinished) if bytes.len() - at > MAX_COLUMNS_BYTES => {
                            return Err(Failure::Contract("there is no Json where it is expected"));
                        }
                        Err(Stop::Unfinished) => break,
                    }
                }
                State::Text => {
                    let unescaped = unescape(&bytes, at, &mut text)?;
                    at = unescaped.read;
                    match unescaped.ended {
                        true => self.state = State::Row,
                        false => break,
                    }
                }
                State::Tail(seen) => {
                    let Some(byte) = bytes.get(at) else { break };
                    self.state = match byte {
                        b' ' | b'\t' | b'\r' | b'\n' => State::Tail(seen),
                        byte if TAIL.get(seen) == Some(byte) => State::Tail(seen + 1),
                        b',' if seen == 0 => return Err(Failure::Contract("the answer has not exactly one row")),
                        _ => return Err(Failure::Malformed),
                    };
                    at += 1;
                }
            }
        }
        if at < bytes.len() {
            self.pending.splice(..0, bytes.drain(at..));
        }
        Ok(text)
    }

    /// The columns so far, once the status is among them.
    ///
    /// # Errors
    ///
    /// [`Failure::Contract`] when the status is none that a procedure may return.
    pub fn head(&self) -> Result<Option<&Head>, Failure> {
        match self.head.status {
            0 => Ok(None),
            200..=299 | 400..=499 => Ok(Some(&self.head)),
            _ => Err(Failure::Contract("Status is neither a success nor a client error")),
        }
    }

    /// The columns at the end of the answer, and whether there was a text: `Json` may be NULL.
    ///
    /// # Errors
    ///
    /// [`Failure::Malformed`] when the answer breaks off here, [`Failure::Contract`] when a column is missing.
    pub fn finish(&self) -> Result<(&Head, bool), Failure> {
        if self.state != State::Tail(TAIL.len()) || !self.pending.is_empty() {
            return Err(Failure::Malformed);
        }
        let head = self.head()?.ok_or(Failure::Contract("Status is missing"))?;
        match self.json {
            Json::Unseen => Err(Failure::Contract("the row has no Json")),
            json => Ok((head, json == Json::Text)),
        }
    }

    /// Reads columns, up to the first byte of the text of `Json` or behind the end of the row.
    fn columns(&mut self, scanner: &mut Scanner) -> Result<State, Stop> {
        match self.state {
            State::Begin => {
                // Columns that were not all there are read again from the beginning.
                self.json = Json::Unseen;
                scanner.begin()?;
            }
            _ => match scanner.next()? {
                b',' => scanner.at += 1,
                _ => return scanner.end_of_row(),
            },
        }
        if self.state == State::Begin && scanner.next()? == b'}' {
            return scanner.end_of_row();
        }
        loop {
            let name = scanner.text(MALFORMED)?;
            scanner.expect(b':', MALFORMED)?;
            let name = &name[1..name.len() - 1];
            if name.contains('\\') {
                return Err(Stop::Failed(Failure::Contract("the name of a column is escaped")));
            }
            if name == "Json" {
                if self.json != Json::Unseen {
                    return Err(Stop::Failed(Failure::Contract("Json is there twice")));
                }
                if scanner.next()? == b'"' {
                    scanner.at += 1;
                    self.json = Json::Text;
                    return Ok(State::Text);
                }
            }
            let value = scanner.scalar()?;
            match name {
                "Status" => {
                    let status = integer(value)?.and_then(|status| u16::try_from(status).ok());
                    self.head.status = status.ok_or(OTHER_TYPE)?;
                }
                "ETag" => self.head.etag = string(value)?,
                "NextAfter" => self.head.next_after = integer(value)?,
                "Replayed" => self.head.replayed = boolean(value)?,
                "Json" => match value {
                    Scalar::Null => self.json = Json::Null,
                    _ => return Err(OTHER_TYPE),
                },
                name if Some(name) == self.id_column => self.head.created_id = integer(value)?,
                _ => {}
            }
            match scanner.next()? {
                b',' => scanner.at += 1,
                _ => return scanner.end_of_row(),
            }
        }
    }
}

/// Why columns could not be read.
enum Stop {
    /// More bytes are needed.
    Unfinished,
    /// It is not what was agreed.
    Failed(Failure),
}

const NO_ROWS: Stop = Stop::Failed(Failure::Contract("the answer is not a list of rows"));
const NOT_ONE_ROW: Stop = Stop::Failed(Failure::Contract("the answer has not exactly one row"));
const OTHER_TYPE: Stop = Stop::Failed(Failure::Contract("a column has another type than agreed"));
const MALFORMED: Stop = Stop::Failed(Failure::Malformed);

/// A column's value: all that SQL Server's scalars become.
enum Scalar<'b> {
    Null,
    Bool(bool),
    Number(&'b str),
    /// With its quotes and escapes.
    Text(&'b str),
}

struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Scanner<'b> {
    /// Takes what comes before the row.
    fn begin(&mut self) -> Result<(), Stop> {
        self.expect(b'{', NO_ROWS)?;
        if self.text(NO_ROWS)? != "\"value\"" {
            return Err(NO_ROWS);
        }
        self.expect(b':', MALFORMED)?;
        self.expect(b'[', NO_ROWS)?;
        self.expect(b'{', NOT_ONE_ROW)
    }

    fn end_of_row(&mut self) -> Result<State, Stop> {
        self.expect(b'}', MALFORMED)?;
        Ok(State::Tail(0))
    }

    /// The next byte that is not white space; it is not taken.
    fn next(&mut self) -> Result<u8, Stop> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Ok(*byte),
            }
        }
        Err(Stop::Unfinished)
    }

    /// Takes `expected`; another byte with which JSON goes on is `otherwise`.
    fn expect(&mut self, expected: u8, otherwise: Stop) -> Result<(), Stop> {
        match self.next()? {
            byte if byte == expected => {
                self.at += 1;
                Ok(())
            }
            b'{' | b'[' | b']' | b'}' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Err(otherwise),
            _ => Err(MALFORMED),
        }
    }

    /// A string with its quotes, escapes as they are.
    fn text(&mut self, otherwise: Stop) -> Result<&'b str, Stop> {
        let begin = match self.next()? {
            b'"' => self.at,
            _ => {
                self.expect(b'"', otherwise)?;
                return Err(MALFORMED);
            }
        };
        let (mut escaped, mut escapes) = (false, false);
        for (offset, byte) in self.bytes[begin + 1..].iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => (escaped, escapes) = (true, true),
                b'"' => {
                    self.at = begin + offset + 2;
                    let text = self.slice(begin)?;
                    if escapes {
                        unescape(text.as_bytes(), 1, &mut Vec::new()).map_err(Stop::Failed)?;
                    }
                    return Ok(text);
                }
                0..=0x1f => return Err(MALFORMED),
                _ => {}
            }
        }
        Err(Stop::Unfinished)
    }

    fn scalar(&mut self) -> Result<Scalar<'b>, Stop> {
        match self.next()? {
            b'"' => return self.text(MALFORMED).map(Scalar::Text),
            b'{' | b'[' => return Err(OTHER_TYPE),
            _ => {}
        }
        let begin = self.at;
        let length = self.bytes[begin..]
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+' | b'.'));
        // What follows tells that the word has ended.
        self.at = begin + length.ok_or(Stop::Unfinished)?;
        Ok(match self.slice(begin)? {
            "null" => Scalar::Null,
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            number if serde_json::from_str::<serde::de::IgnoredAny>(number).is_ok() => Scalar::Number(number),
            _ => return Err(MALFORMED),
        })
    }

    /// From `begin` to where the scanner is.
    fn slice(&self, begin: usize) -> Result<&'b str, Stop> {
        str::from_utf8(&self.bytes[begin..self.at]).map_err(|_| MALFORMED)
    }
}

fn integer(value: Scalar) -> Result<Option<i32>, Stop> {
    match value {
        Scalar::Null => Ok(None),
        Scalar::Number(number) => number.parse().map(Some).map_err(|_| OTHER_TYPE),
        _ => Err(OTHER_TYPE),
    }
}

fn boolean(value: Scalar) -> Result<bool, Stop> {
    match value {
        Scalar::Null => Ok(false),
        Scalar::Bool(value) => Ok(value),
        _ => Err(OTHER_TYPE),
    }
}

fn string(value: Scalar) -> Result<Option<String>, Stop> {
    match value {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if !text.contains('\\') => Ok(Some(text[1..text.len() - 1].to_owned())),
        Scalar::Text(text) => {
            let mut plain = Vec::new();
            unescape(text.as_bytes(), 1, &mut plain).map_err(Stop::Failed)?;
            String::from_utf8(plain).map(Some).map_err(|_| MALFORMED)
        }
        _ => Err(OTHER_TYPE),
    }
}

/// How far the text of a JSON string was unescaped.
struct Unescaped {
    /// Bytes read, all those before the text included. Without `ended`, an escape that is not whole begins here.
    read: usize,
    /// Whether the closing quote was read.
    ended: bool,
}

/// Appends to `text` the JSON string whose text begins at `begin`, unescaped.
fn unescape(bytes: &[u8], begin: usize, text: &mut Vec<u8>) -> Result<Unescaped, Failure> {
    // What is written is never longer than what is read; a block is written whole and counted as far as it is clean.
    let before = text.len();
    text.resize(before + bytes.len() - begin + BLOCK, 0);
    let (mut rest, mut room) = (&bytes[begin..], &mut text[before..]);
    let ended = loop {
        if let (Some(block), Some(place)) = (rest.first_chunk(), room.first_chunk_mut::<BLOCK>()) {
            *place = *block;
            let clean = clean_bytes(block);
            (rest, room) = (&rest[clean..], &mut room[clean..]);
            if clean == BLOCK {
                continue;
            }
        }
        let (plain, length) = match rest {
            [b'\\', plain @ (b'"' | b'\\' | b'/'), ..] => (*plain, 2),
            [] | [b'\\'] => break false,
            [b'"', ..] => {
                rest = &rest[1..];
                break true;
            }
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'b', ..] => (0x08, 2),
            [b'\\', b'f', ..] => (0x0c, 2),
            [b'\\', b'u', ..] => match code_point(rest)? {
                None => break false,
                Some((character, length)) => {
                    let written = character.encode_utf8(room).len();
                    (rest, room) = (&rest[length..], &mut room[written..]);
                    continue;
                }
            },
            [b'\\', ..] | [0..=0x1f, ..] => return Err(Failure::Malformed),
            // Fewer bytes than a block are left.
            [byte, ..] => (*byte, 1),
        };
        room[0] = plain;
        (rest, room) = (&rest[length..], &mut room[1..]);
    };
    let (read, left) = (bytes.len() - rest.len(), room.len());
    text.truncate(text.len() - left);
    Ok(Unescaped { read, ended })
}

/// How many bytes are looked at in one step.
const BLOCK: usize = 16;

/// How many bytes of `block` come before the first that is a quote, a backslash or a control character.
fn clean_bytes(block: &[u8; BLOCK]) -> usize {
    let block = u8x16::new(*block);
    let special =
        block.simd_eq(u8x16::splat(b'"')) | block.simd_eq(u8x16::splat(b'\\')) | block.simd_lt(u8x16::splat(0x20));
    (special.to_bitmask() | 1 << BLOCK).trailing_zeros() as usize
}

/// The character that `\uXXXX`, or a pair of them, stands for, and the length of the escape; `None` when it is not all
/// there.
fn code_point(escape: &[u8]) -> Result<Option<(char, usize)>, Failure> {
    let Some(first) = unit(escape)? else { return Ok(None) };
    match first {
        0xd800..=0xdbff => match unit(&escape[6..])? {
            None => Ok(None),
            Some(second @ 0xdc00..=0xdfff) => {
                let code = 0x10000 + (u32::from(first - 0xd800) << 10) + u32::from(second - 0xdc00);
                char::from_u32(code)
                    .map(|character| Some((character, 12)))
                    .ok_or(Failure::Malformed)
            }
            Some(_) => Err(Failure::Malformed),
        },
        first => char::from_u32(first.into())
            .map(|character| Some((character, 6)))
            .ok_or(Failure::Malformed),
    }
}

/// One `\uXXXX`.
fn unit(escape: &[u8]) -> Result<Option<u16>, Failure> {
    let mut unit = 0;
    for at in 0..6 {
        match (at, escape.get(at)) {
            (_, None) => return Ok(None),
            (0, Some(b'\\')) | (1, Some(b'u')) => {}
            (2.., Some(digit)) => match (*digit as char).to_digit(16) {
                Some(digit) => unit = unit << 4 | digit as u16,
                None => return Err(Failure::Malformed),
            },
            _ => return Err(Failure::Malformed),
        }
    }
    Ok(Some(unit))
}

#[cfg(test)]
mod tests;
