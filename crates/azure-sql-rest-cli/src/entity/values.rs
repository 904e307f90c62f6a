//! What columns are set to, in T-SQL and in SQLite.

use anyhow::{Context, Result, anyhow, ensure};
use azure_sql_rest_bridge::fields;
use azure_sql_rest_bridge::procedures::Value as Stored;
use serde_json::{Value, json};

use super::key::{From, Key};
use super::member::{Default, Member};
use super::names::{quoted, stripped, text, wrapped};
use super::special::Special;
use super::table::Table;
use super::types::ColumnType;

/// The time as a column of this type has it, in SQLite.
pub(super) fn now(column_type: &ColumnType) -> Option<Default> {
    let digits = match column_type.rule {
        "date" => {
            return Some(Default { sql: "CONVERT(DATE, SYSUTCDATETIME())".into(), local: "date()".into() });
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
    Some(Default { sql: "SYSUTCDATETIME()".into(), local })
}

/// A JSON value as a literal of SQLite in a column of this type.
pub(super) fn literal(value: &Value, column_type: &ColumnType, rule: &str) -> Option<String> {
    let (size, scale) = (column_type.size, column_type.scale);
    match fields::stored(&value.to_string(), fields::Type { name: rule, size, scale }).ok()? {
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
    if column_type.rule == "bit" { Some(json!(number != json!(0))) } else { Some(number) }
}

pub(super) fn default_of(expression: &str, column_type: &ColumnType) -> Option<Default> {
    let inner = stripped(expression);
    if let Some(value) = constant(inner, column_type) {
        return Some(Default { sql: inner.into(), local: literal(&value, column_type, column_type.rule)? });
    }
    match &*inner.to_lowercase() {
        "newid()" | "newsequentialid()" => Some(Default { sql: "NEWID()".into(), local: "newid()".into() }),
        "getdate()"
        | "getutcdate()"
        | "sysdatetime()"
        | "sysutcdatetime()"
        | "current_timestamp"
        | "sysdatetimeoffset()" => Some(Default { sql: inner.to_uppercase(), local: now(column_type)?.local }),
        _ => None,
    }
}

/// What a column is set to.
pub(super) fn setting(table: &Table, key: &Key, members: &[Member], name: &str, value: &str) -> Result<Default> {
    let column = table.columns.iter().find(|column| column.name == name).context("a column")?;
    if let Some(source) = value.strip_prefix('@') {
        if source == key.column.name {
            ensure!(
                key.from != From::Identity,
                "column {name} is set to {value}, which the database gives only after that"
            );
            return Ok(Default { sql: format!("@{source}"), local: ":RowID".into() });
        }
        let member = members.iter().find(|member| member.name == source && member.is_sent);
        let member =
            member.with_context(|| format!("column {name} is set to {value}, and clients give no {source}"))?;
        return Ok(Default { sql: format!("@{}", member.variable), local: sent_value(member) });
    }
    let column_type =
        column.sql_type.as_ref().map_err(|declared| anyhow!("column {name} is {declared}, which cannot be set"))?;
    if value == "now()" {
        return now(column_type)
            .with_context(|| format!("column {name} is {}, which no time can be set to", column_type.declared));
    }
    let quoted = format!("N'{}'", value.replace('\'', "''"));
    let found = [value, &quoted].into_iter().find_map(|text| {
        let local = literal(&constant(text, column_type)?, column_type, column_type.rule)?;
        Some(Default { sql: text.into(), local })
    });
    found.with_context(|| format!("column {name} cannot be set to {value:?}: it is {}", column_type.declared))
}

/// What a client sent for a member, in SQLite.
fn sent_value(member: &Member) -> String {
    let stored =
        format!("column_value(:Document -> '$.{}', '{}', {}, {})", member.path, member.rule, member.size, member.scale);
    if member.column_type.is_padded { format!("padded({stored}, {})", member.size) } else { stored }
}

pub(super) type Insert = (Vec<String>, Vec<String>, Vec<String>, Vec<String>);

/// Columns and values of a new row, in T-SQL and in SQLite.
pub(super) fn insert(table: &Table, key: &Key, members: &[Member], special: &Special) -> Result<Insert> {
    let mut insert = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in &table.columns {
        let name = &column.name;
        let set = special.set.get(name).or_else(|| special.touch.get(name));
        let value = if *name == key.column.name {
            insert.2.push(quoted(name));
            insert.3.push(match members.iter().find(|member| member.is_sent && member.name == *name) {
                Some(member) => sent_value(member),
                None => ":RowID".into(),
            });
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
                    None => Default { sql: variable, local: sent },
                    Some(default) if member.nullable == 0 => Default {
                        sql: format!("ISNULL({variable}, {})", default.sql),
                        local: format!("ifnull({sent}, {})", default.local),
                    },
                    Some(default) => Default {
                        sql: format!(
                            "CASE WHEN @Has{0} = 1 THEN {variable} ELSE {1} END",
                            member.variable, default.sql
                        ),
                        local: format!("iif(:Document -> '$.{}' IS NULL, {}, {sent})", member.path, default.local),
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
pub(super) fn assignments(
    table: &Table,
    key: &Key,
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
        ensure!(!value.starts_with('@'), "column {name} is set to {value} with each change, which may not have that");
        let value = setting(table, key, changed, name, value)?;
        assignments.0.push(format!("{} = {}", quoted(name), value.sql));
        assignments.1.push(format!("{} = {}", quoted(name), value.local));
    }
    if let (true, Some(version)) = (is_versioned, version) {
        assignments.1.push(format!("{version} = sysutcdatetime()"));
    }
    Ok((wrapped(assignments.0.into_iter()), assignments.1))
}
