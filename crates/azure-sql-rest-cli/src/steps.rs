//! Progress on standard output.

pub(crate) use azure_sql_rest_up::steps::say;
