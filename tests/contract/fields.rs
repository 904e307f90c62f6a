//! A customer's fields: the sample table, the rules of `web.customer_fields`, the statements of the procedures, and the
//! local bridge's schema. A length that is too short in one of them would cut a value without an error.

use std::fs;

use crate::root;
use crate::tsql::{Routine, count, find, functions, list, procedures, scripts, sql_type, tokens};

/// A field with a column of its own, by the rules and by `web.customer_document`.
struct Field {
    column: String,
    path: String,
    sql_type: String,
    nullable: bool,
}

fn routine(name: &str) -> Routine {
    let mut all = procedures().into_iter().chain(functions());
    all.find(|routine| routine.name == name).expect("in sql/")
}

/// The rows of the `VALUES` that give the rules.
fn rules(text: &[String]) -> Vec<Vec<String>> {
    let head = "MaxLength, IsRequired, IsNullable)";
    let mut at = find(text, head).expect("the rules") + tokens(head).len();
    at += find(&text[at..], "VALUES").expect("VALUES") + 1;
    let mut rows = Vec::new();
    while text[at] == "(" {
        let row: Vec<_> = list(text, at).concat();
        at += 2 * row.len() + 1;
        at += usize::from(text[at] == ",");
        rows.push(row);
    }
    rows
}

fn fields() -> Vec<Field> {
    let document = routine("web.customer_document").body;
    let column = |path: &str| {
        let alias = document.windows(5).find(|window| window[0] == "c" && window[4] == path);
        alias.unwrap_or_else(|| panic!("web.customer_document shows no {path}"))[2].clone()
    };
    let rules = rules(&routine("web.customer_fields").body);
    let with_column = rules.iter().filter(|rule| rule[3] != "NULL");
    let field = |rule: &Vec<String>| {
        let path = rule[1].trim_matches('\'').to_owned();
        Field {
            column: column(&path),
            path,
            sql_type: format!("NVARCHAR({})", rule[3]),
            nullable: rule[5] == "1",
        }
    };
    with_column.map(field).collect()
}

/// A table's columns: name, type, and what else is said about it.
fn columns(text: &[String], create: &str) -> Vec<(String, String, Vec<String>)> {
    let open = find(text, create).unwrap_or_else(|| panic!("{create}")) + tokens(create).len() - 1;
    let items = list(text, open).into_iter();
    items
        .filter(|item| item[0] != "CONSTRAINT" && item[0] != "PERIOD")
        .map(|item| {
            let (sql_type, rest) = sql_type(&item[1..]);
            (item[0].clone(), sql_type, rest.to_vec())
        })
        .collect()
}

fn sample_table() -> Vec<(String, String, Vec<String>)> {
    let sample = scripts().into_iter().find(|script| script.name.starts_with("01-"));
    columns(
        &sample.expect("sql/01-…").batches.concat(),
        "CREATE TABLE Sales.Customers (",
    )
}

fn local_schema() -> Vec<String> {
    let path = root().join("local/procedures/customer.schema.sql");
    tokens(&fs::read_to_string(path).expect("the schema"))
}

#[test]
fn rules_have_the_lengths_of_the_sample_table() {
    let table = sample_table();
    assert_eq!(fields().len(), 7);
    for field in fields() {
        let (_, sql_type, rest) = table.iter().find(|(name, ..)| *name == field.column).expect("a column");
        assert_eq!(*sql_type, field.sql_type, "{}", field.column);
        assert_eq!(find(rest, "NOT NULL").is_none(), field.nullable, "{}", field.column);
    }
}

#[test]
fn the_local_bridge_has_the_same_rules() {
    assert_eq!(rules(&local_schema()), rules(&routine("web.customer_fields").body));
}

#[test]
fn the_local_table_has_the_columns_and_lengths_of_the_sample_table() {
    let sample = sample_table();
    let local = columns(&local_schema(), "CREATE TABLE Sales_Customers (");
    assert_eq!(local.len(), sample.len());
    for ((name, _, local), (column, sql_type, rest)) in local.iter().zip(&sample) {
        assert_eq!(name, column);
        let is_key = find(local, "PRIMARY KEY").is_some();
        let is_nullable = find(rest, "NOT NULL").is_none();
        assert_eq!(find(local, "NOT NULL").is_none() && !is_key, is_nullable, "{name}");
        if let Some(length) = sql_type.strip_prefix("NVARCHAR(") {
            let check = format!("length({name}) <= {length}");
            assert!(find(local, &check).is_some(), "{check}");
        }
    }
}

#[test]
fn no_field_is_left_out_when_the_text_is_read() {
    let body = routine("web.customer_fields").body;
    let rules = rules(&body);
    let (members, top): (Vec<_>, Vec<_>) = rules.iter().map(|rule| &rule[1]).partition(|path| path.contains('.'));
    let members = members.into_iter().map(|path| path.replace("Delivery.", ""));
    let read = |paths: Vec<String>| format!("key IN ({})", paths.join(", "));
    assert!(find(&body, &read(top.into_iter().cloned().collect())).is_some());
    assert!(find(&body, &read(members.collect())).is_some());
}

#[test]
fn variables_have_their_columns_length_and_meet_no_other_column() {
    let (put, patch) = (routine("web.put_customer"), routine("web.patch_customer"));
    for Field {
        column, path, sql_type, ..
    } in fields()
    {
        let shred =
            format!("SELECT @{column} = f.Value FROM @Fields AS f WHERE f.Field = N'{path}' AND f.IsPresent = 1;");
        for routine in [&put, &patch] {
            assert_eq!(routine.declared(&format!("@{column}")), sql_type, "{}", routine.name);
            assert_eq!(count(&routine.body, &shred), 1, "{}: {shred}", routine.name);
        }
        for assignment in [format!("@{column} = c.{column}"), format!(", {column} = @{column}")] {
            let is_there = count(&patch.body, &assignment) == 1;
            let is_first = find(&patch.body, &format!("SET {column} = @{column}")).is_some();
            assert!(is_there || is_first, "web.patch_customer: {assignment}");
        }
        // Nothing else assigns to it.
        let assigned = |routine: &Routine| count(&routine.body, &format!("@{column} ="));
        assert_eq!((assigned(&put), assigned(&patch)), (1, 2), "@{column}");
    }
}

#[test]
fn an_inserted_row_takes_each_value_from_the_variable_of_its_column() {
    let body = routine("web.put_customer").body;
    let insert = find(&body, "INSERT INTO Sales.Customers (").expect("the INSERT") + 5;
    let columns = list(&body, insert).concat();
    let values = insert + find(&body[insert..], "VALUES (").expect("VALUES") + 1;
    let values = list(&body, values);
    assert_eq!(columns.len(), values.len());
    let value = |column: &str| {
        let at = columns.iter().position(|candidate| candidate == column);
        values[at.unwrap_or_else(|| panic!("{column} is not inserted"))]
    };
    for field in fields() {
        let variable = [format!("@{}", field.column)];
        assert_eq!(value(&field.column), variable);
        if let Some(delivery) = field.column.strip_prefix("Delivery") {
            assert_eq!(value(&format!("Postal{delivery}")), variable);
        }
    }
    assert_eq!(value("BillToCustomerID"), ["@CustomerID"]);
    // Every column that must have a value has one.
    for (column, _, rest) in sample_table() {
        let needs_none = find(&rest, "NOT NULL").is_none() || find(&rest, "GENERATED ALWAYS").is_some();
        assert!(needs_none || columns.contains(&column), "{column}");
    }
}
