//! A component to measure: its file, the compiler that made it, the size of its stack and the variables it reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wasmparser::{Operator, Parser, Payload};

/// A build of the component.
pub(crate) struct Build {
    /// The name of the build: `WASI 0.2` or `WASI 0.3`.
    pub wasi: &'static str,
    /// The path under the target directory.
    pub path: &'static str,
}

/// All builds, as in spin.toml and spin.wasip3.toml.
pub(crate) const BUILDS: [Build; 2] = [
    Build { wasi: "WASI 0.2", path: "wasm32-wasip2/release/customer_api.wasm" },
    Build { wasi: "WASI 0.3", path: "wasm32-wasip2/wasip3/customer_api.wasm" },
];

/// The compiler when no file beside the component names one: the version of `rust-version`.
const DEFAULT_RUSTC: &str = "rustc 1.95.0";

/// A component that a build has made.
pub(crate) struct Artifact {
    pub wasm: Vec<u8>,
    /// `rustc` and its version.
    pub rustc: String,
    /// The bytes of its stack, which is the lowest part of its memory.
    pub stack_bytes: u64,
}

impl Build {
    /// Reads the component of this build under `target`.
    pub fn read(&self, target: &Path) -> Result<Artifact> {
        let path = target.join(self.path);
        let wasm = fs::read(&path).with_context(|| format!("cannot read {}: run `make build`", path.display()))?;
        let stack_bytes = stack_bytes(&wasm).with_context(|| format!("cannot understand {}", path.display()))?;
        let rustc = fs::read_to_string(path.with_added_extension("rustc")).unwrap_or_else(|_| DEFAULT_RUSTC.into());
        Ok(Artifact { wasm, rustc: rustc.trim().into(), stack_bytes })
    }
}

/// The stack begins where the linker lets the stack pointer start, which is the first global, and goes down to 0.
fn stack_bytes(wasm: &[u8]) -> Result<u64> {
    let mut has_memory = false;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version { .. } => has_memory = false,
            Payload::MemorySection(_) => has_memory = true,
            Payload::GlobalSection(globals) if has_memory => {
                let first = globals.into_iter().next().context("no global")??;
                return match first.init_expr.get_operators_reader().read()? {
                    Operator::I32Const { value } if first.ty.mutable => Ok(u64::from(value.cast_unsigned())),
                    _ => bail!("its first global is not the stack pointer"),
                };
            }
            _ => {}
        }
    }
    bail!("no module in it has a memory and a global")
}

/// The part of spin.toml that this program uses.
#[derive(Deserialize)]
struct Manifest {
    variables: BTreeMap<String, Variable>,
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Variable {
    default: String,
}

#[derive(Deserialize)]
struct Component {
    variables: BTreeMap<String, String>,
}

/// The variables of the component, made of the defaults of the application's.
pub(crate) fn variables(root: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(root.join("spin.toml")).context("cannot read spin.toml")?;
    let manifest: Manifest = toml::from_str(&text).context("spin.toml")?;
    let templates = manifest.component.into_values().flat_map(|component| component.variables);
    let filled = templates.map(|(name, template)| {
        let fill = |text: String, (name, variable): (&String, &Variable)| {
            text.replace(&format!("{{{{ {name} }}}}"), &variable.default)
        };
        (name, manifest.variables.iter().fold(template, fill))
    });
    Ok(filled.collect())
}
