//! A field's name, length and column: the sample table, the rules of `web.customer_fields`, the variables and
//! statements of the procedures, and the local bridge. A length that is too short in one of them would cut a value
//! without an error.

use std::fs;

use local_bridge::customer::{FIELDS, Field};

use crate::root;
use crate::tsql::{Routine, Token, all_routines, find, list, script, sql_type, tokens};

fn routine(name: &str) -> Routine {
    all_routines()
        .into_iter()
        .find(|routine| routine.name == name)
        .expect("in sql/")
}

fn text(token: &Token) -> &str {
    match token {
        Token::Text(text) => text,
        other => panic!("a text, not {other:?}"),
    }
}

/// Column, type, whether it can be NULL: of the sample's `Sales.Customers`.
fn sample_columns() -> Vec<(String, String, bool)> {
    let create = script("01-").batches.concat();
    let table = find(&create, &["CREATE", "TABLE", "Sales", ".", "Customers"]).expect("the sample table");
    let columns = list(&create, table + 5);
    let is_column = |item: &&[Token]| !item[0].is("CONSTRAINT") && !item[0].is("PERIOD");
    columns
        .into_iter()
        .filter(is_column)
        .map(|item| {
            let name = item[0].word().expect("a name").to_owned();
            (name, sql_type(&item[1..]).0, find(item, &["NOT", "NULL"]).is_none())
        })
        .collect()
}

#[test]
fn the_sample_table_has_the_bridges_lengths() {
    let columns = sample_columns();
    for field in &FIELDS {
        let (_, sql_type, nullable) = columns
            .iter()
            .find(|(name, ..)| name == field.column)
            .expect(field.column);
        assert_eq!(*sql_type, format!("NVARCHAR({})", field.max_length), "{}", field.column);
        assert_eq!(*nullable, field.nullable, "{}", field.column);
    }
}

#[test]
fn the_bridges_table_has_the_columns_and_lengths_of_the_sample_table() {
    let path = root().join("local/bridge/src/schema.sql");
    let schema = tokens(&fs::read_to_string(path).expect("the bridge's schema"));
    let table = find(&schema, &["CREATE", "TABLE", "Sales_Customers"]).expect("the bridge's table");
    let columns = list(&schema, table + 3);
    let sample = sample_columns();
    let name = |item: &&[Token]| item[0].word().map(str::to_owned);
    let names: Vec<_> = columns.iter().filter_map(name).collect();
    assert_eq!(names, sample.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>());
    for (item, (name, sql_type, nullable)) in columns.iter().zip(&sample) {
        let is_key = find(item, &["PRIMARY", "KEY"]).is_some();
        assert_eq!(find(item, &["NOT", "NULL"]).is_none() && !is_key, *nullable, "{name}");
        let Some(length) = sql_type
            .strip_prefix("NVARCHAR(")
            .and_then(|rest| rest.strip_suffix(')'))
        else {
            continue;
        };
        let checked = item.windows(2).find_map(|pair| match pair {
            [Token::Symbol('='), Token::Number(length)] => Some(length.to_string()),
            _ => None,
        });
        assert_eq!(checked.as_deref(), Some(length), "{name}");
    }
}

#[test]
fn what_a_client_may_send_is_what_the_bridge_takes() {
    let body = routine("web.customer_fields").body;
    let rules = find(
        &body,
        &["MaxLength", ",", "IsRequired", ",", "IsNullable", ")", "VALUES"],
    )
    .expect("the rules");
    let mut rows = Vec::new();
    let mut at = rules + 7;
    while body[at].is("(") {
        let row = list(&body, at);
        rows.push(row.iter().map(|item| item[0].clone()).collect::<Vec<_>>());
        at += 2 * row.len() + 1;
        at += usize::from(body[at].is(","));
    }
    let rule = |(position, field): (usize, &Field)| {
        let expected = if field.number_as_text {
            "a string or a number"
        } else {
            "a string"
        };
        vec![
            Token::Number(position as i64),
            Token::Text(field.path.into()),
            Token::Text(expected.into()),
            Token::Number(field.max_length as i64),
            Token::Number((!field.nullable).into()),
            Token::Number(field.nullable.into()),
        ]
    };
    // Delivery itself comes right before its members, and has no length.
    let members = FIELDS
        .iter()
        .position(|field| field.path.starts_with("Delivery."))
        .expect("members");
    let mut expected: Vec<_> = (1..).zip(&FIELDS[..members]).map(rule).collect();
    expected.push(vec![
        Token::Number(members as i64 + 1),
        Token::Text("Delivery".into()),
        Token::Text("an object".into()),
        Token::Word("NULL".into()),
        Token::Number(0),
        Token::Number(0),
    ]);
    expected.extend((members + 2..).zip(&FIELDS[members..]).map(rule));
    assert_eq!(rows, expected);
}

