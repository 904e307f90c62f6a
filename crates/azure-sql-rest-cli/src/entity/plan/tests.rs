//! The plan and its text.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;

fn text_of_customers() -> String {
    fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../entities/customer.toml"))).unwrap()
}

fn customers() -> Plan {
    Plan::parse(&text_of_customers()).unwrap()
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
        ("caller()", Expression::Caller),
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

/// Floating-point numbers have a format in the schema, and no limits.
#[test]
fn binary_numbers_have_a_format_and_no_limits() {
    let of = |text: &str| text.parse::<SqlType>().unwrap().schema();
    assert_eq!(of("float"), json!({"type": "number", "format": "double"}));
    assert_eq!(of("real"), json!({"type": "number", "format": "float"}));
}

#[test]
fn a_text_key_is_one_that_a_path_can_have() {
    let text = r#"
        name = "thing"
        plural = "things"
        table = "dbo.Things"
        script = "sql/40-thing.sql"
        operations = ["get", "put"]
        key = { column = "Code", from = "client" }
        columns = [{ name = "Code", type = "nvarchar(9)" }]
        uniques = [{ columns = ["Code"], is_primary = true }]
    "#;
    let plan = Plan::parse(text).unwrap();
    let schema = plan.schema(plan.shown())["properties"]["Code"].clone();
    assert_eq!((&schema["minLength"], &schema["not"]), (&json!(1), &json!({"enum": [".", ".."]})));
}

#[test]
fn the_schema_of_a_row_follows_from_the_plan() {
    let plan = customers();
    let schema = plan.schema(plan.shown());
    assert_eq!(schema["properties"]["CustomerName"], json!({"type": "string", "maxLength": 100, "x-unique": true}));
    assert_eq!(schema["properties"]["CustomerID"]["$ref"], "#/components/schemas/Id");
    assert_eq!(schema["properties"]["Delivery"]["required"], json!(["AddressLine1", "PostalCode"]));
    assert_eq!(plan.schema(plan.in_list())["required"], json!(["CustomerID", "CustomerName"]));
}

#[test]
fn examples_are_told_or_follow_from_the_rows() {
    let mut plan = customers();
    assert_eq!(plan.examples()["delete_customer"]["response"], json!([{"CustomerID": 1062}]));
    plan.examples.clear();
    let examples = plan.examples();
    let row = &examples["get_customer"]["response"][0];
    assert_eq!(row["Delivery"]["AddressLine1"], "Delivery address line1 3");
    assert_eq!(examples["put_customer"]["request"]["CustomerName"], "Customer name 4");
    assert_eq!(examples["patch_customer"]["request"], json!({"CustomerName": "Customer name 5"}));
    assert_eq!(examples["get_customers"]["response"], json!([{"CustomerID": 3, "CustomerName": "Customer name 3"}]));
}

/// Rows that refer to others refer to rows that are there, each to another, so that no unique is broken.
#[test]
fn examples_of_references_are_rows_that_are_there() {
    let text = r#"
        name = "track_tag"
        plural = "track_tags"
        table = "dbo.TrackTags"
        script = "sql/40-track_tag.sql"
        operations = ["get", "put"]
        key = { column = "Id", from = "identity" }
        columns = [
            { name = "Id", type = "int", identity = [1, 1], read_only = true },
            { name = "TagCode", type = "varchar(12)" },
            { name = "TrackId", type = "int" },
            { name = "OtherId", type = "int", null = true },
        ]
        uniques = [{ columns = ["TagCode", "TrackId"] }]
        references = [
            { columns = ["TagCode"], table = "dbo.Tags", referenced = ["Code"] },
            { columns = ["TrackId"], table = "dbo.Tracks" },
            { columns = ["OtherId"], table = "dbo.Others" },
        ]
    "#;
    let plan = Plan::parse(text).unwrap();
    let row = |n| plan.example_row(n, plan.sent(), true);
    assert_eq!(row(1), json!({"TagCode": "Code 1", "TrackId": 1}));
    assert_eq!(row(2), json!({"TagCode": "Code 2", "TrackId": 2}));
    let unique = plan.schema(plan.shown())["properties"]["TrackId"]["x-unique"].clone();
    assert_eq!(unique, json!(["TagCode", "TrackId"]));
}

/// The columns that refer to a row together have the values of one row, also where they are unique with others.
#[test]
fn examples_of_a_reference_of_several_columns_are_one_row() {
    let text = r#"
        name = "grade"
        plural = "grades"
        table = "dbo.Grades"
        script = "sql/40-grade.sql"
        operations = ["get", "list", "put", "delete"]
        key = [{ column = "StudentID", from = "client" }, { column = "CourseID", from = "client" }, { column = "Term", from = "client" }]
        columns = [
            { name = "StudentID", type = "int" },
            { name = "CourseID", type = "int" },
            { name = "Term", type = "nvarchar(9)" },
        ]
        uniques = [{ columns = ["StudentID", "CourseID", "Term"], is_primary = true }]
        references = [
            { columns = ["StudentID"], table = "dbo.Students", referenced = ["Id"] },
            { columns = ["CourseID", "Term"], table = "dbo.Courses", referenced = ["Id", "Term"] },
        ]
    "#;
    let plan = Plan::parse(text).unwrap();
    let row = |n| plan.example_row(n, plan.sent(), true);
    assert_eq!(row(2), json!({"StudentID": 2, "CourseID": 2, "Term": "Term 2"}));
    assert_eq!(row(4), json!({"StudentID": 1, "CourseID": 2, "Term": "Term 2"}));
    let examples = plan.examples();
    assert_eq!(examples["get_grade"]["path"], json!({"StudentID": 3, "CourseID": 3, "Term": "Term 3"}));
    assert_eq!(examples["delete_grade"]["response"], json!([examples["get_grade"]["path"]]));
    assert_eq!(examples["get_grades"]["query"], json!({"limit": 2}));
    assert_eq!(examples["get_grades"]["response"].as_array().unwrap().len(), 2);
    let schema = plan.schema(plan.shown());
    assert_eq!(schema["properties"]["Term"]["x-unique"], json!(["StudentID", "CourseID", "Term"]));
    assert_eq!(schema["properties"]["Term"]["not"], json!({"enum": [".", ".."]}));
    let twice = text.replace("column = \"CourseID\"", "column = \"studentid\"");
    assert_eq!(Plan::parse(&twice).unwrap_err().to_string(), "the key has the column studentid twice");
}

/// A unique index that leaves only NULL out covers all values. Of another filter, and of a CHECK, only a request shows the effect.
#[test]
fn filters_and_checks_are_told_of() {
    let text = r#"
        name = "role"
        plural = "roles"
        table = "dbo.Roles"
        script = "sql/40-role.sql"
        operations = ["get", "put"]
        key = { column = "Id", from = "identity" }
        columns = [
            { name = "Id", type = "int", identity = [1, 1], read_only = true },
            { name = "Name", type = "varchar(12)", null = true },
            { name = "Code", type = "varchar(12)" },
            { name = "Unit Price", type = "int", path = "UnitPrice" },
        ]
        uniques = [
            { columns = ["Name"], filter = "([Name] IS NOT NULL)" },
            { columns = ["Code"], filter = "Code <> 'none' AND Code IS NOT NULL" },
        ]
        checks = [{ expression = "[Unit Price]>=(0) OR 'Name'='Code'" }]
    "#;
    let plan = Plan::parse(text).unwrap();
    let schema = plan.schema(plan.shown());
    let of = |rule: &str| ["Name", "Code", "UnitPrice"].map(|name| schema["properties"][name][rule] == true);
    assert_eq!(of("x-unique"), [true, false, false]);
    assert_eq!(of("x-checked"), [false, false, true]);
}

#[test]
fn filters_are_read_and_refused_with_a_way_out() {
    let refusals = |filters: &str| {
        let text = text_of_customers();
        let text = text.lines().map(|line| match line.starts_with("filter = ") {
            true => format!("filter = [{filters}]\n"),
            false => format!("{line}\n"),
        });
        match Plan::parse(&text.collect::<String>()) {
            Ok(plan) => crate::entity::rules::refusals(&plan).join("\n"),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(
        refusals(
            r#""name=CustomerName:prefix", "CustomerName", "DeliveryPostalCode", "CustomerID:range", "CustomerID:in""#
        ),
        ""
    );
    for (filters, expected) in [
        (r#""Nothing""#, "there is no column Nothing"),
        (r#""CustomerName:suffix""#, "is by \"suffix\": in, prefix or range"),
        (r#""=CustomerName""#, "has an empty name"),
        (r#""CustomerName:range""#, "a range has numbers, dates or times: take it from `filter`"),
        (r#""CustomerID:prefix""#, "only a text has a prefix"),
        (r#""CreditLimit""#, "which a row does not show"),
        (r#""limit=CustomerName""#, "two query parameters of the list are called limit"),
        (r#""CustomerName", "CustomerName""#, "two query parameters of the list are called CustomerName"),
        (r#""CustomerName", "other=CustomerName""#, "two filters are the parameter ByCustomerName of the procedure"),
        (r#""a b=CustomerName""#, "is not made of ASCII letters"),
    ] {
        let said = refusals(filters);
        assert!(said.contains(expected), "{filters}: {said}");
    }
}

#[test]
fn orders_are_read_and_refused_with_a_way_out() {
    let refusals = |sort: &str, filter: &str| {
        let text = text_of_customers();
        let text = text.lines().map(|line| match line.starts_with("filter = ") {
            true => format!("filter = [{filter}]\nsort = [{sort}]\n"),
            false => format!("{line}\n"),
        });
        match Plan::parse(&text.collect::<String>()) {
            Ok(plan) => crate::entity::rules::refusals(&plan).join("\n"),
            Err(error) => error.to_string(),
        }
    };
    let orders = r#""CustomerName", "CustomerName desc", "DeliveryPostalCode", "CustomerID desc""#;
    assert_eq!(refusals(orders, "\"CustomerName\""), "");
    for (sort, filter, expected) in [
        (r#""Nothing""#, "", "there is no column Nothing"),
        (r#""CustomerName down""#, "", "is no column, or a column and desc"),
        (r#""CreditLimit""#, "", "which a row does not show"),
        (r#""CustomerName", "CustomerName asc""#, "", "two orders of the list are called CustomerName"),
        (r#""CustomerName""#, r#""sort=CustomerName""#, "two query parameters of the list are called sort"),
    ] {
        let said = refusals(sort, filter);
        assert!(said.contains(expected), "{sort}: {said}");
    }
    let with_type = |sql_type: &str| {
        let text = text_of_customers().replacen("filter = ", "sort = [\"CustomerName\"]\nfilter = ", 1);
        let text = text.replacen(
            "name = \"CustomerName\", type = \"nvarchar(100)\"",
            &format!("name = \"CustomerName\", type = \"{sql_type}\""),
            1,
        );
        crate::entity::rules::refusals(&Plan::parse(&text).expect("a plan")).join("\n")
    };
    assert_eq!(with_type("nvarchar(400)"), "");
    for sql_type in ["nvarchar(401)", "nvarchar(max)", "ntext", "varbinary(8)", "xml"] {
        let said = with_type(sql_type);
        assert!(said.contains("take it from `sort`"), "{sql_type}: {said}");
    }
}

/// A rule that the type has already is none of the CHECK's, and each example keeps the rules.
#[test]
fn checks_are_in_the_schema_and_kept_by_examples() {
    let text = r#"
        name = "order"
        plural = "orders"
        table = "dbo.Orders"
        script = "sql/40-order.sql"
        operations = ["get", "put"]
        key = { column = "Id", from = "identity" }
        columns = [
            { name = "Id", type = "int", identity = [1, 1], read_only = true },
            { name = "Status", type = "varchar(10)", default = "('open')" },
            { name = "Qty", type = "tinyint" },
            { name = "Age", type = "int", null = true },
            { name = "Price", type = "decimal(5,2)" },
            { name = "Share", type = "decimal(3,2)" },
        ]
        checks = [
            { expression = "([Status]='closed' OR [Status]='open')" },
            { expression = "[Qty]>=(0)" },
            { expression = "[Age]>(17) AND [Age]<=(19)" },
            { expression = "[Price]>(0.00)" },
            { expression = "[Share] BETWEEN 0 AND 1" },
        ]
    "#;
    let plan = Plan::parse(text).unwrap();
    let of = |name: &str| plan.schema(plan.shown())["properties"][name].clone();
    assert_eq!(
        of("Status"),
        json!({
            "type": "string", "maxLength": 10, "description": "Only characters of the column's code page.",
            "x-code-page": true, "enum": ["closed", "open"], "x-conflict": ["enum"], "default": "open", "x-optional": true
        })
    );
    assert_eq!(of("Qty"), json!({"type": "integer", "minimum": 0, "maximum": 255}));
    let age = json!({"type": "integer", "format": "int32", "minimum": 18, "maximum": 19, "x-conflict": ["minimum", "maximum"]});
    assert_eq!(of("Age"), age);
    let price = json!({
        "type": "number", "maximum": 999.99, "x-decimals": 2, "exclusiveMinimum": 0, "x-conflict": ["exclusiveMinimum"]
    });
    assert_eq!(of("Price"), price);
    let row = |n| plan.example_row(n, plan.sent(), true);
    assert_eq!(row(1), json!({"Status": "closed", "Qty": 1, "Age": 18, "Price": 1.01, "Share": 1.0}));
    assert_eq!(row(2), json!({"Status": "open", "Qty": 2, "Age": 19, "Price": 2.02, "Share": 0.99}));
    assert_eq!(row(3)["Age"], 18);
}

/// Rows keep CHECKs of two columns and patterns of LIKE, and refer to the rows that another table has for such reasons.
#[test]
fn examples_keep_the_rules_between_columns_and_of_other_tables() {
    let text = r#"
        name = "trip"
        plural = "trips"
        table = "dbo.Trips"
        script = "sql/40-trip.sql"
        operations = ["get", "put", "patch"]
        key = [{ column = "FromCode", from = "client" }, { column = "ToCode", from = "client" }]
        columns = [
            { name = "FromCode", type = "varchar(9)" },
            { name = "ToCode", type = "varchar(9)" },
            { name = "Least", type = "int" },
            { name = "Most", type = "int" },
            { name = "Fuel", type = "real" },
        ]
        checks = [
            { expression = "[FromCode]<>[ToCode]" },
            { expression = "([Most] IS NULL OR [Least]<[Most])" },
            { expression = "Fuel >= 0 AND (Fuel <= 1)" },
        ]
        uniques = [{ columns = ["FromCode", "ToCode"], is_primary = true }]
        references = [
            { columns = ["FromCode"], table = "dbo.Stops", referenced = ["Code"] },
            { columns = ["ToCode"], table = "dbo.Stops" },
        ]
    "#;
    let stops = r#"
        name = "stop"
        plural = "stops"
        table = "dbo.Stops"
        script = "sql/40-stop.sql"
        operations = ["get", "put"]
        key = { column = "Code", from = "client" }
        columns = [{ name = "Code", type = "varchar(9)" }]
        checks = [{ expression = "[Code] like '[^0-9a-z][A-C]-_%'" }]
        uniques = [{ columns = ["Code"], is_primary = true }]
    "#;
    let listed = stops.replace(r#"["get", "put"]"#, r#"["get", "list"]"#);
    let list = |text: &str| Plan::parse(text).unwrap().examples()["get_stops"].clone();
    assert_eq!(list(&listed)["query"], json!({"after": "AA-1", "limit": 2}));
    let of_two_patterns = listed.replace("_%'", "_%' OR [Code] LIKE '0%'");
    assert_eq!(list(&of_two_patterns), json!({"query": {"limit": 2}}), "the rows are in another order");
    let deleted = stops.replace(r#"["get", "put"]"#, r#"["delete"]"#).replace("varchar(9)", "char(9)");
    let deleted = Plan::parse(&deleted).unwrap().examples()["delete_stop"].clone();
    assert_eq!(deleted["response"], json!([{"Code": "AA-2     "}]), "as the row has it");
    let (mut plan, stops) = (Plan::parse(text).unwrap(), Plan::parse(stops).unwrap());
    assert!(plan.refer_to(std::slice::from_ref(&stops)) && !plan.refer_to(std::slice::from_ref(&stops)));
    let row = |n| plan.example_row(n, plan.sent(), true);
    assert_eq!(row(1), json!({"FromCode": "AA-0", "ToCode": "AA-1", "Least": 1, "Most": 2, "Fuel": 1.0}));
    assert_eq!(row(3), json!({"FromCode": "AA-2", "ToCode": "AA-0", "Least": 3, "Most": 4, "Fuel": 0.0}));
    let patch = json!({"path": {"FromCode": "AA-2", "ToCode": "AA-0"}, "request": {"Least": 3}, "response": [row(3)]});
    assert_eq!(plan.examples()["patch_trip"], patch);
    assert_eq!(stops.example_row(31, stops.sent(), true), json!({"Code": "BA-0"}));
    assert_eq!(stops.example_row(12, stops.sent(), true), json!({"Code": "AB-1"}));
    let notes = text.replace(
        "table = \"dbo.Stops\" }",
        "table = \"dbo.Stops\" }, { columns = [\"FromCode\", \"ToCode\"], table = \"dbo.Ways\" }",
    );
    // Each row of `notes` has a row of its own there: two have, and a new one.
    let of_notes = Plan::parse(&notes_of_stops(stops.table.to_string().as_str())).unwrap();
    let with = |plan: &Plan, plans: &[Plan]| {
        let mut plan = plan.clone();
        plan.refer_to(plans);
        plan
    };
    let first = with(&of_notes, std::slice::from_ref(&stops));
    let second = with(&Plan::parse(&notes_of_stops("dbo.Notes")).unwrap(), std::slice::from_ref(&first));
    assert_eq!((first.seeds(), second.seeds()), (2, 1));
    assert_eq!((Plan::parse(text).unwrap().seeds(), Plan::parse(&notes).unwrap().seeds()), (3, 2));
}

/// A table whose key is also the key of a row in another table.
fn notes_of_stops(table: &str) -> String {
    format!(
        r#"
        name = "note"
        plural = "notes"
        table = "dbo.Notes"
        script = "sql/40-note.sql"
        operations = ["get", "put"]
        key = {{ column = "Code", from = "client" }}
        columns = [{{ name = "Code", type = "varchar(9)" }}]
        uniques = [{{ columns = ["Code"], is_primary = true }}]
        references = [{{ columns = ["Code"], table = "{table}", referenced = ["Code"] }}]
        "#
    )
}
