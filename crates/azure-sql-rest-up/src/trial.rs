//! A stack for tests: the component on the built-in host and the bridge, on free ports, with data of its own and faults on demand.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::bridge::{self, DataArguments};
use crate::service::Service;
use crate::steps::Steps;
use crate::{builtin, ready};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const READY_LIMIT: Duration = Duration::from_secs(60);

/// A stack that serves until [`Trial::stop`]. Its data is gone after that.
pub struct Trial {
    /// Where the API answers.
    pub api: SocketAddr,
    /// Where the faults of the bridge are set: `PUT /faults` takes a plan.
    pub faults: SocketAddr,
    services: [Service; 2],
    _folder: TempDir,
}

impl Trial {
    /// Starts the component of `manifest` with these variables, over the procedures in the same project.
    ///
    /// # Errors
    ///
    /// When the manifest, the component, DAB's configuration or a procedure cannot be used, or the API does not answer.
    pub async fn start(manifest: &Path, mut variables: BTreeMap<String, String>) -> Result<Self> {
        let folder = TempDir::new().context("cannot make a folder for the data")?;
        let plan = folder.path().join("faults.json");
        std::fs::write(&plan, "{}").context("cannot write a plan without faults")?;
        let beside = |name: &str| -> PathBuf { manifest.with_file_name(name) };
        let data = DataArguments {
            database: folder.path().join("data.db"),
            dab_config: beside("dab").join("dab-config.json"),
            procedures: beside("sqlite"),
            faults: Some(plan),
        };
        let mut steps = Steps::begin();
        let bridge = bridge::start(Some(ANY), &data, &mut steps).await?;
        variables.insert("dab_url".to_owned(), format!("http://{}", bridge.address));
        let listener = TcpListener::bind(ANY).await.context("cannot listen")?;
        let api = listener.local_addr()?;
        let host = builtin::start(manifest, variables, listener, &mut steps).await?;
        ready::wait(api, READY_LIMIT).await?;
        let faults = bridge.control.context("the bridge has no control of its faults")?;
        Ok(Self { api, faults, services: [host, bridge.service], _folder: folder })
    }

    /// Stops host and bridge, and waits until they have.
    ///
    /// # Errors
    ///
    /// When one of them had failed, or does not stop.
    pub async fn stop(self) -> Result<()> {
        for service in self.services {
            service.stop().await?;
        }
        Ok(())
    }
}
