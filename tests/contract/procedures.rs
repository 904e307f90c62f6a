//! Procedures: `sql/` = scripts of the local bridge = the component's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use customer_api::request::{IDEMPOTENCY_KEY, idempotency_key};
use http::{HeaderMap, HeaderValue};
use local_bridge::procedures::{Procedure, Value, column_type};
use local_bridge::{Bridge, Config};
use tempfile::TempDir;

use crate::tsql::{Parameter, Routine, count, find, procedures};
use crate::{Call, calls, root};

/// What one procedure is in each of the three.
struct Three {
    sql: Routine,
    bridge: Arc<Procedure>,
    call: Call,
}

/// Every procedure of schema `web`.
fn all() -> Vec<Three> {
    let folder = TempDir::new().expect("a folder");
    let bridge = Bridge::open(Config {
        database: folder.path().join("bridge.db"),
        dab_config: root().join("dab/dab-config.json"),
        procedures: root().join("local/procedures"),
    });
    let bridge = bridge.expect("a bridge");
    let bridge = bridge
        .procedures()
        .iter()
        .map(|known| (known.name.clone(), known.clone()));
    let mut bridge: BTreeMap<_, _> = bridge.collect();
    let calls = calls().into_iter().map(|call| (call.procedure.clone(), call));
    let mut calls: BTreeMap<_, _> = calls.collect();
    let mut sql = procedures();
    sql.retain(|routine| routine.name.starts_with("web."));
    let names: BTreeSet<_> = sql.iter().map(|routine| &routine.name).collect();
    assert!(names.len() >= 6, "{names:?}");
    assert!(
        names.iter().copied().eq(bridge.keys()),
        "local/procedures has not {names:?}"
    );
    assert!(
        names.iter().copied().eq(calls.keys()),
        "the component calls not {names:?}"
    );
    let three = |sql: Routine| Three {
        bridge: bridge.remove(&sql.name).expect("checked"),
        call: calls.remove(&sql.name).expect("checked"),
        sql,
    };
    sql.into_iter().map(three).collect()
}

#[test]
fn all_three_have_the_same_procedures_with_the_same_parameters() {
    for Three { sql, bridge, call } in all() {
        let default = |value: &Value| match value {
            Value::Integer(number) => number.to_string(),
            _ => "NULL".into(),
        };
        let declared = bridge.parameters.iter().map(|parameter| Parameter {
            name: parameter.name.clone(),
            sql_type: parameter.sql_type.to_string(),
            default: parameter.default.as_ref().map(default),
        });
        assert_eq!(
            declared.collect::<Vec<_>>(),
            sql.parameters,
            "the script of {}",
            sql.name
        );
        assert_eq!(call.parameters, sql.parameters, "the component's call of {}", sql.name);
    }
}

#[test]
fn scripts_return_the_columns_of_sql_in_their_order() {
    for Three { sql, bridge, call } in all() {
        let columns = bridge.columns.iter();
        let columns: Vec<_> = columns
            .map(|name| (name.clone(), column_type(name).to_string()))
            .collect();
        assert_eq!(columns, sql.columns(), "{}", sql.name);
        // Another name is that of the row's id.
        let order = ["Status", "ETag", "", "NextAfter", "Replayed", "Json"];
        let place = |name: &&str| order.iter().position(|column| column == name).unwrap_or(2);
        let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let is_ordered = names.iter().map(place).is_sorted_by(|left, right| left < right);
        assert!(is_ordered && names.len() >= 2, "{}: {names:?}", sql.name);
        assert_eq!((names[0], names[names.len() - 1]), ("Status", "Json"), "{}", sql.name);
        let id = names.iter().find(|name| !order.contains(name));
        assert_eq!(id.copied(), call.id_column, "{}", sql.name);
    }
}

#[test]
fn procedures_accept_what_the_component_lets_through() {
    for Three { sql, call, .. } in all() {
        for (name, min, max) in call.ranges {
            let between = format!("@{name} BETWEEN {min} AND {max}");
            let at_least = format!("@{name} >= {min}");
            let range = if max == i32::MAX { at_least } else { between };
            assert!(find(&sql.body, &range).is_some(), "{}: {range}", sql.name);
        }
    }
}

#[test]
fn keys_fit_their_parameter() {
    let accepts = |length| {
        let value = HeaderValue::from_str(&"k".repeat(length)).expect("visible ASCII");
        idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)])).is_ok()
    };
    assert!(
        accepts(255) && !accepts(256),
        "SQL Server would cut a longer key off at NVARCHAR(255)"
    );
}

#[test]
fn writes_are_posts_in_a_transaction_and_reads_are_gets() {
    for Three { sql, bridge, call } in all() {
        let changes = ["INSERT INTO", "UPDATE", "DELETE FROM"].iter().any(|verb| {
            let into = |schema| find(&sql.body, &format!("{verb} {schema} .")).is_some();
            into("Sales") || into("web") || into("Warehouse")
        });
        assert_eq!((bridge.writes(), call.writes), (changes, changes), "{}", sql.name);
        assert!(changes || count(&sql.body, "BEGIN TRANSACTION") == 0, "{}", sql.name);
    }
}
