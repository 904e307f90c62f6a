//! The table, its views and its first rows.

use super::super::super::plan::{Column, Filled, Plan, Reference, Role, Unique, Version};
use super::super::text::{Script, json_path, listed, quoted};
use super::super::tsql::rule;
use super::super::{members, object};
use super::key;
use super::names::{column_name, local, table_name, version_column};
use super::values::{Source, example, set, shown};
use super::{condition, order, values};

/// The collation of every text.
pub(super) const COLLATE: &str = " COLLATE Latin1_General_100_CI_AS";

/// The script of the table and its views.
pub(super) fn schema(plan: &Plan, plans: &[&Plan]) -> String {
    let mut script = Script::default();
    script.lines(format!(
        "-- Generated from entities/{name}.toml by `make generate`. A script of this name in sqlite/own replaces it.",
        name = plan.name
    ));
    let mut lines: Vec<_> = plan.columns.iter().filter_map(|column| create(plan, column)).collect();
    let plain = plan.uniques.iter().filter(|unique| unique.filter.is_none() && !is_key(plan, unique));
    lines.extend(plain.map(|unique| format!("UNIQUE ({})", names(&unique.columns))));
    let checks = plan.checks.iter().filter_map(|check| condition::condition(plan, &check.expression));
    lines.extend(checks.map(|check| format!("CHECK ({check})")));
    let references: Vec<_> =
        plan.references.iter().filter_map(|reference| Some((reference, refers(plan, plans, reference)?))).collect();
    lines.extend(references.iter().map(|(_, line)| line.clone()));
    script.lines(format!("CREATE TABLE {} (\n{}\n) STRICT;\n", table_name(&plan.table), listed(&lines, "    ")));
    for (at, unique) in plan.uniques.iter().enumerate() {
        if let Some(index) = index(plan, unique, at) {
            script.lines(format!("{index}\n"));
        }
    }
    for (reference, _) in &references {
        // SQLite looks for referring rows at each DELETE.
        let name = local(&format!("FK_{}_{}", plan.table.name, reference.columns.join("_")));
        let (table, columns) = (table_name(&plan.table), names(&reference.columns));
        script.lines(format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns});\n"));
    }
    order::indexes(plan).iter().for_each(|index| script.lines(format!("{index}\n")));
    if plan.sent().next().is_some() {
        fields(&mut script, plan);
    }
    document(&mut script, plan);
    script.finish()
}

fn names(columns: &[String]) -> String {
    columns.iter().map(|column| local(column)).collect::<Vec<_>>().join(", ")
}

fn is_key(plan: &Plan, unique: &Unique) -> bool {
    matches!(plan.key.as_slice(), [key] if unique.columns == [key.column.clone()])
}

/// The definition of a column. What the database fills may be NULL here.
fn create(plan: &Plan, column: &Column) -> Option<String> {
    if column.filled == Filled::RowEnd {
        return None;
    }
    let name = column_name(column);
    let local_type = if column.sql_type.is_integer() { "INTEGER" } else { "TEXT" };
    let collate = if column.sql_type.is_text() { COLLATE } else { "" };
    if Some(&name) == version_column(plan).as_ref() {
        return Some(format!("{name} TEXT NOT NULL DEFAULT (sysutcdatetime())"));
    }
    if let Some(rest) = key::definition(plan, column) {
        return Some(format!("{name} {local_type}{collate}{rest}"));
    }
    let is_set = !matches!(column.role, Role::Shown | Role::Hidden);
    let not_null = if is_set && !column.is_nullable { " NOT NULL" } else { "" };
    Some(format!("{name} {local_type}{not_null}{collate}"))
}

/// The foreign key, where the table that it refers to is there, with a unique for its columns.
fn refers(plan: &Plan, plans: &[&Plan], reference: &Reference) -> Option<String> {
    let parent = plans.iter().copied().chain([plan]).find(|parent| parent.table.is(&reference.table))?;
    let referenced = match reference.referenced.is_empty() {
        false => reference.referenced.clone(),
        true => parent.uniques.iter().find(|unique| unique.is_primary)?.columns.clone(),
    };
    let is_unique = matches!(parent.key.as_slice(), [key] if referenced == [key.column.clone()])
        || parent.uniques.iter().any(|unique| unique.filter.is_none() && unique.columns == referenced);
    let line = format!(
        "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
        names(&reference.columns),
        table_name(&parent.table),
        names(&referenced),
        reference.on_delete.sql(),
        reference.on_update.sql()
    );
    is_unique.then_some(line)
}

