//! What is written for a table: decides what clients send and see, and refuses what it cannot do.

use anyhow::{Result, ensure};
use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::Operation;
use super::describe::{description, routes};
use super::files::Change;
use super::key::{From, Key, key_of};
use super::local::{create_local, has_local_reference, listed_object, object_lines, seeds};
use super::member::{Member, members_of, object_of};
use super::names::{capitalized, doubled, local_name, quoted, text, wrapped};
use super::special::Special;
use super::table::{Filled, Table};
use super::values::{assignments, insert};
use crate::generate::pretty;

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
        let syntax =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
        environment.set_syntax(syntax);
        for (name, template) in TEMPLATES {
            environment.add_template(name, template)?;
        }
        let file = |path: String, template: &str| -> Result<Change> {
            let text = environment.get_template(template)?.render(Serde(&self.context))?;
            Ok(Change::File { path, text })
        };
        let (name, plural) = (&self.name, &self.plural);
        let mut files = vec![file(sql.into(), "entity.sql")?, file(format!("sqlite/{name}.schema.sql"), "schema.sql")?];
        for operation in &self.operations {
            let (procedure, template) = match operation {
                Operation::Get => (format!("get_{name}"), "get.sql"),
                Operation::List => (format!("get_{plural}"), "list.sql"),
                Operation::Put => (format!("put_{name}"), "put.sql"),
                Operation::Patch => (format!("patch_{name}"), "patch.sql"),
                Operation::Delete => (format!("delete_{name}"), "delete.sql"),
            };
            files.push(file(format!("sqlite/web.{procedure}.sql"), template)?);
        }
        files.push(Change::File { path: format!("entities/{name}.json"), text: pretty::print(&self.description) });
        files.push(Change::Routes { lines: self.routes.clone() });
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
        let changed: Vec<_> = sent.iter().filter(|member| member.name != key.column.name).cloned().collect();
        ensure!(!can_patch || !changed.is_empty(), "no column can be changed: leave patch out with --only");
        ensure!(!can_put || !sent.is_empty(), "a new row has nothing that a client gives: leave put out with --only");
        let object = object_of(&members)?;
        let (label, plural_label) = (name.replace('_', " "), plural.replace('_', " "));
        let called = |column: &str| {
            let member = members.iter().find(|member| member.name == column);
            member.map_or(column.to_owned(), |member| special.called.get(&member.path).unwrap_or(&member.path).clone())
        };
        let article = if label.starts_with(['a', 'e', 'i', 'o']) { "An" } else { "A" };
        let taken = |uniques: &[&Vec<String>]| {
            let sets: Vec<_> = uniques
                .iter()
                .map(|columns| columns.iter().map(|column| called(column)).collect::<Vec<_>>().join(" and "))
                .collect();
            format!("{article} {label} with this {} already exists.", sets.join(" or "))
        };
        // The key is one of them where clients give it.
        let own_key = vec![key.column.name.clone()];
        let is_given =
            |columns: &&Vec<String>| columns.iter().all(|column| sent.iter().any(|member| &member.name == column));
        let mut uniques: Vec<_> = table.uniques.iter().filter(is_given).collect();
        let unique_patch = (!uniques.is_empty()).then(|| taken(&uniques));
        if key.from == From::Client {
            uniques.insert(0, &own_key);
        }
        // A foreign key of what clients do not give is the developer's: that it breaks is no answer for them.
        let is_sent = |(columns, _): &(Vec<String>, String)| {
            columns.iter().any(|column| sent.iter().any(|member| &member.name == column))
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
            let all: Vec<_> =
                columns.iter().map(|column| format!("c.{} = @{}", quoted(column), variable(column))).collect();
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
            (Some(unique), true) => {
                Some(format!("iif(:ErrorNumber = 547, {}, {})", text(constraint_detail), text(unique)))
            }
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
            let own = members.iter().map(|member| format!("@{0} = @{0} OUTPUT", member.variable));
            let flags = flags.iter().map(|member| format!("@Has{0} = @Has{0} OUTPUT", member.variable));
            wrapped(own.chain(flags))
        };
        let parameter = key.column_type.parameter();
        let declared = |members: &[Member]| {
            let sql_type = |member: &Member| {
                if member.name == key.column.name { parameter.clone() } else { member.sql_type.clone() }
            };
            wrapped(members.iter().map(|member| format!("@{} {}", member.variable, sql_type(member))))
        };
        let flags = |members: &[Member]| wrapped(members.iter().map(|member| format!("@Has{} BIT", member.variable)));
        let (columns, values, local_columns, local_values) = insert(table, key, &members, &special)?;
        let (assignments, local_assignments) =
            assignments(table, key, &changed, &special, version == "period", version_column)?;
        let is_code_page = key.column_type.rule == "char";
        let (own, quoted_key) = (&key.column.name, quoted(&key.column.name));
        let compared = |variable: &str| match is_code_page {
            // As the column has it, so that an index is used, and exactly.
            true => format!("CONVERT({}, @{variable}) AND {quoted_key} = @{variable}", key.column_type.declared),
            false => format!("@{variable}"),
        };
        let is_integer = key.column_type.is_integer();
        let after = match is_integer {
            true => format!("c.{quoted_key} > @After"),
            false => {
                let (least, cast) = match (&*parameter, is_code_page) {
                    ("UNIQUEIDENTIFIER", _) => {
                        ("CONVERT(UNIQUEIDENTIFIER, N'00000000-0000-0000-0000-000000000000')", "@After".to_owned())
                    }
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
                Some(format!("SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = {table}), 0) + 1"))
            }
            From::Client => None,
        };
        let key_path =
            members.iter().find(|member| &member.name == own).map_or(own.clone(), |member| member.path.clone());
        let listed: Vec<_> = match special.listed.is_empty() {
            true => members.clone(),
            false => members.iter().filter(|member| special.listed.contains(&member.path)).cloned().collect(),
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
        let operation_names: Vec<_> =
            operations.iter().map(|operation| format!("{operation:?}").to_lowercase()).collect();
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
            ("unique_detail", json!(unique_detail.as_deref().map(doubled))),
            ("unique_patch", json!(unique_patch.as_deref().map(doubled))),
            ("uniques_equal", json!(uniques_equal.join(" OR "))),
            ("constrained", json!(is_constrained)),
            ("constraint_detail", json!(constraint_detail)),
            ("caught", json!(errors(unique_detail.is_some()))),
            ("caught_patch", json!(errors(unique_patch.is_some()))),
            ("declared", json!(declared(&sent))),
            ("declared_flags_put", json!(flags(&flagged_put))),
            ("declared_patch", json!(declared(&changed).into_iter().chain(flags(&flagged)).collect::<Vec<_>>())),
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
        let context = context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into();
        let description = description(name, plural, key, &members, &listed, &operations, &special);
        let routes = routes(name, plural, key, &operations, (limit, limit_max));
        Ok(Self { name: name.into(), plural: plural.into(), context, operations, routes, description })
    }
}

