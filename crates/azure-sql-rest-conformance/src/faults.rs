//! The control of a bridge that fails on demand.

use http::Method;
use serde_json::Value;

use crate::client::Api;

/// The faults of the bridge behind the API: `/faults` of its control.
pub struct Faults {
    control: Api,
}

impl Faults {
    /// The control at this address, which `azure-sql-rest up --faults` prints.
    pub fn at(control: Api) -> Self {
        Self { control }
    }

    /// Puts a plan into force: calls are numbered from nought again, outages count from now.
    pub fn set(&self, plan: &Value) {
        let reply = self.control.json(Method::PUT, "/faults", &plan.to_string());
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// The calls and faults since the plan was set.
    pub fn log(&self) -> Value {
        self.control.get("/faults").json()["log"].take()
    }
}
