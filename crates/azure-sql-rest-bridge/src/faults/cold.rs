//! A cold database, as after a resume, a failover or an emptied plan cache. The first calls compile the procedure, and share
//! the processor. A call that `Command Timeout` cuts off has compiled for nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{plan::Cold, state::Faults};

/// How long one step of compiling takes.
const STEP: Duration = Duration::from_millis(10);

/// Compiles until a plan is in the cache, if the database is cold. False if the call is cut off before. DAB does not end a
/// call when its client leaves, so that compiling goes on when this is dropped.
pub(super) async fn warm_up(faults: &Faults) -> bool {
    let cold = {
        let state = faults.state();
        state.plan.cold.filter(|_| !state.is_warm)
    };
    let Some(cold) = cold else { return true };
    let faults = faults.clone();
    tokio::spawn(async move { compile(&faults, cold).await }).await.unwrap_or(false)
}

async fn compile(faults: &Faults, cold: Cold) -> bool {
    let begin = Instant::now();
    let mut done = Duration::ZERO;
    faults.state().compiling += 1;
    let is_warm = loop {
        let before = Instant::now();
        sleep(STEP).await;
        let mut state = faults.state();
        done += before.elapsed() / state.compiling.max(1);
        state.is_warm |= done >= Duration::from_millis(cold.compile_ms);
        if state.is_warm || begin.elapsed() >= Duration::from_millis(cold.command_ms) {
            break state.is_warm;
        }
    };
    // Another plan may be in force by now.
    let mut state = faults.state();
    state.compiling = state.compiling.saturating_sub(1);
    is_warm
}
