//! Tests that the renderers give the customers' scripts of the repository, and that a table with everything hard works on the bridge.

use std::fs;
use std::path::{Path, PathBuf};

use azure_sql_rest_bridge::{Bridge, Config};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::plan::{Check, Operation, Plan};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn customers() -> Plan {
    let text = fs::read_to_string(root().join("entities/customer.toml")).expect("entities/customer.toml");
    Plan::parse(&text).expect("a plan")
}

/// Set to write the files instead of comparing them.
const WRITE: &str = "WRITE_CUSTOMERS";

#[test]
fn the_customers_come_out_of_it() {
    let plan = customers();
    let mut files = super::sqlite::sqlite(&plan, &[]);
    files.push((plan.script.clone(), super::tsql::tsql(&plan)));
    for (path, text) in files {
        let path = root().join(path);
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &text).expect("written");
        }
        assert_eq!(fs::read_to_string(&path).expect("a script"), text, "{}", path.display());
    }
}

#[test]
fn the_customers_are_known_by_hash() {
    let plan = customers();
    let digest = super::super::write::digest(super::tsql::tsql(&plan).trim());
    assert_eq!(plan.written.get(&plan.script), Some(&digest), "[written] of entities/customer.toml");
}

#[test]
fn the_t_sql_of_a_table_has_at_most_265_lines() {
    let lines = super::tsql::tsql(&customers()).lines().count();
    assert!(lines <= 265, "{lines}");
}

/// A table with a reserved name and blanks, a VARCHAR key that clients give, every kind of value, and rules.
const ORDER: &str = r#"
    name = "order"
    plural = "orders"
    table = "[dbo].[Order Details]"
    script = "sql/40-order.sql"
    operations = ["get", "list", "put", "patch", "delete"]
    key = { column = "Status", from = "client" }
    columns = [
        { name = "Status", type = "varchar(12)", collation = "Polish_CI_AS" },
        { name = "Unit Price", type = "money", path = "UnitPrice" },
        { name = "Qty", type = "smallint", default = "((1))" },
        { name = "Rate", type = "float", null = true },
        { name = "At", type = "datetime2(0)", null = true },
        { name = "Group", type = "nvarchar(10)", null = true },
        { name = "Is'Open", type = "bit", path = "IsOpen", default = "((1))" },
        { name = "Parent", type = "varchar(12)", null = true, collation = "Polish_CI_AS" },
    ]
    uniques = [
        { columns = ["Status"], is_primary = true },
        { columns = ["Group"] },
        { name = "UX_Open", columns = ["At"], filter = "[Is'Open]=(1)" },
    ]
    checks = [{ name = "CK_Price", expression = "[Unit Price]>=(0) AND [Qty]<>13" }]
    references = [{ columns = ["Parent"], table = "[dbo].[Order Details]", referenced = ["Status"], on_delete = "cascade" }]
"#;

/// A table with a key of three columns, of which the database counts one.
const LINE: &str = r#"
    name = "line"
    plural = "lines"
    table = "dbo.Lines"
    script = "sql/40-line.sql"
    operations = ["get", "list", "put", "patch", "delete"]
    key = [{ column = "Code", from = "client" }, { column = "Version", from = "client" }, { column = "Nr", from = "identity" }]
    listed = ["Code", "Note"]
    filter = ["Note"]
    columns = [
        { name = "Nr", type = "int", identity = [1, 1], read_only = true },
        { name = "Code", type = "varchar(12)", collation = "Polish_CI_AS" },
        { name = "Version", type = "smallint", path = "PartVersion" },
        { name = "Note", type = "nvarchar(20)", null = true },
    ]
    uniques = [{ columns = ["Code", "Version", "Nr"], is_primary = true }]
"#;

/// The plan of a text, which nothing refuses and which its own text keeps.
pub(super) fn plan(text: &str) -> Plan {
    let plan = Plan::parse(text).expect("a plan");
    assert_eq!(super::super::rules::refusals(&plan), Vec::<String>::new());
    assert_eq!(Plan::parse(&plan.to_toml().expect("TOML")).expect("a plan"), plan);
    plan
}

