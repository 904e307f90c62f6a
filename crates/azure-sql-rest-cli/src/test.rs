//! `azure-sql-rest test`: asks the project's API for all that it promises of every entity. The API runs on the built-in host and the local
//! bridge, with data of its own.

use std::collections::BTreeMap;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use azure_sql_rest_conformance::client::Api;
use azure_sql_rest_conformance::faults::Faults;
use azure_sql_rest_conformance::{Outcome, SHORT, conform, description, examples, failure};
use azure_sql_rest_up::trial::Trial;
use clap::Args;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::steps::say;

/// Options of `azure-sql-rest test`.
#[derive(Args)]
pub(crate) struct TestArguments {
    /// Manifest of the application, whose component is built
    #[arg(long, value_name = "FILE", env = "MANIFEST", default_value = "spin.toml")]
    manifest: PathBuf,

    /// Say what was asked, and not only what failed
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the suite over the project of the manifest.
///
/// # Errors
///
/// When the API cannot be started, or does not keep a promise. Each reason is printed as soon as it is known.
pub(crate) async fn run(arguments: TestArguments) -> Result<()> {
    let file = arguments.manifest.with_file_name("openapi.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let document: Value = serde_json::from_str(&text).with_context(|| format!("cannot use {}", file.display()))?;
    // A case says what is wrong by a panic, which is caught and told below.
    panic::set_hook(Box::new(|_| {}));
    let description = described(&arguments.manifest, document).await?;
    // A component that serves another document would be asked for what that promises, or cannot serve at all.
    let promises = match description[0].failure {
        None => promised(&arguments.manifest, arguments.verbose).await?,
        Some(_) => Vec::new(),
    };
    let _ = panic::take_hook();
    let failed = description.iter().chain(&promises).filter(|outcome| outcome.failure.is_some()).count();
    let passed = description.len() + promises.len() - failed;
    // The plain closing line of test runners.
    say(format_args!("{passed} passed, {failed} failed"));
    ensure!(failed == 0, "the API does not keep its promises (above)");
    Ok(())
}

/// Checks that the document is what the component serves, that its schemas are schemas, and that its examples are answered as shown.
async fn described(manifest: &Path, document: Value) -> Result<Vec<Outcome>> {
    let trial = start(manifest).await?;
    let api = Api { address: trial.api };
    let outcomes = spawn_blocking(move || {
        let outcome = |case, check: &dyn Fn()| {
            let outcome = Outcome { entity: "openapi.json".to_owned(), case, failure: failure(check) };
            tell(&outcome, false);
            outcome
        };
        [
            outcome("it_is_what_the_component_serves", &|| {
                let served = api.get("/openapi.json").is(200).json();
                assert!(served == document, "it is another one: build the component again");
            }),
            outcome("its_schemas_are_schemas", &|| description::schemas_hold(&document)),
            outcome("its_examples_are_answered_as_shown", &|| drop(examples::examples_hold(&document, api))),
        ]
    });
    let outcomes = outcomes.await?;
    trial.stop().await?;
    Ok(outcomes.into())
}

/// Runs the cases of every entity.
async fn promised(manifest: &Path, is_verbose: bool) -> Result<Vec<Outcome>> {
    let trial = start(manifest).await?;
    let (api, faults) = (Api { address: trial.api }, Faults::at(Api { address: trial.faults }));
    let outcomes = spawn_blocking(move || conform(api, &faults, |outcome| tell(outcome, is_verbose))).await?;
    trial.stop().await?;
    ensure!(!outcomes.is_empty(), "the API has no entity, so there was nothing to ask for");
    Ok(outcomes)
}

async fn start(manifest: &Path) -> Result<Trial> {
    let options: Vec<_> = SHORT.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let variables = [("options", options.join(" ")), ("log_level", "error".to_owned()), ("api_key", String::new())];
    let variables = BTreeMap::from(variables.map(|(name, value)| (name.to_owned(), value)));
    Trial::start(manifest, variables).await.context("the API cannot be tried")
}

fn tell(outcome: &Outcome, is_verbose: bool) {
    let (entity, case) = (&outcome.entity, outcome.case.replace('_', " "));
    match &outcome.failure {
        Some(failure) => say(format_args!("  ✗ {entity}: {case}: {failure}")),
        None if is_verbose => say(format_args!("  ✓ {entity}: {case}")),
        None => {}
    }
}
