//! Starts and stops what the tests talk to.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use azure_sql_rest_conformance::client::address;
pub use azure_sql_rest_conformance::client::{Api, Reply};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A command of `azure-sql-rest`, which lies beside the tests' own folder in the target directory; run from the
/// repository.
pub fn local(arguments: &[&str]) -> Command {
    let tests = std::env::current_exe().expect("a test knows where it is");
    let local = tests.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("azure-sql-rest");
    assert!(local.is_file(), "{} is missing: run `make test`, which builds it first", local.display());
    let mut command = Command::new(local);
    command.current_dir(root()).args(arguments).env_remove("DAB_URL").env_remove("HOST");
    command
}

/// A process of ours that says a URL once it is ready, and ends with this one.
pub struct Process {
    child: Child,
    /// Where it answers.
    pub url: String,
    /// Its output until then, in lines.
    pub said: String,
}

impl Process {
    /// Starts `command` and waits for a line that ends in ` ready at <url>`.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .arg("--exit-on-stdin-eof")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("local starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut said = String::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("it ended before it was ready; it said:\n{said}");
            };
            if let Some((_, url)) = line.split_once(" ready at ") {
                break url.trim().to_owned();
            }
            said += &(line + "\n");
        };
        // The output of a program must be read, or the program blocks.
        thread::spawn(move || lines.for_each(drop));
        Self { child, url, said }
    }

    /// The process id, for signals.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The API that it serves.
    pub fn api(&self) -> Api {
        Api { address: address(&self.url) }
    }

    /// Ends it at once: no warning, no chance to finish anything.
    pub fn kill_9(mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Waits for the end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("wait")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of standard input is the request to stop.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The host of the component: Spin when `SPIN` names one, else the built-in host.
pub fn host() -> &'static str {
    match std::env::var_os("SPIN") {
        Some(_) => "spin",
        None => "local",
    }
}

/// `azure-sql-rest up` with the host that this run is about.
pub fn up(arguments: &[&str]) -> Process {
    up_with(&[], arguments)
}

/// The same, with settings other than the defaults.
pub fn up_with(variables: &[(&str, &str)], arguments: &[&str]) -> Process {
    let begin = ["up", "--host", host(), "--listen", "127.0.0.1:0"];
    let mut command = local(&[&begin, arguments].concat());
    command.envs(environment(variables));
    Process::start(&mut command)
}

/// The environment for settings: variables of the manifest have one of their own, the others are options.
pub fn environment(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let variables = ["api_key", "dab_api_key", "dab_url", "log_level"];
    let (variables, options): (Vec<_>, Vec<_>) = settings.iter().partition(|(name, _)| variables.contains(name));
    let options: Vec<_> = options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
    variables
        .chain([("options", options.join(" "))])
        .map(|(name, value)| (format!("SPIN_VARIABLE_{}", name.to_uppercase()), value))
        .collect()
}

/// The whole stack: component and local bridge.
pub struct Stack {
    process: Process,
    folder: TempDir,
}

impl Stack {
    /// A stack with fresh data.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A stack with fresh data and settings other than the defaults.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let process = Self::start_in(folder.path(), variables);
        Self { process, folder }
    }

    fn start_in(folder: &Path, variables: &[(&str, &str)]) -> Process {
        let database = folder.join("customers.db");
        let database = database.to_str().expect("UTF-8");
        up_with(variables, &["--bridge-listen", "127.0.0.1:0", "--database", database])
    }

    /// Stops it in good order and starts it again over the same data.
    pub fn restart(&mut self) {
        let folder = self.folder.path().to_owned();
        let stopped = std::mem::replace(&mut self.process, Self::start_in(&folder, &[]));
        drop(stopped);
    }

    /// The API.
    pub fn api(&self) -> Api {
        self.process.api()
    }
}

/// A stack for tests that add what is theirs and change nothing else.
pub fn shared() -> Api {
    static STACK: LazyLock<Stack> = LazyLock::new(Stack::start);
    STACK.api()
}

fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

/// A request to a recording bridge.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Headers of a bridge that are nobody else's business.
pub const OF_THE_BRIDGE: [(&str, &str); 6] = [
    ("connection", "keep-alive"),
    ("keep-alive", "timeout=5"),
    ("location", "http://bridge/api"),
    ("server", "Kestrel"),
    ("set-cookie", "a=b"),
    ("x-powered-by", "ASP.NET"),
];

/// Serves a stand-in for the bridge, which answers with this status and body.
pub fn serve<F>(answer: impl Fn(Asked) -> F + Clone + Send + Sync + 'static) -> SocketAddr
where
    F: Future<Output = (u16, String)> + Send,
{
    let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    runtime().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let asked = Asked {
                        method: parts.method,
                        target: parts.uri.to_string(),
                        headers: parts.headers,
                        body: body.collect().await?.to_bytes(),
                    };
                    let (status, body) = answer(asked).await;
                    let mut response = Response::new(Full::new(Bytes::from(body)));
                    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                    for (name, value) in OF_THE_BRIDGE {
                        response.headers_mut().insert(name, HeaderValue::from_static(value));
                    }
                    Ok::<_, hyper::Error>(response)
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// A stand-in for the bridge that gives prepared answers and remembers the requests.
pub struct Recorder {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Recorder {
    pub fn start() -> Self {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let answer = Arc::new(Mutex::new((500, String::new())));
        let (asked_by, answer_with) = (asked.clone(), answer.clone());
        let address = serve(move |request| {
            asked_by.lock().expect("no panics").push(request);
            let answer = answer_with.lock().expect("no panics").clone();
            async move { answer }
        });
        Self { address, asked, answer }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, answers this.
    pub fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().expect("no panics") = (status, body.to_owned());
    }

    /// From now on, answers 200 and one row of these columns.
    pub fn row(&self, columns: Value) {
        self.answer(200, &serde_json::json!({ "value": [columns] }).to_string());
    }

    /// All that was asked since the last time.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no panics"))
    }
}

/// Runs `command` to its end and returns its status and everything it printed on either stream.
pub fn output(command: &mut Command) -> (ExitStatus, String) {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

/// The manifest that this run is about, in the repository: that of `MANIFEST`, which `azure-sql-rest up` reads too, or
/// `spin.toml`.
pub fn manifest() -> String {
    std::env::var("MANIFEST").unwrap_or_else(|_| "spin.toml".to_owned())
}

/// True if an instance of the component answers one request only. With WASI 0.3, it answers many.
pub fn instance_per_request() -> bool {
    manifest() != "spin.wasip3.toml"
}

/// The component that `make build` makes.
pub fn artifact() -> PathBuf {
    let manifest = std::fs::read_to_string(root().join(manifest())).expect("a manifest");
    let source = manifest.lines().find_map(|line| line.strip_prefix("source = "));
    root().join(source.expect("a source").trim_matches('"'))
}