/// The versions that rows have by their table: what they are made of, and the column.
fn version_of(table: &Table) -> (&'static str, Option<&str>) {
    let column =
        |filled: Filled| table.columns.iter().find(|column| column.filled == filled).map(|column| column.name.as_str());
    match (column(Filled::RowStart), column(Filled::RowVersion)) {
        (Some(start), _) => ("period", Some(start)),
        (None, Some(version)) => ("rowversion", Some(version)),
        (None, None) => ("text", None),
    }
}

/// The columns and constraints of a `CREATE TABLE`, without foreign keys, whose tables may not be there, and without checks.
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
        line += if column.is_nullable && column.name != key.column.name { " NULL" } else { " NOT NULL" };
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
    lines.push(format!("CONSTRAINT PK_{} PRIMARY KEY CLUSTERED ({})", local_name(table), quoted(&key.column.name)));
    for columns in &table.uniques {
        let names: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
        lines.push(format!("CONSTRAINT UQ_{}_{} UNIQUE ({})", local_name(table), columns.join("_"), names.join(", ")));
    }
    if let (Some(start), Some(end)) =
        (version_of(table).1, table.columns.iter().find(|column| column.filled == Filled::RowEnd))
    {
        lines.push(format!("PERIOD FOR SYSTEM_TIME ({}, {})", quoted(start), quoted(&end.name)));
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
