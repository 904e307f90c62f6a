//! Writes an entity's T-SQL: the table where it does not exist, the check of its shape, the rules for clients, and the procedures.

mod key;
mod order;
mod reads;
mod replace;
mod types;
mod writes;

pub(super) use types::{Rule, filter, parameter, rule, rule_of_filter, rule_of_text};

use super::super::plan::{Definition, ObjectKind, Operation, Plan, Unique, bracketed};
use super::text::{Script, capitalized, literal, name, qualified};
use super::{members, object, taken, taken_fields};

/// The script of `sql/` for an entity.
pub(crate) fn tsql(plan: &Plan) -> String {
    let mut script = Script::default();
    script.lines(format!(
        "/*\n{}: what the API does with {}. Generated from entities/{}.toml, and yours from then on: change what you like, then run\n\
         `make generate`. How the procedures work, and what they answer, is said once for all of them: README.md. */",
        capitalized(&plan.plural.replace('_', " ")),
        qualified(&plan.table),
        plan.name
    ));
    plan.ddl.iter().for_each(|definition| create(&mut script, definition));
    rules(&mut script, plan);
    reads::document(&mut script, plan);
    for operation in Operation::ALL {
        if plan.has(operation) {
            match operation {
                Operation::Get => reads::get(&mut script, plan),
                Operation::List => reads::list(&mut script, plan),
                Operation::Put => {
                    writes::put(&mut script, plan);
                    writes::put_rows(&mut script, plan);
                }
                Operation::Patch => writes::patch(&mut script, plan),
                Operation::Replace => replace::replace(&mut script, plan),
                Operation::Delete => writes::delete(&mut script, plan),
            }
        }
    }
    script.finish()
}

/// The definition of an object, word for word, where it does not exist.
fn create(script: &mut Script, definition: &Definition) {
    let object = literal(&qualified(&definition.object));
    let schema = &definition.object.schema;
    let create_schema = format!("CREATE SCHEMA {} AUTHORIZATION dbo;", name(schema));
    script.lines(format!("IF SCHEMA_ID({}) IS NULL\n    EXECUTE ({});", literal(schema), literal(&create_schema)));
    let id = match definition.kind {
        ObjectKind::Table => format!("OBJECT_ID({object}, N'U')"),
        ObjectKind::Sequence => format!("OBJECT_ID({object}, N'SO')"),
        ObjectKind::Type => format!("TYPE_ID({object})"),
    };
    script.lines(format!("IF {id} IS NULL\nBEGIN\n{}\nEND;\nGO\n", definition.text.trim_end()));
}

/// The rows of the entity in `ops.Fields` and `ops.Conflicts`, and the question to the catalog.
fn rules(script: &mut Script, plan: &Plan) {
    let entity = literal(&plan.name);
    let table = literal(&qualified(&plan.table));
    script.lines(format!(
        "{}\nDELETE FROM ops.Fields WHERE Entity = {entity}; DELETE FROM ops.Conflicts WHERE Entity = {entity};",
        super::check::check(plan)
    ));
    let fields = fields(plan);
    if !fields.is_empty() {
        script.lines("INSERT INTO ops.Fields (Entity, Position, Field, ColumnName, SqlType, Size, Scale, Collation, IsRequired, IsNullable)\nVALUES");
        let rows = fields.iter().enumerate().map(|(at, field)| format!("    ({entity}, {}, {field})", at + 1));
        script.lines(format!("{};", rows.collect::<Vec<_>>().join(",\n")));
    }
    let conflicts = conflicts(plan);
    if !conflicts.is_empty() {
        script.lines(format!(
            "INSERT INTO ops.Conflicts (Entity, ConstraintName, Detail, Errors)\nSELECT {entity}, i.Name, v.Detail, v.Errors\nFROM (VALUES\n{}\n) AS v (Columns, Detail, Errors)\n\
             INNER JOIN ops.unique_indexes({table}) AS i ON i.Columns = v.Columns;",
            super::text::listed(&conflicts, "    ")
        ));
    }
    let references: Vec<_> = super::references(plan)
        .into_iter()
        .filter(|_| is_written(plan))
        .map(|(columns, errors)| format!("({}, {})", literal(&bracketed_list(columns)), literal(&errors)))
        .collect();
    if !references.is_empty() {
        script.lines(format!(
            "INSERT INTO ops.Conflicts (Entity, ConstraintName, Detail, Errors)\nSELECT {entity}, f.Name, {detail}, v.Errors\nFROM (VALUES\n{rows}\n) AS v (Columns, Errors)\n\
             INNER JOIN ops.foreign_keys({table}) AS f ON f.Columns = v.Columns;",
            detail = literal(super::BROKEN_REFERENCE),
            rows = super::text::listed(&references, "    ")
        ));
    }
    script.lines("GO\n");
}

/// True if clients create or change rows.
fn is_written(plan: &Plan) -> bool {
    plan.has(Operation::Put) || plan.has(Operation::Patch)
}

/// Columns as `ops.unique_indexes` and `ops.foreign_keys` have them.
fn bracketed_list(columns: &[String]) -> String {
    columns.iter().map(|column| bracketed(column)).collect::<Vec<_>>().join(",")
}

/// The rows of `ops.Fields`, from `Field` on.
fn fields(plan: &Plan) -> Vec<String> {
    let mut rows = Vec::new();
    let mut last = None;
    for column in members(plan.sent()) {
        let Some((sql_type, size, scale)) = rule(plan, column) else { continue };
        if let Some(object) = object(column).filter(|object| last != Some(*object)) {
            // An object itself is not required: when it is absent, its required members are reported instead.
            rows.push(format!("{}, NULL, N'object', NULL, NULL, NULL, 0, 0", literal(object)));
            last = Some(object);
        }
        let number = |number: Option<u32>| number.map_or("NULL".to_owned(), |number| number.to_string());
        rows.push(format!(
            "{}, {}, N'{sql_type}', {}, {}, {}, {}, {}",
            literal(column.path()),
            literal(&column.name),
            number(size),
            number(scale),
            types::collation(column),
            u8::from(column.is_required()),
            u8::from(column.is_nullable)
        ));
    }
    rows
}

/// The rows of `ops.Conflicts`: columns, and the text and the fields for clients. A key that a sequence gives is no client's fault.
fn conflicts(plan: &Plan) -> Vec<String> {
    let uniques = plan.uniques.iter().filter(|_| is_written(plan));
    let row = |unique: &Unique| {
        let is_given = unique.columns.iter().any(|name| plan.sent().any(|column| column.name == *name));
        let detail = match unique.is_primary && !is_given {
            true => "NULL".to_owned(),
            false => literal(&taken(plan, &unique.columns)),
        };
        let errors = taken_fields(plan, &unique.columns).map_or("NULL".to_owned(), |errors| literal(&errors));
        format!("({}, {detail}, {errors})", literal(&bracketed_list(&unique.columns)))
    };
    uniques.map(row).collect()
}