/// Data API Builder's configuration for the procedures of a plan.
fn dab(plan: &Plan) -> Value {
    let entity = |name: String| {
        let is_read = name.starts_with("get_");
        let entity = json!({
            "source": {"type": "stored-procedure", "object": format!("web.{name}")},
            "rest": {"enabled": true, "path": name, "methods": [if is_read { "get" } else { "post" }]},
            "permissions": [{"role": "anonymous", "actions": [{"action": "execute"}]}]
        });
        (name, entity)
    };
    let mut config: Value =
        serde_json::from_str(&fs::read_to_string(root().join("dab/dab-config.json")).expect("a file")).expect("JSON");
    let procedures = plan.operations.iter().map(|operation| plan.procedure(*operation));
    let of_rows = plan.has(Operation::Put).then(|| plan.procedure_of_rows());
    config["entities"] = procedures.chain(of_rows).map(entity).collect::<serde_json::Map<_, _>>().into();
    config
}

pub(super) struct Local {
    bridge: Bridge,
    count: u32,
    folder: TempDir,
}

impl Local {
    pub(super) fn new(plan: &Plan) -> Self {
        let folder = TempDir::new().expect("a folder");
        for (path, text) in super::sqlite::sqlite(plan, &[]) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let dab_config = folder.path().join("dab.json");
        fs::write(&dab_config, dab(plan).to_string()).expect("written");
        let procedures = folder.path().join("sqlite");
        let bridge = Bridge::open(Config { database: folder.path().join("local.db"), dab_config, procedures });
        Self { bridge: bridge.expect("a bridge"), count: 0, folder }
    }

    /// The file of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("local.db")
    }

    /// Calls a procedure, and returns the row.
    pub(super) async fn call(&mut self, procedure: &str, mut arguments: Value) -> Value {
        let is_read = procedure.starts_with("get_");
        self.count += 1;
        let request = match is_read {
            true => {
                let object = arguments.as_object().cloned().unwrap_or_default();
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let pair = |(name, value): (&String, &Value)| format!("{name}={}", text(value).replace(' ', "%20"));
                let query: Vec<_> = object.iter().map(pair).collect();
                Request::get(format!("/api/{procedure}?{}", query.join("&"))).body(Full::default())
            }
            false => {
                arguments["RequestKey"] = json!(format!("key-{}", self.count));
                Request::post(format!("/api/{procedure}")).body(Full::new(Bytes::from(arguments.to_string())))
            }
        };
        let response = self.bridge.answer(request.expect("a request")).await;
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        answer["value"][0].clone()
    }

    async fn put(&mut self, row: Value) -> Value {
        self.call("put_order", json!({"Json": row.to_string()})).await
    }

    async fn put_line(&mut self, code: &str, version: i64) -> Value {
        let row = json!({"Code": code, "PartVersion": version, "Note": "n"});
        self.call("put_line", json!({"Json": row.to_string()})).await
    }
}

pub(super) fn status(row: &Value) -> i64 {
    row["Status"].as_i64().unwrap_or_default()
}

