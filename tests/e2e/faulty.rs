//! A stack whose bridge fails on command.

use std::thread;
use std::time::{Duration, Instant};

use azure_sql_rest_conformance::faults::Faults;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Api, Process, environment, local};

/// How long something may take that happens at once.
const SOON: Duration = Duration::from_secs(10);

/// The whole stack with fresh data, and the control of its faults. At first there are none.
pub struct Faulty {
    pub api: Api,
    pub faults: Faults,
    _process: Process,
    _folder: TempDir,
}

impl Faulty {
    /// With settings other than the defaults.
    pub fn start(variables: &[(&str, u64)]) -> Self {
        Self::with(variables, &[])
    }

    /// With more arguments for `azure-sql-rest up`.
    pub fn with(variables: &[(&str, impl ToString)], arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (database, plan) = (folder.path().join("customers.db"), folder.path().join("faults.json"));
        std::fs::write(&plan, "{}").expect("a file");
        let host = if std::env::var_os("SPIN").is_some() { "spin" } else { "local" };
        let mut command = local(&["up", "--host", host, "--listen", "127.0.0.1:0", "--bridge-listen", "127.0.0.1:0"]);
        command.args(arguments);
        command.arg("--database").arg(database).arg("--faults").arg(plan);
        let values: Vec<_> = variables.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let settings: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        command.envs(environment(&settings));
        let process = Process::start(&mut command);
        let (_, rest) = process.said.split_once("faults at http://").expect("it says where its faults are");
        let control = rest.split('/').next().and_then(|address| address.parse().ok()).expect("address:port/faults");
        let api = process.url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("a URL");
        Self {
            api: Api { address: api },
            faults: Faults::at(Api { address: control }),
            _process: process,
            _folder: folder,
        }
    }

    /// Puts a plan into force: calls are numbered from nought again, outages count from now.
    pub fn set(&self, plan: &Value) {
        self.faults.set(plan);
    }

    /// The calls and faults since the plan was set.
    pub fn log(&self) -> Value {
        self.faults.log()
    }

    /// Waits until the log says so.
    pub fn await_log(&self, holds: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds(&self.log()) {
            assert!(Instant::now() < deadline, "{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}
