//! Lines, names and literals of SQL.

use std::fmt::Write;

use super::super::plan::{TableName, bracketed};

/// How long a line of several items is at most.
const WIDTH: usize = 150;

/// A script that grows by lines.
#[derive(Default)]
pub(super) struct Script(String);

impl Script {
    /// Adds lines, with a line feed behind each.
    pub(super) fn lines(&mut self, text: impl AsRef<str>) {
        // A `String` takes everything.
        let _ = writeln!(self.0, "{}", text.as_ref());
    }

    pub(super) fn finish(self) -> String {
        format!("{}\n", self.0.trim_end())
    }
}

/// True for a name of ASCII letters, digits and underscores that begins with none of the digits.
pub(super) fn is_plain(name: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(is_word)
}

/// A name of T-SQL, in brackets where it is not plain or a reserved word.
pub(super) fn name(name: &str) -> String {
    let is_reserved = RESERVED.contains(&format!(" {} ", name.to_uppercase()));
    if is_plain(name) && !is_reserved { name.to_owned() } else { bracketed(name) }
}

/// The name of a table, sequence or type with its schema, each part as [`name`] writes it.
pub(super) fn qualified(table: &TableName) -> String {
    format!("{}.{}", name(&table.schema), name(&table.name))
}

/// A text as T-SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("N{}", quoted(text))
}

/// A path of JSON as T-SQL writes it.
pub(super) fn path_literal(path: &str) -> String {
    let path = json_path(path);
    if path.is_ascii() { quoted(&path) } else { literal(&path) }
}

/// A text between apostrophes, as SQLite writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The text with a capital at its beginning.
pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The path of a member in JSON, as both engines read it: `$.Delivery.PostalCode`.
pub(super) fn json_path(path: &str) -> String {
    let step = |name: &str| match is_plain(name) {
        true => format!(".{name}"),
        false => format!(".\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    format!("${}", path.split('.').map(step).collect::<String>())
}

/// Items separated by commas, in lines that begin with this indent.
pub(super) fn wrapped(items: &[String], indent: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (at, item) in items.iter().enumerate() {
        if at == 0 || width + item.len() + 2 > WIDTH {
            text.push_str(if at == 0 { indent } else { ",\n" });
            text.push_str(if at == 0 { "" } else { indent });
            width = indent.len();
        } else {
            text.push_str(", ");
        }
        text.push_str(item);
        width += item.len() + 2;
    }
    text
}

/// Items in a line each, separated by commas.
pub(super) fn listed(items: &[String], indent: &str) -> String {
    items.iter().map(|item| format!("{indent}{item}")).collect::<Vec<_>>().join(",\n")
}

/// The reserved words of T-SQL, and what SQLite reserves besides.
const RESERVED: &str = " ADD ALL ALTER AND ANY AS ASC AUTHORIZATION AUTOINCREMENT BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE \
    CHECK CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE CONVERT CREATE CROSS \
    CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DEFERRABLE DELETE DENY \
    DESC DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR \
    FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITYCOL IDENTITY_INSERT IF IN INDEX INNER \
    INSERT INTERSECT INTO IS ISNULL JOIN KEY KILL LEFT LIKE LIMIT LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NOTHING NOTNULL NULL \
    NULLIF OF OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN PRECISION PRIMARY \
    PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION RESTORE RESTRICT RETURN RETURNING REVERT REVOKE \
    RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT SEMANTICKEYPHRASETABLE SEMANTICSIMILARITYDETAILSTABLE \
    SEMANTICSIMILARITYTABLE SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN \
    TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER USING VALUES VARYING VIEW WAITFOR WHEN \
    WHERE WHILE WITH WITHIN WRITETEXT ";
