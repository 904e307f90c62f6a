//! Addresses to listen on, and what to say when one is taken.

use std::io;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

/// Listens for the API. Its port is what people type, so another one is never taken silently.
pub async fn api(address: SocketAddr) -> Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let (port, other) = (address.port(), address.port().checked_add(1).unwrap_or(8080));
            bail!("port {port} is in use by another program; choose a free one, for example `make up PORT={other}`")
        }
        listener => listener.with_context(|| format!("cannot listen on {address}")),
    }
}

/// Listens for the bridge: on the address asked for, or else on the usual one if it is free and on any port if not.
pub async fn bridge(asked: Option<SocketAddr>, usual: SocketAddr) -> Result<TcpListener> {
    let address = asked.unwrap_or(usual);
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && asked.is_none() => {
            let any = SocketAddr::new(usual.ip(), 0);
            TcpListener::bind(any).await.with_context(|| format!("cannot listen on {any}"))
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!(
                "port {} is in use by another program; choose another with --bridge-listen or --listen",
                address.port()
            )
        }
        listener => listener.with_context(|| format!("cannot listen on {address}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    #[tokio::test]
    async fn a_taken_api_port_is_named_together_with_the_way_out() {
        let taken = TcpListener::bind(ANY).await.unwrap().local_addr().unwrap();
        let holder = TcpListener::bind(taken).await.unwrap();
        let error = api(holder.local_addr().unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("port {} is in use", taken.port())), "{error}");
        assert!(error.contains(&format!("make up PORT={}", taken.port().wrapping_add(1))), "{error}");
    }

    #[tokio::test]
    async fn a_taken_bridge_port_matters_only_when_it_was_asked_for() {
        let holder = TcpListener::bind(ANY).await.unwrap();
        let taken = holder.local_addr().unwrap();
        assert_ne!(bridge(None, taken).await.unwrap().local_addr().unwrap().port(), taken.port());
        let error = bridge(Some(taken), ANY).await.unwrap_err().to_string();
        assert!(error.contains("is in use"), "{error}");
    }
}