#[test]
fn no_field_is_left_out_when_the_text_is_read() {
    let body = routine("web.customer_fields").body;
    let names: Vec<Vec<&str>> = (0..body.len())
        .filter(|at| body[*at].is("key") && body.get(at + 1).is_some_and(|token| token.is("IN")))
        .map(|at| list(&body, at + 2).iter().map(|item| text(&item[0])).collect())
        .collect();
    let member = |field: &'static Field| field.path.strip_prefix("Delivery.");
    let mut top: Vec<_> = FIELDS
        .iter()
        .filter(|field| member(field).is_none())
        .map(|field| field.path)
        .collect();
    top.push("Delivery");
    assert_eq!(names, [top, FIELDS.iter().filter_map(member).collect()]);
}

#[test]
fn the_document_shows_the_bridges_fields_in_their_order() {
    let body = routine("web.customer_document").body;
    let select = body
        .iter()
        .rposition(|token| token.is("SELECT"))
        .expect("the inner SELECT");
    let aliases: Vec<_> = body[select..]
        .windows(5)
        .filter_map(|window| match window {
            [c, dot, Token::Word(column), r#as, Token::Word(path)] if c.is("c") && dot.is(".") && r#as.is("AS") => {
                Some((column.as_str(), path.as_str()))
            }
            _ => None,
        })
        .collect();
    let mut expected = vec![("CustomerID", "CustomerID")];
    expected.extend(FIELDS.iter().map(|field| (field.column, field.path)));
    assert_eq!(aliases, expected);
}

#[test]
fn variables_have_their_columns_length_and_meet_no_other_column() {
    for (name, from_row, to_row) in [("web.put_customer", 0, 0), ("web.patch_customer", 1, 1)] {
        let routine = routine(name);
        for field in &FIELDS {
            let length = format!("NVARCHAR({})", field.max_length);
            assert_eq!(routine.declared(field.column), length, "{name}: @{}", field.column);
            let is_variable = |token: &Token| matches!(token, Token::Variable(variable) if variable == field.column);
            let (mut read, mut written, mut shredded) = (0, 0, 0);
            for (at, window) in routine.body.windows(5).enumerate() {
                match window {
                    // @Column = c.Column
                    [variable, equals, c, dot, Token::Word(column)]
                        if is_variable(variable) && equals.is("=") && c.is("c") && dot.is(".") =>
                    {
                        assert_eq!(column, field.column, "{name}");
                        read += 1;
                    }
                    // SELECT @Column = f.Value FROM @Fields AS f WHERE f.Field = N'path' AND f.IsPresent = 1
                    [variable, equals, f, dot, value] if is_variable(variable) && equals.is("=") && f.is("f") => {
                        assert!(dot.is(".") && value.is("Value"), "{name}: @{}", field.column);
                        let statement = &routine.body[at..at + 20];
                        let path = statement
                            .iter()
                            .find(|token| matches!(token, Token::Text(_)))
                            .expect("a path");
                        assert_eq!(text(path), field.path, "{name}: @{}", field.column);
                        assert!(find(statement, &["f", ".", "IsPresent", "="]).is_some(), "{name}");
                        shredded += 1;
                    }
                    // SET Column = @Column
                    [before, Token::Word(column), equals, variable, _]
                        if equals.is("=") && is_variable(variable) && !before.is(".") =>
                    {
                        assert_eq!(column, field.column, "{name}");
                        written += 1;
                    }
                    _ => {}
                }
            }
            assert_eq!(
                (read, written, shredded),
                (from_row, to_row, 1),
                "{name}: @{}",
                field.column
            );
        }
    }
}

#[test]
fn an_inserted_row_takes_each_value_from_the_variable_of_its_column() {
    let body = routine("web.put_customer").body;
    let insert = find(&body, &["INSERT", "INTO", "Sales", ".", "Customers", "("]).expect("the INSERT") + 5;
    let columns: Vec<_> = list(&body, insert)
        .iter()
        .map(|item| item[0].word().expect("a column"))
        .collect();
    let values = insert + find(&body[insert..], &["VALUES", "("]).expect("VALUES") + 1;
    let values = list(&body, values);
    assert_eq!(columns.len(), values.len());
    let value = |column: &str| {
        let at = columns
            .iter()
            .position(|candidate| *candidate == column)
            .expect("a column of the INSERT");
        values[at].to_vec()
    };
    for field in &FIELDS {
        assert_eq!(value(field.column), [Token::Variable(field.column.into())]);
        if let Some(delivery) = field.column.strip_prefix("Delivery") {
            assert_eq!(value(&format!("Postal{delivery}")), value(field.column));
        }
    }
    assert_eq!(value("BillToCustomerID"), [Token::Variable("CustomerID".into())]);
    // Every column that must have a value has one.
    for (column, _, nullable) in sample_columns() {
        let generated = ["ValidFrom", "ValidTo"].contains(&column.as_str());
        assert!(nullable || generated || columns.contains(&column.as_str()), "{column}");
    }
}
