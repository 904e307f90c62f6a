//! Tests for columns of the type JSON, which clients read.

use serde_json::{Value, json};

use super::super::plan::Plan;
use super::super::rules;
use super::tests::{Local, status};
use super::tsql::tsql;

const NOTE: &str = r#"
    name = "note"
    plural = "notes"
    table = "dbo.Notes"
    script = "sql/40-note.sql"
    operations = ["get", "list", "put", "patch"]
    key = { column = "Code", from = "client" }
    columns = [
        { name = "Code", type = "int" },
        { name = "Title", type = "nvarchar(9)" },
        { name = "Extra", type = "json", null = true, read_only = true },
        { name = "Place", type = "vector(3)", null = true, hidden = true },
    ]
    uniques = [{ columns = ["Code"], is_primary = true }]
"#;

/// A checksum over JSON is an error, and so is a comparison.
#[test]
fn a_json_column_is_shown_and_never_compared() {
    let plan = Plan::parse(NOTE).expect("a plan");
    assert_eq!(rules::refusals(&plan), Vec::<String>::new());
    let text = tsql(&plan);
    for expected in [
        "c.Extra AS [Extra]",
        "r.Extra AS [Extra] FOR JSON PATH",
        "BINARY_CHECKSUM(c.Code, c.Title, IIF(c.Extra IS NULL, 0, 1), IIF(c.Place IS NULL, 0, 1))",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("N'Extra'") && !text.contains("Extra JSON"), "{text}");
    assert_eq!(
        plan.schema(plan.shown())["properties"]["Extra"],
        json!({"type": ["object", "array"], "readOnly": true})
    );
    for (change, refusal) in [
        (
            NOTE.replace("key =", "filter = [\"Extra\"]\nkey ="),
            "which no value in a query stands for: take it from `filter`",
        ),
        (NOTE.replace("key =", "sort = [\"Extra\"]\nkey ="), "which has no order for clients: take it from `sort`"),
        (NOTE.replace(", read_only = true", ""), "which clients can only read: set read_only = true"),
    ] {
        let refusals = rules::refusals(&Plan::parse(&change).expect("a plan")).join("\n");
        assert!(refusals.starts_with(&format!("column Extra is json, {refusal}")), "{refusals}");
    }
}

#[tokio::test]
async fn json_is_a_part_of_the_row_and_stays_when_it_is_patched() {
    let mut local = Local::new(&Plan::parse(NOTE).expect("a plan"));
    let row = |answer: &Value| -> Value {
        let rows: Value = serde_json::from_str(answer["Json"].as_str().expect("a text")).expect("rows");
        rows[0].clone()
    };
    let read = local.call("get_note", json!({"Code": 1})).await;
    assert_eq!(row(&read)["Extra"], json!({"number": 1}));
    let json = r#"{"Title":"T","Extra":{"number":7}}"#;
    let patched = local.call("patch_note", json!({"Code": 1, "Json": json, "IfMatch": read["ETag"]})).await;
    assert_eq!((status(&patched), row(&patched)), (202, json!({"Code": 1, "Title": "T", "Extra": {"number": 1}})));
    assert_ne!(patched["ETag"], read["ETag"]);
}
