//! What clients send and see of a row.

use anyhow::{Context, Result, anyhow, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use super::key::{From, Key, VARIABLES};
use super::names::{is_plain, quoted};
use super::special::Special;
use super::table::{Column, Filled, Table};
use super::types::ColumnType;
use super::values::default_of;

/// What a client sends or sees.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Member {
    /// Its path in JSON.
    pub(super) path: String,
    /// Its column, quoted where T-SQL or SQLite needs it.
    pub(super) column: String,
    /// Its column, as it is.
    pub(super) name: String,
    /// The variable that has it in procedures, without `@`.
    pub(super) variable: String,
    pub(super) sql_type: String,
    pub(super) rule: String,
    pub(super) size: String,
    pub(super) scale: String,
    /// 1 when a new row must have it.
    pub(super) required: u8,
    pub(super) nullable: u8,
    /// What T-SQL writes around its text to convert it.
    pub(super) read: [String; 2],
    #[serde(skip)]
    pub(super) column_type: ColumnType,
    #[serde(skip)]
    pub(super) default: Option<Default>,
    #[serde(skip)]
    pub(super) schema: Value,
    /// Whether clients send it.
    #[serde(skip)]
    pub(super) is_sent: bool,
}

/// A default, in T-SQL and in SQLite.
#[derive(Clone, Debug)]
pub(super) struct Default {
    pub(super) sql: String,
    pub(super) local: String,
}

pub(super) fn members_of(table: &Table, key: &Key, special: &Special) -> Result<Vec<Member>> {
    let column = |name: &String| table.columns.iter().find(|column| column.name == *name);
    let is_set = |name: &String| special.set.contains_key(name) || special.touch.contains_key(name);
    let out = special.without.iter().chain(special.set.keys()).chain(special.touch.keys());
    for name in out.chain(special.members.iter().map(|(_, column)| column)) {
        let (schema, table) = (&table.schema, &table.name);
        ensure!(column(name).is_some(), "{schema}.{table} has no column {name}");
    }
    let is_left_out = |name: &String| special.without.contains(name) || is_set(name);
    let by_name = || {
        let columns = table.columns.iter().filter(|column| !is_left_out(&column.name));
        let columns =
            columns.filter(|column| !matches!(column.filled, Filled::RowStart | Filled::RowEnd | Filled::RowVersion));
        columns.map(|column| (column.name.clone(), column.name.clone())).collect()
    };
    let paths: Vec<(String, String)> = if special.members.is_empty() { by_name() } else { special.members.clone() };
    let own = &key.column.name;
    ensure!(
        paths.iter().any(|(path, name)| name == own && path == own),
        "the key {own} cannot be left out, or have another name"
    );
    // What is neither sent nor set has a value without that.
    for column in &table.columns {
        let name = &column.name;
        let is_given = paths.iter().any(|(_, given)| given == name) || is_set(name);
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

pub(super) fn member(table: &Table, key: &Key, special: &Special, path: &str, column: &Column) -> Result<Member> {
    let name = &column.name;
    let out = format!("leave it out with --without {name}");
    ensure!(
        path.split('.').all(is_plain) || path == name,
        "member {path:?} is not made of letters, digits and underscores"
    );
    ensure!(is_plain(name), "column {name:?} is not made of letters, digits and underscores: {out}");
    ensure!(column.filled != Filled::Computed, "column {name} is computed, and its type is not written down: {out}");
    let is_key = name == &key.column.name;
    ensure!(column.filled != Filled::Identity || is_key, "column {name} is an IDENTITY, and not the key: {out}");
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
    ensure!(!takes_number || column_type.rule == "nchar", "{path} is no NVARCHAR, so no number is taken as its text");
    let is_nullable = column.is_nullable && !is_key;
    let mut schema = column_type.schema();
    let is_of = |columns: &&Vec<String>| columns.contains(name);
    if let Some(columns) = table.uniques.iter().filter(is_of).min_by_key(|columns| columns.len()) {
        schema["x-unique"] = if columns.len() == 1 { json!(true) } else { json!(columns) };
    }
    if is_key && is_sent {
        schema["x-unique"] = json!(true);
    }
    if table.references.iter().any(|(columns, _)| columns.contains(name)) {
        schema["x-reference"] = json!(true);
    }
    if default.is_some() && !is_nullable {
        schema["x-optional"] = json!(true);
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
        variable: if is_taken { format!("Column{name}") } else { name.clone() },
        sql_type: column_type.declared.clone(),
        rule: if takes_number { "nchar or number".into() } else { column_type.rule.into() },
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
pub(super) fn object_of(members: &[Member]) -> Result<Option<String>> {
    let mut objects: Vec<_> =
        members.iter().filter_map(|member| Some(member.path.split_once('.')?.0.to_owned())).collect();
    objects.dedup();
    ensure!(objects.len() <= 1, "members are in the objects {}: one can be", objects.join(", "));
    ensure!(
        members.iter().all(|member| member.path.matches('.').count() <= 1),
        "a member is in an object in an object"
    );
    Ok(objects.pop())
}
