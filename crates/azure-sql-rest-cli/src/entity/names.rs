//! Names and texts as SQL writes them.

use super::table::Table;

/// How long a line of several names is at most.
const WIDTH: usize = 112;

pub(super) fn is_plain(name: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(is_word)
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
    RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS SYSTEM_USER \
    TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE \
    USER USING VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WITHIN WRITETEXT ";

/// A name, in brackets when it is a reserved word; both engines read these.
pub(super) fn quoted(name: &str) -> String {
    let is_reserved = RESERVED.contains(&format!(" {} ", name.to_uppercase()));
    if is_reserved { format!("[{name}]") } else { name.to_owned() }
}

pub(super) fn local_name(table: &Table) -> String {
    format!("{}_{}", table.schema, table.name)
}

/// A text as SQL writes it between quotes.
pub(super) fn doubled(text: &str) -> String {
    text.replace('\'', "''")
}

/// A text as SQLite writes it.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", doubled(text))
}

pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Without the parentheses around it.
pub(super) fn stripped(expression: &str) -> &str {
    let mut inner = expression.trim();
    while let Some(within) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        inner = within.trim();
    }
    inner
}

/// Items separated by commas, in lines; the comma between two lines is not among them.
pub(super) fn wrapped(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.len() + item.len() + 2 <= WIDTH => {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}
