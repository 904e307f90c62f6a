//! stub
use super::plan::Plan;
pub(crate) fn tsql(plan: &Plan) -> String {
    format!("-- {}\n", plan.name)
}
pub(crate) fn sqlite(plan: &Plan) -> Vec<(String, String)> {
    vec![(format!("sqlite/{}.schema.sql", plan.name), format!("-- {}\n", plan.table))]
}
