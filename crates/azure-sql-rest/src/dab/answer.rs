//! The answer to a call, read as it arrives: `{"value":[{"Status":200,…,"Json":"…"}]}`. Data API Builder writes it without
//! white space and never parses a text column: the JSON that SQL built arrives as a JSON string.
//!
//! The procedures return `Json` last. So the columns before it are known when its text begins. The text can be passed on
//! while it arrives, unescaped to what SQL wrote, byte for byte. Every row is checked here, while it is read, so that each
//! [`Row`] keeps the contract.

use std::char::DecodeUtf16Error;
use std::mem::take;

use http::StatusCode;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use wide::u8x16;

use crate::failure::Failure;
use crate::platform::Chunks;

/// The most bytes that may come before the text.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How much of a text is collected before it is passed on, in bytes. Up to here a failure can still be retried. Beyond, the
/// client already receives the text. A page of 1,000 customers, the most, is 57,000 bytes: a text that leaves in one piece
/// with its head waits for no acknowledgement.
pub const COLLECT_BYTES: usize = 256 * 1024;

/// The bytes before the columns.
const ROW_BEGINS: &str = "{\"value\":[{";

/// The bytes before the text.
const TEXT_BEGINS: &[u8] = b"\"Json\":\"";

/// The bytes behind the text.
const ROW_ENDS: &[u8] = b"}]}";

/// The one row that a procedure answers with.
#[derive(Debug)]
pub struct Row<C> {
    /// The columns before `Json`.
    pub head: Head,
    /// `Json`: the response text. For a status of 400 and above, the whole report `{"detail": "…", "errors": […]}`.
    pub text: Text<C>,
}

/// The columns before `Json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `Status`: the HTTP status for the client, a success or a client error.
    pub status: StatusCode,
    /// `ETag`: the row's version, without quotes: visible ASCII characters.
    pub etag: Option<String>,
    /// The key of a created row, as text for any type. Never absent when a call that creates succeeds.
    pub created: Option<String>,
    /// `NextAfter`: the last key of a page when more rows follow.
    pub next_after: Option<String>,
    /// `Total`: how many rows a list has, if the request asks.
    pub total: Option<String>,
    /// `Replayed`: true if the request key had been used before, so that nothing was done this time.
    pub replayed: bool,
}

/// The text of a row. The part that has arrived is collected; the rest may still arrive.
#[derive(Debug)]
pub struct Text<C> {
    collected: Vec<u8>,
    /// The source of the rest; `None` when the text is complete.
    rest: Option<Rest<C>>,
}

#[derive(Debug)]
struct Rest<C> {
    chunks: C,
    /// Bytes that need more bytes to be understood: half an escape, or the end of the row.
    pending: Vec<u8>,
    /// True when the text has ended.
    ended: bool,
}

impl<C: Chunks> Row<C> {
    /// Reads the body of a successful answer. Of a row with a success, only the part that is collected is read. `creates` is
    /// the column that becomes [`Head::created`].
    ///
    /// # Errors
    ///
    /// - [`Failure::Malformed`] for a body that is not complete JSON
    /// - [`Failure::Contract`] for JSON that is not one row of the agreed types
    /// - the errors of the body
    pub async fn read(mut chunks: C, creates: Option<&str>) -> Result<Self, Failure> {
        let mut answer = Vec::new();
        let begin = loop {
            match chunks.next().await? {
                Some(chunk) if answer.is_empty() => answer = chunk,
                Some(chunk) => answer.extend_from_slice(&chunk),
                None => return Err(without_text(&answer)),
            }
            let head = &answer[..answer.len().min(MAX_HEAD_BYTES)];
            match head.windows(TEXT_BEGINS.len()).position(|bytes| bytes == TEXT_BEGINS) {
                Some(at) => break at + TEXT_BEGINS.len(),
                None if head.len() == MAX_HEAD_BYTES => return Err(NO_TEXT),
                None => {}
            }
        };
        let head = &answer[..begin - TEXT_BEGINS.len()];
        let head = Head::read(str::from_utf8(head).map_err(|_| Failure::Malformed)?, creates)?;
        let mut text = Text::whole(Vec::new());
        let mut rest = Rest { chunks, pending: Vec::new(), ended: false };
        rest.take(answer.split_off(begin), &mut text.collected)?;
        text.rest = Some(rest);
        let is_success = head.status.is_success();
        while text.rest.is_some() && (!is_success || text.collected.len() < COLLECT_BYTES) {
            text.advance().await?;
        }
        if !is_success && !is_report(&text.collected) {
            return Err(Failure::Contract("Json is no report of a problem"));
        }
        Ok(Self { head, text })
    }
}

const NO_TEXT: Failure = Failure::Contract("there is no text in Json");

