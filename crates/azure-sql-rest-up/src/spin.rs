//! The API on Spin, as a child process.

use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::service::{Service, Stopped};

/// How long Spin may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Spin has ended by itself.
#[derive(Debug)]
pub struct SpinEnded(ExitStatus);

impl SpinEnded {
    /// The status to end with: that of Spin, unless it has none or claims success.
    pub fn exit_code(&self) -> ExitCode {
        let code = self.0.code().and_then(|code| u8::try_from(code).ok());
        code.filter(|code| *code != 0).map_or(ExitCode::FAILURE, ExitCode::from)
    }
}

impl fmt::Display for SpinEnded {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "spin has ended by itself ({}); the reason should be above", self.0)
    }
}

impl std::error::Error for SpinEnded {}

/// The `spin` that the search path finds.
pub fn on_path() -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join("spin")).find(|file| is_executable(file))
}

/// Checks a path that somebody gave.
pub fn at(path: PathBuf) -> Result<PathBuf> {
    ensure!(is_executable(&path), "there is no Spin at {}", path.display());
    Ok(path)
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Starts `spin up`. Its output, and that of the component, goes where ours goes.
pub fn start(spin: &Path, manifest: &Path, dab_url: &str, listen: SocketAddr) -> Result<Service> {
    let mut command = Command::new(spin);
    command.arg("up").arg("--from").arg(manifest).arg("--listen").arg(listen.to_string());
    let runtime_config = manifest.with_file_name("runtime-config.toml");
    if runtime_config.is_file() {
        command.arg("--runtime-config-file").arg(runtime_config);
    }
    command.env("SPIN_VARIABLE_DAB_URL", dab_url).stdin(Stdio::null());
    // A group of its own: `spin up` is two processes, and Ctrl-C must reach them through us, in order.
    command.process_group(0).kill_on_drop(true);
    let child = command.spawn().with_context(|| format!("cannot start {}", spin.display()))?;
    Ok(Service::start("spin", |stopped| supervise(child, stopped)))
}

async fn supervise(mut child: Child, stopped: Stopped) -> Result<()> {
    // The group has the number of its first process, and keeps it for as long as any member lives.
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).context("spin has no process id")?;
    let status = tokio::select! {
        status = child.wait() => Some(status?),
        () = stopped.wait() => None,
    };
    if status.is_none() {
        send(group, Signal::TERM);
        // A process that did not stop in time is killed below.
        let _ = timeout(GRACE, child.wait()).await;
    }
    send(group, Signal::KILL);
    child.wait().await?;
    status.map_or(Ok(()), |status| Err(SpinEnded(status).into()))
}

fn send(group: Pid, signal: Signal) {
    // Fails when the group is empty, which is the aim.
    let _ = kill_process_group(group, signal);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn the_exit_status_of_spin_is_passed_on_but_never_as_success() {
        let code = |raw| SpinEnded(ExitStatus::from_raw(raw)).exit_code();
        assert_eq!(code(7 << 8), ExitCode::from(7));
        assert_eq!(code(0), ExitCode::FAILURE);
        assert_eq!(code(9), ExitCode::FAILURE);
    }

    #[test]
    fn a_path_without_a_program_is_refused() {
        assert!(at(PathBuf::from("no/such/spin")).is_err());
        assert!(at(env::temp_dir()).is_err());
        assert!(at(env::current_exe().unwrap()).is_ok());
    }

    #[tokio::test]
    async fn stopping_ends_every_process_of_the_group() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & echo $!; wait"]).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let mut output = tokio::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line).await.unwrap();
        let service = Service::start("a child", |stopped| supervise(child, stopped));
        service.stop().await.unwrap();
        // The pipe ends only when every process that held it is gone.
        assert_eq!(tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line).await.unwrap(), 0);
    }
}
