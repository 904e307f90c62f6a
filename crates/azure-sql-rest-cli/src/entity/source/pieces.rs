//! The words of a script, each with its place, so that its text can be kept word for word.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::entity::plan::TableName;

/// The text of a file, whose bytes are UTF-8, or UTF-16 with a byte order mark, as SSMS saves scripts.
///
/// # Errors
///
/// When the bytes are in a code page, because a file does not say which.
pub(crate) fn decoded(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok().filter(|_| bytes.len().is_multiple_of(2))
    };
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    };
    text.context(
        "it is neither UTF-8 nor UTF-16: save it as one of these (from code page 1252: iconv -f CP1252 -t UTF-8)",
    )
}

/// A word of a script, and the bytes and the line that it has there.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) token: Token,
    pub(super) place: Range<usize>,
    /// From 1.
    line: u64,
}

/// A script, of which statements are read one after the other.
pub(super) struct Script<'s> {
    pub(super) text: &'s str,
    pub(super) pieces: Vec<Piece>,
    /// The piece that is read next.
    pub(super) at: usize,
}

impl<'s> Script<'s> {
    pub(super) fn new(text: &'s str) -> Result<Self> {
        let tokens = Tokenizer::new(&MsSqlDialect {}, text).tokenize_with_location()?;
        let mut places = Places::new(text);
        let mut pieces = Vec::new();
        for token in tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
            let place = places.byte(token.span.start)..places.byte(token.span.end);
            pieces.push(Piece { token: token.token, place, line: token.span.start.line });
        }
        Ok(Self { text, pieces, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.ahead(0)
    }

    /// The token that comes so many tokens after the next.
    pub(super) fn ahead(&self, count: usize) -> Option<&Token> {
        self.pieces.get(self.at + count).map(|piece| &piece.token)
    }

    /// True if these words are next.
    pub(super) fn is_next(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(at, word)| self.ahead(at).is_some_and(|token| is_word(token, word)))
    }

    /// Reads these words if they are next.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let is_next = self.is_next(words);
        self.at += if is_next { words.len() } else { 0 };
        is_next
    }

    /// Reads one of these words.
    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(&[word]))
    }

    /// Reads this token if it is next.
    pub(super) fn take_token(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, token: &Token) -> Result<()> {
        ensure!(self.take_token(token), "{} where {token} is expected", self.here());
        Ok(())
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<()> {
        ensure!(self.take(&[word]), "{} where {word} is expected", self.here());
        Ok(())
    }

    /// The next word and its line, for messages.
    pub(super) fn here(&self) -> String {
        match self.pieces.get(self.at) {
            Some(piece) => format!("line {}: {}", self.line(self.at), self.text[piece.place.clone()].trim()),
            None => "the end".to_owned(),
        }
    }

    /// The line of a piece, from 1.
    pub(super) fn line(&self, at: usize) -> u64 {
        self.pieces.get(at).or(self.pieces.last()).map_or(1, |piece| piece.line)
    }

    /// Reads a name: a word, or what stands in brackets or quotes.
    pub(super) fn name(&mut self) -> Result<String> {
        let name = match self.peek() {
            Some(Token::Word(word)) => word.value.clone(),
            Some(Token::DoubleQuotedString(name)) => name.clone(),
            _ => bail!("{} where a name is expected", self.here()),
        };
        self.at += 1;
        Ok(name)
    }

    /// Reads the name of an object, with or without a schema and a database.
    pub(super) fn object(&mut self) -> Result<TableName> {
        let mut parts = self.parts()?;
        let name = parts.pop().unwrap_or_default();
        Ok(TableName::new(parts.pop().unwrap_or_else(|| "dbo".to_owned()), name))
    }

    /// Reads names with points between them.
    pub(super) fn parts(&mut self) -> Result<Vec<String>> {
        let mut parts = vec![self.name()?];
        while self.take_token(&Token::Period) {
            // tempdb..Colors
            parts.push(if self.peek() == Some(&Token::Period) { "dbo".to_owned() } else { self.name()? });
        }
        Ok(parts)
    }

    /// Reads a parenthesis to its end, and returns the text between.
    pub(super) fn parenthesis(&mut self) -> Result<String> {
        let first = self.at;
        self.expect(&Token::LParen)?;
        let mut depth = 1;
        while depth > 0 {
            match self.peek() {
                Some(Token::LParen) => depth += 1,
                Some(Token::RParen) => depth -= 1,
                Some(_) => {}
                None => bail!("line {}: a parenthesis has no end", self.line(first)),
            }
            self.at += 1;
        }
        let between = self.pieces[first].place.end..self.pieces[self.at - 1].place.start;
        Ok(self.text[between].trim().to_owned())
    }

    /// Reads a parenthesis if one is next.
    pub(super) fn skip_parenthesis(&mut self) -> Result<()> {
        if self.peek() == Some(&Token::LParen) {
            self.parenthesis()?;
        }
        Ok(())
    }

    /// The text from a piece up to what is read next.
    pub(super) fn since(&self, first: usize) -> &'s str {
        match (self.pieces.get(first), self.at.checked_sub(1).and_then(|last| self.pieces.get(last))) {
            (Some(start), Some(end)) if start.place.start < end.place.end => {
                &self.text[start.place.start..end.place.end]
            }
            _ => "",
        }
    }

    /// True if the next piece is the first of its line, but for blanks.
    pub(super) fn begins_line(&self) -> bool {
        let Some(piece) = self.pieces.get(self.at) else { return true };
        let before = &self.text[..piece.place.start];
        before[before.rfind('\n').map_or(0, |at| at + 1)..].trim().is_empty()
    }
}

/// Finds the bytes of places that come in their order. Each character is passed once, because a line of a script can have a megabyte.
struct Places<'s> {
    text: &'s str,
    at: usize,
    here: Location,
}

impl<'s> Places<'s> {
    fn new(text: &'s str) -> Self {
        Self { text, at: 0, here: Location::new(1, 1) }
    }

    fn byte(&mut self, place: Location) -> usize {
        for character in self.text[self.at..].chars() {
            if self.here >= place {
                break;
            }
            self.at += character.len_utf8();
            self.here = match character {
                '\n' => Location::new(self.here.line + 1, 1),
                _ => Location::new(self.here.line, self.here.column + 1),
            };
        }
        self.at
    }
}

pub(super) fn is_word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected))
}
