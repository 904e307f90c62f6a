//! Tests for lists with several orders.

use serde_json::{Value, json};

use super::tests::{Local, plan, status};

/// A table with orders by every kind of value, and a key that goes below 0.
const EVENT: &str = r#"
    name = "event"
    plural = "events"
    table = "dbo.Events"
    script = "sql/40-event.sql"
    operations = ["get", "list", "put", "patch", "delete"]
    key = { column = "Id", from = "client" }
    listed = ["Id", "Name"]
    filter = ["Open"]
    sort = ["Name", "Name desc", "Price desc", "Price", "At desc", "At", "Zone", "Qty desc", "Open", "Rate", "Code desc", "Id desc", "Kind"]
    columns = [
        { name = "Id", type = "int" },
        { name = "Name", type = "nvarchar(20)", null = true },
        { name = "Price", type = "decimal(9,2)", null = true },
        { name = "At", type = "datetime2(3)" },
        { name = "Zone", type = "datetimeoffset(0)", null = true },
        { name = "Qty", type = "smallint" },
        { name = "Open", type = "bit" },
        { name = "Rate", type = "float", null = true },
        { name = "Code", type = "char(3)", collation = "Polish_CI_AS" },
        { name = "Kind", type = "varchar(5)", null = true, collation = "Polish_CI_AS" },
    ]
    uniques = [{ columns = ["Id"], is_primary = true }]
"#;

/// A table with a text for a key, and one with a key of several columns.
const CODE: &str = r#"
    name = "code"
    plural = "codes"
    table = "dbo.Codes"
    script = "sql/40-code.sql"
    operations = ["get", "list", "put"]
    key = { column = "Code", from = "client" }
    sort = ["Label desc", "Code desc"]
    columns = [{ name = "Code", type = "varchar(12)" }, { name = "Label", type = "nvarchar(12)", null = true }]
    uniques = [{ columns = ["Code"], is_primary = true }]
"#;

const LINE: &str = r#"
    name = "line"
    plural = "lines"
    table = "dbo.Lines"
    script = "sql/40-line.sql"
    operations = ["get", "list", "put"]
    key = [{ column = "Code", from = "client" }, { column = "Nr", from = "client" }]
    sort = ["Nr desc", "Note"]
    columns = [{ name = "Code", type = "nvarchar(12)" }, { name = "Nr", type = "int" }, { name = "Note", type = "nvarchar(12)", null = true }]
    uniques = [{ columns = ["Code", "Nr"], is_primary = true }]
"#;

/// The rows of a list in pages of so many, and the cursors between them.
async fn walk(local: &mut Local, list: &str, arguments: Value, limit: usize) -> (Vec<Value>, Vec<String>) {
    let (mut rows, mut cursors) = (Vec::new(), Vec::<String>::new());
    loop {
        let mut page = arguments.clone();
        page["Limit"] = json!(limit);
        if let Some(after) = cursors.last() {
            page["After"] = json!(after.replace('%', "%25").replace('/', "%2F").replace('+', "%2B"));
        }
        let page = local.call(list, page).await;
        assert_eq!(status(&page), 200, "{arguments} {cursors:?} {page}");
        let of_page: Vec<Value> = serde_json::from_str(page["Json"].as_str().expect("a text")).expect("a list");
        assert!(of_page.len() <= limit && (cursors.is_empty() || !of_page.is_empty()), "{page}");
        rows.extend(of_page);
        assert!(rows.len() < 100, "the pages do not end: {arguments} {cursors:?}");
        match page["NextAfter"].as_str() {
            Some(after) => cursors.push(after.to_owned()),
            None => return (rows, cursors),
        }
    }
}

fn keys(rows: &[Value]) -> Vec<i64> {
    rows.iter().filter_map(|row| row["Id"].as_i64()).collect()
}

/// Ids of rows with these values, sorted by them as SQL Server does.
fn expected(rows: &[Value], member: &str, is_descending: bool) -> Vec<i64> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|left, right| {
        let (a, b) = (&left[member], &right[member]);
        let order = match (a, b) {
            (Value::Null, _) | (_, Value::Null) => b.is_null().cmp(&a.is_null()),
            (Value::String(a), Value::String(b)) if member == "Zone" => instant(a).cmp(&instant(b)),
            (Value::String(a), Value::String(b)) => a.trim_end().to_lowercase().cmp(&b.trim_end().to_lowercase()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).expect("numbers"),
        };
        order.then(left["Id"].as_i64().cmp(&right["Id"].as_i64()))
    });
    if is_descending {
        sorted.reverse();
    }
    keys(&sorted)
}

