//! The plan and its text.

use std::fs;
use std::path::Path;

use super::*;

fn customers() -> Plan {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../entities/customer.toml"));
    Plan::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_customers_are_read_and_written_as_they_are() {
    let plan = customers();
    assert_eq!(plan.columns.len(), 30);
    assert_eq!(plan.shown().count(), 8);
    assert_eq!(plan.column("creditlimit").unwrap().sql_type, SqlType::Decimal { precision: 18, scale: 2 });
    assert!(matches!(plan.version(), Version::Period(column) if column.name == "ValidFrom"));
    assert_eq!(Plan::parse(&plan.to_toml().unwrap()).unwrap(), plan);
}

#[test]
fn types_are_read_under_all_of_their_names_and_refused_out_of_range() {
    for (text, shown) in [
        ("NVARCHAR (100)", "nvarchar(100)"),
        ("national character varying(max)", "nvarchar(max)"),
        ("dec(5)", "decimal(5,0)"),
        ("Numeric( 18 , 2 )", "numeric(18,2)"),
        ("float(24)", "real"),
        ("float(25)", "float"),
        ("timestamp", "rowversion"),
        ("sysname", "nvarchar(128)"),
        ("xml(CONTENT dbo.Schemas)", "xml"),
        ("varbinary", "varbinary(1)"),
        ("datetime2", "datetime2(7)"),
        ("vector(3, float16)", "vector(3)"),
    ] {
        let read: SqlType = text.parse().unwrap();
        assert_eq!(read.to_string(), shown);
        assert_eq!(read.to_string().parse::<SqlType>().unwrap(), read);
    }
    for text in [
        "decimal(5,7)",
        "decimal(39)",
        "nvarchar(4001)",
        "nchar(max)",
        "time(8)",
        "int(4)",
        "float(54)",
        "dbo.Name",
        "",
    ] {
        assert!(text.parse::<SqlType>().is_err(), "{text}");
    }
}

#[test]
fn names_of_tables_keep_brackets_blanks_and_dots() {
    for (text, schema, name, shown) in [
        ("Customers", "dbo", "Customers", "dbo.Customers"),
        ("[dbo].[Order Details]", "dbo", "Order Details", "[dbo].[Order Details]"),
        ("\"Sales\" . \"a\"\"b\"", "Sales", "a\"b", "[Sales].[a\"b]"),
        ("[a.b].[c]]d]", "a.b", "c]d", "[a.b].[c]]d]"),
        ("dbo.Straße", "dbo", "Straße", "[dbo].[Straße]"),
    ] {
        let read: TableName = text.parse().unwrap();
        assert_eq!((read.schema.as_str(), read.name.as_str()), (schema, name));
        assert_eq!(read.to_string(), shown);
        assert_eq!(shown.parse::<TableName>().unwrap(), read);
    }
    for text in ["", "a b", "a..b", "a.b.c", "[a", "[]", "1a", "a;DROP TABLE b", "dbo.Order Details"] {
        assert!(text.parse::<TableName>().is_err(), "{text}");
    }
}

#[test]
fn expressions_are_literals_columns_and_the_time() {
    for (text, expression) in [
        ("now()", Expression::Now),
        ("@CustomerID", Expression::Column("CustomerID".into())),
        ("-1.50", Expression::Number("-1.50".into())),
        ("N'it''s'", Expression::Text("it's".into())),
        ("0x00ff", Expression::Binary("0x00ff".into())),
        ("NULL", Expression::Null),
    ] {
        assert_eq!(text.parse::<Expression>().unwrap(), expression);
        assert_eq!(expression.to_string().parse::<Expression>().unwrap(), expression);
    }
    for text in ["x'); DROP TABLE x", "'a' + 'b'", "1 + 1", "N'a'b'", "0x0", ""] {
        assert!(text.parse::<Expression>().is_err(), "{text}");
    }
    assert_eq!(Expression::of_argument("it's").literal().unwrap(), "N'it''s'");
}
