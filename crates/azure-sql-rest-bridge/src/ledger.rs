//! Exactly-once: `web.Requests`, the ledger of requests that were executed.
//!
//! A change and its entry are one transaction, and there is one writer. So a duplicate either finds the entry or waits until
//! there is one. Only successes are entered. A refused request changed nothing and may be tried again.

use rusqlite::{Connection, Result};
use sha2::{Digest, Sha256};

use crate::arguments::{Arguments, REQUEST_KEY, Value};

/// The version named in If-Match. Two requests may be the same although their versions differ, because the first try of a
/// request changes the version.
const IF_MATCH: &str = "IfMatch";

/// The name of the caller, which is a part of the key.
pub(crate) const CALLER: &str = "Caller";

/// The meaning of a key.
pub(crate) enum Claim {
    /// The key is new.
    First,
    /// The key belongs to this request, which was executed before with this outcome.
    Again { status: i64, row_id: Value },
    /// The key belongs to another request.
    Taken,
    /// The text is not a valid key.
    NoKey,
}

/// Enters a call of the procedure `operation` as running, unless its key is in use.
pub(crate) fn claim(connection: &Connection, operation: &str, arguments: &Arguments) -> Result<Claim> {
    let key = arguments.get(REQUEST_KEY).unwrap_or(&Value::Null);
    if let Value::Text(key) = key
        && !(1..=255).contains(&key.len()) | !key.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(Claim::NoKey);
    }
    let hash = hash(operation, arguments);
    let is_first = connection
        .prepare_cached(
            "INSERT INTO web_Requests (RequestKey, Operation, PayloadHash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((key, operation, &hash))?;
    if is_first == 1 {
        return Ok(Claim::First);
    }
    connection.prepare_cached("SELECT PayloadHash, Status, RowID FROM web_Requests WHERE RequestKey = ?1")?.query_row(
        [key],
        |row| {
            if row.get::<_, Vec<u8>>(0)? == hash {
                let (status, row_id) = (row.get(1)?, row.get(2)?);
                Ok(Claim::Again { status, row_id })
            } else {
                Ok(Claim::Taken)
            }
        },
    )
}

/// The text that two calls share only if they are the same request.
fn hash(operation: &str, arguments: &Arguments) -> Vec<u8> {
    let is_payload = |(name, _): &(&String, &Value)| ![REQUEST_KEY, IF_MATCH, CALLER].contains(&name.as_str());
    // The values are quoted and escaped, so that different payloads give different texts.
    let payload = format!("{operation} {:?}", arguments.iter().filter(is_payload).collect::<Vec<_>>());
    Sha256::digest(payload).to_vec()
}

/// Completes the entry of a claim.
pub(crate) fn complete(connection: &Connection, arguments: &Arguments, status: u16, row_id: &Value) -> Result<()> {
    connection.prepare_cached("UPDATE web_Requests SET Status = ?2, RowID = ?3 WHERE RequestKey = ?1")?.execute((
        arguments.get(REQUEST_KEY),
        status,
        row_id,
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_in_a_key_makes_no_two_requests_alike() {
        let of = |key: &str, json: &str| {
            let pairs = [("Code", key), ("Json", json), (REQUEST_KEY, "k"), (IF_MATCH, key)];
            hash("web.patch_thing", &pairs.map(|(name, value)| (name.to_owned(), Value::Text(value.into()))).into())
        };
        let texts = ["", "a", "a\n", "\n{}", "a\n{}", "{}", "\\n{}", "\", \"", "a\\", "\\"];
        let hashes: Vec<_> = texts.iter().flat_map(|key| texts.iter().map(|json| of(key, json))).collect();
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        let by = |caller: &str| hash("web.put_thing", &[(CALLER.into(), Value::Text(caller.into()))].into());
        assert_eq!(by("shop"), by("stock"), "the key has the caller already");
    }
}
