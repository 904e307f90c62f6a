//! The local bridge as a [`Database`]: called over HTTP as Data API Builder is, its tables read from the SQLite file.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, Result, bail};
use azure_sql_rest_bridge::{Bridge, Clock, Config, serve};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OptionalExtension};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    case::Engine,
    run::{Answer, Columns, Database, ErrorNumber},
};

/// A local bridge with fresh data, serving until it is dropped.
pub struct LocalBridge {
    address: SocketAddr,
    clock: Clock,
    folder: TempDir,
}

impl LocalBridge {
    /// Serves `dab/dab-config.json` on a free port.
    ///
    /// # Errors
    /// When the bridge cannot be opened or there is no port.
    pub async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let bridge = Bridge::open(Config {
            database: folder.path().join(FILE),
            dab_config: root.join("dab/dab-config.json"),
            procedures: root.join("sqlite"),
        })?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let clock = bridge.clock().clone();
        tokio::spawn(serve(listener, bridge, std::future::pending()));
        Ok(Self { address, clock, folder })
    }

    fn connection(&self) -> Result<Connection> {
        Ok(Connection::open(self.folder.path().join(FILE))?)
    }
}

const FILE: &str = "cases.db";

/// `{"value":[{…}]}`
#[derive(Deserialize)]
struct Envelope {
    value: Vec<Ordered>,
}

/// A JSON object with its members in the order of the text.
struct Ordered(Columns);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Database for LocalBridge {
    fn engine(&self) -> Engine {
        Engine::Bridge
    }

    async fn call(&self, procedure: &str, writes: bool, arguments: &[(&str, Value)]) -> Result<Answer> {
        let (method, query, body) = if writes {
            let object: Map<_, _> = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            (Method::POST, String::new(), Value::Object(object).to_string())
        } else {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pair = |(name, value): &(&str, Value)| {
                format!("{name}={}", utf8_percent_encode(&text(value), NON_ALPHANUMERIC))
            };
            let pairs: Vec<_> = arguments.iter().map(pair).collect();
            (Method::GET, format!("?{}", pairs.join("&")), String::new())
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/{procedure}{query}"))
            .header("host", self.address.to_string())
            .body(Full::new(Bytes::from(body)))?;
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Ok(Err(ErrorNumber::Http(status.as_u16())));
        }
        let Envelope { value } = serde_json::from_slice(&body)?;
        let [Ordered(columns)] = <[Ordered; 1]>::try_from(value).ok().context("not exactly one row")?;
        Ok(Ok(columns))
    }

    async fn stop_clock(&self, stop: bool) -> Result<()> {
        if stop {
            self.clock.stop()
        } else {
            self.clock.go()
        }
        Ok(())
    }

    async fn set_next_id(&self, _: i32) -> Result<()> {
        bail!("SQLite counts ids by itself")
    }

    fn retries(&self) -> usize {
        0
    }

    async fn stored(&self, id: i32, columns: &[&str]) -> Result<Option<Vec<Option<String>>>> {
        // A BIT is `true` or `false` in SQLite.
        let text = |column: &&str| {
            format!(
                "CASE {column} COLLATE BINARY WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE CAST({column} AS TEXT) END"
            )
        };
        let texts: Vec<_> = columns.iter().map(text).collect();
        let sql = format!("SELECT {} FROM Sales_Customers WHERE CustomerID = ?1", texts.join(", "));
        let row = |row: &rusqlite::Row| (0..columns.len()).map(|index| row.get(index)).collect();
        Ok(self.connection()?.query_row(&sql, [id], row).optional()?)
    }

    async fn recorded(&self, key: &str) -> Result<Option<(String, i32, Option<i32>)>> {
        let sql = "SELECT Operation, Status, RowID FROM web_Requests WHERE RequestKey = ?1";
        let row = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(self.connection()?.query_row(sql, [key], row).optional()?)
    }
}