/// The hour of a time with an offset, in UTC.
fn instant(text: &str) -> i64 {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let offset = if text.ends_with('Z') { 0 } else { number(&text[19..22]) };
    number(&text[8..10]) * 24 + number(&text[11..13]) - offset
}

#[tokio::test]
async fn a_list_is_walked_in_every_order() {
    let mut local = Local::new(&plan(EVENT));
    let names = [json!("b"), json!("B"), Value::Null, json!("a/b%"), json!(""), json!("%N"), json!("b ")];
    let prices = [json!(9.5), json!(10), Value::Null, json!(-1.25), json!(0)];
    let rates = [json!(0.1), json!(0.100_000_000_000_000_02), Value::Null, json!(1e300), json!(-3)];
    let zones = [
        json!("2026-01-01T12:00:00+02:00"),
        json!("2026-01-01T11:00:00Z"),
        json!("2026-01-01T09:00:00-01:00"),
        Value::Null,
    ];
    for id in (-12_i64..1).chain(10..22) {
        let at = |values: &[Value]| values[id.rem_euclid(values.len() as i64) as usize].clone();
        let row = json!({
            "Id": id, "Name": at(&names), "Price": at(&prices), "At": format!("2026-01-31T12:30:00.{:03}", (id * 7).rem_euclid(5)),
            "Zone": at(&zones), "Qty": id % 3, "Open": id % 2 == 0, "Rate": at(&rates), "Code": at(&["b", "AB", "a"].map(Value::from)),
            "Kind": at(&[json!("x"), Value::Null, json!("X/")]),
        });
        let created = local.call("put_event", json!({"Json": row.to_string()})).await;
        assert_eq!(status(&created), 201, "{created}");
    }
    let mut rows = Vec::new();
    for id in keys(&walk(&mut local, "get_events", json!({}), 1000).await.0) {
        let row = local.call("get_event", json!({"Id": id})).await;
        let row: Value = serde_json::from_str(row["Json"].as_str().expect("a text")).expect("JSON");
        rows.push(row[0].clone());
    }
    for (sort, member, is_descending) in [
        (None, "Id", false),
        (Some("-Id"), "Id", true),
        (Some("Name"), "Name", false),
        (Some("-Name"), "Name", true),
        (Some("-Price"), "Price", true),
        (Some("Price"), "Price", false),
        (Some("-At"), "At", true),
        (Some("At"), "At", false),
        (Some("Zone"), "Zone", false),
        (Some("-Qty"), "Qty", true),
        (Some("Open"), "Open", false),
        (Some("-Code"), "Code", true),
        (Some("Kind"), "Kind", false),
    ] {
        let arguments = sort.map_or(json!({}), |sort| json!({"Sort": sort}));
        let expected = expected(&rows, member, is_descending);
        for limit in [1, 2, rows.len() - 1, rows.len(), 1000] {
            let (found, cursors) = walk(&mut local, "get_events", arguments.clone(), limit).await;
            assert_eq!(keys(&found), expected, "{sort:?} in pages of {limit}: {cursors:?}");
        }
    }
    // Values of a FLOAT that are shown alike.
    let (found, cursors) = walk(&mut local, "get_events", json!({"Sort": "Rate"}), 1).await;
    assert_eq!(found.len(), rows.len());
    let is_told_apart = |digits: &str| cursors.iter().any(|cursor| cursor.ends_with(digits));
    assert!(is_told_apart("/1.0000000000000001e-001") && is_told_apart("/1.0000000000000002e-001"), "{cursors:?}");
    // A filter holds in every order.
    let open: Vec<_> = rows.iter().filter(|row| row["Open"] == true).cloned().collect();
    let (found, _) = walk(&mut local, "get_events", json!({"Sort": "-Price", "ByOpen": "true"}), 2).await;
    assert_eq!(keys(&found), expected(&open, "Price", true));
}

