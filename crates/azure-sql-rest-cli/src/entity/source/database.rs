//! Asks a database for its tables. Built with the feature `database`, because a driver is long to build.

use anyhow::{Context, Result};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncWriteCompatExt;

use super::catalog::{self, QUERY};
use super::table::Found;

/// Reads the tables with this name, of this schema (`Sales.*`), or all (`*`), from the database of a connection string of ADO.NET.
///
/// # Errors
///
/// When the database cannot be reached or does not answer as one of SQL Server 2022 or Azure SQL. No message has the connection string.
pub(crate) fn tables(connection: &str, tables: &str) -> Result<Vec<Found>> {
    let pattern = catalog::pattern(tables)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let document = runtime.block_on(ask(connection, &pattern)).context("cannot ask the database of FROM=")?;
    document.map_or_else(|| Ok(Vec::new()), |document| catalog::tables(&document))
}

async fn ask(connection: &str, pattern: &str) -> Result<Option<String>> {
    let config = Config::from_ado_string(connection).ok().context("it is no connection string of ADO.NET")?;
    let stream = TcpStream::connect(config.get_addr()).await?;
    stream.set_nodelay(true)?;
    let mut client = Client::connect(config, stream.compat_write()).await?;
    let row = client.query(QUERY, &[&pattern]).await?.into_row().await?;
    let document = row.map(|row| row.try_get::<&str, _>(0).map(|text| text.map(str::to_owned))).transpose()?;
    Ok(document.flatten())
}
