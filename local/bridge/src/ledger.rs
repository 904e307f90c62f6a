//! Exactly-once: the ledger of requests that were carried out, `web.Requests`.
//!
//! A change and its entry are one transaction, and there is one writer: a duplicate either finds the entry or waits
//! until there is one. Only successes are entered; what was refused changed nothing and may be tried again.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::{
    datetime2::DateTime2,
    procedures::{Arguments, Outcome, Refusal, Row, Value},
};

/// The parameter of every procedure that writes: the idempotency key. NULL is an error, as in any column that is
/// `NOT NULL`.
pub(crate) const REQUEST_KEY: &str = "RequestKey";

/// The version named in If-Match. It is not part of what has to be equal for two requests to be the same: the first try
/// of a request changes the version.
const IF_MATCH: &str = "IfMatch";

/// A request for a change, as the ledger knows it.
pub(crate) struct Request<'a> {
    key: Option<&'a str>,
    operation: &'static str,
    payload_hash: Vec<u8>,
}

impl<'a> Request<'a> {
    /// A call of the procedure `operation`.
    pub fn new(operation: &'static str, arguments: &'a Arguments) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(operation);
        let payload = |(name, _): &&(&str, Value)| ![REQUEST_KEY, IF_MATCH].contains(name);
        for (_, value) in arguments.0.iter().filter(payload) {
            let (kind, text) = match value {
                Value::Null => ('0', String::new()),
                Value::Int(number) => ('1', number.to_string()),
                Value::Text(text) => ('2', text.clone()),
            };
            // With its length in front, no two payloads are written alike.
            hasher.update(format!("\0{kind}{}:", text.len()));
            hasher.update(text);
        }
        Self {
            key: arguments.text(REQUEST_KEY),
            operation,
            payload_hash: hasher.finalize().to_vec(),
        }
    }
}

/// Carries out `change` and records its outcome, unless the same request was carried out before: then nothing changes,
/// and the answer is what `again` makes of the recorded row.
///
/// # Errors
/// 422 when the key was used for another request; and whatever `change` or `again` fail with.
pub(crate) fn exactly_once(
    connection: &Connection,
    request: &Request,
    change: impl FnOnce() -> Outcome,
    again: impl FnOnce(Row) -> Outcome,
) -> Outcome {
    let entry = connection
        .prepare_cached("SELECT PayloadHash, Status, RowID, ETag, Json FROM web_Requests WHERE RequestKey = ?1")?
        .query_row([request.key], |row| {
            let recorded = Row {
                id: row.get(2)?,
                etag: row.get(3)?,
                ..Row::new(row.get(1)?, row.get(4)?)
            };
            Ok((row.get::<_, Vec<u8>>(0)?, recorded))
        })
        .optional()?;
    match entry {
        Some((hash, recorded)) if hash == request.payload_hash => {
            let row = again(recorded)?;
            Ok(Row { replayed: true, ..row })
        }
        Some(_) => {
            let detail = "This idempotency key was already used for a different request.";
            Err(Refusal::new(422, detail).into())
        }
        None => {
            let row = change()?;
            record(connection, request, &row)?;
            Ok(row)
        }
    }
}

fn record(connection: &Connection, request: &Request, row: &Row) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO web_Requests (RequestKey, Operation, PayloadHash, Status, RowID, ETag, Json, CompletedAt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            request.key,
            request.operation,
            &request.payload_hash,
            row.status,
            row.id,
            &row.etag,
            &row.json,
            DateTime2::now().to_string(),
        ))?;
    Ok(())
}
