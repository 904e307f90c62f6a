//! What is written for a table: decides what clients send and see, and refuses what it cannot do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use local_bridge::fields;
use local_bridge::procedures::Value as Stored;
use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Operation;
use super::files::Change;
use super::table::{Column, Filled, Table};
use super::types::ColumnType;
use crate::generate::pretty;

/// What is special about an entity: all that does not follow from its table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Special {
    /// What clients send and see, in this order, by the column: `Delivery.AddressLine1` is a member of the object `Delivery`, of which
    /// there is one at most. Without it, every column is a member of its own name.
    members: Vec<(String, String)>,
    /// What a list shows; all without it.
    listed: Vec<String>,
    /// Members of text that may be sent as a number.
    numbers: Vec<String>,
    /// What a member is called in a message that says it is taken; its name without it.
    called: BTreeMap<String, String>,
    /// Rows a page, and the most.
    limit: Option<(u32, u32)>,
    /// Columns that are left out.
    pub(super) without: Vec<String>,
    /// What columns have in a new row.
    pub(super) set: BTreeMap<String, String>,
    /// What columns have in a new row and after each change.
    pub(super) touch: BTreeMap<String, String>,
}

impl Special {
    pub(super) fn read(file: &Path) -> Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }
}

/// How many rows the local database begins with.
const SEEDS: usize = 3;

/// How long a line of several names is at most.
const WIDTH: usize = 112;

/// Names that procedures use for themselves.
const VARIABLES: [&str; 18] = [
    "After",
    "Detail",
    "ETag",
    "ErrorNumber",
    "Errors",
    "FieldErrors",
    "IfMatch",
    "Invalid",
    "IsNew",
    "Json",
    "Limit",
    "NextAfter",
    "OwnTransaction",
    "Replayed",
    "RequestKey",
    "Result",
    "Status",
    "Version",
];

/// What a client sends or sees.
#[derive(Clone, Debug, Serialize)]
struct Member {
    /// Its path in JSON.
    path: String,
    /// Its column, quoted where T-SQL or SQLite needs it.
    column: String,
    /// Its column, as it is.
    name: String,
    /// The variable that has it in procedures, without `@`.
    variable: String,
    sql_type: String,
    rule: String,
    size: String,
    scale: String,
    /// 1 when a new row must have it.
    required: u8,
    nullable: u8,
    /// What T-SQL writes around its text to convert it.
    read: [String; 2],
    #[serde(skip)]
    column_type: ColumnType,
    #[serde(skip)]
    default: Option<Default>,
    #[serde(skip)]
    schema: Value,
    /// Whether clients send it.
    #[serde(skip)]
    is_sent: bool,
}

/// A default, in T-SQL and in SQLite.
#[derive(Clone, Debug)]
struct Default {
    sql: String,
    local: String,
}

/// All that is written of an entity.
pub(super) struct Entity {
    name: String,
    context: Value,
    operations: Vec<Operation>,
    routes: String,
    description: Value,
    plural: String,
}

const TEMPLATES: [(&str, &str); 7] = [
    ("entity.sql", include_str!("templates/entity.sql")),
    ("schema.sql", include_str!("templates/schema.sql")),
    ("get.sql", include_str!("templates/get.sql")),
    ("list.sql", include_str!("templates/list.sql")),
    ("put.sql", include_str!("templates/put.sql")),
    ("patch.sql", include_str!("templates/patch.sql")),
    ("delete.sql", include_str!("templates/delete.sql")),
];

