//! A customer's fields: the sample table, the rules of `web.customer_fields`, the statements of the procedures, and the
//! local bridge's schema. A length that is too short in one of them would cut a value without an error.

use std::fs;

use crate::root;
use crate::tsql::{Routine, count, find, list, procedures, routines, scripts, tokens};

/// A field with a column of its own, by the rules and by `web.customer_document`.
struct Field {
    column: String,
    path: String,
    sql_type: String,
    nullable: bool,
}

fn routine(name: &str) -> Routine {
    let mut all = procedures().into_iter().chain(routines("FUNCTION"));
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

/// The columns of a table: name, and everything else without white space.
fn columns(text: &[String], create: &str) -> Vec<(String, String)> {
    let open = find(text, create).unwrap_or_else(|| panic!("{create}")) + tokens(create).len() - 1;
    let mut items = list(text, open);
    items.retain(|item| item[0] != "CONSTRAINT" && item[0] != "PERIOD");
    items.iter().map(|item| (item[0].clone(), item[1..].concat())).collect()
}

fn sample_table() -> Vec<(String, String)> {
    let batches = scripts().into_iter().flat_map(|script| script.batches);
    columns(&batches.flatten().collect::<Vec<_>>(), "CREATE TABLE Sales.Customers (")
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
        let (_, rest) = table.iter().find(|(name, _)| *name == field.column).expect("a column");
        assert!(rest.starts_with(&field.sql_type), "{}", field.column);
        assert_eq!(rest.contains("NOTNULL"), !field.nullable, "{}", field.column);
    }
}

#[test]
fn the_local_bridge_has_the_same_rules() {
    assert_eq!(rules(&local_schema()), rules(&routine("web.customer_fields").body));
}

#[test]
fn the_local_table_has_the_columns_of_the_sample_table() {
    let names = |columns: Vec<(String, String)>| columns.into_iter().map(|column| column.0).collect::<Vec<_>>();
    let local = columns(&local_schema(), "CREATE TABLE Sales_Customers (");
    assert_eq!(names(local), names(sample_table()));
}

#[test]
fn no_field_is_left_out_when_the_text_is_read() {
    let body = routine("web.customer_fields").body;
    let rules = rules(&body);
    let (members, top): (Vec<&str>, Vec<&str>) =
        rules.iter().map(|rule| &*rule[1]).partition(|path| path.contains('.'));
    assert!(find(&body, &format!("key IN ({})", top.join(", "))).is_some());
    let members = members.join(", ").replace("Delivery.", "");
    assert!(find(&body, &format!("key IN ({members})")).is_some());
}

#[test]
fn variables_have_their_columns_length_and_meet_no_other_column() {
    let (put, patch) = (routine("web.put_customer"), routine("web.patch_customer"));
    for field in fields() {
        let (column, path) = (field.column, field.path);
        let shred =
            format!("SELECT @{column} = f.Value FROM @Fields AS f WHERE f.Field = N'{path}' AND f.IsPresent = 1;");
        for routine in [&put, &patch] {
            let declared = routine.declared(&format!("@{column}"));
            assert_eq!(declared, field.sql_type, "{}: @{column}", routine.name);
            assert_eq!(count(&routine.body, &shred), 1, "{}: {shred}", routine.name);
        }
        for assignment in [format!("@{column} = c.{column}"), format!("{column} = @{column}")] {
            assert_eq!(count(&patch.body, &assignment), 1, "{assignment}");
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
    for (column, rest) in sample_table() {
        let needs_none = !rest.contains("NOTNULL") || rest.contains("GENERATEDALWAYS");
        assert!(needs_none || columns.contains(&column), "{column}");
    }
}
