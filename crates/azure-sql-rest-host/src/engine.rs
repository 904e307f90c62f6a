//! Compiled code: Wasmtime's engine, configured as Spin does, and a cache so that only the first start compiles.

use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use wasmtime::component::Component;
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The most instances alive at one time, as in Spin: `SPIN_MAX_INSTANCE_COUNT`, or 1,000.
pub(crate) fn max_instances() -> u32 {
    env::var("SPIN_MAX_INSTANCE_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(1000)
}

/// How long a computing guest keeps its thread before others get their turn, as in Spin.
const TICK: Duration = Duration::from_millis(10);

/// Where the compiled code of a component came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeOrigin {
    /// Compiled by this process.
    Compiled,
    /// Compiled by an earlier one.
    Cached,
}

/// A component together with its engine.
pub(crate) struct Code {
    pub component: Component,
    pub origin: CodeOrigin,
}

/// Compiles a WebAssembly file, or loads what an earlier start compiled from the same bytes with the same engine.
pub(crate) fn load(source: &Path, cache_dir: &Path) -> Result<Code> {
    let wasm =
        fs::read(source).with_context(|| format!("cannot read the component {} (is it built?)", source.display()))?;
    let cache =
        open_cache(cache_dir).with_context(|| format!("cannot keep compiled code in {}", cache_dir.display()))?;
    let engine = new_engine(&cache).context("cannot start the WebAssembly engine")?;
    keep_time(&engine)?;
    let component = Component::new(&engine, &wasm)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{} is not a WebAssembly component", source.display()))?;
    let origin = if cache.cache_hits() > 0 { CodeOrigin::Cached } else { CodeOrigin::Compiled };
    Ok(Code { component, origin })
}

fn open_cache(folder: &Path) -> Result<Cache> {
    fs::create_dir_all(folder)?;
    let mut config = CacheConfig::new();
    // Wasmtime requires an absolute path.
    config.with_directory(folder.canonicalize()?);
    Ok(Cache::new(config)?)
}

fn new_engine(cache: &Cache) -> Result<Engine> {
    let mut config = Config::new();
    config.cache(Some(cache.clone()));
    config.epoch_interruption(true);
    config.wasm_component_model_async(true);
    // A trap is reported in one line: frames of a stripped component are bare addresses.
    config.wasm_backtrace_max_frames(None);
    let most = max_instances();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(most)
        .total_memories(most)
        // With WASI 0.3, a request runs while another one of the same instance waits inside a call of the host.
        .total_stacks(2 * most)
        // A component of the Rust toolchain is one main module and a few small ones that glue it to its imports.
        .total_tables(2 * most)
        .total_core_instances(4 * most)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(512 << 10);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    // The pool reserves terabytes of address space. Where the system refuses them (`ulimit -v`), instances are
    // allocated singly.
    Engine::new(&config).or_else(|_| {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Ok(Engine::new(&config)?)
    })
}

/// Advances the epoch for as long as the engine lives. At each tick a computing guest yields, and a guest that works
/// for nobody can end.
fn keep_time(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("epoch".into()).spawn(tick).context("cannot start a thread")?;
    Ok(())
}