impl Entity {
    /// The files of the entity; `sql` is the path of its T-SQL.
    pub(super) fn files(&self, sql: &str) -> Result<Vec<Change>> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?;
        environment.set_syntax(syntax);
        for (name, template) in TEMPLATES {
            environment.add_template(name, template)?;
        }
        let file = |path: String, template: &str| -> Result<Change> {
            let text = environment.get_template(template)?.render(Serde(&self.context))?;
            Ok(Change::File { path, text })
        };
        let (name, plural) = (&self.name, &self.plural);
        let mut files = vec![
            file(sql.into(), "entity.sql")?,
            file(format!("local/procedures/{name}.schema.sql"), "schema.sql")?,
        ];
        for operation in &self.operations {
            let (procedure, template) = match operation {
                Operation::Get => (format!("get_{name}"), "get.sql"),
                Operation::List => (format!("get_{plural}"), "list.sql"),
                Operation::Put => (format!("put_{name}"), "put.sql"),
                Operation::Patch => (format!("patch_{name}"), "patch.sql"),
                Operation::Delete => (format!("delete_{name}"), "delete.sql"),
            };
            files.push(file(format!("local/procedures/web.{procedure}.sql"), template)?);
        }
        files.push(Change::File {
            path: format!("openapi/{name}.json"),
            text: pretty::print(&self.description),
        });
        files.push(Change::Routes {
            lines: self.routes.clone(),
        });
        Ok(files)
    }

    /// Decides what is written for a table.
    ///
    /// # Errors
    ///
    /// What cannot be done, with the column.
    #[expect(clippy::too_many_arguments, reason = "one command line")]
    pub(super) fn new(
        name: &str,
        plural: &str,
        table: &Table,
        operations: Vec<Operation>,
        special: Special,
        create: bool,
        tables: &[String],
        command: &str,
    ) -> Result<Self> {
        let writes = |operation| operations.contains(&operation);
        let key = &key_of(table)?;
        let members = members_of(table, key, &special)?;
        let sent: Vec<_> = members.iter().filter(|member| member.is_sent).cloned().collect();
        let (can_put, can_patch) = (writes(Operation::Put), writes(Operation::Patch));
        let changed: Vec<_> = sent
            .iter()
            .filter(|member| member.name != key.column.name)
            .cloned()
            .collect();
        ensure!(
            !can_patch || !changed.is_empty(),
            "no column can be changed: leave patch out with --only"
        );
        ensure!(
            !can_put || !sent.is_empty(),
            "a new row has nothing that a client gives: leave put out with --only"
        );
        let object = object_of(&members)?;
        let (label, plural_label) = (name.replace('_', " "), plural.replace('_', " "));
        let called = |column: &str| {
            let member = members.iter().find(|member| member.name == column);
            member.map_or(column.to_owned(), |member| {
                special.called.get(&member.path).unwrap_or(&member.path).clone()
            })
        };
        let article = if label.starts_with(['a', 'e', 'i', 'o']) {
            "An"
        } else {
            "A"
        };
        let taken = |uniques: &[&Vec<String>]| {
            let sets: Vec<_> = uniques
                .iter()
                .map(|columns| {
                    columns
                        .iter()
                        .map(|column| called(column))
                        .collect::<Vec<_>>()
                        .join(" and ")
                })
                .collect();
            format!("{article} {label} with this {} already exists.", sets.join(" or "))
        };
        // The key is one of them where clients give it.
        let own_key = vec![key.column.name.clone()];
        let is_given = |columns: &&Vec<String>| {
            columns
                .iter()
                .all(|column| sent.iter().any(|member| &member.name == column))
        };
        let mut uniques: Vec<_> = table.uniques.iter().filter(is_given).collect();
        let unique_patch = (!uniques.is_empty()).then(|| taken(&uniques));
        if key.from == From::Client {
            uniques.insert(0, &own_key);
        }
        // A foreign key of what clients do not give is the developer's: that it breaks is no answer for them.
        let is_sent = |(columns, _): &(Vec<String>, String)| {
            columns
                .iter()
                .any(|column| sent.iter().any(|member| &member.name == column))
        };
        let is_constrained = table.is_checked || table.references.iter().any(is_sent);
        let constraint_detail = "It refers to a row that does not exist, or breaks another rule of the table.";
        let errors = |is_unique: bool| {
            let numbers: [(bool, &[u32]); 2] = [(is_unique, &[2601, 2627]), (is_constrained, &[547])];
            numbers
                .into_iter()
                .filter(|(is_caught, _)| *is_caught)
                .flat_map(|(_, numbers)| numbers.iter().copied())
                .collect::<Vec<_>>()
        };
        let unique_detail = (!uniques.is_empty()).then(|| taken(&uniques));
        let variable = |column: &str| {
            members
                .iter()
                .find(|member| member.name == column)
                .map_or(column.to_owned(), |member| member.variable.clone())
        };
        let equal = |columns: &&Vec<String>| {
            let all: Vec<_> = columns
                .iter()
                .map(|column| format!("c.{} = @{}", quoted(column), variable(column)))
                .collect();
            all.join(" AND ")
        };
        let uniques_equal: Vec<_> = uniques.iter().map(equal).collect();
        let is_constrained_locally = is_constrained && has_local_reference(table, tables);
        let local_errors = |unique: &Option<String>| match (unique, is_constrained_locally) {
            (Some(_), true) => "IN (2627, 547)",
            (Some(_), false) => "= 2627",
            (None, _) => "= 547",
        };
        let conflict = |unique: &Option<String>| match (unique, is_constrained_locally) {
            (Some(unique), true) => Some(format!(
                "iif(:ErrorNumber = 547, {}, {})",
                text(constraint_detail),
                text(unique)
            )),
            (Some(detail), false) => Some(text(detail)),
            (None, true) => Some(text(constraint_detail)),
            (None, false) => None,
        };
        let (version, version_column) = version_of(table);
        let has_flag = |member: &&Member| member.nullable == 1;
        let needs_flag_put = |member: &&Member| member.nullable == 1 && member.default.is_some();
        let flagged: Vec<_> = sent.iter().filter(has_flag).cloned().collect();
        let flagged_put: Vec<_> = sent.iter().filter(needs_flag_put).cloned().collect();
        // By name: what is not asked for is left out, and no order can be wrong.
        let outputs = |members: &[Member], flags: &[Member]| {
            let own = members
                .iter()
                .map(|member| format!("@{0} = @{0} OUTPUT", member.variable));
            let flags = flags
                .iter()
                .map(|member| format!("@Has{0} = @Has{0} OUTPUT", member.variable));
            wrapped(own.chain(flags))
        };
        let parameter = key.column_type.parameter();
        let declared = |members: &[Member]| {
            let sql_type = |member: &Member| {
                if member.name == key.column.name {
                    parameter.clone()
                } else {
                    member.sql_type.clone()
                }
            };
            wrapped(
                members
                    .iter()
                    .map(|member| format!("@{} {}", member.variable, sql_type(member))),
            )
        };
        let flags = |members: &[Member]| wrapped(members.iter().map(|member| format!("@Has{} BIT", member.variable)));
        let (columns, values, local_columns, local_values) = insert(table, key, &members, &special)?;
        let (assignments, local_assignments) =
            assignments(table, &changed, &special, version == "period", version_column)?;
        let is_code_page = key.column_type.rule == "char";
        let (own, quoted_key) = (&key.column.name, quoted(&key.column.name));
        let compared = |variable: &str| match is_code_page {
            // As the column has it, so that an index is used, and exactly.
            true => format!(
                "CONVERT({}, @{variable}) AND {quoted_key} = @{variable}",
                key.column_type.declared
            ),
            false => format!("@{variable}"),
        };
        let is_integer = key.column_type.is_integer();
        let after = match is_integer {
            true => format!("c.{quoted_key} > @After"),
            false => {
                let (least, cast) = match (&*parameter, is_code_page) {
                    ("UNIQUEIDENTIFIER", _) => (
                        "CONVERT(UNIQUEIDENTIFIER, N'00000000-0000-0000-0000-000000000000')",
                        "@After".to_owned(),
                    ),
                    (_, true) => ("''", format!("CONVERT({}, @After)", key.column_type.declared)),
                    _ => ("N''", "@After".to_owned()),
                };
                format!("c.{quoted_key} >= ISNULL({cast}, {least}) AND (@After IS NULL OR c.{quoted_key} <> @After)")
            }
        };
        let until = match is_integer && &*parameter == "INT" {
            true => format!("c.{quoted_key} <= ISNULL(@NextAfter, 2147483647)"),
            false => format!("(@NextAfter IS NULL OR c.{quoted_key} <= @NextAfter)"),
        };
        let key_local = match key.from {
            From::NewId => Some("SELECT newid()".to_owned()),
            From::Identity | From::Sequence => {
                let table = text(&local_name(table));
                Some(format!(
                    "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = {table}), 0) + 1"
                ))
            }
            From::Client => None,
        };
        let key_path = members
            .iter()
            .find(|member| &member.name == own)
            .map_or(own.clone(), |member| member.path.clone());
        let listed: Vec<_> = match special.listed.is_empty() {
            true => members.clone(),
            false => members
                .iter()
                .filter(|member| special.listed.contains(&member.path))
                .cloned()
                .collect(),
        };
        let (limit, limit_max) = special.limit.unwrap_or((100, 1000));
        let mut rules: Vec<Value> = Vec::new();
        for member in &sent {
            if let Some(object) = &object
                && member.path.starts_with(&format!("{object}."))
                && !rules.iter().any(|rule| rule["path"] == json!(object))
            {
                rules.push(json!({"path": object, "rule": "object", "size": "NULL", "scale": "NULL", "required": 0, "nullable": 0}));
            }
            rules.push(json!(member));
        }
        let seeds = seeds(table, key, &members, &special)?;
        let operation_names: Vec<_> = operations
            .iter()
            .map(|operation| format!("{operation:?}").to_lowercase())
            .collect();
        let etag_doc = match version {
            "period" => format!(
                "the row's version: {} and 12 hexadecimal digits of the text's SHA-256. Opaque to clients, compared as text",
                version_column.unwrap_or_default()
            ),
            "rowversion" => "the row's version: its ROWVERSION. Opaque to clients, compared as text".into(),
            _ => "the row's version: 32 hexadecimal digits of the text's SHA-256. Opaque to clients, compared as text"
                .into(),
        };
        let (path, list_path) = (format!("/{name}/{{id}}"), format!("/{plural}"));
        let table_name = format!("{}.{}", quoted(&table.schema), quoted(&table.name));
        let context = [
            ("name", json!(name)),
            ("plural", json!(plural)),
            ("label", json!(label)),
            ("plural_label", json!(plural_label)),
            ("path", json!(path)),
            ("list_path", json!(list_path)),
            ("create_path", json!(format!("/{name}"))),
            ("title", json!(capitalized(&plural_label))),
            ("command", json!(command)),
            ("schema", json!(table.schema)),
            ("quoted_schema", json!(quoted(&table.schema))),
            ("object_name", json!(format!("{}.{}", table.schema, table.name))),
            ("table", json!(table_name)),
            ("local_table", json!(local_name(table))),
            (
                "key",
                json!({"padded": format!("{:<10}", own), "column": quoted_key, "name": own, "path": key_path, "sql_type": key.column_type.declared, "parameter_type": parameter, "seek": compared(own), "after": after, "until": until, "is_integer": is_integer, "from": key.from.name(), "sequence": key.sequence, "local": key_local}),
            ),
            ("operations", json!(operation_names)),
            ("object", json!(object)),
            ("rules", json!(rules)),
            ("sent", json!(sent)),
            ("flagged", json!(flagged)),
            ("shown", json!(members)),
            ("listed", json!(listed)),
            ("version", json!(version)),
            ("version_column", json!(version_column.map(quoted))),
            ("etag_doc", json!(etag_doc)),
            ("uniques", json!(!uniques.is_empty())),
            ("unique_detail", json!(unique_detail)),
            ("unique_patch", json!(unique_patch)),
            ("uniques_equal", json!(uniques_equal.join(" OR "))),
            ("constrained", json!(is_constrained)),
            ("constraint_detail", json!(constraint_detail)),
            ("caught", json!(errors(unique_detail.is_some()))),
            ("caught_patch", json!(errors(unique_patch.is_some()))),
            ("declared", json!(declared(&sent))),
            ("declared_flags_put", json!(flags(&flagged_put))),
            (
                "declared_patch",
                json!(
                    declared(&changed)
                        .into_iter()
                        .chain(flags(&flagged))
                        .collect::<Vec<_>>()
                ),
            ),
            ("outputs_put", json!(outputs(&sent, &flagged_put))),
            ("outputs_patch", json!(outputs(&changed, &flagged))),
            ("insert_columns", json!(wrapped(columns.into_iter()))),
            ("insert_values", json!(wrapped(values.into_iter()))),
            ("assignments", json!(assignments)),
            ("local_insert_columns", json!(wrapped(local_columns.into_iter()))),
            ("local_insert_values", json!(local_values)),
            ("local_assignments", json!(local_assignments)),
            ("local_columns", json!(create_local(table, key, &members, tables))),
            ("local_errors", json!(local_errors(&unique_detail))),
            ("local_errors_patch", json!(local_errors(&unique_patch))),
            ("local_conflict", json!(conflict(&unique_detail))),
            ("local_conflict_patch", json!(conflict(&unique_patch))),
            ("document_lines", json!(object_lines(&members))),
            ("listed_object", json!(listed_object(&listed))),
            ("limit", json!(limit)),
            ("limit_max", json!(limit_max)),
            ("seeds", json!(seeds.1)),
            ("seed_columns", json!(seeds.0)),
            ("create", json!(create.then(|| create_lines(table, key)))),
            ("sequences", json!(sequences(key, create))),
            ("is_versioned", json!(version == "period")),
        ];
        let context = context
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>()
            .into();
        let description = description(name, plural, key, &members, &listed, &operations, &special);
        let routes = routes(name, plural, key, &operations, (limit, limit_max));
        Ok(Self {
            name: name.into(),
            plural: plural.into(),
            context,
            operations,
            routes,
            description,
        })
    }
}