#[tokio::test]
async fn a_cursor_that_no_link_of_the_order_has_is_refused() {
    let mut local = Local::new(&plan(EVENT));
    let mut ask = async |sort: Option<&str>, after: &str| {
        let mut arguments = json!({"After": after.replace('/', "%2F")});
        arguments.as_object_mut().expect("an object").extend(sort.map(|sort| ("Sort".to_owned(), json!(sort))));
        local.call("get_events", arguments).await
    };
    for (sort, after) in [
        (None, "-1"),
        (Some("Name"), "1/Name/a"),
        (Some("Name"), "1/Name"),
        (Some("Name"), "1/Name/"),
        (Some("-Price"), "1/-Price/1.50"),
        (Some("-At"), "1/-At/2026-01-31T12:30:00.001"),
        (Some("-Id"), "1/-Id"),
    ] {
        let page = ask(sort, after).await;
        assert_eq!(status(&page), 200, "{sort:?} {after}: {page}");
    }
    for (sort, after) in [
        (None, "x"),
        (None, "1/Name/a"),
        (None, "1/"),
        (Some("Name"), "1"),
        (Some("Name"), "x/Name/a"),
        (Some("Name"), "1/-Name/a"),
        (Some("-Name"), "1/Name/a"),
        (Some("Name"), "1/Name/a/b"),
        (Some("-Price"), "1/-Price/a"),
        (Some("-Price"), "1/-Price/"),
        (Some("-At"), "1/-At"),
        (Some("-At"), "1/-At/2026-02-30T12:30:00"),
        (Some("-Qty"), "1/-Qty/1.5"),
        (Some("-Id"), "1/-Id/1"),
    ] {
        let refused = ask(sort, after).await;
        assert_eq!(
            refused["Json"], r#"{"detail":"after is from no link of this list."}"#,
            "{sort:?} {after}: {refused}"
        );
    }
    for sort in ["name", "Nam", "+Name", "Name,Id", "-Open"] {
        let refused = local.call("get_events", json!({"Sort": sort.replace('+', "%2B")})).await;
        let text = refused["Json"].as_str().expect("a text");
        assert!(
            text.starts_with(r#"{"detail":"sort must be one of Name, -Name, -Price, Price, "#),
            "{sort}: {refused}"
        );
    }
}

#[tokio::test]
async fn texts_and_several_columns_are_keys_of_every_order() {
    let mut local = Local::new(&plan(CODE));
    for (code, label) in [("a/b", Some("x")), ("a%2Fb", None), ("A", Some("X")), ("%", None), ("b", Some("y/"))] {
        let row = json!({"Code": code, "Label": label});
        assert_eq!(status(&local.call("put_code", json!({"Json": row.to_string()})).await), 201, "{row}");
    }
    let codes =
        |rows: &[Value]| rows.iter().filter_map(|row| row["Code"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    let of_one = |codes: &[String]| codes.iter().filter(|code| !code.starts_with("Code")).cloned().collect::<Vec<_>>();
    let (rows, cursors) = walk(&mut local, "get_codes", json!({}), 1).await;
    let by_key = codes(&rows);
    // The key itself, as it was before there were orders.
    assert_eq!(cursors, by_key[..by_key.len() - 1]);
    let (rows, _) = walk(&mut local, "get_codes", json!({"Sort": "-Code"}), 1).await;
    assert_eq!(codes(&rows), by_key.iter().rev().cloned().collect::<Vec<_>>());
    let (rows, cursors) = walk(&mut local, "get_codes", json!({"Sort": "-Label"}), 1).await;
    let by_label = of_one(&codes(&rows));
    assert_eq!(by_label[0], "b", "{by_label:?}");
    assert!(
        cursors.contains(&"a%2Fb/-Label/x".to_owned()) && cursors.contains(&"a%252Fb/-Label".to_owned()),
        "{cursors:?}"
    );
    assert_eq!(rows.len(), by_key.len());

    let mut local = Local::new(&plan(LINE));
    for (code, nr) in [("a", 2), ("a/", 1), ("b", 2), ("b", 1), ("b", -3), ("c", 2)] {
        let row = json!({"Code": code, "Nr": nr, "Note": if nr > 1 { Some("n") } else { None }});
        assert_eq!(status(&local.call("put_line", json!({"Json": row.to_string()})).await), 201, "{row}");
    }
    let lines = |rows: &[Value]| {
        let own = rows.iter().filter(|row| row["Code"].as_str().is_some_and(|code| code.len() < 3));
        own.map(|row| format!("{}{}", row["Code"].as_str().unwrap_or_default(), row["Nr"]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (arguments, expected) in [
        (json!({}), "a2 a/1 b-3 b1 b2 c2"),
        (json!({"Sort": "-Nr"}), "c2 b2 a2 b1 a/1 b-3"),
        (json!({"Sort": "Note"}), "a/1 b-3 b1 a2 b2 c2"),
    ] {
        let all = walk(&mut local, "get_lines", arguments.clone(), 1000).await.0;
        assert_eq!(lines(&all), expected, "{arguments}");
        for limit in 1..4 {
            assert_eq!(walk(&mut local, "get_lines", arguments.clone(), limit).await.0, all, "{arguments} {limit}");
        }
    }
}

#[test]
fn t_sql_of_orders_seeks_each_range_in_the_columns_own_type() {
    let plan_of_events = plan(EVENT);
    let text = super::tsql::tsql(&plan_of_events);
    assert_eq!(super::super::lint::problems(&text, &plan_of_events).join("\n"), "");
    for expected in [
        "@After NVARCHAR(4000) = NULL, @Limit INT = 100, @Sort NVARCHAR(6) = NULL, @ByOpen NVARCHAR(40) = NULL",
        "@Value1 NVARCHAR(20) = @Value, @Value2 DECIMAL(9,2) = TRY_CONVERT(DECIMAL(9,2), @Value), @Value3 DATETIME2(3) = TRY_CONVERT(DATETIME2(3), @Value, 126)",
        "IIF(@Sort COLLATE Latin1_General_100_BIN2 NOT IN (N'Name', N'-Name', N'-Price'",
        "ops.key_part(@After, 2) IS DISTINCT FROM @Sort",
        "WHEN N'-Price' THEN IIF(@Value IS NOT NULL AND @Value2 IS NULL, 1, 0)",
        "WHEN N'-At' THEN IIF(@Value3 IS NULL, 1, 0)",
        "1 AS web_Part, ROW_NUMBER() OVER (ORDER BY c.Id DESC) AS web_Place FROM web_Listed AS c WHERE @Sort = N'-Name' AND c.Name IS NOT DISTINCT FROM @Value1 AND c.Id < @After1 ORDER BY web_Place",
        "WHERE @Sort = N'-Name' AND (@After IS NULL OR c.Name < @Value1)",
        "WHERE @Sort = N'-Name' AND @Value1 IS NOT NULL AND c.Name IS NULL",
        "WHERE @Sort = N'Name' AND @After IS NOT NULL AND @Value1 IS NULL AND c.Name IS NOT NULL",
        "WHERE @Sort = N'-At' AND c.At = @Value3 AND c.Id < @After1",
        "c.Code = CONVERT(CHAR(3), @Value8 COLLATE Polish_CI_AS)",
        "c.Kind IS NOT DISTINCT FROM CONVERT(VARCHAR(5), @Value9 COLLATE Polish_CI_AS)",
        "WHERE @Sort = N'-Id' AND (@After IS NULL OR c.Id < @After1)",
        "CONCAT_WS(N'/', p.Id, @Sort, CASE @Sort WHEN N'Name' THEN ops.key_text(p.Name)",
        "WHEN N'-At' THEN CONVERT(NVARCHAR(60), p.At, 126)",
        "WHEN N'Rate' THEN CONVERT(NVARCHAR(60), p.Rate, 3)",
        "INSERT INTO @Page (NextAfter, Json)",
        "OPTION (RECOMPILE)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("c.At IS NULL"), "{text}");
    let text = super::tsql::tsql(&plan(CODE));
    assert!(text.contains("@After1 NVARCHAR(12) = IIF(@Sort IS NULL, @After, ops.key_part(@After, 1))"), "{text}");
    assert!(text.contains("IIF(@After IS NOT NULL AND @Sort IS NOT NULL AND ("), "{text}");
    assert!(text.contains("CONCAT_WS(N'/', IIF(@Sort IS NULL, CONVERT(NVARCHAR(12), p.Code) COLLATE DATABASE_DEFAULT, ops.key_text(p.Code)), @Sort, "), "{text}");
    let text = super::tsql::tsql(&plan(LINE));
    assert!(text.contains("WHERE @Sort = N'-Nr' AND c.Nr = @After2 AND c.Code < @After1"), "{text}");
    assert!(
        text.contains(
            "c.Note IS NOT DISTINCT FROM @Value1 AND (c.Code > @After1 OR (c.Code = @After1 AND c.Nr > @After2))"
        ),
        "{text}"
    );
}
