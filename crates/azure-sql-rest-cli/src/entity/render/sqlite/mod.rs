//! The scripts of an entity for the local bridge: the table with its rules, its first rows, and the procedures. They are generated each time,
//! and a script of the same name in `sqlite/own` replaces one.

mod condition;
mod key;
mod names;
mod order;
mod procedures;
mod replace;
mod schema;
mod values;

use super::super::plan::{Operation, Plan};

/// The scripts, each with its path in the project. `plans` are all entities of the project: a foreign key holds where the table that it
/// refers to is one of theirs.
pub(crate) fn sqlite(plan: &Plan, plans: &[&Plan]) -> Vec<(String, String)> {
    let name = &plan.name;
    let mut scripts = vec![
        (format!("sqlite/{name}.schema.sql"), schema::schema(plan, plans)),
        (format!("sqlite/{name}.rows.sql"), schema::rows(plan)),
    ];
    scripts.extend(plan.operations.iter().map(|operation| {
        let text = match operation {
            Operation::Get => procedures::get(plan),
            Operation::List => procedures::list(plan),
            Operation::Put => procedures::put(plan),
            Operation::Patch => procedures::patch(plan),
            Operation::Replace => replace::replace(plan),
            Operation::Delete => procedures::delete(plan),
        };
        (format!("sqlite/web.{}.sql", plan.procedure(*operation)), text)
    }));
    if plan.has(Operation::Put) {
        scripts.push((format!("sqlite/web.{}.sql", plan.procedure_of_rows()), procedures::put_rows(plan)));
    }
    scripts
}
