//! Procedures: `sql/` = scripts of the local bridge = the component's calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use azure_sql_rest::client::arguments::idempotency_key;
use azure_sql_rest::headers::IDEMPOTENCY_KEY;
use azure_sql_rest_bridge::procedures::{Parameter, Procedure, Value, column_type};
use azure_sql_rest_bridge::{Bridge, Config};
use http::{HeaderMap, HeaderValue};
use tempfile::TempDir;

use crate::tsql::{Routine, count, find, procedures, routines, scripts, tokens};
use crate::{Call, calls, root};

/// Every procedure of schema `web`, by name, in each of the three.
fn all() -> impl Iterator<Item = (Routine, Arc<Procedure>, Call)> {
    let folder = TempDir::new().expect("a folder");
    let bridge = Bridge::open(Config {
        database: folder.path().join("bridge.db"),
        dab_config: root().join("dab/dab-config.json"),
        procedures: root().join("sqlite"),
    });
    let mut bridge = bridge.expect("a bridge").procedures().to_vec();
    bridge.sort_by(|left, right| left.name.cmp(&right.name));
    let mut calls = calls();
    calls.sort_by(|left, right| left.procedure.cmp(&right.procedure));
    let mut sql = procedures();
    sql.retain(|routine| routine.name.starts_with("web."));
    sql.sort_by(|left, right| left.name.cmp(&right.name));
    let names: Vec<_> = sql.iter().map(|routine| &routine.name).collect();
    assert!(names.len() >= 6, "{names:?}");
    assert_eq!(bridge.iter().map(|known| &known.name).collect::<Vec<_>>(), names);
    assert_eq!(calls.iter().map(|call| &call.procedure).collect::<Vec<_>>(), names);
    let all = sql.into_iter().zip(bridge).zip(calls);
    all.map(|((sql, bridge), call)| (sql, bridge, call))
}

#[test]
fn all_three_have_the_same_procedures_with_the_same_parameters() {
    for (sql, bridge, call) in all() {
        let declared = bridge.parameters.iter().map(|Parameter { name, sql_type, default }| match default {
            None => format!("@{name} {sql_type}"),
            Some(Value::Integer(number)) => format!("@{name} {sql_type} = {number}"),
            Some(_) => format!("@{name} {sql_type} = NULL"),
        });
        assert_eq!(declared.collect::<Vec<_>>(), sql.parameters, "script of {}", sql.name);
        // They go by name.
        let sorted = |parameters: &[String]| parameters.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&call.parameters), sorted(&sql.parameters), "call of {}", sql.name);
    }
}

#[test]
fn scripts_return_the_columns_of_sql_in_their_order() {
    for (sql, bridge, call) in all() {
        // A key has the type that the component reads it as.
        let key = |name: &str| {
            if name == "NextAfter" { call.after.clone() } else { call.id_type.clone() }
        };
        let sql_type = |name: &String| column_type(name).map_or_else(|| key(name), |sql_type| sql_type.to_string());
        let columns: Vec<_> = bridge.columns.iter().map(|name| (name.clone(), sql_type(name))).collect();
        assert_eq!(columns, sql.columns(), "{}", sql.name);
        // Another name is that of the row's id.
        let others = ["Status", "ETag", "NextAfter", "Total", "Replayed", "Json"];
        let mut names = bridge.columns.iter().map(String::as_str);
        assert_eq!(names.find(|name| !others.contains(name)), call.id_column, "{}", sql.name);
    }
}

#[test]
fn procedures_accept_what_the_component_lets_through() {
    for (sql, _, call) in all() {
        for range in call.ranges {
            assert!(find(&sql.body, &range).is_some(), "{}: {range}", sql.name);
        }
    }
}

#[test]
fn keys_fit_the_ledger() {
    let accepts = |length| {
        let value = HeaderValue::from_str(&"k".repeat(length)).expect("visible ASCII");
        idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)])).is_ok()
    };
    assert!(accepts(255) && !accepts(256));
    let batches = scripts().into_iter().flat_map(|script| script.batches);
    let ledger = batches.filter(|batch| find(batch, "RequestKey VARCHAR(255) COLLATE").is_some());
    assert_eq!(ledger.count(), 1);
    let claim = &ledger_procedures()[0].body;
    for rule in ["@Key VARCHAR(255) = @RequestKey;", "NOT BETWEEN 1 AND 255 OR @RequestKey LIKE N'%[^!-~]%'"] {
        assert_eq!(count(claim, rule), 1, "{rule}");
    }
}