/// The key, and who gives a new row its own.
struct Key<'t> {
    column: &'t Column,
    column_type: ColumnType,
    from: From,
    sequence: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Client,
    Identity,
    NewId,
    Sequence,
}

impl From {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Identity => "identity",
            Self::NewId => "newid",
            Self::Sequence => "sequence",
        }
    }
}

fn key_of(table: &Table) -> Result<Key<'_>> {
    let full = format!("{}.{}", table.schema, table.name);
    let [name] = table.key.as_slice() else {
        match table.key.len() {
            0 => bail!("{full} has no primary key: a path needs one column that names a row"),
            _ => bail!(
                "the key of {full} has the columns {}: a path needs one column that names a row",
                table.key.join(", ")
            ),
        }
    };
    let column = table
        .columns
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name));
    let column =
        column.with_context(|| format!("the key of {full} names the column {name}, which it does not have"))?;
    let name = &column.name;
    ensure!(
        is_plain(name),
        "the key {name:?} is not made of letters, digits and underscores"
    );
    ensure!(
        !VARIABLES.contains(&name.as_str()) && !["Document", "RowID"].contains(&name.as_str()),
        "the key {name} has a name that the procedures use for something else"
    );
    let column_type = column.sql_type.clone().ok().filter(ColumnType::can_be_key);
    let column_type = column_type.with_context(|| {
        let declared = match &column.sql_type { Ok(known) => &known.declared, Err(other) => other };
        format!("the key {name} is {declared}: it can be INT, BIGINT, UNIQUEIDENTIFIER, or VARCHAR or NVARCHAR of at most 450 characters")
    })?;
    let default = column.default.as_deref().map(stripped).unwrap_or_default();
    let lower = default.to_lowercase();
    let (from, sequence) = match (&column.filled, lower.strip_prefix("next value for ")) {
        (Filled::Identity, _) => (From::Identity, None),
        (Filled::ByInsert, Some(_)) if column_type.is_integer() => (
            From::Sequence,
            Some(default["next value for ".len()..].trim().to_owned()),
        ),
        (Filled::ByInsert, None) if ["newid()", "newsequentialid()"].contains(&lower.as_str()) => (From::NewId, None),
        (Filled::ByInsert, None) if lower.is_empty() => (From::Client, None),
        (Filled::ByInsert, _) => bail!("the key {name} has the default {default}, which is no sequence and no NEWID()"),
        _ => bail!("the key {name} is computed"),
    };
    Ok(Key {
        column,
        column_type,
        from,
        sequence,
    })
}

