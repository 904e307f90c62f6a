//! Tests for lists that tell how many rows they have.

use serde_json::{Value, json};

use super::super::plan::Plan;
use super::super::{routes, rules};
use super::tests::{Local, plan, status};
use super::tsql::tsql;

const NOTE: &str = r#"
    name = "note"
    plural = "notes"
    table = "dbo.Notes"
    script = "sql/40-note.sql"
    operations = ["get", "list", "put"]
    key = { column = "Code", from = "client" }
    count = true
    filter = ["Kind"]
    columns = [{ name = "Code", type = "int" }, { name = "Kind", type = "nvarchar(9)", null = true }]
    uniques = [{ columns = ["Code"], is_primary = true }]
"#;

/// The count is a statement of its own, which sets no variable: so its parameters are constants.
#[test]
fn a_list_counts_its_rows_only_when_it_is_asked() {
    let counted = |filter: &str| {
        format!(
            "    IF @Status = 200 AND @Count = N'true'
        INSERT INTO @Counted (Total) SELECT COUNT_BIG(*) FROM dbo.Notes AS c{filter} OPTION (RECOMPILE);\n"
        )
    };
    let text = tsql(&plan(NOTE));
    for expected in [
        "@Limit INT = 100, @Count NVARCHAR(5) = NULL, @ByKind NVARCHAR(9) = NULL\nAS",
        "(SELECT CONCAT(N'count ', f.Message, N'.') FROM ops.filter_error(@Count, N'bit', NULL, NULL) AS f WHERE @Count IS NOT NULL",
        &counted(" WHERE (@ByKind IS NULL OR c.Kind = @ByKind)"),
        "@NextAfter AS NextAfter, @Total AS Total, @Result AS Json;",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let unfiltered = plan(&NOTE.replace("filter = [\"Kind\"]", ""));
    assert!(tsql(&unfiltered).contains(&counted("")), "{}", tsql(&unfiltered));
    assert!(routes::lines(&unfiltered).contains(", Count: optional(\"count\", NVARCHAR(5)))"));
    let uncounted = plan(&NOTE.replace("count = true", ""));
    assert!(!tsql(&uncounted).contains("Count ") && !routes::lines(&uncounted).contains("count"));
}

#[test]
fn the_name_of_the_count_is_taken() {
    let refusals = |text: &str| rules::refusals(&Plan::parse(text).expect("a plan"));
    let named = NOTE.replace("\"Kind\"]", "\"count=Kind\"]");
    let refusal = "two query parameters of the list are called count: name the filter as in other=Kind";
    assert_eq!(refusals(&named), [refusal]);
    assert_eq!(refusals(&named.replace("count = true", "")), Vec::<String>::new());
    let unlisted = NOTE.replace("\"list\", ", "").replace("filter = [\"Kind\"]", "");
    assert_eq!(refusals(&unlisted), ["a count is of a list: --only needs list as well, or take `count` out"]);
}

#[tokio::test]
async fn each_page_that_asks_has_the_number_of_rows_that_the_filters_leave() {
    for text in [NOTE.to_owned(), NOTE.replace("count = true", "count = true\nsort = [\"Kind desc\"]")] {
        let mut local = Local::new(&plan(&text));
        for code in 10..15 {
            let row = json!({"Code": code, "Kind": if code < 12 { "even" } else { "odd" }});
            assert_eq!(status(&local.call("put_note", json!({"Json": row.to_string()})).await), 201);
        }
        for (arguments, total) in [
            (json!({"Count": "true"}), json!(8)),
            (json!({"Count": "true", "Limit": 2}), json!(8)),
            (json!({"Count": "true", "Limit": 2, "After": 11}), json!(8)),
            (json!({"Count": "true", "ByKind": "odd"}), json!(3)),
            (json!({"Count": "true", "ByKind": "none"}), json!(0)),
            (json!({"Count": "false"}), Value::Null),
            (json!({}), Value::Null),
        ] {
            let page = local.call("get_notes", arguments.clone()).await;
            assert_eq!((status(&page), &page["Total"]), (200, &total), "{arguments} {page}");
        }
        for wrong in ["True", "1", "yes"] {
            let refused = local.call("get_notes", json!({"Count": wrong})).await;
            assert_eq!((status(&refused), &refused["Total"]), (400, &Value::Null));
            assert_eq!(refused["Json"], r#"{"detail":"count must be true or false."}"#);
        }
    }
}
