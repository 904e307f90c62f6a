//! Exactly-once: the ledger of requests that were carried out, `web.Requests`.
//!
//! A change and its entry are one transaction, and there is one writer: a duplicate either finds the entry or waits
//! until there is one. Only successes are entered; what was refused changed nothing and may be tried again.

use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::{
    datetime2::DateTime2,
    procedures::{Outcome, Refusal, Row},
};

/// A request for a change, as the ledger knows it.
pub(crate) struct Request<'a> {
    /// The idempotency key. NULL is an error, as in any column that is `NOT NULL`.
    pub key: Option<&'a str>,
    /// The name of the procedure.
    pub operation: &'static str,
    /// The customer that is to be changed.
    pub customer_id: Option<i32>,
    /// The text of the change.
    pub json: Option<&'a str>,
}

impl Request<'_> {
    /// SHA-256 over what has to be equal for two requests to be the same. The version named in If-Match is not part of
    /// it: the first try of a request changes the version.
    fn payload_hash(&self) -> Vec<u8> {
        let mut hasher = Sha256::new();
        hasher.update(self.operation);
        // Neither a name nor a number contains a NUL, so no two payloads are written alike.
        hasher.update([0]);
        hasher.update(self.customer_id.map(|id| id.to_string()).unwrap_or_default());
        hasher.update([0]);
        hasher.update(self.json.unwrap_or_default());
        hasher.finalize().to_vec()
    }
}

/// The outcome of a request that was carried out before.
pub(crate) struct Recorded {
    pub status: u16,
    pub customer_id: Option<i32>,
}

/// Carries out `change` and records its outcome, unless the same request was carried out before: then nothing changes,
/// and the answer is that of `again`.
///
/// # Errors
/// 422 when the key was used for another request; and whatever `change` or `again` fail with.
pub(crate) fn exactly_once(
    connection: &Connection,
    request: &Request,
    change: impl FnOnce() -> Outcome,
    again: impl FnOnce(&Recorded) -> Outcome,
) -> Outcome {
    let payload_hash = request.payload_hash();
    let entry = connection
        .prepare_cached("SELECT PayloadHash, Status, CustomerID FROM web_Requests WHERE RequestKey = ?1")?
        .query_row([request.key], |row| {
            let recorded = Recorded {
                status: row.get(1)?,
                customer_id: row.get(2)?,
            };
            Ok((row.get::<_, Vec<u8>>(0)?, recorded))
        })
        .optional()?;
    match entry {
        Some((hash, recorded)) if hash == payload_hash => {
            let row = again(&recorded)?;
            Ok(Row { replayed: true, ..row })
        }
        Some(_) => {
            let detail = "This idempotency key was already used for a different request.";
            Err(Refusal::new(422, detail).into())
        }
        None => {
            let row = change()?;
            record(connection, request, &payload_hash, &row)?;
            Ok(row)
        }
    }
}

fn record(connection: &Connection, request: &Request, payload_hash: &[u8], row: &Row) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO web_Requests (RequestKey, Operation, PayloadHash, Status, CustomerID, CompletedAt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            request.key,
            request.operation,
            payload_hash,
            row.status,
            row.customer_id,
            DateTime2::now().to_string(),
        ))?;
    Ok(())
}