fn members_of(table: &Table, key: &Key, special: &Special) -> Result<Vec<Member>> {
    let column = |name: &str| {
        table
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    };
    let known = special
        .without
        .iter()
        .chain(special.set.keys())
        .chain(special.touch.keys());
    for name in known.chain(special.members.iter().map(|(_, column)| column)) {
        ensure!(
            column(name).is_some(),
            "{}.{} has no column {name}",
            table.schema,
            table.name
        );
    }
    let is_left_out = |name: &String| {
        [&special.without]
            .into_iter()
            .flatten()
            .chain(special.set.keys())
            .chain(special.touch.keys())
            .any(|out| out.eq_ignore_ascii_case(name))
    };
    let by_name = || {
        let columns = table.columns.iter().filter(|column| !is_left_out(&column.name));
        let columns =
            columns.filter(|column| !matches!(column.filled, Filled::RowStart | Filled::RowEnd | Filled::RowVersion));
        columns
            .map(|column| (column.name.clone(), column.name.clone()))
            .collect()
    };
    let paths: Vec<(String, String)> = if special.members.is_empty() {
        by_name()
    } else {
        special.members.clone()
    };
    let own = &key.column.name;
    ensure!(
        paths.iter().any(|(path, name)| name == own && path == own),
        "the key {own} cannot be left out, or have another name"
    );
    // What is neither sent nor set has a value without that.
    for column in &table.columns {
        let name = &column.name;
        let is_given = paths.iter().any(|(_, given)| given.eq_ignore_ascii_case(name))
            || special.set.contains_key(name)
            || special.touch.contains_key(name);
        let fills_itself = column.is_nullable || column.default.is_some() || column.filled != Filled::ByInsert;
        ensure!(
            is_given || fills_itself,
            "column {name} must have a value in a new row: give it one with --set {name}=…"
        );
    }
    let mut members = Vec::new();
    for (path, name) in &paths {
        let column = column(name).context("a column")?;
        members.push(member(table, key, special, path, column)?);
    }
    Ok(members)
}

fn member(table: &Table, key: &Key, special: &Special, path: &str, column: &Column) -> Result<Member> {
    let name = &column.name;
    let out = format!("leave it out with --without {name}");
    ensure!(
        is_plain(name),
        "column {name:?} is not made of letters, digits and underscores: {out}"
    );
    ensure!(
        column.filled != Filled::Computed,
        "column {name} is computed, and its type is not written down: {out}"
    );
    let is_key = name == &key.column.name;
    ensure!(
        column.filled != Filled::Identity || is_key,
        "column {name} is an IDENTITY, and not the key: {out}"
    );
    let column_type = column
        .sql_type
        .as_ref()
        .map_err(|declared| anyhow!("column {name} is {declared}, which no JSON value stands for: {out}"));
    let mut column_type = column_type?.clone();
    let is_sent = !is_key || key.from == From::Client;
    let default = match &column.default {
        Some(default) if !is_key => Some(default_of(default, &column_type).with_context(|| {
            format!("column {name} has the default {default}, which the local bridge does not know: {out}")
        })?),
        _ => None,
    };
    // A path names no row with an empty key, or with one below 1.
    if is_key && is_sent && column_type.rule != "uniqueidentifier" {
        column_type.scale = Some(1);
    }
    let takes_number = special.numbers.iter().any(|number| number == path);
    ensure!(
        !takes_number || column_type.rule == "nchar",
        "{path} is no NVARCHAR, so no number is taken as its text"
    );
    let is_nullable = column.is_nullable && !is_key;
    let mut schema = column_type.schema();
    let is_of = |columns: &&Vec<String>| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    if let Some(columns) = table.uniques.iter().filter(is_of).min_by_key(|columns| columns.len()) {
        schema["x-unique"] = if columns.len() == 1 {
            json!(true)
        } else {
            json!(columns)
        };
    }
    if table
        .references
        .iter()
        .any(|(columns, _)| columns.iter().any(|column| column.eq_ignore_ascii_case(name)))
    {
        schema["x-reference"] = json!(true);
    }
    if default.is_some() || (is_nullable && is_sent) {
        // Where it may be absent although a row always has it.
        schema["x-optional"] = json!(default.is_some() && !is_nullable);
    }
    if schema["x-optional"] == json!(false) {
        schema.as_object_mut().map(|schema| schema.shift_remove("x-optional"));
    }
    if takes_number {
        schema["x-accepts"] = json!("number");
        schema["description"] = json!("A number counts as its text, as it is written, with the same limit.");
    }
    if is_key && !is_sent {
        match column_type.rule {
            "int" => schema = json!({"$ref": "#/components/schemas/Id"}),
            _ if column_type.is_integer() => schema["minimum"] = json!(1),
            _ => {}
        }
        schema["readOnly"] = json!(true);
    }
    let number = |number: Option<u32>| number.map_or("NULL".to_owned(), |number| number.to_string());
    let is_taken = VARIABLES.iter().any(|variable| variable.eq_ignore_ascii_case(name));
    Ok(Member {
        path: path.into(),
        column: quoted(name),
        name: name.clone(),
        variable: if is_taken {
            format!("Column{name}")
        } else {
            name.clone()
        },
        sql_type: column_type.declared.clone(),
        rule: if takes_number {
            "nchar or number".into()
        } else {
            column_type.rule.into()
        },
        size: number(column_type.size),
        scale: number(column_type.scale),
        required: u8::from(!is_nullable && default.is_none()),
        nullable: u8::from(is_nullable),
        read: column_type.read(),
        column_type,
        default,
        schema,
        is_sent,
    })
}