/// `ops.claim_request` and `ops.record_request`.
fn ledger_procedures() -> [Routine; 2] {
    ["ops.claim_request", "ops.record_request"].map(|name| {
        let mut all = procedures().into_iter();
        all.find(|routine| routine.name == name).expect(name)
    })
}

#[test]
fn a_write_validates_claims_changes_records_and_answers() {
    let rows = procedures().into_iter().find(|routine| routine.name == "ops.put_rows").expect("ops.put_rows");
    let steps = [
        "EXECUTE ops.claim_request @RequestKey, @Operation",
        "EXECUTE @Procedure @Json = @Row, @RequestKey = @Key;",
        "EXECUTE ops.record_request @RequestKey, @Status,",
    ];
    let steps = steps.map(|step| (count(&rows.body, step), find(&rows.body, step)));
    assert!(steps.iter().all(|(count, _)| *count == 1) && steps.is_sorted(), "{steps:?}");
    for (sql, _, call) in all().filter(|(_, _, call)| call.writes) {
        // A procedure of many rows is only its name, and that of the procedure for one.
        if let Some(at) = find(&sql.body, "EXECUTE ops.put_rows") {
            let (many, one) = (&sql.body[at + 4], sql.body[at + 6].trim_matches('\''));
            assert_eq!(*many, format!("'{}'", sql.name));
            assert!(all().any(|(sql, _, call)| sql.name == one && call.id_column.is_some()), "{one}");
            continue;
        }
        let place = |what: &str| {
            assert_eq!(count(&sql.body, what), 1, "{}: {what}", sql.name);
            find(&sql.body, what)
        };
        let mut order = vec![
            place("EXECUTE ops.claim_request @RequestKey"),
            place("EXECUTE ops.record_request @RequestKey, @Status,"),
        ];
        if call.parameters.iter().any(|parameter| parameter.starts_with("@Json ")) {
            let (_, about) = sql.name.split_once('_').expect("web.verb_entity");
            let is_new = u8::from(!about.is_empty() && !sql.name.starts_with("web.patch_"));
            order.insert(0, place(&format!("EXECUTE ops.check_fields N'{about}', {is_new}, @Json")));
        }
        assert!(order.is_sorted(), "{}: {order:?}", sql.name);
        // The transaction is its caller's.
        assert_eq!(count(&sql.body, "TRANSACTION"), 0, "{}", sql.name);
        // The procedure claims under its own name, by which replays find the claim.
        place(&format!("EXECUTE ops.claim_request @RequestKey, N'{}'", sql.name));
        // Nothing but the two touches the ledger.
        assert_eq!(count(&sql.body, "web.Requests"), 0, "{}", sql.name);
    }
}

#[test]
fn writes_are_posts_in_a_transaction_and_reads_are_gets() {
    for (sql, bridge, call) in all() {
        let changes = ["INSERT INTO", "UPDATE", "DELETE FROM", "EXECUTE ops.put_rows"].iter().any(|verb| {
            // A table in a variable is no change.
            let verb = tokens(verb);
            sql.body.windows(verb.len() + 1).any(|at| at.starts_with(&verb) && !at[verb.len()].starts_with('@'))
        });
        assert_eq!((bridge.writes(), call.writes), (changes, changes), "{}", sql.name);
    }
}

#[test]
fn any_version_is_one_that_is_there() {
    let function =
        routines("FUNCTION").into_iter().find(|routine| routine.name == "ops.is_match").expect("ops.is_match");
    for part in ["CASE WHEN @IfMatch IS NULL THEN 1", "WHEN @ETag IS NOT NULL AND EXISTS", "IN (@ETag, N'*')"] {
        assert!(find(&function.body, part).is_some(), "{part}");
    }
    for (sql, _, call) in all().filter(|(_, _, call)| call.parameters.iter().any(|name| name.starts_with("@IfMatch ")))
    {
        assert!(call.writes && find(&sql.body, "IF ops.is_match(@IfMatch, @Current) = 0").is_some(), "{}", sql.name);
    }
}
