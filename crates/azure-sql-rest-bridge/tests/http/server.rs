//! A bridge on a port of its own, and the smallest HTTP client that shows every byte.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{self, TcpStream},
    path::Path,
    pin::Pin,
    thread,
    time::Duration,
};

use azure_sql_rest_bridge::{
    Bridge, Config,
    faults::{Faults, Plan},
    serve, serve_with_faults,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime, sync::oneshot};

type Stopped = Pin<Box<dyn Future<Output = ()>>>;

/// A running bridge, which stops when this is dropped.
pub struct Server {
    pub address: String,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    /// The folder, deleted after the server has stopped.
    folder: Option<TempDir>,
}

impl Server {
    /// With a new database.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut server = Self::with_database(&folder.path().join("bridge.db"));
        server.folder = Some(folder);
        server
    }

    pub fn with_database(database: &Path) -> Self {
        Self::run(database, async |listener, bridge, stopped| serve(listener, bridge, stopped).await.unwrap())
    }

    /// With a new database, and scripts and `dab-config.json` from a folder.
    pub fn with_scripts(folder: TempDir) -> Self {
        let config = Config {
            database: folder.path().join("bridge.db"),
            dab_config: folder.path().join("dab-config.json"),
            procedures: folder.path().into(),
        };
        Self::with_config(config, folder)
    }

    /// With this configuration, and a folder that is deleted at the end.
    pub fn with_config(config: Config, folder: TempDir) -> Self {
        let mut server =
            Self::of(config, async |listener, bridge, stopped| serve(listener, bridge, stopped).await.unwrap());
        server.folder = Some(folder);
        server
    }

    /// With a new database and faults; also the address where they are controlled.
    pub fn with_faults(plan: &str) -> (Self, String) {
        let faults = Faults::new(Plan::parse(plan.as_bytes()).unwrap());
        let (folder, control) = (TempDir::new().unwrap(), net::TcpListener::bind("127.0.0.1:0").unwrap());
        let address = control.local_addr().unwrap().to_string();
        control.set_nonblocking(true).unwrap();
        let mut server = Self::run(&folder.path().join("bridge.db"), async |listener, bridge, stopped| {
            let control = TcpListener::from_std(control).unwrap();
            serve_with_faults(listener, bridge, faults, control, stopped).await.unwrap();
        });
        server.folder = Some(folder);
        (server, address)
    }

    fn run(database: &Path, serve: impl AsyncFnOnce(TcpListener, Bridge, Stopped) + Send + 'static) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::of(
            Config {
                database: database.into(),
                dab_config: root.join("dab/dab-config.json"),
                procedures: root.join("sqlite"),
            },
            serve,
        )
    }

    fn of(config: Config, serve: impl AsyncFnOnce(TcpListener, Bridge, Stopped) + Send + 'static) -> Self {
        let bridge = Bridge::open(config).unwrap();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shutdown, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let stopped: Stopped = Box::pin(async { drop(stopped.await) });
            runtime.block_on(serve(listener, bridge, stopped));
        });
        Self { address, shutdown: Some(shutdown), thread: Some(thread), folder: None }
    }

    pub fn get(&self, target: &str) -> Reply {
        self.send("GET", target, "", "")
    }

    pub fn post(&self, target: &str, body: &str) -> Reply {
        self.send("POST", target, "Content-Type: application/json\r\n", body)
    }

    /// `headers` are whole lines.
    pub fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Reply {
        let (address, length) = (&self.address, body.len());
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.exchange(request.as_bytes())
    }

    pub fn exchange(&self, request: &[u8]) -> Reply {
        self.connect().exchange(request)
    }

    pub fn connect(&self) -> Client {
        connect(&self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shutdown.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

pub fn connect(address: &str) -> Client {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    Client(BufReader::new(stream))
}

/// One connection.
pub struct Client(BufReader<TcpStream>);

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// The only value of a header; names are lower-case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} was sent twice");
        value
    }
}

impl Client {
    /// Sends a request unchanged and reads one response to its end.
    pub fn exchange(&mut self, request: &[u8]) -> Reply {
        self.0.get_mut().write_all(request).unwrap();
        let status = self.line();
        let status = status.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let mut reply = Reply { status, headers: Vec::new(), body: String::new() };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            reply.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let is_head = request.starts_with(b"HEAD ");
        reply.body = match (reply.header("transfer-encoding"), reply.header("content-length")) {
            _ if is_head => String::new(),
            (Some("chunked"), None) => self.chunks(),
            (None, Some(length)) => self.text(length.parse().unwrap()),
            (None, None) if status == 204 => String::new(),
            framing => panic!("unexpected framing {framing:?}"),
        };
        reply
    }

    fn chunks(&mut self) -> String {
        let mut body = String::new();
        loop {
            let length = usize::from_str_radix(&self.line(), 16).unwrap();
            body.push_str(&self.text(length));
            assert_eq!(self.line(), "");
            if length == 0 {
                return body;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").expect("a whole line").to_owned()
    }

    fn text(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}