/// The object that members are in, of which there is one at most.
fn object_of(members: &[Member]) -> Result<Option<String>> {
    let mut objects: Vec<_> = members
        .iter()
        .filter_map(|member| Some(member.path.split_once('.')?.0.to_owned()))
        .collect();
    objects.dedup();
    ensure!(
        objects.len() <= 1,
        "members are in the objects {}: one can be",
        objects.join(", ")
    );
    ensure!(
        members.iter().all(|member| member.path.matches('.').count() <= 1),
        "a member is in an object in an object"
    );
    Ok(objects.pop())
}

/// The versions that rows have by their table: what they are made of, and the column.
fn version_of(table: &Table) -> (&'static str, Option<&str>) {
    let column = |filled: Filled| {
        table
            .columns
            .iter()
            .find(|column| column.filled == filled)
            .map(|column| column.name.as_str())
    };
    match (column(Filled::RowStart), column(Filled::RowVersion)) {
        (Some(start), _) => ("period", Some(start)),
        (None, Some(version)) => ("rowversion", Some(version)),
        (None, None) => ("text", None),
    }
}

fn is_plain(name: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(is_word)
}

/// The reserved words of T-SQL, and what SQLite reserves besides.
const RESERVED: &str = " ADD ALL ALTER AND ANY AS ASC AUTHORIZATION AUTOINCREMENT BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE \
    CHECK CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE CONVERT CREATE CROSS \
    CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DEFERRABLE DELETE DENY \
    DESC DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR \
    FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITYCOL IDENTITY_INSERT IF IN INDEX INNER \
    INSERT INTERSECT INTO IS ISNULL JOIN KEY KILL LEFT LIKE LIMIT LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NOTHING NOTNULL NULL \
    NULLIF OF OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN PRECISION PRIMARY \
    PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION RESTORE RESTRICT RETURN RETURNING REVERT REVOKE \
    RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS SYSTEM_USER \
    TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE UPDATETEXT USE \
    USER USING VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WITHIN WRITETEXT ";

/// A name, in brackets when it is a reserved word; both engines read these.
fn quoted(name: &str) -> String {
    let is_reserved = RESERVED.contains(&format!(" {} ", name.to_uppercase()));
    if is_reserved {
        format!("[{name}]")
    } else {
        name.to_owned()
    }
}

fn local_name(table: &Table) -> String {
    format!("{}_{}", table.schema, table.name)
}

/// A text as SQLite writes it.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// Without the parentheses around it.
fn stripped(expression: &str) -> &str {
    let mut inner = expression.trim();
    while let Some(within) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        inner = within.trim();
    }
    inner
}

/// Items separated by commas, in lines; the comma between two lines is not among them.
fn wrapped(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.len() + item.len() + 2 <= WIDTH => {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// The time as a column of this type has it, in SQLite.
fn now(column_type: &ColumnType) -> Option<Default> {
    let digits = match column_type.rule {
        "date" => {
            return Some(Default {
                sql: "CONVERT(DATE, SYSUTCDATETIME())".into(),
                local: "date()".into(),
            });
        }
        "datetime" => 22,
        "datetime2" | "datetimeoffset" => 19 + column_type.scale.map_or(0, |scale| scale + u32::from(scale > 0)),
        _ => return None,
    };
    let zone = match column_type.rule {
        "datetimeoffset" => " || 'Z'",
        "datetime" => " || '0'",
        _ => "",
    };
    let local = format!("substr(sysutcdatetime(), 1, {digits}){zone}");
    Some(Default {
        sql: "SYSUTCDATETIME()".into(),
        local,
    })
}

/// A JSON value as a literal of SQLite in a column of this type.
fn literal(value: &Value, column_type: &ColumnType, rule: &str) -> Option<String> {
    let (size, scale) = (column_type.size, column_type.scale);
    match fields::stored(
        &value.to_string(),
        fields::Type {
            name: rule,
            size,
            scale,
        },
    )
    .ok()?
    {
        Stored::Integer(number) => Some(number.to_string()),
        Stored::Text(stored) if column_type.is_padded => {
            let width = size.unwrap_or_default() as usize;
            Some(text(&format!("{stored:<width$}")))
        }
        Stored::Text(stored) => Some(text(&stored)),
        Stored::Null => Some("NULL".into()),
        _ => None,
    }
}

/// A constant of T-SQL as JSON.
fn constant(expression: &str, column_type: &ColumnType) -> Option<Value> {
    if expression.eq_ignore_ascii_case("null") {
        return Some(Value::Null);
    }
    let string = expression.strip_prefix(['N', 'n']).unwrap_or(expression);
    if let Some(string) = string.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(json!(string.replace("''", "'")));
    }
    let number: Value = serde_json::from_str(expression).ok().filter(Value::is_number)?;
    if column_type.rule == "bit" {
        Some(json!(number != json!(0)))
    } else {
        Some(number)
    }
}

fn default_of(expression: &str, column_type: &ColumnType) -> Option<Default> {
    let inner = stripped(expression);
    if let Some(value) = constant(inner, column_type) {
        return Some(Default {
            sql: inner.into(),
            local: literal(&value, column_type, column_type.rule)?,
        });
    }
    match &*inner.to_lowercase() {
        "newid()" | "newsequentialid()" => Some(Default {
            sql: "NEWID()".into(),
            local: "newid()".into(),
        }),
        "getdate()"
        | "getutcdate()"
        | "sysdatetime()"
        | "sysutcdatetime()"
        | "current_timestamp"
        | "sysdatetimeoffset()" => Some(Default {
            sql: inner.to_uppercase(),
            local: now(column_type)?.local,
        }),
        _ => None,
    }
}

/// What a column is set to.
fn setting(table: &Table, key: &Key, members: &[Member], name: &str, value: &str) -> Result<Default> {
    let column = table
        .columns
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name))
        .context("a column")?;
    if let Some(source) = value.strip_prefix('@') {
        if source == key.column.name {
            ensure!(
                key.from != From::Identity,
                "column {name} is set to {value}, which the database gives only after that"
            );
            return Ok(Default {
                sql: format!("@{source}"),
                local: ":RowID".into(),
            });
        }
        let member = members.iter().find(|member| member.name == source && member.is_sent);
        let member =
            member.with_context(|| format!("column {name} is set to {value}, and clients give no {source}"))?;
        return Ok(Default {
            sql: format!("@{}", member.variable),
            local: sent_value(member),
        });
    }
    let column_type = column
        .sql_type
        .as_ref()
        .map_err(|declared| anyhow!("column {name} is {declared}, which cannot be set"))?;
    if value == "now()" {
        return now(column_type)
            .with_context(|| format!("column {name} is {}, which no time can be set to", column_type.declared));
    }
    let quoted = format!("N'{}'", value.replace('\'', "''"));
    let found = [value, &quoted].into_iter().find_map(|text| {
        let local = literal(&constant(text, column_type)?, column_type, column_type.rule)?;
        Some(Default {
            sql: text.into(),
            local,
        })
    });
    found.with_context(|| {
        format!(
            "column {name} cannot be set to {value:?}: it is {}",
            column_type.declared
        )
    })
}

