//! At the end: the model against the database, row by row, and the ledger against what was acknowledged.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use http::header;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::api::{Api, Ask, Reply};
use crate::customer::Customer;
use crate::perform::{Bench, Lane, ids};
use crate::plan::Row;
use crate::tally::{Broken, Tally};

/// Rows fetched at one time.
const AT_ONCE: usize = 8;

/// A row as the API has it.
pub(crate) struct Stored {
    pub customer: Customer,
    pub etag: String,
    body: Value,
}

/// Fetches every row there is.
///
/// # Errors
///
/// An answer that is not a success, or not a customer: the bridge has no faults now.
pub(crate) async fn fetch_all(api: &Api) -> Result<BTreeMap<i32, Stored>> {
    let mut left = list(api).await?.into_iter();
    let (mut rows, mut running) = (BTreeMap::new(), JoinSet::new());
    loop {
        while running.len() < AT_ONCE
            && let Some(id) = left.next()
        {
            let api = api.clone();
            running.spawn(async move { fetch(&api, id).await.map(|row| (id, row)) });
        }
        match running.join_next().await {
            Some(row) => rows.extend([row??]),
            None => return Ok(rows),
        }
    }
}

async fn list(api: &Api) -> Result<Vec<i32>> {
    let mut all = Vec::new();
    loop {
        let after = all.last().copied().unwrap_or(0);
        let page = get(api, format!("/customers?limit=1000&after={after}")).await?;
        let page = ids(&page.json());
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn fetch(api: &Api, id: i32) -> Result<Stored> {
    let reply = get(api, format!("/customer/{id}")).await?;
    let body = reply.json();
    let etag = reply.header(header::ETAG).with_context(|| format!("customer {id} has no ETag"))?.to_owned();
    let customer = serde_json::from_value(body[0].clone()).with_context(|| format!("customer {id}: {body}"))?;
    Ok(Stored { customer, etag, body })
}

async fn get(api: &Api, target: String) -> Result<Reply> {
    let reply = api.send(Ask::get(&target)).await?;
    ensure!(reply.status == 200, "GET {target} is {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
    Ok(reply)
}

/// Compares every row of the database with the model, both ways.
///
/// # Errors
///
/// The database cannot be read through the API.
pub(crate) async fn compare(bench: &Bench, model: &[Row], lanes: &HashMap<usize, Lane>) -> Result<usize> {
    let mut stored = fetch_all(&bench.api).await?;
    let (compared, tally) = (stored.len(), &bench.tally);
    // Rows that a failed request may have created: it was judged when it failed.
    let mut uncertain = 0;
    for (place, row) in model.iter().enumerate() {
        let Some(lane) = lanes.get(&place) else { continue };
        let Some(id) = lane.id else {
            uncertain += 1;
            continue;
        };
        let found = stored.remove(&id);
        if lane.is_lost {
            continue;
        }
        match (&row.customer, found) {
            (Some(customer), Some(found)) if found.body != customer.answer(id) => {
                tally
                    .broken(Broken::Lost, format_args!("customer {id} is {}, must be {}", found.body, customer.text()));
            }
            (Some(_), Some(found)) if Some(&found.etag) != lane.etag.as_ref() => {
                let acknowledged = &lane.etag;
                tally.broken(
                    Broken::Duplicated,
                    format_args!("customer {id} has version {}, not {acknowledged:?}", found.etag),
                );
            }
            (Some(_), None) => tally.broken(Broken::Lost, format_args!("customer {id} is not there")),
            (None, Some(_)) => tally.broken(Broken::Phantom, format_args!("customer {id} was deleted, and is there")),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    for (id, row) in stored.into_iter().skip(uncertain) {
        tally.broken(Broken::Phantom, format_args!("customer {id} is there, and nobody created it: {}", row.body));
    }
    Ok(compared)
}

/// Compares the ledger with the writes that were acknowledged, and with the writes of unknown outcome. Returns its length.
///
/// # Errors
///
/// The bridge's file cannot be read.
pub(crate) fn compare_ledger(tally: &Tally, database: &Path, acknowledged: u64, uncertain: u64) -> Result<u64> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let entries: i64 = connection.query_row("SELECT count(*) FROM web_Requests", (), |row| row.get(0))?;
    let (entries, most) = (entries.unsigned_abs(), acknowledged + uncertain);
    if entries < acknowledged {
        tally.broken(Broken::Lost, format_args!("the ledger has {entries} writes, {acknowledged} were acknowledged"));
    }
    if entries > most {
        tally
            .broken(Broken::Duplicated, format_args!("the ledger has {entries} writes, {most} were asked for at most"));
    }
    Ok(entries)
}
