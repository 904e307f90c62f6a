//! `azure-sql-rest build`: the component of each manifest, by the same script that this repository builds with.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tempfile::TempDir;

/// The script and what it calls, by their names.
const SCRIPTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

/// Options of `azure-sql-rest build`.
#[derive(Args)]
pub(crate) struct BuildArguments {
    /// Manifests of the application [default: spin.toml and spin.wasip3.toml]
    manifests: Vec<PathBuf>,
}

/// Builds the components in the current folder.
///
/// # Errors
///
/// When there is no bash, no toolchain for WebAssembly can be had, or the component does not compile. The reason is on standard error.
pub(crate) fn run(arguments: &BuildArguments) -> Result<()> {
    let folder = TempDir::new().context("cannot make a folder for the script")?;
    for (name, text) in SCRIPTS {
        std::fs::write(folder.path().join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    let mut bash = Command::new("bash");
    let status = bash.arg(folder.path().join("build-component.sh")).args(&arguments.manifests).status();
    ensure!(status.context("cannot run bash")?.success(), "the component is not built; the reason should be above");
    Ok(())
}