/// What a client sent for a member, in SQLite.
fn sent_value(member: &Member) -> String {
    let stored = format!(
        "column_value(:Document -> '$.{}', '{}', {}, {})",
        member.path, member.rule, member.size, member.scale
    );
    if member.column_type.is_padded {
        format!("padded({stored}, {})", member.size)
    } else {
        stored
    }
}

type Insert = (Vec<String>, Vec<String>, Vec<String>, Vec<String>);

/// Columns and values of a new row, in T-SQL and in SQLite.
fn insert(table: &Table, key: &Key, members: &[Member], special: &Special) -> Result<Insert> {
    let mut insert = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in &table.columns {
        let name = &column.name;
        let set = special.set.get(name).or_else(|| special.touch.get(name));
        let value = if *name == key.column.name {
            insert.2.push(quoted(name));
            insert.3.push(
                match members.iter().find(|member| member.is_sent && member.name == *name) {
                    Some(member) => sent_value(member),
                    None => ":RowID".into(),
                },
            );
            if key.from != From::Identity {
                insert.0.push(quoted(name));
                insert.1.push(format!("@{name}"));
            }
            continue;
        } else if let Some(value) = set {
            Some(setting(table, key, members, name, value)?)
        } else {
            members.iter().find(|member| member.name == *name).map(|member| {
                let (variable, sent) = (format!("@{}", member.variable), sent_value(member));
                match &member.default {
                    None => Default {
                        sql: variable,
                        local: sent,
                    },
                    Some(default) if member.nullable == 0 => Default {
                        sql: format!("ISNULL({variable}, {})", default.sql),
                        local: format!("ifnull({sent}, {})", default.local),
                    },
                    Some(default) => Default {
                        sql: format!(
                            "CASE WHEN @Has{0} = 1 THEN {variable} ELSE {1} END",
                            member.variable, default.sql
                        ),
                        local: format!(
                            "iif(:Document -> '$.{}' IS NULL, {}, {sent})",
                            member.path, default.local
                        ),
                    },
                }
            })
        };
        if let Some(value) = value {
            insert.0.push(quoted(name));
            insert.1.push(value.sql);
            insert.2.push(quoted(name));
            insert.3.push(value.local);
        }
    }
    Ok(insert)
}

/// What a patch changes, in T-SQL and in SQLite.
fn assignments(
    table: &Table,
    changed: &[Member],
    special: &Special,
    is_versioned: bool,
    version: Option<&str>,
) -> Result<(Vec<String>, Vec<String>)> {
    let mut assignments = (Vec::new(), Vec::new());
    for member in changed {
        let Member { column, variable, .. } = member;
        assignments.0.push(match member.nullable {
            0 => format!("{column} = ISNULL(@{variable}, {column})"),
            _ => format!("{column} = CASE WHEN @Has{variable} = 1 THEN @{variable} ELSE {column} END"),
        });
        assignments.1.push(format!(
            "{column} = iif(:Document -> '$.{}' IS NULL, {column}, {})",
            member.path,
            sent_value(member)
        ));
    }
    for (name, value) in &special.touch {
        let key = key_of(table)?;
        let value = setting(table, &key, changed, name, value)?;
        assignments.0.push(format!("{} = {}", quoted(name), value.sql));
        assignments.1.push(format!("{} = {}", quoted(name), value.local));
    }
    if let (true, Some(version)) = (is_versioned, version) {
        assignments.1.push(format!("{version} = sysutcdatetime()"));
    }
    Ok((wrapped(assignments.0.into_iter()), assignments.1))
}

/// Whether the local database has a table that this one refers to.
fn has_local_reference(table: &Table, tables: &[String]) -> bool {
    table
        .references
        .iter()
        .any(|(columns, parent)| local_parent(table, columns, parent, tables).is_some())
}

fn local_parent(table: &Table, columns: &[String], parent: &str, tables: &[String]) -> Option<String> {
    let parent = parent.replace('.', "_");
    let is_there = tables.contains(&parent) || parent.eq_ignore_ascii_case(&local_name(table));
    (columns.len() == 1 && is_there).then_some(parent)
}

fn create_local(table: &Table, key: &Key, members: &[Member], tables: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for column in &table.columns {
        let name = &column.name;
        let is_member = members.iter().any(|member| member.name == *name);
        let is_key = *name == key.column.name;
        let is_version = column.filled == Filled::RowStart;
        let Ok(column_type) = &column.sql_type else { continue };
        if matches!(column.filled, Filled::RowEnd | Filled::RowVersion | Filled::Computed)
            || column.filled == Filled::Identity && !is_key
        {
            continue;
        }
        let mut line = format!(
            "{} {}",
            quoted(name),
            if column_type.is_integer() { "INTEGER" } else { "TEXT" }
        );
        if is_key {
            let counts = matches!(key.from, From::Identity | From::Sequence);
            let collate = if matches!(column_type.rule, "char" | "nchar") {
                " COLLATE Latin1_General_100_CI_AS"
            } else {
                ""
            };
            line += &format!(
                "{}{collate} PRIMARY KEY{}",
                if counts { "" } else { " NOT NULL" },
                if counts { " AUTOINCREMENT" } else { "" }
            );
        } else if is_version {
            line += " NOT NULL DEFAULT (sysutcdatetime())";
        } else {
            let is_set = is_member || column.default.is_none();
            line += if column.is_nullable || !is_set { "" } else { " NOT NULL" };
            if matches!(column_type.rule, "char" | "nchar") {
                line += " COLLATE Latin1_General_100_CI_AS";
            }
        }
        for (columns, parent) in &table.references {
            if columns.len() == 1
                && columns[0] == *name
                && let Some(parent) = local_parent(table, columns, parent, tables)
            {
                line += &format!(" REFERENCES {parent}");
            }
        }
        lines.push(line);
    }
    for columns in &table.uniques {
        if columns
            .iter()
            .all(|column| members.iter().any(|member| member.name.eq_ignore_ascii_case(column)))
        {
            let columns: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
            lines.push(format!("UNIQUE ({})", columns.join(", ")));
        }
    }
    lines
}