/// Returns the failure of an answer that ended before a text began.
fn without_text(answer: &[u8]) -> Failure {
    match str::from_utf8(answer) {
        Ok(answer) if serde_json::from_str::<IgnoredAny>(answer).is_ok() => NO_TEXT,
        _ => Failure::Malformed,
    }
}

/// True for a JSON object that begins with the text `detail`. The code does not deserialize a struct, because serde_json's
/// numbers would add a fifth to the component.
fn is_report(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let begins = ["{", "\"detail\"", ":", "\""]
        .into_iter()
        .try_fold(text, |text, token| text.trim_ascii_start().strip_prefix(token));
    begins.is_some() && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

impl<C> Text<C> {
    /// A text that is complete.
    pub fn whole(text: Vec<u8>) -> Self {
        Self { collected: text, rest: None }
    }

    /// True if all of the text has been collected.
    pub fn is_whole(&self) -> bool {
        self.rest.is_none()
    }

    /// Returns the part that has been collected.
    pub fn into_collected(self) -> Vec<u8> {
        self.collected
    }
}

impl<C: Chunks> Text<C> {
    /// Returns the next piece; `None` when all of the text has been read, to the end of the answer.
    ///
    /// # Errors
    ///
    /// The errors of [`Row::read`]. After an error, the pieces before it are not the whole text.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        while self.collected.is_empty() {
            if self.rest.is_none() {
                return Ok(None);
            }
            self.advance().await?;
        }
        Ok(Some(take(&mut self.collected)))
    }

    /// Collects the next bytes that arrive.
    async fn advance(&mut self) -> Result<(), Failure> {
        match &mut self.rest {
            None => {}
            Some(rest) if rest.ended => {
                rest.end().await?;
                self.rest = None;
            }
            Some(rest) => {
                let chunk = rest.chunks.next().await?.ok_or(Failure::Malformed)?;
                rest.take(chunk, &mut self.collected)?;
            }
        }
        Ok(())
    }
}

impl<C: Chunks> Rest<C> {
    /// Adds the part of the text that is in `chunk` to `text`.
    fn take(&mut self, mut chunk: Vec<u8>, text: &mut Vec<u8>) -> Result<(), Failure> {
        if !self.pending.is_empty() {
            self.pending.append(&mut chunk);
            chunk = take(&mut self.pending);
        }
        let (read, ended) = unescape(&chunk, text)?;
        self.pending.extend_from_slice(&chunk[read..]);
        self.ended = ended;
        Ok(())
    }

    /// Reads the bytes behind the text.
    async fn end(&mut self) -> Result<(), Failure> {
        while let Some(mut chunk) = self.chunks.next().await? {
            self.pending.append(&mut chunk);
        }
        match self.pending.trim_ascii_end() {
            ROW_ENDS => Ok(()),
            end if ROW_ENDS.starts_with(end) => Err(Failure::Malformed),
            [b',', ..] => Err(Failure::Contract("Json is not the last column")),
            [b'}', b',', ..] => Err(Failure::Contract("the answer has not exactly one row")),
            _ => Err(Failure::Malformed),
        }
    }
}

impl Head {
    /// Reads the columns before `Json`. The code splits the text instead of deserializing it, because serde_json's numbers
    /// would add a fifth to the component.
    fn read(answer: &str, creates: Option<&str>) -> Result<Self, Failure> {
        let not_a_row = Failure::Contract("the answer is not a list of one row");
        let mut columns = answer.strip_prefix(ROW_BEGINS).ok_or(not_a_row.clone())?;
        let (mut head, mut status) = (Self::default(), 0);
        while !columns.is_empty() {
            let (name, rest) = value(columns)?;
            let (value, rest) = value(rest.strip_prefix(':').ok_or(Failure::Malformed)?)?;
            columns = rest.strip_prefix(',').ok_or(not_a_row.clone())?;
            match name.trim_matches('"') {
                "Status" => status = value.parse().map_err(|_| OTHER_TYPE)?,
                "ETag" => head.etag = text(value)?,
                "NextAfter" => head.next_after = key(value)?,
                "Total" => head.total = key(value)?,
                "Replayed" => head.replayed = value == "true",
                name if Some(name) == creates => head.created = key(value)?,
                _ => {}
            }
        }
        head.status = StatusCode::from_u16(status).unwrap_or_default();
        head.check(status, creates.is_some())
    }

    /// Checks the rules that go beyond types.
    fn check(self, status: u16, creates: bool) -> Result<Self, Failure> {
        let broken = match status {
            200..=299 if creates && self.created.is_none() => "the key of the new row is missing",
            // RFC 9110, section 8.8.3, calls this etagc. A version with other characters could not be sent back in If-Match.
            _ if !self.etag.iter().flat_map(|etag| etag.bytes()).all(|byte| matches!(byte, b'!' | b'#'..=b'~')) => {
                "ETag is no entity tag"
            }
            200..=299 | 400..=499 => return Ok(self),
            _ => "Status is missing, or neither a success nor a client error",
        };
        Err(Failure::Contract(broken))
    }
}

