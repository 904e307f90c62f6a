//! Tests for columns that store the name of the caller.

use serde_json::{Value, json};

use super::super::plan::{Operation, Plan};
use super::super::{routes, rules};
use super::tests::{Local, plan, status};
use super::tsql::tsql;

const NOTE: &str = r#"
    name = "note"
    plural = "notes"
    table = "dbo.Notes"
    script = "sql/40-note.sql"
    operations = ["get", "list", "put", "patch", "replace", "delete"]
    key = { column = "Code", from = "client" }
    columns = [
        { name = "Code", type = "varchar(12)" },
        { name = "Title", type = "nvarchar(20)" },
        { name = "CreatedBy", type = "nvarchar(100)", read_only = true, set = "caller()" },
        { name = "ModifiedBy", type = "varchar(255)", null = true, read_only = true, touch = "caller()" },
    ]
    uniques = [{ columns = ["Code"], is_primary = true }]
"#;

#[test]
fn only_a_procedure_that_stores_the_caller_asks_for_its_name() {
    let plan = plan(NOTE);
    let (text, lines) = (tsql(&plan), routes::lines(&plan));
    let checked = "    IF @Invalid IS NULL AND LEN(@Caller) > 100
        SELECT @Invalid = 422, @Problem = ops.problem(N'The name of the caller has more than 100 characters.');\n";
    for (procedure, is_checked) in
        [("put_note", true), ("replace_note", true), ("patch_note", false), ("put_notes", false)]
    {
        let (_, rest) = text.split_once(&format!("CREATE OR ALTER PROCEDURE web.{procedure}")).expect("a procedure");
        let body = rest.split("\nGO\n").next().unwrap_or_default();
        assert!(body.contains(", @Caller NVARCHAR(255) = NULL\nAS\n"), "{body}");
        assert_eq!(body.contains(checked), is_checked, "{body}");
    }
    assert!(text.contains("ISNULL(@Caller, N'')") && text.contains("ModifiedBy = @Caller"), "{text}");
    assert!(text.contains("@Result OUTPUT, @Caller;"), "{text}");
    assert_eq!(lines.matches(", Caller: caller)").count(), 4, "{lines}");
    // A patch does not ask for the name where only a new row stores it.
    let mut plan = plan;
    plan.columns.pop();
    for operation in Operation::ALL {
        let stores = matches!(operation, Operation::Put | Operation::Replace);
        assert_eq!(plan.takes_caller(operation), stores, "{operation:?}");
    }
    plan.columns.pop();
    assert!(!tsql(&plan).contains("@Caller") && !routes::lines(&plan).contains("caller"));
}

#[test]
fn a_column_holds_the_name_of_each_api_key() {
    for (sql_type, refusal) in [
        ("nvarchar(64)", None),
        ("varchar(max)", None),
        ("nvarchar(63)", Some("it is nvarchar(63), and the name of an API key has up to 64 characters")),
        ("nchar(100)", Some("it is nchar(100)")),
        ("int", Some("it is int")),
    ] {
        let text = NOTE.replace("nvarchar(100)", sql_type);
        let refusals = rules::refusals(&Plan::parse(&text).expect("a plan"));
        let expected = refusal.map(|why| format!("column CreatedBy cannot be set to caller(): {why}"));
        assert_eq!(refusals, Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn a_row_shows_who_has_created_and_changed_it() {
    let mut local = Local::new(&plan(NOTE));
    let names = |answer: &Value, status: i64| {
        assert_eq!(super::tests::status(answer), status, "{answer}");
        let rows: Value = serde_json::from_str(answer["Json"].as_str().expect("a text")).expect("rows");
        let name = |row: &Value, member: &str| row[member].as_str().map(str::to_owned);
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| (name(row, "CreatedBy"), name(row, "ModifiedBy"))).collect::<Vec<_>>()
    };
    let both = |created: &str, modified: &str| vec![(Some(created.to_owned()), Some(modified.to_owned()))];
    let json = |code: &str| json!({"Code": code, "Title": "T", "CreatedBy": "forged", "ModifiedBy": "forged"});
    let with = |json: Value, caller: &str| json!({"Json": json.to_string(), "Caller": caller});
    let at = |code: &str, caller: &str| json!({"Code": code, "Json": r#"{"Title":"U"}"#, "Caller": caller});

    let created = local.call("put_note", with(json("a"), "shop")).await;
    assert_eq!(names(&created, 201), both("shop", "shop"));
    let changed = local.call("patch_note", at("a", "stock")).await;
    assert_eq!(names(&changed, 202), both("shop", "stock"));
    let replaced = local.call("replace_note", at("a", "store")).await;
    assert_eq!(names(&replaced, 200), both("shop", "store"));
    let made = local.call("replace_note", at("b", "stock")).await;
    assert_eq!(names(&made, 201), both("stock", "stock"));
    let many = local.call("put_notes", with(json!([json("c"), json("d")]), "shop")).await;
    assert_eq!(names(&many, 201), [both("shop", "shop"), both("shop", "shop")].concat());
    // Without a name, there is NULL, or the empty text where NULL cannot be.
    let unnamed = local.call("put_note", json!({"Json": json("e").to_string()})).await;
    assert_eq!(names(&unnamed, 201), [(Some(String::new()), None)]);

    let (fits, long) = ("n".repeat(100), "n".repeat(101));
    let refused = local.call("put_note", with(json("f"), &long)).await;
    assert_eq!(status(&refused), 422);
    assert_eq!(refused["Json"], r#"{"detail":"The name of the caller has more than 100 characters."}"#);
    assert_eq!(status(&local.call("replace_note", at("f", &long)).await), 422);
    assert_eq!(status(&local.call("put_notes", with(json!([json("f")]), &long)).await), 422);
    assert_eq!(names(&local.call("put_note", with(json("f"), &fits)).await, 201), both(&fits, &fits));
    assert_eq!(names(&local.call("patch_note", at("f", &long)).await, 202), both(&fits, &long));
}
