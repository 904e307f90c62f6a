//! Tests for the kinds of faults that generated scripts once had, on tables with every source of a key and every version.

use super::super::plan::{Operation, Plan};
use super::tsql::tsql;

/// Makes a plan from the parts that differ between tables: the key, its column, and columns beside `Name`.
fn plan(key: &str, column: &str, others: &str) -> Plan {
    let temporal = if others == PERIOD { r#"temporal = { start = "ValidFrom", end = "ValidTo" }"# } else { "" };
    let text = format!(
        r#"
        name = "thing"
        plural = "things"
        table = "dbo.Things"
        script = "sql/40-thing.sql"
        operations = ["get", "list", "put", "patch", "delete"]
        key = {{ column = "ThingID", {key} }}
        columns = [
            {{ name = "ThingID", {column} }},
            {{ name = "Name", type = "nvarchar(20)", null = true }},
            {others}
        ]
        uniques = [{{ columns = ["ThingID"], is_primary = true }}, {{ columns = ["Name"] }}]
        {temporal}
    "#
    );
    Plan::parse(&text).expect("a plan")
}

const IDENTITY: &str = r#"type = "int", identity = [1, 1], read_only = true"#;
const PERIOD: &str = r#"{ name = "ValidFrom", type = "datetime2(7)", period = "start", hidden = true },
    { name = "ValidTo", type = "datetime2(7)", period = "end", hidden = true },"#;

/// The T-SQL of a procedure.
fn procedure(plan: &Plan, operation: Operation) -> String {
    let script = tsql(plan);
    let begin = format!("CREATE OR ALTER PROCEDURE web.{}", plan.procedure(operation));
    let (_, rest) = script.split_once(&begin).expect("the procedure");
    rest.split("\nGO\n").next().unwrap_or_default().to_owned()
}

fn identity(others: &str) -> Plan {
    plan(r#"from = "identity""#, IDENTITY, others)
}

#[test]
fn a_violated_constraint_is_409_for_every_source_of_a_key() {
    for plan in [
        identity(""),
        plan(r#"from = "sequence", sequence = "dbo.Numbers""#, r#"type = "bigint", read_only = true"#, ""),
        plan(r#"from = "default""#, r#"type = "uniqueidentifier", default = "(newid())", read_only = true"#, ""),
        plan(r#"from = "client""#, r#"type = "varchar(20)""#, ""),
    ] {
        for operation in [Operation::Put, Operation::Patch, Operation::Delete] {
            let text = procedure(&plan, operation);
            let (_, caught) = text.split_once("BEGIN CATCH").expect("a CATCH");
            let caught = caught.split("END CATCH").next().unwrap_or_default();
            let passes = "IF ERROR_NUMBER() NOT IN (547, 2601, 2627, 33504) OR XACT_STATE() = -1 THROW;";
            assert!(caught.contains(passes) && caught.contains("EXECUTE ops.answer_conflict N'thing', "), "{caught}");
            assert_eq!(caught.matches("THROW").count(), 1, "{caught}");
        }
    }
}

#[test]
fn a_foreign_key_is_known_by_its_columns_where_clients_send_one() {
    let plan = identity(
        r#"{ name = "A", type = "int" }, { name = "B", type = "int", path = "Part.B" }, { name = "C", type = "int", set = "1" },"#,
    );
    let referring = |columns: &str| {
        let mut plan = plan.clone();
        let reference = format!(r#"{{"columns": {columns}, "table": "dbo.Others"}}"#);
        let reference: super::super::plan::Reference = serde_json::from_str(&reference).expect("a reference");
        // A second one over the same columns has the same row.
        plan.references = vec![reference.clone(), reference];
        tsql(&plan)
    };
    let text = referring(r#"["A", "C", "B"]"#);
    let row = r#"
SELECT N'thing', f.Name, N'A value refers to a row that does not exist.', v.Errors
FROM (VALUES
    (N'[A],[C],[B]', N'[{"field":"A","message":"refers to a row that does not exist"},{"field":"Part.B","message":"refers to a row that does not exist"}]')
) AS v (Columns, Errors)
INNER JOIN ops.foreign_keys(N'dbo.Things') AS f ON f.Columns = v.Columns;"#;
    assert!(text.contains(row), "{text}");
    assert!(!referring(r#"["C"]"#).contains("ops.foreign_keys"));
}

#[test]
fn the_text_of_a_client_is_converted_after_its_check() {
    let plan = plan(
        r#"from = "client""#,
        r#"type = "int""#,
        r#"{ name = "Amount", type = "decimal(9,2)" }, { name = "Part", type = "uniqueidentifier", null = true },"#,
    );
    for operation in [Operation::Put, Operation::Patch] {
        let text = procedure(&plan, operation);
        // Only the check, in sql/04-field_error.sql, has conversions that may fail.
        assert!(!text.contains("TRY_"), "{text}");
        let (check, refused) = (text.find("EXECUTE ops.check_fields"), text.find("@Result = @Problem"));
        let read = text.find("OPENJSON(@Json)");
        assert!(check.is_some() && check < refused && refused < read, "{text}");
    }
}

#[test]
fn types_keep_their_range_their_code_page_and_their_digits() {
    let text = tsql(&identity(
        r#"{ name = "Fee", type = "smallmoney", null = true }, { name = "Code", type = "varchar(5)", collation = "Polish_CI_AS" },
        { name = "Rate", type = "float", null = true }, { name = "Ratio", type = "real", null = true },"#,
    ));
    for expected in [
        "N'Fee', N'Fee', N'smallmoney', NULL, NULL, NULL,",
        "N'Code', N'Code', N'char', 5, NULL, N'Polish_CI_AS',",
        "CONVERT(VARCHAR(5), j.Code COLLATE Polish_CI_AS)",
        "CONVERT(NVARCHAR(40), c.Rate, 3)",
        "CONVERT(NVARCHAR(40), c.Ratio, 3)",
        // The patch converts only the members that it has.
        "Fee = CASE WHEN JSON_PATH_EXISTS(@Json, '$.Fee') = 1 THEN CONVERT(SMALLMONEY, ops.plain_number(j.Fee)) ELSE c.Fee END",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

/// Old types are read as the types that took their place, and types of objects as their text.
#[test]
fn every_type_is_read_and_written_as_json_has_it() {
    let text = tsql(&identity(
        r#"{ name = "Remarks", type = "ntext" }, { name = "Photo", type = "image", null = true }, { name = "Seal", type = "binary(16)" },
        { name = "Closed", type = "smalldatetime", null = true }, { name = "Place", type = "geography", null = true, read_only = true },
        { name = "Payload", type = "xml", null = true, read_only = true },"#,
    ));
    for expected in [
        "N'Remarks', N'Remarks', N'nchar', NULL, NULL, NULL,",
        "N'Seal', N'Seal', N'binary', 16, 16, NULL,",
        "N'Closed', N'Closed', N'smalldatetime', NULL, 0, NULL,",
        "CONVERT(NVARCHAR(MAX), c.Remarks) AS [Remarks]",
        "c.Place.ToString() AS [Place]",
        "CONVERT(NVARCHAR(MAX), c.Payload) AS [Payload]",
        "Photo VARBINARY(MAX) '$.Photo'",
        "Remarks = ISNULL(j.Remarks, CONVERT(NVARCHAR(MAX), c.Remarks))",
        "THEN j.Photo ELSE CONVERT(VARBINARY(MAX), c.Photo) END",
        "CONVERT(SMALLDATETIME, LEFT(j.Closed, 19), 126)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("Place GEOGRAPHY") && !text.contains("Payload XML"), "{text}");
}

#[test]
fn the_version_that_was_read_is_in_the_where_of_every_change() {
    let row_version = r#"{ name = "Stamp", type = "rowversion", hidden = true },"#;
    for (plan, version) in [(identity(PERIOD), "c.ValidFrom"), (identity(row_version), "c.Stamp")] {
        for operation in [Operation::Patch, Operation::Delete] {
            let text = procedure(&plan, operation);
            assert!(text.contains(&format!("@Version = {version} FROM dbo.Things AS c WITH (UPDLOCK)")), "{text}");
            assert!(text.contains(&format!("WHERE c.ThingID = @ThingID AND {version} = @Version;")), "{text}");
            assert!(text.contains("THROW 50025"), "{text}");
        }
    }
    // Without such a column all of the row is read, so that the lock is on it and not only on an index.
    let text = procedure(&identity(""), Operation::Patch);
    assert!(text.contains("@Version = BINARY_CHECKSUM(*) FROM dbo.Things AS c WITH (UPDLOCK)"), "{text}");
}

#[test]
fn a_replacement_locks_the_place_of_the_row_and_reads_it_before_it_writes() {
    let others = r#"{ name = "Made", type = "date", set = "now()" }, { name = "By", type = "int", touch = "1" },
        { name = "Price", type = "money", null = true, default = "((2))" },"#;
    let mut plan = plan(r#"from = "client""#, r#"type = "uniqueidentifier""#, &format!("{others}{PERIOD}"));
    plan.operations.push(Operation::Replace);
    assert!(plan.can_replace() && !identity("").can_replace());
    let text = procedure(&plan, Operation::Replace);
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{text}"));
    let order = [
        "SET @OtherKey = ops.key_problem(N'thing', @Json, N'ThingID'",
        "JSON_MODIFY(@Json, '$.ThingID', CONVERT(NVARCHAR(36), @ThingID))",
        "EXECUTE ops.check_fields N'thing', 1, @Json",
        "EXECUTE ops.claim_request @RequestKey, N'web.replace_thing', @ThingID, @Sent",
        "WITH (UPDLOCK, HOLDLOCK) WHERE c.ThingID = @ThingID;",
        "IF ops.is_match(@IfMatch, @Current) = 0",
        "IF @IfNoneMatch = 1 AND @Current IS NOT NULL",
        "INSERT INTO dbo.Things",
        "UPDATE c",
        "BEGIN CATCH",
        "EXECUTE ops.record_request @RequestKey, @Status, @ThingID",
    ];
    assert!(order.map(place).is_sorted(), "{text}");
    let (_, set) = text.split_once("                SET\n").expect("SET");
    let set = set.split("                FROM").next().unwrap_or_default();
    let columns: Vec<_> =
        set.lines().filter_map(|line| line.trim().split_once(" = ")).map(|(column, _)| column).collect();
    // A member that is left out has its default or NULL. The column that only a new row gets stays.
    assert_eq!(columns, ["Name", "[By]", "Price"], "{set}");
    assert!(
        set.contains("Price = CASE WHEN JSON_PATH_EXISTS(@Json, '$.Price') = 1") && set.contains("ELSE ((2)) END"),
        "{set}"
    );
    assert!(!set.contains("c.Price") && set.contains("Name = j.Name"), "{set}");
}

#[test]
fn a_patch_writes_what_clients_may_send_and_what_every_write_touches() {
    let plan = identity(
        r#"{ name = "Made", type = "date", set = "now()" }, { name = "Secret", type = "int", null = true, hidden = true },
        { name = "Shown", type = "int", null = true, read_only = true }, { name = "By", type = "int", touch = "1" },"#,
    );
    let text = procedure(&plan, Operation::Patch);
    let (_, set) = text.split_once("            SET\n").expect("SET");
    let set: Vec<_> = set.split("            FROM").next().unwrap_or_default().lines().map(str::trim).collect();
    let columns: Vec<_> = set.iter().filter_map(|line| line.split_once(" = ")).map(|(column, _)| column).collect();
    assert_eq!(columns, ["Name", "[By]"], "{set:?}");
}

#[test]
fn rows_that_no_path_names_are_told_when_the_script_is_applied() {
    let told = "PRINT N'Rows of dbo.Things with a key below 1 cannot be read or changed: no path names them.'";
    let below = |seed: i32| plan(r#"from = "identity""#, &IDENTITY.replace("[1, 1]", &format!("[{seed}, 1]")), "");
    assert!(tsql(&below(1)).contains(told));
    for plan in [below(0), below(-5), plan(r#"from = "client""#, r#"type = "int""#, "")] {
        let text = tsql(&plan);
        assert!(!text.contains(told), "{text}");
        assert!(text.contains("COALESCE(@After, -2147483648)"), "{text}");
    }
}

#[test]
fn a_version_within_one_step_of_the_clock_is_no_new_one() {
    let text = procedure(&identity(PERIOD), Operation::Patch);
    assert!(text.contains("IF @Status < 400 AND @Replayed = 0 AND @After = @Version\n        THROW 50023"), "{text}");
    assert!(!procedure(&identity(""), Operation::Patch).contains("THROW 50023"));
}

#[test]
fn a_bigint_may_be_a_string_in_json_and_a_number_elsewhere() {
    let mut plan =
        plan(r#"from = "client""#, r#"type = "bigint""#, r#"{ name = "Size", type = "bigint", null = true },"#);
    plan.bigint = super::super::plan::BigInt::String;
    assert_eq!(Plan::parse(&plan.to_toml().expect("TOML")).expect("a plan"), plan);
    let text = tsql(&plan);
    for expected in [
        "web.thing_document (@ThingID BIGINT)",
        "CONVERT(NVARCHAR(20), c.ThingID) AS [ThingID]",
        "CONVERT(NVARCHAR(20), r.Size) AS [Size]",
        "N'Size', N'Size', N'bigint or text', NULL, NULL, NULL,",
        "ELSE c.Size END",
        "CONVERT(BIGINT, ops.plain_number(j.Size))",
        "ops.key_problem(N'thing', @Json, N'ThingID', N'bigint or text', @ThingID)",
        "(SELECT CONVERT(NVARCHAR(20), @ThingID) AS [ThingID] FOR JSON PATH)",
        "@After BIGINT = NULL",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    let schema = plan.schema(plan.shown())["properties"].clone();
    let size = serde_json::json!({"type": "string", "format": "int64", "pattern": "^(0|-?[1-9][0-9]{0,18})$", "x-accepts": "integer"});
    assert_eq!(schema["Size"], size);
    let examples = plan.examples();
    assert_eq!(examples["get_thing"]["path"], serde_json::json!({"id": 3}));
    assert_eq!(examples["delete_thing"]["response"], serde_json::json!([{"ThingID": "3"}]));
    assert_eq!(examples["put_thing"]["request"]["Size"], "4");
}
