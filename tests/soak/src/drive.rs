//! Open loop: each step begins at its time, whether or not those before it have been answered. A service that slows
//! down is not spared.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::perform::{Bench, Lane};
use crate::plan::Planner;

/// The rows as their steps left them.
pub(crate) struct Lanes(HashMap<usize, oneshot::Receiver<Lane>>);

impl Lanes {
    /// Rows on which nothing was done yet, in the order of the model.
    pub fn new(rows: impl IntoIterator<Item = Lane>) -> Self {
        let lane = |lane| {
            let (sender, receiver) = oneshot::channel();
            // The receiver is there, so this cannot fail.
            let _ = sender.send(lane);
            receiver
        };
        Self(rows.into_iter().map(lane).enumerate().collect())
    }

    /// The state of each row, once all steps are done.
    pub async fn finish(self) -> Result<HashMap<usize, Lane>> {
        let mut lanes = HashMap::new();
        for (row, lane) in self.0 {
            lanes.insert(row, lane.await.context("a step did not end")?);
        }
        Ok(lanes)
    }
}

/// How much to do, and how fast.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Requests in all; one more when the last step takes two.
    pub requests: usize,
    /// Requests a second.
    pub rate: u32,
    /// How long it may take at most.
    pub limit: Duration,
}

/// Carries out as many steps of the plan as the load says.
///
/// # Errors
///
/// The step took longer than it may.
pub(crate) async fn drive(bench: &Bench, planner: &mut Planner, lanes: &mut Lanes, load: Load) -> Result<()> {
    let start = Instant::now();
    let deadline = start + load.limit;
    let mut steps = JoinSet::new();
    let mut requests = 0;
    let late = || format!("the load was not carried out within {} s", load.limit.as_secs());
    while requests < load.requests {
        let begin = start + Duration::from_secs_f64(requests as f64 / f64::from(load.rate));
        timeout_at(deadline, sleep_until(begin)).await.with_context(late)?;
        let step = planner.next();
        requests += step.requests();
        let (done, next) = oneshot::channel();
        let previous = step.row.and_then(|row| lanes.0.insert(row, next));
        let bench = bench.clone();
        steps.spawn(async move {
            let mut lane = match previous {
                // A step whose predecessor panicked has nothing to go on; the panic is reported by the set.
                Some(previous) => previous.await.unwrap_or_else(|_| Lane::lost()),
                None => Lane::default(),
            };
            // A step that had to wait for its row did not wait for the service.
            let begin = if step.row.is_some() { begin.max(lane.free_since.unwrap_or(begin)) } else { begin };
            bench.perform(&step, &mut lane, begin).await;
            lane.free_since = Some(Instant::now());
            // Nobody waits for a list's.
            let _ = done.send(lane);
        });
        while let Some(ended) = steps.try_join_next() {
            ended?;
        }
    }
    while let Some(ended) = timeout_at(deadline, steps.join_next()).await.with_context(late)? {
        ended?;
    }
    Ok(())
}