#[tokio::test]
async fn a_table_with_everything_that_is_hard_works_on_the_bridge() {
    let plan = Plan::parse(ORDER).expect("a plan");
    let mut local = Local::new(&plan);
    let new =
        |key: &str| json!({"Status": key, "UnitPrice": 1.5, "Qty": 2.0, "Rate": 0.1, "Group": key, "IsOpen": false});
    let with = |key: &str, name: &str, value: Value| {
        let mut row = new(key);
        row[name] = value;
        row
    };
    assert_eq!(status(&local.put(new("a1")).await), 201);
    let shown = local.call("get_order", json!({"RowKey": "a1"})).await;
    let text = shown["Json"].as_str().expect("a text").to_owned();
    assert!(text.contains(r#""UnitPrice":1.5000,"Qty":2,"Rate":1.000000000000000e-001"#), "{text}");
    assert!(text.contains(r#""IsOpen":false"#) && !text.contains("Parent"), "{text}");
    // Two values of a FLOAT that are shown alike have two versions.
    let patch = json!({"RowKey": "a1", "Json": r#"{"Rate":0.10000000000000002}"#});
    let changed = local.call("patch_order", patch).await;
    assert_eq!(changed["Json"].as_str(), Some(text.as_str()));
    assert_ne!(changed["ETag"], shown["ETag"]);
    // A patch keeps the key, and a new key is one that a path carries.
    for (key, expected) in
        [(json!("a1"), 202), (json!("A1"), 422), (json!("x"), 422), (Value::Null, 422), (json!("."), 422)]
    {
        let patch = json!({"RowKey": "a1", "Json": json!({"Status": key}).to_string()});
        let answer = local.call("patch_order", patch).await;
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(expected == 202 || answer["Json"].as_str().is_some_and(|text| text.contains(r#""field":"Status""#)));
    }
    for (key, expected) in [(".", 422), ("..", 422), ("...", 201), (".a", 201)] {
        assert_eq!(status(&local.put(new(key)).await), expected, "{key}");
    }
    // In this order: the key, as the collation compares, one NULL, the filter, the CHECK, and the foreign key.
    assert_eq!(status(&local.put(with("A1", "Group", json!("x"))).await), 409);
    assert_eq!(status(&local.put(with("n1", "Group", Value::Null)).await), 201);
    let second = local.put(with("n2", "Group", Value::Null)).await;
    assert_eq!(
        second["Json"],
        r#"{"detail":"An order with this Group already exists.","errors":[{"field":"Group","message":"is taken"}]}"#
    );
    for (key, open, expected) in [("f1", false, 201), ("f2", false, 201), ("f3", true, 201), ("f4", true, 409)] {
        let mut row = with(key, "At", json!("2026-01-31T12:30:00.000Z"));
        row["IsOpen"] = json!(open);
        assert_eq!(status(&local.put(row).await), expected, "{key}");
    }
    assert_eq!(status(&local.put(with("c1", "UnitPrice", json!(-1))).await), 409);
    assert_eq!(status(&local.put(with("c2", "Qty", json!(13))).await), 409);
    let refused = local.put(with("r1", "Parent", json!("none"))).await;
    assert_eq!(
        refused["Json"],
        r#"{"detail":"A value refers to a row that does not exist.","errors":[{"field":"Parent","message":"refers to a row that does not exist"}]}"#
    );
    let patch = json!({"RowKey": "a1", "Json": r#"{"Parent":"none"}"#});
    assert_eq!(local.call("patch_order", patch).await["Json"], refused["Json"]);
    assert_eq!(status(&local.put(with("r2", "Parent", json!("a1"))).await), 201);
    // ON DELETE CASCADE.
    assert_eq!(status(&local.call("delete_order", json!({"RowKey": "a1"})).await), 202);
    assert_eq!(status(&local.call("get_order", json!({"RowKey": "r2"})).await), 404);
    let page = local.call("get_orders", json!({"Limit": 1})).await;
    assert!(!page["NextAfter"].is_null(), "{page}");
}

/// The same table, with a filter of each kind.
fn filtered() -> Plan {
    let filter = r#"filter = ["Parent", "group=Group:prefix", "UnitPrice:range", "At:range", "Is'Open", "Qty", "Status:in", "prices=UnitPrice:in", "Qty:in", "Is'Open:in"]"#;
    let filter = filter.replace("UnitPrice", "Unit Price");
    Plan::parse(&ORDER.replacen("columns = [", &format!("{filter}\n    columns = ["), 1)).expect("a plan")
}

#[tokio::test]
async fn a_list_is_filtered_by_value_prefix_and_range() {
    let mut local = Local::new(&filtered());
    for (key, price, at) in [
        ("a", json!(9.5), "2026-01-31T12:30:00"),
        ("b", json!(10), "2026-02-01T00:00:00"),
        ("c", json!(100), "2026-02-02T00:00:00"),
    ] {
        let row = json!({"Status": key, "UnitPrice": price, "At": at, "Group": format!("50%_{key}"), "IsOpen": key == "a", "Parent": "a"});
        assert_eq!(status(&local.put(row).await), 201, "{key}");
    }
    for (arguments, expected) in [
        (json!({}), "abc"),
        (json!({"ByParent": "A"}), "abc"),
        (json!({"ByParent": "b"}), ""),
        (json!({"PrefixGroup": "50%25_"}), "abc"),
        (json!({"PrefixGroup": "50%25_B"}), "b"),
        (json!({"PrefixGroup": "%25"}), ""),
        (json!({"PrefixGroup": "_"}), ""),
        (json!({"FromColumn1": "10"}), "bc"),
        (json!({"FromColumn1": "9.5", "BeforeColumn1": "1e2"}), "ab"),
        (json!({"FromAt": "2026-01-31T12:30:01"}), "bc"),
        (json!({"BeforeAt": "2026-02-01T00:00:00Z"}), "a"),
        (json!({"ByColumn6": "true"}), "a"),
        (json!({"ByColumn6": "false", "FromColumn1": "11"}), "c"),
        (json!({"ByQty": 1}), "abc"),
        (json!({"ByQty": 2}), ""),
        (json!({"InStatus": "A,c,none"}), "ac"),
        (json!({"InStatus": "none"}), ""),
        (json!({"InColumn1": "100,9.50,1"}), "ac"),
        (json!({"InQty": "2,1.0,3", "InStatus": "b"}), "b"),
    ] {
        // Pages of one row are the list, and the last has no next.
        let (mut found, mut after) = (String::new(), Value::Null);
        loop {
            let (mut page, is_next) = (arguments.clone(), !after.is_null());
            page["Limit"] = json!(1);
            if is_next {
                page["After"] = after;
            }
            let page = local.call("get_orders", page).await;
            let rows: Value = serde_json::from_str(page["Json"].as_str().expect("a text")).expect("JSON");
            assert!(!is_next || rows != json!([]), "{arguments}: a page that a page announced is empty");
            let keys = rows.as_array().expect("a list").iter().filter_map(|row| row["Status"].as_str());
            // The first rows of a new database have longer keys.
            found.extend(keys.filter(|key| key.len() == 1));
            after = page["NextAfter"].clone();
            if after.is_null() {
                break;
            }
        }
        assert_eq!(found, expected, "{arguments}");
    }
    for (arguments, expected) in [
        (json!({"FromColumn1": "x"}), "UnitPrice.from must be a number from"),
        (json!({"FromColumn1": "0.00001"}), "UnitPrice.from must be a number from"),
        (json!({"FromColumn1": "'1'"}), "UnitPrice.from must be a number from"),
        (json!({"BeforeAt": "2026-02-30T00:00:00"}), "At.before must be a date and time"),
        (json!({"BeforeAt": "null"}), "At.before must be a date and time"),
        (json!({"ByColumn6": "1"}), "IsOpen must be true or false."),
        (json!({"InStatus": "a,"}), "Status.in must have no empty value."),
        (json!({"InStatus": "a,abcdefghijklm"}), "Status.in must be at most 12 characters."),
        (json!({"InColumn1": "1,0.00001"}), "prices must be a number from"),
        (json!({"InQty": "1,40000"}), "Qty.in must be a whole number from -32768 to 32767."),
        (json!({"InQty": vec!["1"; 101].join(",")}), "Qty.in must have at most 100 values."),
        (json!({"InQty": "1,x"}), "Qty.in must be a whole number from"),
    ] {
        let answer = local.call("get_orders", arguments).await;
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(answer["Json"].as_str().is_some_and(|text| text.contains(expected)), "{answer}");
    }
}

#[test]
fn t_sql_of_filters_compares_in_the_columns_own_type() {
    let text = super::tsql::tsql(&filtered());
    for expected in [
        "c.Parent = CONVERT(VARCHAR(12), @ByParent COLLATE Polish_CI_AS) AND CONVERT(NVARCHAR(4000), CONVERT(VARCHAR(12), @ByParent COLLATE Polish_CI_AS)) = @ByParent COLLATE Latin1_General_100_BIN2",
        "@PrefixGroup NVARCHAR(10) = NULL",
        "c.[Group] LIKE CONCAT(REPLACE(REPLACE(REPLACE(REPLACE(@PrefixGroup, N'\\', N'\\\\'), N'%', N'\\%'), N'_', N'\\_'), N'[', N'\\['), N'%') ESCAPE '\\'",
        "(@FromColumn1 IS NULL OR c.[Unit Price] >= CONVERT(MONEY, ops.plain_number(@FromColumn1)))",
        "(@BeforeAt IS NULL OR c.At < CONVERT(DATETIME2(0), REPLACE(@BeforeAt, N'Z', N''), 126))",
        "(SELECT CONCAT(N'At.from ', f.Message, N'.') FROM ops.filter_error(@FromAt, N'datetime2', NULL, 0) AS f",
        "@InStatus NVARCHAR(4000) = NULL",
        "ops.list_error(@InStatus, N'nchar', 12, NULL)",
        "(@InStatus IS NULL OR c.Status IN (SELECT CONVERT(VARCHAR(12), s.value COLLATE Polish_CI_AS) FROM STRING_SPLIT(@InStatus, N',') AS s WHERE CONVERT(NVARCHAR(4000), CONVERT(VARCHAR(12), s.value COLLATE Polish_CI_AS)) = s.value COLLATE Latin1_General_100_BIN2))",
        "c.Qty IN (SELECT TRY_CONVERT(SMALLINT, ops.plain_number(s.value)) FROM STRING_SPLIT(@InQty, N',') AS s)",
        "c.[Is'Open] IN (SELECT TRY_CONVERT(BIT, s.value) FROM STRING_SPLIT(@InColumn6, N',') AS s)",
        "@ByQty INT = NULL",
        // Without a conversion, which fails for a number that is no SMALLINT.
        "(@ByQty IS NULL OR c.Qty = @ByQty)",
        "OPTION (RECOMPILE)",
        "IF @Invalid IS NULL AND @Limit BETWEEN 1 AND 1000",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

#[test]
fn t_sql_quotes_names_and_compares_keys_in_their_own_type() {
    let text = super::tsql::tsql(&Plan::parse(ORDER).expect("a plan"));
    for expected in [
        "FROM dbo.[Order Details] AS c",
        "@RowKey NVARCHAR(12)",
        "c.Status > CONVERT(VARCHAR(12), @After COLLATE Polish_CI_AS)",
        "CONVERT(SMALLINT, ops.plain_number(j.Qty))",
        "ISNULL(CONVERT(SMALLINT, ops.plain_number(j.Qty)), ((1)))",
        "CONVERT(DATETIME2(0), REPLACE(j.At, N'Z', N''), 126)",
        "[Group] = CASE WHEN JSON_PATH_EXISTS(@Json, '$.Group') = 1 THEN j.[Group] ELSE c.[Group] END",
        "CONVERT(NVARCHAR(40), c.Rate, 3)",
        "N'Is''Open'",
        "ELSE IF ops.key_problem(N'order', @Json, N'Status', N'nchar', @RowKey) IS NOT NULL",
        r#"(N'[Group]', N'An order with this Group already exists.', N'[{"field":"Group","message":"is taken"}]')"#,
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let text = super::tsql::tsql(&Plan::parse(&ORDER.replace("varchar(12)", "char(12)")).expect("a plan"));
    let is_key = "CONVERT(NVARCHAR(12), CONVERT(CHAR(12), @RowKey COLLATE Polish_CI_AS)) = @RowKey COLLATE Latin1_General_100_BIN2";
    let after = "c.Status >= COALESCE(CONVERT(CHAR(12), @After COLLATE Polish_CI_AS), '')";
    let given = "SELECT @RowKey = CONVERT(CHAR(12), j.Status COLLATE Polish_CI_AS)";
    assert!([is_key, after, given].iter().all(|expected| text.contains(expected)), "{text}");
}

#[test]
fn t_sql_of_a_key_of_several_columns_goes_by_all_of_them() {
    let plan = Plan::parse(LINE).expect("a plan");
    assert_eq!(Plan::parse(&plan.to_toml().expect("TOML")).expect("a plan"), plan);
    let text = super::tsql::tsql(&plan);
    assert_eq!(super::super::lint::problems(&text, &plan).join("\n"), "");
    for expected in [
        "web.line_document (@Code NVARCHAR(12), @RowKey2 INT, @Nr INT)",
        "WHERE c.Code = CONVERT(VARCHAR(12), @Code COLLATE Polish_CI_AS) AND CONVERT(NVARCHAR(12), CONVERT(VARCHAR(12), @Code COLLATE Polish_CI_AS)) = @Code COLLATE Latin1_General_100_BIN2 AND c.Version = @RowKey2 AND c.Nr = @Nr",
        "GET /line/{Code}/{PartVersion}/{Nr}",
        "CONCAT(N'Line ', @Code, N', ', @RowKey2, N', ', @Nr, N' does not exist.')",
        "@After NVARCHAR(4000) = NULL, @Limit INT = 100, @ByNote NVARCHAR(20) = NULL",
        "DECLARE @After1 NVARCHAR(12) = ops.key_part(@After, 1), @After2 INT = TRY_CONVERT(INT, ops.key_part(@After, 2)), @After3 INT = TRY_CONVERT(INT, ops.key_part(@After, 3));",
        "(@After1 IS NULL OR @After2 IS NULL OR @After3 IS NULL OR ops.key_part(@After, 4) IS NOT NULL), N'after is from no link of this list.', NULL)",
        "SELECT TOP (@Limit + 1) c.Version, c.Nr, c.Code, c.Note",
        "OR c.Code > CONVERT(VARCHAR(12), @After1 COLLATE Polish_CI_AS) OR (c.Code = CONVERT(VARCHAR(12), @After1 COLLATE Polish_CI_AS) AND (c.Version > @After2 OR (c.Version = @After2 AND c.Nr > @After3))))",
        "ORDER BY c.Code, c.Version, c.Nr",
        "MAX(IIF(p.Nth = @Limit, CONCAT(ops.key_text(p.Code), N'/', p.Version, N'/', p.Nr), N''))",
        "DECLARE @New TABLE (RowKey1 NVARCHAR(12), RowKey2 INT, RowKey3 INT);",
        "OUTPUT INSERTED.Code, INSERTED.Version, INSERTED.Nr INTO @New (RowKey1, RowKey2, RowKey3)",
        "SELECT @Code = ops.key_part(@RowID, 1), @RowKey2 = TRY_CONVERT(INT, ops.key_part(@RowID, 2)), @Nr = TRY_CONVERT(INT, ops.key_part(@RowID, 3));",
        "@RowID AS RowID, @Replayed AS Replayed",
        "DECLARE @RowID NVARCHAR(4000) = CONCAT(ops.key_text(@Code), N'/', @RowKey2, N'/', @Nr);",
        "EXECUTE ops.claim_request @RequestKey, N'web.delete_line', @RowID, NULL,",
        "ELSE IF ops.key_problem(N'line', @Json, N'PartVersion', N'smallint', @RowKey2) IS NOT NULL",
        "(SELECT @Code AS [Code], @RowKey2 AS [PartVersion], @Nr AS [Nr] FOR JSON PATH)",
        "PRINT N'Rows of dbo.Lines with a key below 1",
        "IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    // Longer together than an index holds.
    let long = LINE.replace("varchar(12)", "nvarchar(450)");
    let text = super::tsql::tsql(&Plan::parse(&long).expect("a plan"));
    assert!(text.contains("IF ERROR_NUMBER() NOT IN (547, 1946, 2601, 2627, 33504)"), "{text}");
}

#[tokio::test]
async fn a_key_of_several_columns_works_on_the_bridge() {
    let mut local = Local::new(&Plan::parse(LINE).expect("a plan"));
    let mut keys = Vec::new();
    for (code, version) in [("b", 1), ("a/b%", -2), ("a/b%", 3), ("A", 1), ("b", 1)] {
        let row = local.put_line(code, version).await;
        assert_eq!(status(&row), 201, "{row}");
        keys.push((row["RowID"].as_str().expect("a text").to_owned(), row));
    }
    let texts: Vec<_> = keys.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(texts, ["b/1/4", "a%2Fb%25/-2/5", "a%2Fb%25/3/6", "A/1/7", "b/1/8"]);
    let of = |code: &str, version: i64, number: i64| json!({"Code": code, "RowKey2": version, "Nr": number});
    let read = local.call("get_line", of("a%2Fb%25", 3, 6)).await;
    assert_eq!((&read["ETag"], &read["Json"]), (&keys[2].1["ETag"], &keys[2].1["Json"]));
    // Each part counts.
    for (code, version, number) in [("a", 3, 6), ("a%2Fb%25", -2, 6), ("a%2Fb%25", 3, 5)] {
        let absent = local.call("get_line", of(code, version, number)).await;
        assert_eq!(status(&absent), 404, "{absent}");
    }
    // Pages of each size are the list.
    let all = pages(&mut local, 1000).await;
    assert_eq!(all.len(), 8, "{all:?}");
    for limit in 1..9 {
        assert_eq!(pages(&mut local, limit).await, all, "{limit}");
    }
    for after in ["b", "b/1", "b/x/4", "b/1/4/5", "b/1/", "/"] {
        let refused = local.call("get_lines", json!({"After": after})).await;
        assert_eq!(refused["Json"], r#"{"detail":"after is from no link of this list."}"#, "{after}");
    }
    // A patch keeps the key, part by part.
    let patch = |json: Value| {
        let mut arguments = of("b", 1, 4);
        arguments["Json"] = json!(json.to_string());
        arguments
    };
    for (json, field) in [(json!({"Code": "c"}), "Code"), (json!({"PartVersion": 2}), "PartVersion")] {
        let refused = local.call("patch_line", patch(json)).await;
        assert_eq!(status(&refused), 422, "{refused}");
        assert!(refused["Json"].as_str().is_some_and(|text| text.contains(field)), "{refused}");
    }
    let changed = local.call("patch_line", patch(json!({"Code": "b", "PartVersion": 1, "Note": "other"}))).await;
    assert!(changed["Json"].as_str().is_some_and(|text| text.contains(r#""Note":"other""#)), "{changed}");
    for _ in 0..2 {
        let deleted = local.call("delete_line", of("B", 1, 4)).await;
        assert_eq!(status(&deleted), 202, "{deleted}");
    }
    let left = pages(&mut local, 2).await;
    assert_eq!(left.len(), 7, "the other row with the same first parts stays: {left:?}");
    let deleted = local.call("delete_line", of("B", 1, 8)).await;
    assert_eq!(deleted["Json"], r#"[{"Code":"b","PartVersion":1,"Nr":8}]"#, "as it was stored");
}

/// The rows of the list of lines, in pages of so many.
async fn pages(local: &mut Local, limit: u32) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut arguments = json!({"Limit": limit});
        if let Some(after) = after.as_str() {
            arguments["After"] = json!(after.replace('%', "%25").replace('/', "%2F"));
        }
        let page = local.call("get_lines", arguments).await;
        assert_eq!(status(&page), 200, "{page}");
        let of_page: Vec<Value> = serde_json::from_str(page["Json"].as_str().expect("a text")).expect("a list");
        assert!(of_page.len() <= limit as usize, "{page}");
        rows.extend(of_page);
        after = page["NextAfter"].clone();
        if after.is_null() {
            return rows;
        }
    }
}

#[test]
fn a_column_may_have_the_name_of_a_function() {
    let mut plan = Plan::parse(ORDER).unwrap();
    plan.columns[2].name = "Len".into();
    plan.checks = vec![Check { name: None, expression: "(Len > 0 AND LEN (Len)<9)".into() }];
    let schema = &super::sqlite::sqlite(&plan, &[])[0].1;
    assert!(schema.contains("CHECK ((Len > 0 AND length (Len)<9))"), "{schema}");
}