/// The name of the index for a unique that SQLite has no constraint for.
pub(super) fn index_name(plan: &Plan, at: usize) -> String {
    format!("UQ_{}_{}", plan.table.name, at + 1)
}

/// The index for a filter, or for NULLs, which are equal in SQL Server. `None` for a unique without either.
fn index(plan: &Plan, unique: &Unique, at: usize) -> Option<String> {
    let columns: Vec<_> = unique.columns.iter().filter_map(|name| plan.column(name)).collect();
    let is_nullable = columns.iter().any(|column| column.is_nullable);
    let filter = match &unique.filter {
        Some(filter) => format!(" WHERE {}", condition::condition(plan, filter)?),
        None if is_nullable => String::new(),
        None => return None,
    };
    let column = |column: &&Column| {
        let (name, collate) = (column_name(column), if column.sql_type.is_text() { COLLATE } else { "" });
        match column.is_nullable {
            true => format!("({name} IS NULL), ifnull({name}, ''){collate}"),
            false => name,
        }
    };
    let columns = columns.iter().map(column).collect::<Vec<_>>().join(", ");
    let name = local(&index_name(plan, at));
    Some(format!("CREATE UNIQUE INDEX {name} ON {} ({columns}){filter};", table_name(&plan.table)))
}

/// The view of what clients may send.
fn fields(script: &mut Script, plan: &Plan) {
    let mut rows = Vec::new();
    let mut last = None;
    let null = "NULL".to_owned();
    for column in members(plan.sent()) {
        let Some((sql_type, size, scale)) = rule(plan, column) else { continue };
        let object = object(column);
        if let Some(object) = object.filter(|object| last != Some(*object)) {
            rows.push(format!("{}, {}, NULL, 'object', NULL, NULL, 0, 0", quoted(object), quoted(&json_path(object))));
            last = Some(object);
        }
        let number = |number: Option<u32>| number.map_or(null.clone(), |number| number.to_string());
        rows.push(format!(
            "{}, {}, {}, '{sql_type}', {}, {}, {}, {}",
            quoted(column.path()),
            quoted(&json_path(column.path())),
            object.map_or(null.clone(), |object| quoted(&json_path(object))),
            number(size),
            number(scale),
            u8::from(column.is_required()),
            u8::from(column.is_nullable)
        ));
    }
    let rows: Vec<_> = rows.iter().enumerate().map(|(at, row)| format!("({}, {row})", at + 1)).collect();
    script.lines(format!(
        "\
-- One row a field for the JSON object in `WHERE Document = …`; Message is what is wrong with it, or NULL. In a new row a required field that
-- is absent is an error, in a patch (`IsPresent`) it is not.
CREATE VIEW web_{entity}_fields AS
WITH
    Rules (Position, Field, MemberPath, ObjectPath, SqlType, Size, Scale, IsRequired, IsNullable) AS (
        VALUES
{rows}
    ),
    -- The document's root is one row, and brings the document in: its column `json` is the argument of json_tree.
    Members AS (
        SELECT Root.json AS Document, Rules.*, Root.json -> MemberPath AS Value, json_type(Root.json, ObjectPath) AS ObjectType
        FROM json_tree AS Root, Rules
        WHERE Root.parent IS NULL
    )
SELECT
    Document,
    Position,
    Field,
    Value IS NOT NULL AS IsPresent,
    CASE
        -- An object that is null or none has its own error; its members are not reported on top of it.
        WHEN Value IS NULL THEN
            CASE WHEN IsRequired AND ifnull(ObjectType, 'object') = 'object' THEN 'is required' END
        WHEN Value = 'null' THEN
            CASE WHEN NOT IsNullable THEN 'must not be null' END
        ELSE field_error(Value, SqlType, Size, Scale)
    END AS Message
FROM Members;
",
        entity = plan.name,
        rows = listed(&rows, "            "),
    ));
}

