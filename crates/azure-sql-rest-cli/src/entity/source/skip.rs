//! Statements that do not matter to a table, and where they end.

use sqlparser::tokenizer::Token;

use super::pieces::{Piece, Script, is_word};

/// Words that begin other statements.
const OTHERS: [&str; 9] = ["CREATE", "ALTER", "DROP", "EXEC", "EXECUTE", "WHILE", "GO", "ENABLE", "DISABLE"];

/// Objects whose text is a batch of its own.
pub(super) const MODULES: [&str; 5] = ["PROCEDURE", "PROC", "FUNCTION", "VIEW", "TRIGGER"];

/// Objects that can be dropped or changed beside a table.
const BESIDE: [&str; 12] = [
    "PROCEDURE",
    "PROC",
    "FUNCTION",
    "VIEW",
    "SYNONYM",
    "SEQUENCE",
    "SCHEMA",
    "TYPE",
    "STATISTICS",
    "FULLTEXT",
    "XML",
    "DATABASE",
];

/// Procedures of the system that change no column and no constraint of a table, by what their name begins with.
const HARMLESS_PROCEDURES: [&str; 12] = [
    "sp_addextendedproperty",
    "sp_updateextendedproperty",
    "sp_dropextendedproperty",
    "sp_bindefault",
    "sp_tableoption",
    "sp_fulltext",
    "sp_settriggerorder",
    "sp_refresh",
    "sp_recompile",
    "sp_help",
    "sp_autostats",
    "sp_cdc_",
];

/// Words that begin a statement that changes rows, settings or rights, but no table.
const HARMLESS: [&str; 27] = [
    "BULK",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "SELECT",
    "WITH",
    "SET",
    "USE",
    "PRINT",
    "DECLARE",
    "GRANT",
    "DENY",
    "REVOKE",
    "IF",
    "ELSE",
    "BEGIN",
    "END",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "RETURN",
    "RAISERROR",
    "THROW",
    "DBCC",
    "TRUNCATE",
    "CHECKPOINT",
];

/// True for a word that begins a statement.
pub(super) fn begins(token: &Token) -> bool {
    HARMLESS.iter().chain(&OTHERS).any(|word| is_word(token, word))
}

/// True for a statement of which is known that it changes no table.
pub(super) fn is_harmless(statement: &[Piece]) -> bool {
    let is = |at: usize, words: &[&str]| {
        statement.get(at).is_some_and(|piece| words.iter().any(|word| is_word(&piece.token, word)))
    };
    match () {
        () if is(0, &HARMLESS) || is(0, &["ENABLE"]) || is(0, &["DROP", "ALTER"]) && is(1, &BESIDE) => true,
        () if is(0, &["ALTER"]) && is(1, &["INDEX"]) => !statement.iter().any(|piece| is_word(&piece.token, "DISABLE")),
        () if is(0, &["EXEC", "EXECUTE"]) => {
            let names = statement.iter().skip(1).take(6).filter_map(|piece| match &piece.token {
                Token::Word(word) => Some(word.value.to_lowercase()),
                _ => None,
            });
            names.into_iter().any(|name| HARMLESS_PROCEDURES.iter().any(|begin| name.starts_with(begin)))
        }
        () => false,
    }
}

/// True if a statement has this name as a word: `Order` is not in `OrderDetails`.
pub(super) fn names(said: &str, name: &str) -> bool {
    let (said, name) = (said.to_lowercase(), name.to_lowercase());
    let is_part =
        |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    said.match_indices(&name)
        .any(|(at, _)| !is_part(said[..at].chars().next_back()) && !is_part(said[at + name.len()..].chars().next()))
}

/// Reads on to the next comma or the end of a table's parenthesis.
pub(super) fn recover(script: &mut Script) {
    while let Some(token) = script.peek() {
        match token {
            Token::Comma | Token::RParen | Token::SemiColon => return,
            Token::LParen => {
                if script.parenthesis().is_err() {
                    script.at = script.pieces.len();
                }
            }
            _ => script.at += 1,
        }
    }
}

/// Reads a statement to its end: a semicolon, `GO`, or the beginning of another.
pub(super) fn skip(script: &mut Script) {
    let is_right = ["GRANT", "DENY", "REVOKE"].iter().any(|word| script.is_next(&[word]));
    script.at += 1;
    while let Some(token) = script.peek() {
        let is_next = begins(token) && script.begins_line();
        let defines = !is_right
            && (["CREATE", "ALTER", "DROP"].iter().any(|word| script.is_next(&[word, "TABLE"]))
                || ["EXEC", "EXECUTE"].iter().any(|word| is_word(token, word)));
        match token {
            Token::SemiColon => return,
            _ if is_next || defines => return,
            Token::LParen => {
                if script.parenthesis().is_err() {
                    script.at = script.pieces.len();
                }
            }
            _ => script.at += 1,
        }
    }
}

/// Reads a statement to its end after a part of it was read.
pub(super) fn skip_rest(script: &mut Script) {
    script.at -= 1;
    skip(script);
}

/// Reads on to `GO`: what stands between is one statement.
pub(super) fn skip_batch(script: &mut Script) {
    while script.peek().is_some() && !(script.is_next(&["GO"]) && script.begins_line()) {
        script.at += 1;
    }
}

/// The beginning of a statement, for messages.
pub(super) fn shortened(text: &str) -> String {
    let line: Vec<_> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
