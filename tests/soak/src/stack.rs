//! The stack under test, as processes of their own: `azure-sql-rest up` with faults, over fresh data.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use http::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::api::{Api, Ask};

/// Variables of the component that differ from the manifest. A stalled answer costs an attempt its whole time.
pub(crate) const VARIABLES: [(&str, &str); 1] = [("SPIN_VARIABLE_OPTIONS", "attempt_timeout_ms=1000")];

/// A running stack, which ends when this is dropped.
pub(crate) struct Stack {
    /// Where the API answers.
    pub url: String,
    faults: Api,
    folder: TempDir,
    /// The process, and its standard input: the end of that is the request to stop.
    process: Child,
}

impl Stack {
    /// Starts component and bridge, without faults yet.
    pub async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let plan = folder.path().join("faults.json");
        std::fs::write(&plan, "{}")?;
        let log = File::create(folder.path().join("log"))?;
        let mut process = Command::new(cli()?)
            .args(["up", "--exit-on-stdin-eof", "--host", "local"])
            .args(["--listen", "127.0.0.1:0", "--bridge-listen", "127.0.0.1:0"])
            .arg("--database")
            .arg(database(&folder))
            .arg("--faults")
            .arg(plan)
            .env_remove("DAB_URL")
            .envs(VARIABLES)
            .current_dir(repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the local stack")?;
        let mut lines = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let mut faults = None;
        while let Some(line) = lines.next_line().await? {
            if let Some((_, url)) = line.split_once("faults at ") {
                faults = url.split_whitespace().next().map(Api::new).transpose()?;
            }
            if let Some((_, url)) = line.split_once(" ready at ") {
                // The output of a program must be read, or the program blocks.
                let url = url.trim().to_owned();
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                let faults = faults.context("the local stack does not say where its faults are")?;
                return Ok(Self { url, faults, folder, process });
            }
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        bail!("the local stack ended before it was ready:\n{log}")
    }

    /// Puts a plan of faults into force.
    pub async fn set_faults(&self, plan: &Value) -> Result<()> {
        let ask = Ask { method: Method::PUT, body: Some(plan.to_string()), ..Ask::get("/faults") };
        let reply = self.faults.send(ask).await?;
        ensure!(reply.status == 200, "the plan of faults was refused: {}", String::from_utf8_lossy(&reply.body));
        Ok(())
    }

    /// The log of the plan's faults.
    pub async fn fault_log(&self) -> Result<Value> {
        Ok(self.faults.send(Ask::get("/faults")).await?.json()["log"].take())
    }

    /// The bridge's SQLite file.
    pub fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// How many retries and how many requests given up the component has logged.
    pub fn retries(&self) -> Result<[usize; 2]> {
        let log = std::fs::read_to_string(self.folder.path().join("log"))?;
        Ok([r#""event":"retry""#, r#""event":"give_up""#].map(|event| log.matches(event).count()))
    }

    /// Stops it in good order.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait().await?;
        ensure!(status.success(), "the local stack ended with {status}");
        Ok(())
    }
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("customers.db")
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The command `azure-sql-rest`, which lies beside this one.
fn cli() -> Result<PathBuf> {
    let cli = std::env::current_exe()?.with_file_name("azure-sql-rest");
    ensure!(cli.is_file(), "{} is missing: `make stack` builds it", cli.display());
    Ok(cli)
}