/// The members of a row as arguments of json_object.
pub(super) fn object_of<'p>(plan: &Plan, columns: impl Iterator<Item = &'p Column>) -> String {
    let mut arguments: Vec<String> = Vec::new();
    let columns = members(columns);
    let mut at = 0;
    while at < columns.len() {
        let object_name = object(columns[at]);
        let end = match object_name {
            Some(_) => at + columns[at..].iter().take_while(|column| object(column) == object_name).count(),
            None => at + 1,
        };
        let group = &columns[at..end];
        let pair = |column: &&Column| {
            let name = column.path().split_once('.').map_or(column.path(), |(_, name)| name);
            format!("{}, {}", quoted(name), shown(plan, column))
        };
        let pairs = group.iter().map(pair).collect::<Vec<_>>().join(", ");
        match object_name {
            // An object whose members are all NULL is left out.
            Some(name) if group.iter().all(|column| column.is_nullable) => {
                let any = group.iter().map(|column| format!("{} IS NOT NULL", column_name(column)));
                let any = any.collect::<Vec<_>>().join(" OR ");
                arguments.push(format!("{}, CASE WHEN {any} THEN json_object({pairs}) END", quoted(name)));
            }
            Some(name) => arguments.push(format!("{}, json_object({pairs})", quoted(name))),
            None => arguments.push(pairs),
        }
        at = end;
    }
    arguments.join(",\n            ")
}

/// The view of the text of a row and the version of it.
fn document(script: &mut Script, plan: &Plan) {
    let version = version_column(plan);
    let floats: Vec<_> = plan.shown().filter(|column| values::is_float(column)).map(column_name).collect();
    let hashed: String = floats.iter().map(|float| format!(" || ' ' || ifnull({float}, '')")).collect();
    let hashed = format!("Json{hashed}");
    let floats: String = floats.iter().map(|float| format!(", {float}")).collect();
    let etag = match plan.version() {
        Version::Period(_) => format!("concat(web_Version, '-', substr(sha2_256({hashed}), 1, 12))"),
        Version::RowVersion(_) => "substr(sha2_256(web_Version), 1, 16)".to_owned(),
        Version::Text => format!("substr(sha2_256({hashed}), 1, 32)"),
    };
    script.lines(format!(
        "\
-- The text of a row as FOR JSON PATH builds it, and the version of it. An empty object merged with NULL members (RFC 7396) does not get them.
CREATE VIEW web_{entity}_document AS
WITH Documents AS (
    SELECT
        {key}{floats},
        {version} AS web_Version,
        replace(json_array(json_patch('{{}}', json_object(
            {members}
        ))), '/', '\\/') AS Json
    FROM {table}
)
SELECT {key}, web_Version, {etag} AS ETag, Json
FROM Documents;",
        entity = plan.name,
        version = version.unwrap_or_else(|| "NULL".to_owned()),
        members = object_of(plan, plan.shown().filter(|column| column.filled != Filled::RowEnd)),
        table = table_name(&plan.table),
        key = key::columns(plan),
    ));
}

/// The script of the first rows. One that breaks a rule of the table is left out.
pub(super) fn rows(plan: &Plan) -> String {
    let is_given = |column: &&Column| match column.role {
        Role::Shown => plan.key_of(&column.name).is_some() || column.is_insertable(),
        Role::Hidden => plan.key_of(&column.name).is_some(),
        Role::Sent | Role::Set(_) | Role::Touch(_) => true,
    };
    let columns: Vec<_> = plan.columns.iter().filter(is_given).collect();
    let value = |column: &Column, n: usize| match &column.role {
        Role::Set(value) | Role::Touch(value) if !column.is_audit => set(plan, column, value, &Source::Example(n)),
        _ => example(plan, column, n),
    };
    let row = |n: usize| {
        let values: Vec<_> = columns.iter().map(|column| value(column, n)).collect();
        format!("({})", values.join(", "))
    };
    let names = columns.iter().map(|column| column_name(column)).collect::<Vec<_>>().join(", ");
    let rows: Vec<_> = (1..=plan.seeds()).map(row).collect();
    format!(
        "-- Generated from entities/{}.toml by `make generate`. A script of this name in sqlite/own replaces it.\n\
         INSERT OR IGNORE INTO {} ({names})\nVALUES\n{};\n",
        plan.name,
        table_name(&plan.table),
        listed(&rows, "    ")
    )
}
