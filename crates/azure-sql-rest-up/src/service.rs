//! Something that runs until it is stopped.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a service may take to stop. Each has a shorter limit of its own; this one is against defects.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A service in a task of its own. [`Service::stop`] stops it; if it ends before, something is wrong.
pub struct Service {
    name: &'static str,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<()>>,
}

impl Service {
    /// Starts a service, with a future that resolves when the service should stop.
    pub fn start<F>(name: &'static str, run: impl FnOnce(Stopped) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { name, stop, task: tokio::spawn(run(Stopped(stopped))) }
    }

    /// Resolves if the service ends by itself, with the reason.
    pub async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => anyhow!("{} has ended", self.name),
            Ok(Err(error)) => error,
            Err(panic) => anyhow::Error::new(panic).context(format!("{} has failed", self.name)),
        }
    }

    /// Stops the service and waits until it has.
    pub async fn stop(self) -> Result<()> {
        if self.task.is_finished() {
            return Ok(());
        }
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        match timeout(STOP_LIMIT, self.task).await {
            Ok(ended) => ended.with_context(|| format!("{} has failed", self.name))?,
            Err(_) => {
                abort.abort();
                Err(anyhow!("{} did not stop within {} s", self.name, STOP_LIMIT.as_secs()))
            }
        }
    }
}

/// Tells a service to stop.
pub struct Stopped(oneshot::Receiver<()>);

impl Stopped {
    /// Resolves when the service is to stop.
    pub async fn wait(self) {
        // An error means that nobody is left who could stop it.
        let _ = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stop_waits_for_the_service_and_reports_how_it_ended() {
        let well = Service::start("a service", |stopped| async {
            stopped.wait().await;
            Ok(())
        });
        well.stop().await.unwrap();
        let badly = Service::start("a service", |stopped| async {
            stopped.wait().await;
            Err(anyhow!("unclean"))
        });
        assert_eq!(badly.stop().await.unwrap_err().to_string(), "unclean");
    }

    #[tokio::test]
    async fn a_service_that_ends_by_itself_has_failed() {
        let mut early = Service::start("a service", |_| async { Ok(()) });
        assert_eq!(early.failed().await.to_string(), "a service has ended");
        early.stop().await.unwrap();
    }
}
