//! stub
use super::super::plan::Plan;
pub(crate) fn sqlite(_plan: &Plan) -> Vec<(String, String)> {
    Vec::new()
}
