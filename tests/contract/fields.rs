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

/// The rows of the only `VALUES` that give rules.
fn rules(text: &[String]) -> Vec<Vec<String>> {
    let mut at = find(text, "VALUES (1, N'CustomerName'").expect("the rules") + 1;
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
fn the_rules_have_their_columns_in_one_order() {
    let head = "(Position, Field, Expected, MaxLength, IsRequired, IsNullable)";
    for text in [local_schema(), routine("web.customer_fields").body] {
        assert_eq!(count(&text, head), 1);
    }
}

#[test]
fn variables_have_their_columns_length_and_meet_no_other_column() {
    let read = routine("ops.read_customer");
    let passed = |routine: &Routine| {
        let at = find(&routine.body, "EXECUTE ops.read_customer @Json,").expect("a call");
        let end = at + find(&routine.body[at..], ";").expect("its end");
        let arguments = routine.body[at + 4..end].split(|token| token == ",");
        arguments.map(|argument| argument[0].clone()).collect::<Vec<_>>()
    };
    let (put, patch) = (routine("web.put_customer"), routine("web.patch_customer"));
    for routine in [&put, &patch] {
        // In the order of the parameters, and of their types: what is passed by place.
        for (argument, parameter) in passed(routine).iter().zip(&read.parameters).skip(4) {
            let declared = routine.declared(argument);
            assert!(
                parameter.starts_with(&format!("{argument} {declared}")),
                "{}: {argument} {declared} is passed as {parameter}",
                routine.name
            );
        }
    }
    assert_eq!((passed(&put).len(), passed(&patch).len()), (11, 12));
    for field in fields() {
        let (column, path) = (field.column, field.path);
        let parameter = format!("@{column} {} OUTPUT", field.sql_type);
        assert!(read.parameters.contains(&parameter), "{parameter}");
        let shred = format!("@{column} = MAX(CASE WHEN f.Field = N'{path}' THEN f.Value END)");
        assert_eq!(count(&read.body, &shred), 1, "{shred}");
        let assignment = if field.nullable {
            format!("{column} = CASE WHEN @HasAddressLine2 = 1 THEN @{column} ELSE {column} END")
        } else {
            format!("{column} = ISNULL(@{column}, {column})")
        };
        assert_eq!(count(&patch.body, &assignment), 1, "{assignment}");
        // Nothing else assigns to it.
        let assigned = |routine: &Routine| count(&routine.body, &format!("@{column} ="));
        assert_eq!([&read, &put, &patch].map(assigned), [1, 0, 0], "@{column}");
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
