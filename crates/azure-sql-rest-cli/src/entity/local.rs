//! The table of the local database, its first rows, and rows as JSON in SQLite.

use anyhow::{Context, Result};
use serde_json::Value;

use super::key::{From, Key};
use super::member::Member;
use super::names::{local_name, quoted};
use super::special::Special;
use super::table::{Filled, Table};
use super::values::{literal, setting};

/// How many rows the local database begins with.
pub(super) const SEEDS: usize = 3;

/// Whether the local database has a table that this one refers to.
pub(super) fn has_local_reference(table: &Table, tables: &[String]) -> bool {
    table.references.iter().any(|(columns, parent)| local_parent(table, columns, parent, tables).is_some())
}

fn local_parent(table: &Table, columns: &[String], parent: &str, tables: &[String]) -> Option<String> {
    let parent = parent.replace('.', "_");
    let is_there = tables.contains(&parent) || parent.eq_ignore_ascii_case(&local_name(table));
    (columns.len() == 1 && is_there).then_some(parent)
}

pub(super) fn create_local(table: &Table, key: &Key, members: &[Member], tables: &[String]) -> Vec<String> {
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
        let mut line = format!("{} {}", quoted(name), if column_type.is_integer() { "INTEGER" } else { "TEXT" });
        if is_key {
            let counts = matches!(key.from, From::Identity | From::Sequence);
            let collate =
                if matches!(column_type.rule, "char" | "nchar") { " COLLATE Latin1_General_100_CI_AS" } else { "" };
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
        if columns.iter().all(|column| members.iter().any(|member| member.name == *column)) {
            let columns: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
            lines.push(format!("UNIQUE ({})", columns.join(", ")));
        }
    }
    lines
}

/// Columns and rows of the local table at its beginning.
pub(super) fn seeds(
    table: &Table,
    key: &Key,
    members: &[Member],
    special: &Special,
) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut columns = Vec::new();
    let mut rows = vec![Vec::new(); SEEDS];
    for column in &table.columns {
        let member = members.iter().find(|member| member.name == column.name);
        let set = special.set.get(&column.name).or_else(|| special.touch.get(&column.name));
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
                    let is_other =
                        value.strip_prefix('@').and_then(|source| members.iter().find(|member| member.name == source));
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
pub(super) fn example(table: &Table, key: &Key, member: &Member, n: usize) -> Value {
    let refers = table.references.iter().any(|(columns, _)| columns.contains(&member.name));
    let is_key = member.name == key.column.name;
    match (refers && !is_key, member.nullable) {
        (true, 1) => Value::Null,
        (true, _) => member.column_type.example(&member.name, 1),
        _ => member.column_type.example(&member.name, n),
    }
}

/// A member as SQLite shows it in a JSON object.
pub(super) fn shown(member: &Member) -> String {
    let is_direct = member.column_type.is_integer()
        || matches!(
            member.column_type.rule,
            "char" | "nchar" | "date" | "time" | "datetime" | "datetime2" | "datetimeoffset" | "uniqueidentifier"
        );
    if is_direct { member.column.clone() } else { format!("json({})", member.column) }
}

/// The members of a row's JSON object in SQLite, a line each.
pub(super) fn object_lines(members: &[Member]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let (object, name) =
            member.path.split_once('.').map_or((None, member.path.as_str()), |(object, name)| (Some(object), name));
        let is_of = |other: Option<&Member>| {
            other.and_then(|other| other.path.split_once('.')).map(|(object, _)| object) == object
        };
        if let Some(object) = object
            && !is_of(index.checked_sub(1).map(|before| &members[before]))
        {
            lines.push(format!("'{object}', json_object("));
        }
        let is_last_of_object = object.is_some() && !is_of(members.get(index + 1));
        let comma = if index + 1 == members.len() || is_last_of_object { "" } else { "," };
        lines.push(format!("{}'{name}', {}{comma}", if object.is_some() { "    " } else { "" }, shown(member)));
        if is_last_of_object {
            lines.push(if index + 1 == members.len() { ")".into() } else { "),".into() });
        }
    }
    lines
}

pub(super) fn listed_object(listed: &[Member]) -> String {
    let object =
        format!("json_object({})", object_lines(listed).iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "));
    if listed.iter().any(|member| member.nullable == 1) { format!("json_patch('{{}}', {object})") } else { object }
}
