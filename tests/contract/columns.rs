//! Result columns: the final `SELECT` of `sql/` = local bridge = what the component reads.

use customer_api::envelope::{Envelope, Head};

use crate::{bridge, call, web_procedures};

#[test]
fn the_bridge_returns_the_columns_of_sql_in_their_order() {
    for procedure in web_procedures() {
        let bridge: Vec<_> = bridge(&procedure.name)
            .columns
            .iter()
            .map(|column| (column.name().to_owned(), column.sql_type().to_string()))
            .collect();
        assert_eq!(bridge, procedure.columns(), "local bridge, {}", procedure.script);
    }
}

#[test]
fn status_comes_first_and_json_last() {
    for procedure in web_procedures() {
        let names: Vec<_> = procedure.columns().into_iter().map(|(name, _)| name).collect();
        // Another name is that of the row's id.
        let order = ["Status", "ETag", "", "NextAfter", "Replayed", "Json"];
        let place = |name: &String| order.iter().position(|column| column == name).unwrap_or(2);
        let is_ordered = names.iter().map(place).is_sorted_by(|left, right| left < right);
        assert!(is_ordered, "{}: {names:?}", procedure.script);
        assert_eq!((names[0].as_str(), names[names.len() - 1].as_str()), ("Status", "Json"));
    }
}

#[test]
fn the_component_reads_every_column() {
    for procedure in web_procedures() {
        let call = call(&procedure.name);
        let columns = procedure.columns();
        let values: Vec<_> = columns
            .iter()
            .map(|(name, sql_type)| match (name.as_str(), sql_type.as_str()) {
                ("Status", "INT") => r#""Status":299"#.to_owned(),
                (name, "INT") => format!(r#""{name}":7"#),
                (name, "BIT") => format!(r#""{name}":true"#),
                (name, _) => format!(r#""{name}":"{name}""#),
            })
            .collect();
        let answer = format!(r#"{{"value":[{{{}}}]}}"#, values.join(","));
        let has = |name: &str| columns.iter().any(|(column, _)| column == name);
        let created = call.created.as_ref().map(|created| created.id_column);
        let expected = Head {
            status: 299,
            etag: has("ETag").then(|| "ETag".into()),
            created_id: created.map(|_| 7),
            next_after: has("NextAfter").then_some(7),
            replayed: has("Replayed"),
        };
        let mut envelope = Envelope::new(created);
        assert_eq!(envelope.push(answer.into_bytes()).expect("a row"), b"Json");
        let (read, _) = envelope.finish().expect("all columns");
        assert_eq!(read, &expected, "{}", procedure.script);
        let used = 2 + [
            read.etag.is_some(),
            read.created_id.is_some(),
            read.next_after.is_some(),
            read.replayed,
        ]
        .iter()
        .filter(|used| **used)
        .count();
        assert_eq!(used, columns.len(), "{}: a column that nobody reads", procedure.script);
    }
}
