//! A test with a million rows: a list with a filter and an order is walked in pages, while a writer changes rows beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

use azure_sql_rest_bridge::{Clock, register};
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, StatementStatus};
use serde_json::{Value, json};

use super::super::plan::Plan;
use super::sqlite::sqlite;
use super::tests::{Local, status};

/// Rows with few values, of which a tenth is NULL: pages begin in the middle of equal values.
const READING: &str = r#"
    name = "reading"
    plural = "readings"
    table = "dbo.Readings"
    script = "sql/40-reading.sql"
    operations = ["list"]
    key = { column = "Id", from = "client" }
    filter = ["Kind"]
    sort = ["Amount desc"]
    columns = [
        { name = "Id", type = "int" },
        { name = "Kind", type = "tinyint" },
        { name = "Amount", type = "decimal(9,2)", null = true },
    ]
    uniques = [{ columns = ["Id"], is_primary = true }]
"#;

const ROWS: i64 = 1_000_000;

/// The amounts of rows that stand still: 40 values, and NULL. Every tenth row moves.
const FILL: &str = "
    INSERT OR REPLACE INTO dbo_Readings (Id, Kind, Amount)
    WITH RECURSIVE Ids (Id) AS (SELECT 1 UNION ALL SELECT Id + 1 FROM Ids WHERE Id < 1000000)
    SELECT Id, Id % 3, iif(Id % 11 = 0, NULL, format('%.2f', Id * 7919 % 40 - 20)) FROM Ids";

/// Moves rows to other places in the order, also to NULL, and takes rows out and in.
const MOVE: &str = "
    UPDATE dbo_Readings SET Amount = iif(random() % 9 = 0, NULL, format('%.2f', random() % 30))
    WHERE Id % 10 = 0 AND Id BETWEEN :From AND :From + 3000;
    DELETE FROM dbo_Readings WHERE Id % 10 = 0 AND Id BETWEEN :From AND :From + 300;
    INSERT OR REPLACE INTO dbo_Readings (Id, Kind, Amount) VALUES (:From / 10 * 10, 1, '0.00'), (:From / 10 * 10 + 100, 1, NULL)";

/// Counts the steps of SQLite's virtual machine for a page, in all statements of the script.
fn steps(connection: &Connection, script: &str, page: &[(&str, Stored)]) -> i32 {
    let mut variables: BTreeMap<String, Stored> =
        page.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut steps = 0;
    for sql in script.split_inclusive(";\n").filter(|sql| !sql.trim().is_empty()) {
        let mut statement = connection.prepare(sql).expect("a statement");
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index).expect("a name")[1..].to_owned();
            statement.raw_bind_parameter(index, variables.get(&name)).expect("bound");
        }
        let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.raw_query();
        if let Some(row) = rows.next().expect("a row") {
            variables.extend(names.iter().enumerate().map(|(at, name)| (name.clone(), row.get(at).expect("a value"))));
        }
        drop(rows);
        steps += statement.get_status(StatementStatus::VmStep);
    }
    assert_eq!(variables.get("Status"), Some(&Stored::Integer(200)), "{page:?}");
    steps
}

/// Takes a minute: `make test-pages`.
#[tokio::test]
#[ignore = "fills a database with a million rows"]
async fn a_million_rows_are_walked_beside_a_writer_and_each_page_costs_the_same() {
    let plan = Plan::parse(READING).expect("a plan");
    let mut local = Local::new(&plan);
    let open = || {
        let connection = Connection::open(local.database()).expect("a database");
        register(&connection, &Clock::default()).expect("functions");
        connection.pragma_update(None, "synchronous", "OFF").expect("set");
        connection.busy_timeout(std::time::Duration::from_secs(60)).expect("set");
        connection
    };
    let (writer, reader) = (open(), open());
    writer.execute_batch(FILL).expect("filled");
    let (is_over, moves) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let (is_over_for_writer, moves_of_writer) = (Arc::clone(&is_over), Arc::clone(&moves));
    let writing = thread::spawn(move || {
        while !is_over_for_writer.load(Relaxed) {
            let from = i64::from(moves_of_writer.fetch_add(1, Relaxed)) * 9973 % ROWS;
            for sql in MOVE.split(';') {
                writer.execute(sql, [(":From", from)].as_slice()).expect("moved");
            }
        }
    });
    let (mut found, mut cursors) = (Vec::<(i64, Option<f64>)>::new(), Vec::<String>::new());
    loop {
        let mut arguments = json!({"Limit": 1000, "Sort": "-Amount", "ByKind": 1});
        if let Some(after) = cursors.last() {
            arguments["After"] = json!(after.replace('/', "%2F"));
        }
        let page = local.call("get_readings", arguments).await;
        assert_eq!(status(&page), 200, "{page}");
        let rows: Vec<Value> = serde_json::from_str(page["Json"].as_str().expect("a text")).expect("a list");
        found.extend(rows.iter().map(|row| (row["Id"].as_i64().unwrap_or_default(), row["Amount"].as_f64())));
        assert!(found.len() < 1_000_000, "the pages do not end");
        match page["NextAfter"].as_str() {
            Some(after) => cursors.push(after.to_owned()),
            None => break,
        }
    }
    is_over.store(true, Relaxed);
    writing.join().expect("no panic");
    assert!(moves.load(Relaxed) > 100, "{moves:?} moves");
    let stands_still = |id: &i64| id % 10 != 0;
    let still: Vec<_> = found.iter().filter(|(id, _)| stands_still(id)).collect();
    let mut ids: Vec<_> = still.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    let expected: Vec<_> = (1..=ROWS).filter(|id| id % 3 == 1 && stands_still(id)).collect();
    assert!(ids == expected, "{} rows that stood still, and {} are expected", ids.len(), expected.len());
    let is_sorted = found.is_sorted_by(|left, right| {
        let is_after = right.1.is_none() && left.1.is_some();
        is_after || left.1 > right.1 || left.1 == right.1 && left.0 > right.0
    });
    assert!(is_sorted, "in the order of the list");
    // Each page from the first to the last, also far in equal values and in NULLs.
    let script =
        sqlite(&plan, &[]).into_iter().find(|(path, _)| path.ends_with("web.get_readings.sql")).expect("a script").1;
    let cost = |after: Option<&String>| {
        let text = |text: &str| Stored::Text(text.to_owned());
        let after = after.map_or(Stored::Null, |after| text(after));
        let page = [("After", after), ("Limit", 1000.into()), ("Sort", text("-Amount")), ("ByKind", 1.into())];
        steps(&reader, &script, &page)
    };
    let places = [1, cursors.len() / 4, cursors.len() / 2, cursors.len() * 3 / 4, cursors.len() - 2];
    let costs: Vec<_> = places.iter().map(|place| cost(cursors.get(*place))).collect();
    println!("pages {places:?} of {}: {costs:?} steps, the first {}", cursors.len() + 1, cost(None));
    // Three ranges of a page's length are read at most: the same value, the values behind it, and NULL.
    assert!(costs.iter().all(|place| *place < 4 * cost(None)), "{costs:?}");
}