/// Columns and rows of the local table at its beginning.
fn seeds(table: &Table, key: &Key, members: &[Member], special: &Special) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut columns = Vec::new();
    let mut rows = vec![Vec::new(); SEEDS];
    for column in &table.columns {
        let member = members.iter().find(|member| member.name == column.name);
        let set = special
            .set
            .get(&column.name)
            .or_else(|| special.touch.get(&column.name));
        if member.is_none() && set.is_none() {
            continue;
        }
        columns.push(quoted(&column.name));
        for (index, row) in rows.iter_mut().enumerate() {
            let n = index + 1;
            row.push(match (member, set) {
                (Some(member), _) => {
                    let value = example(table, key, member, n);
                    literal(&value, &member.column_type, &member.rule)
                        .with_context(|| format!("column {} has no example", column.name))?
                }
                (None, Some(value)) => {
                    let is_other = value
                        .strip_prefix('@')
                        .and_then(|source| members.iter().find(|member| member.name == source));
                    match is_other {
                        Some(member) => literal(&example(table, key, member, n), &member.column_type, &member.rule)
                            .unwrap_or_default(),
                        None => setting(table, key, members, &column.name, value)?.local,
                    }
                }
                (None, None) => String::new(),
            });
        }
    }
    Ok((columns, rows))
}

/// The `n`th example of a member. What refers to other rows is left out where it can be, and is the first of them otherwise.
fn example(table: &Table, key: &Key, member: &Member, n: usize) -> Value {
    let refers = table
        .references
        .iter()
        .any(|(columns, _)| columns.iter().any(|column| column.eq_ignore_ascii_case(&member.name)));
    let is_key = member.name == key.column.name;
    match (refers && !is_key, member.nullable) {
        (true, 1) => Value::Null,
        (true, _) => member.column_type.example(&member.name, 1),
        _ => member.column_type.example(&member.name, n),
    }
}

/// A member as SQLite shows it in a JSON object.
fn shown(member: &Member) -> String {
    let is_direct = member.column_type.is_integer()
        || matches!(
            member.column_type.rule,
            "char" | "nchar" | "date" | "time" | "datetime" | "datetime2" | "datetimeoffset" | "uniqueidentifier"
        );
    if is_direct {
        member.column.clone()
    } else {
        format!("json({})", member.column)
    }
}

/// The members of a row's JSON object in SQLite, a line each.
fn object_lines(members: &[Member]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let (object, name) = member
            .path
            .split_once('.')
            .map_or((None, member.path.as_str()), |(object, name)| (Some(object), name));
        let is_of = |other: Option<&Member>| {
            other
                .and_then(|other| other.path.split_once('.'))
                .map(|(object, _)| object)
                == object
        };
        if let Some(object) = object
            && !is_of(index.checked_sub(1).map(|before| &members[before]))
        {
            lines.push(format!("'{object}', json_object("));
        }
        let is_last_of_object = object.is_some() && !is_of(members.get(index + 1));
        let comma = if index + 1 == members.len() || is_last_of_object {
            ""
        } else {
            ","
        };
        lines.push(format!(
            "{}'{name}', {}{comma}",
            if object.is_some() { "    " } else { "" },
            shown(member)
        ));
        if is_last_of_object {
            lines.push(if index + 1 == members.len() {
                ")".into()
            } else {
                "),".into()
            });
        }
    }
    lines
}

fn listed_object(listed: &[Member]) -> String {
    let object = format!(
        "json_object({})",
        object_lines(listed)
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join(" ")
    );
    if listed.iter().any(|member| member.nullable == 1) {
        format!("json_patch('{{}}', {object})")
    } else {
        object
    }
}

/// The columns and constraints of a `CREATE TABLE`, without the foreign keys: their tables may not be there.
fn create_lines(table: &Table, key: &Key) -> Vec<String> {
    let mut lines = Vec::new();
    for column in &table.columns {
        let Ok(column_type) = &column.sql_type else { continue };
        let mut line = format!("{} {}", quoted(&column.name), column_type.declared);
        match column.filled {
            Filled::Computed => continue,
            Filled::RowVersion => line = format!("{} ROWVERSION", quoted(&column.name)),
            Filled::Identity => line += " IDENTITY(1, 1)",
            Filled::RowStart => line += " GENERATED ALWAYS AS ROW START",
            Filled::RowEnd => line += " GENERATED ALWAYS AS ROW END",
            Filled::ByInsert => {}
        }
        line += if column.is_nullable && column.name != key.column.name {
            " NULL"
        } else {
            " NOT NULL"
        };
        if let Some(default) = &column.default {
            let call = if column.name == key.column.name && key.from == From::Sequence {
                format!("(NEXT VALUE FOR {})", key.sequence.as_deref().unwrap_or_default())
            } else {
                default.clone()
            };
            line += &format!(" DEFAULT {call}");
        }
        lines.push(line);
    }
    lines.push(format!(
        "CONSTRAINT PK_{} PRIMARY KEY CLUSTERED ({})",
        local_name(table),
        quoted(&key.column.name)
    ));
    for columns in &table.uniques {
        let names: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
        lines.push(format!(
            "CONSTRAINT UQ_{}_{} UNIQUE ({})",
            local_name(table),
            columns.join("_"),
            names.join(", ")
        ));
    }
    if let (Some(start), Some(end)) = (
        version_of(table).1,
        table.columns.iter().find(|column| column.filled == Filled::RowEnd),
    ) {
        lines.push(format!(
            "PERIOD FOR SYSTEM_TIME ({}, {})",
            quoted(start),
            quoted(&end.name)
        ));
    }
    lines
}

/// The sequences that are made with the table.
fn sequences(key: &Key, create: bool) -> Vec<Value> {
    let sequence = key.sequence.as_ref().filter(|_| create);
    let sequence =
        sequence.map(|name| json!({"name": name, "schema": name.split_once('.').map_or("dbo", |(schema, _)| schema)}));
    sequence.into_iter().collect()
}