const OTHER_TYPE: Failure = Failure::Contract("a column has another type than agreed");

/// Returns the JSON value at the beginning of `text`, as it is written, and the rest.
///
/// # Errors
///
/// [`Failure::Malformed`] when there is none.
pub fn value(text: &str) -> Result<(&str, &str), Failure> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(value)) => Ok((value.get(), &text[values.byte_offset()..])),
        _ => Err(Failure::Malformed),
    }
}

/// Returns the content of a JSON string; `None` for null.
///
/// # Errors
///
/// [`Failure::Contract`] for another value.
pub fn text(value: &str) -> Result<Option<String>, Failure> {
    if value == "null" {
        return Ok(None);
    }
    let mut text = Vec::new();
    let string = value.strip_prefix('"').ok_or(OTHER_TYPE)?;
    unescape(string.as_bytes(), &mut text)?;
    String::from_utf8(text).map(Some).map_err(|_| Failure::Malformed)
}

/// A number, a text, or NULL.
fn key(value: &str) -> Result<Option<String>, Failure> {
    if value.parse::<i64>().is_ok() {
        return Ok(Some(value.to_owned()));
    }
    text(value)
}

/// Appends to `text` the JSON string whose content begins `bytes`, unescaped. Returns how many bytes were read, and true if
/// the closing quote was among them. The bytes between the escapes are passed on unchecked, because Data API Builder has
/// made them from SQL Server's UTF-16. To check each of them would take longer than all the rest for a long list.
fn unescape(bytes: &[u8], text: &mut Vec<u8>) -> Result<(usize, bool), Failure> {
    // The output is never longer than the input. A block is copied whole, and counts up to its first byte that needs a look.
    let begin = text.len();
    text.resize(begin + bytes.len() + BLOCK, 0);
    let (mut rest, mut room) = (bytes, &mut text[begin..]);
    let ended = loop {
        if let (Some(block), Some(place)) = (rest.first_chunk(), room.first_chunk_mut::<BLOCK>()) {
            *place = *block;
            let clean = clean_bytes(*block);
            (rest, room) = (&rest[clean..], &mut room[clean..]);
            if clean == BLOCK {
                continue;
            }
        }
        let (plain, length) = match rest {
            [b'\\', plain @ (b'"' | b'\\' | b'/'), ..] => (*plain, 2),
            [] => break false,
            [b'"', ..] => {
                rest = &rest[1..];
                break true;
            }
            [0..=0x1f, ..] => return Err(Failure::Malformed),
            [b'\\', ..] => match escaped(rest)? {
                None => break false,
                Some((character, length)) => {
                    let written = character.encode_utf8(room).len();
                    (rest, room) = (&rest[length..], &mut room[written..]);
                    continue;
                }
            },
            // Fewer bytes than a block are left.
            [byte, ..] => (*byte, 1),
        };
        room[0] = plain;
        (rest, room) = (&rest[length..], &mut room[1..]);
    };
    let (read, left) = (bytes.len() - rest.len(), room.len());
    text.truncate(text.len() - left);
    Ok((read, ended))
}

/// How many bytes one step checks.
const BLOCK: usize = 16;

/// How many bytes of `block` come before the first quote, backslash or control character.
fn clean_bytes(block: [u8; BLOCK]) -> usize {
    let block = u8x16::new(block);
    let special =
        block.simd_eq(u8x16::splat(b'"')) | block.simd_eq(u8x16::splat(b'\\')) | block.simd_lt(u8x16::splat(0x20));
    (special.to_bitmask() | 1 << BLOCK).trailing_zeros() as usize
}

/// The character of the escape at the beginning of `bytes`, and the length of the escape. `None` when the escape is
/// incomplete.
fn escaped(bytes: &[u8]) -> Result<Option<(char, usize)>, Failure> {
    let character = match bytes.get(1) {
        None => return Ok(None),
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => match utf16_escape(bytes) {
            Some(Ok(character)) => return Ok(Some((character, 6 * character.len_utf16()))),
            _ if bytes.len() < 12 => return Ok(None),
            _ => return Err(Failure::Malformed),
        },
        Some(_) => return Err(Failure::Malformed),
    };
    Ok(Some((character, 2)))
}

/// The character of `\uXXXX` at the beginning of `bytes`, or of two of them that are a surrogate pair. `None` when the
/// escape is incomplete, an error for half of a pair.
pub fn utf16_escape(bytes: &[u8]) -> Option<Result<char, DecodeUtf16Error>> {
    char::decode_utf16(bytes.chunks(6).map_while(code_unit)).next()
}

/// The UTF-16 code unit that `\uXXXX` stands for.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(b"\\u")?;
    let is_hex = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests;