/// `openapi/<entity>.json`
fn description(
    name: &str,
    plural: &str,
    key: &Key,
    members: &[Member],
    listed: &[Member],
    operations: &[Operation],
    special: &Special,
) -> Value {
    let mut schema = json!({"type": "object", "required": [], "properties": {}});
    for member in members {
        let (object, name) = member
            .path
            .split_once('.')
            .map_or((None, member.path.as_str()), |(object, name)| (Some(object), name));
        let is_required = member.nullable == 0;
        let target = match object {
            None => &mut schema,
            Some(object) => {
                if schema["properties"][object].is_null() {
                    schema["properties"][object] = json!({"type": "object", "required": [], "properties": {}});
                    push(&mut schema["required"], json!(object));
                }
                &mut schema["properties"][object]
            }
        };
        target["properties"][name] = member.schema.clone();
        if is_required {
            push(&mut target["required"], json!(name));
        }
    }
    let row = |n: usize, members: &[Member], is_sent: bool| {
        let mut row = json!({});
        for member in members.iter().filter(|member| member.is_sent || !is_sent) {
            let is_reference = member.schema["x-reference"] == json!(true);
            let value = match (is_reference, member.nullable) {
                (true, 1) => continue,
                (true, _) if member.name != key.column.name => member.column_type.example(&member.name, 1),
                _ => member.column_type.example(&member.name, n),
            };
            let value = if member.column_type.is_padded && !is_sent {
                let width = member.column_type.size.unwrap_or_default() as usize;
                json!(format!("{:<width$}", value.as_str().unwrap_or_default()))
            } else {
                value
            };
            match member.path.split_once('.') {
                Some((object, name)) => row[object][name] = value,
                None => row[&member.path] = value,
            }
        }
        row
    };
    let key_value = |n| key.column_type.example(&key.column.name, n);
    let (shown, new) = (row(SEEDS, members, false), SEEDS + 1);
    let mut examples = Map::new();
    for operation in operations {
        let (procedure, example) = match operation {
            Operation::Get => (
                format!("get_{name}"),
                json!({"path": {"id": key_value(SEEDS)}, "response": [shown]}),
            ),
            Operation::List => {
                let query = json!({"after": key_value(SEEDS - 1), "limit": 2});
                (
                    format!("get_{plural}"),
                    json!({"query": query, "response": [row(SEEDS, listed, false)]}),
                )
            }
            Operation::Put => {
                let mut example = json!({"request": row(new, members, true)});
                // A random key has no example.
                if key.from != From::NewId {
                    example["response"] = json!([row(new, members, false)]);
                }
                (format!("put_{name}"), example)
            }
            Operation::Patch => {
                let member = members.iter().find(|member| {
                    member.is_sent && member.name != key.column.name && member.schema["x-reference"].is_null()
                });
                let mut changed = row(SEEDS, members, false);
                let mut patch = json!({});
                if let Some(member) = member {
                    let others = row(new + 1, std::slice::from_ref(member), false);
                    let sent = row(new + 1, std::slice::from_ref(member), true);
                    merge(&mut changed, &others);
                    patch = sent;
                }
                (
                    format!("patch_{name}"),
                    json!({"path": {"id": key_value(SEEDS)}, "request": patch, "response": [changed]}),
                )
            }
            Operation::Delete => {
                let mut deleted = json!({});
                deleted[&key.column.name] = key_value(SEEDS);
                (
                    format!("delete_{name}"),
                    json!({"path": {"id": key_value(SEEDS)}, "response": [deleted]}),
                )
            }
        };
        examples.insert(procedure, example);
    }
    let mut description = json!({"name": name, "plural": plural, "schema": schema});
    if !special.listed.is_empty() {
        description["listed"] = json!(special.listed);
    }
    description["examples"] = examples.into();
    description
}

fn push(list: &mut Value, value: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

fn merge(into: &mut Value, other: &Value) {
    for (name, value) in other.as_object().into_iter().flatten() {
        if value.is_object() {
            merge(&mut into[name], value);
        } else {
            into[name] = value.clone();
        }
    }
}

/// The lines of the table of routes.
fn routes(name: &str, plural: &str, key: &Key, operations: &[Operation], (limit, max): (u32, u32)) -> String {
    let has = |operation| operations.contains(&operation);
    let column = &key.column.name;
    let size = key.column_type.size.unwrap_or_default();
    let (id, page) = match key.column_type.parameter().as_str() {
        "INT" => ("id".to_owned(), "page".to_owned()),
        "BIGINT" => ("big_id".into(), "big_page".into()),
        "UNIQUEIDENTIFIER" => ("guid".into(), "guid_page".into()),
        _ => (format!("text({size})"), format!("text_page({size})")),
    };
    let label = name.replace('_', " ");
    let article = if label.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    let mut routes = String::new();
    let mut add = |is_there: bool, docs: &[&str], line: String| {
        if is_there {
            for doc in docs {
                routes += &format!("    /// {doc}\n");
            }
            routes += &format!("    {line};\n\n");
        }
    };
    let create = format!("Create {article} {label}");
    let body = format!("put_{name}(Json: body(\"{name}\")) creates {column}");
    add(has(Operation::Put), &[&create], format!("PUT \"/{name}\" => {body}"));
    add(
        has(Operation::Get),
        &[&format!("Read {article} {label}")],
        format!("GET \"/{name}/{{id}}\" => get_{name}({column}: {id})"),
    );
    let patch =
        format!("PATCH \"/{name}/{{id}}\" => patch_{name}({column}: {id}, Json: body(\"{name}\"), IfMatch: if_match)");
    add(
        has(Operation::Patch),
        &[
            &format!("Change some fields of {article} {label}"),
            "JSON Merge Patch (RFC 7396).",
        ],
        patch,
    );
    let delete = format!("DELETE \"/{name}/{{id}}\" => delete_{name}({column}: {id}, IfMatch: if_match)");
    add(
        has(Operation::Delete),
        &[
            &format!("Delete {article} {label}"),
            "Deleting what does not exist succeeds.",
        ],
        delete,
    );
    let grouped = |number: u32| {
        if number < 10_000 {
            number.to_string()
        } else {
            format!("{}_{:03}", number / 1000, number % 1000)
        }
    };
    let list = format!(
        "GET \"/{plural}\" => get_{plural}(After: {page}, Limit: query(\"limit\", {}, 1, {}))",
        grouped(limit),
        grouped(max)
    );
    add(
        has(Operation::List),
        &[&format!("List {}, a page at a time", plural.replace('_', " "))],
        list,
    );
    add(has(Operation::Put), &[&create], format!("POST \"/{plural}\" => {body}"));
    routes
}
