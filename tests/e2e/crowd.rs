//! Clients that are slow, stop half way or hang up, and requests that wait for the database: `make crowd`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::faulty::Faulty;
use crate::harness::{Api, Process, Reply, host, instance_per_request, local, manifest, root, serve, up_with};

/// Clients that misbehave.
const CLIENTS: usize = 200;

/// How long they do, in thirds: the first is for the memory to reach its level, the other two are compared.
const THIRD: Duration = Duration::from_secs(20);

/// A request's deadline, in milliseconds: what a body that stops half way is given up after.
const DEADLINE_MS: &str = "10000";

/// A process and all that it started: Spin is two processes below ours.
fn tree(process: u32) -> Vec<u32> {
    let mut processes = vec![process];
    let mut at = 0;
    while let Some(process) = processes.get(at) {
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            processes.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        at += 1;
    }
    processes
}

/// The number of a line such as `VmRSS:  12 kB`.
fn kib(line: &str, name: &str) -> Option<usize> {
    line.strip_prefix(name)?.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Resident memory of a process and of all that it started, in KiB.
fn resident_kib(process: u32) -> usize {
    let resident = |process: u32| {
        // One that has just ended has none.
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        status.lines().find_map(|line| kib(line, "VmRSS:")).unwrap_or_default()
    };
    tree(process).into_iter().map(resident).sum()
}

/// Private memory of a process and of all that it started, in KiB, by kind.
fn private_kib(process: u32) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for process in tree(process) {
        let (mut kind, mut before) = ("other", (0, 0, false));
        for line in fs::read_to_string(format!("/proc/{process}/smaps")).unwrap_or_default().lines() {
            if let Some(mapping) = Mapping::of(line) {
                kind = mapping.kind(before);
                before = (mapping.end, mapping.end - mapping.begin, mapping.is_guard);
            } else if let Some(kib) = kib(line, "Private_Dirty:").or_else(|| kib(line, "Private_Clean:")) {
                *kinds.entry(kind).or_default() += kib;
            }
        }
    }
    kinds
}

/// A mapping of a process, as `/proc` has it.
struct Mapping<'a> {
    begin: usize,
    end: usize,
    is_guard: bool,
    path: &'a str,
}

impl<'a> Mapping<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (begin, end) = fields.next()?.split_once('-')?;
        let (begin, end) = (usize::from_str_radix(begin, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        let is_guard = fields.next()?.starts_with("---");
        Some(Self { begin, end, is_guard, path: fields.nth(3).unwrap_or_default() })
    }

    /// Its purpose, given the end and the length of the mapping before it, and whether that allows no access. Wasmtime has a
    /// page of that kind below each stack of 2 MiB; glibc begins its arenas at multiples of 64 MiB.
    fn kind(&self, (end, length, is_guard): (usize, usize, bool)) -> &'static str {
        match self.path {
            path if path.starts_with("/memfd:wasm") => "linear memory: image",
            "[heap]" => "heap, files",
            path if !path.is_empty() => "heap, files",
            _ if self.begin.is_multiple_of(64 << 20) => "arenas",
            _ if is_guard && end == self.begin && length == 4096 && self.end - self.begin == 2 << 20 => "stacks",
            _ => "linear memory: rest, tables",
        }
    }
}

/// The highest that it is in the next third.
fn peak_kib(process: u32) -> usize {
    let end = Instant::now() + THIRD;
    let mut peak = 0;
    while Instant::now() < end {
        peak = peak.max(resident_kib(process));
        thread::sleep(Duration::from_millis(100));
    }
    peak
}

struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    /// The connection, a new one after it broke.
    fn stream(&mut self) -> &mut TcpStream {
        let address = self.address;
        self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(address).expect("the API listens");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            stream
        })
    }

    /// Sends `parts` with a pause after each; the status of the answer.
    fn ask(&mut self, parts: &[&[u8]], pause: Duration) -> Option<u16> {
        let status = self.exchange(parts, pause);
        if status.is_none() {
            self.stream = None;
        }
        status
    }

    fn exchange(&mut self, parts: &[&[u8]], pause: Duration) -> Option<u16> {
        for part in parts {
            self.stream().write_all(part).ok()?;
            thread::sleep(pause);
        }
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.stream().read(&mut buffer) {
                Ok(0) => return None,
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if length.is_none_or(|length: usize| body.len() >= length) {
                return head.get(9..12)?.parse().ok();
            }
        }
    }
}

const GET: &[u8] = b"GET /customer/123 HTTP/1.1\r\nhost: a\r\n\r\n";
const HEAD_OF_PATCH: &[u8] =
    b"PATCH /customer/123 HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n";

/// Has one client misbehave again and again, in one of five ways by its number.
fn misbehave(number: usize, address: SocketAddr, stop: &AtomicBool) {
    let mut client = Client { address, stream: None };
    let ms = Duration::from_millis;
    while !stop.load(Ordering::Relaxed) {
        match number % 5 {
            // A body in drops, in time.
            0 => {
                let parts = [HEAD_OF_PATCH, b"{\"Fax", b"Number", b"\":\"", b"1\"", b"}"];
                let status = client.ask(&parts, ms(50));
                assert!(matches!(status, Some(202)), "{status:?}");
            }
            // A body that stops half way, the connection open.
            1 => {
                assert_eq!(client.ask(&[HEAD_OF_PATCH, b"{\"FaxN"], ms(10)), Some(408));
                client.stream = None;
            }
            // A body that stops half way, and the client hangs up.
            2 => {
                let _ = client.stream().write_all(HEAD_OF_PATCH).and_then(|()| client.stream().write_all(b"{"));
                thread::sleep(ms(1000));
                client.stream = None;
            }
            // An answer that nobody reads.
            3 => {
                let _ = client.stream().write_all(b"GET /customers HTTP/1.1\r\nhost: a\r\n\r\n");
                thread::sleep(ms(1000));
                client.stream = None;
            }
            // A client that keeps its connection and takes its time.
            _ => {
                assert_eq!(client.ask(&[GET], ms(100)), Some(200));
            }
        }
    }
}

#[test]
#[ignore = "takes a minute: make crowd"]
fn a_crowd_that_misbehaves_costs_no_memory_and_no_answers() {
    // The bridge apart, so that the memory is the host's.
    let folder = TempDir::new().expect("a folder");
    let mut command = local(&["bridge", "--listen", "127.0.0.1:0", "--database"]);
    let bridge = Process::start(command.arg(folder.path().join("customers.db")));
    let host = up_with(&[("request_deadline_ms", DEADLINE_MS)], &["--dab-url", &bridge.url]);
    let (address, process) = (host.api().address, host.id());
    let (stop, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let stop = &stop;
            scope.spawn(move || misbehave(number, address, stop));
        }
        let slowest: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client { address, stream: None };
                    let mut slowest = Duration::ZERO;
                    while !stop.load(Ordering::Relaxed) {
                        let begin = Instant::now();
                        assert_eq!(client.ask(&[GET], Duration::ZERO), Some(200));
                        slowest = slowest.max(begin.elapsed());
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    slowest
                })
            })
            .collect();
        thread::sleep(THIRD);
        let (early, late) = (peak_kib(process), peak_kib(process));
        stop.store(true, Ordering::Relaxed);
        let slowest = slowest.into_iter().map(|client| client.join().expect("served")).max();
        println!(
            "others: {} answers, the slowest in {:?}; resident memory up to {early} KiB, then up to {late} KiB",
            served.load(Ordering::Relaxed),
            slowest.unwrap_or_default(),
        );
        assert!(late <= early + early / 10, "memory grows: {early} KiB, then {late} KiB");
    });
}

/// How many requests wait at a time, and how often.
const HELD: usize = 200;
const ROUNDS: usize = 10;

/// The private memory in KiB that each of [`HELD`] requests takes while it waits, by kind: in the first round and in the last.
fn held(process: &Process, linger: Duration) -> [BTreeMap<&'static str, usize>; 2] {
    let api = process.api();
    let waits = |target: &str| {
        let mut stream = TcpStream::connect(api.address).expect("the API listens");
        stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).expect("sent");
        stream
    };
    let idle = private_kib(process.id());
    let rounds = (0..ROUNDS).map(|_| {
        let requests: Vec<_> = (0..HELD).map(|_| waits("/customer/123")).collect();
        // Time has to pass: there is no sign of a request that waits.
        thread::sleep(linger / 2);
        let now = private_kib(process.id());
        thread::sleep(linger);
        drop(requests);
        now.into_iter()
            .map(|(kind, kib)| (kind, kib.saturating_sub(idle.get(kind).copied().unwrap_or_default()) / HELD))
            .collect::<BTreeMap<_, _>>()
    });
    let rounds: Vec<_> = rounds.collect();
    [rounds[0].clone(), rounds[ROUNDS - 1].clone()]
}

/// Starts the bare proxy whose manifest goes with ours, in front of this bridge.
pub fn bare_proxy(bridge: &str) -> Process {
    let text = fs::read_to_string(root().join("bench/bare-proxy").join(manifest())).expect("a manifest");
    let source = format!("source = \"{}/", root().display());
    // The host writes the component's log beside it.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(manifest());
    fs::write(&file, text.replace("source = \"", &source)).expect("a file");
    let mut command = local(&["up", "--host", host(), "--listen", "127.0.0.1:0", "--dab-url", bridge, "--manifest"]);
    Process::start(command.arg(file))
}

#[test]
#[ignore = "takes two minutes: make crowd"]
fn a_crowd_that_waits_takes_little_memory() {
    const LINGER: Duration = Duration::from_secs(5);
    // The host asks whether it is ready. Each request after that is over before the next round begins, because the bare
    // proxy has no deadline.
    let bridge = serve(|asked| async move {
        if !asked.target.ends_with("/ready") {
            sleep(LINGER - Duration::from_millis(400)).await;
        }
        (200, r#"{"value":[{"Status":200,"Json":"{}"}]}"#.to_owned())
    });
    let bridge = format!("http://{bridge}");
    let settings = [("request_deadline_ms", "4500"), ("attempt_timeout_ms", "4400")];
    let component = up_with(&settings, &["--dab-url", &bridge]);
    let ours = held(&component, LINGER);
    drop(component);
    let bare = held(&bare_proxy(&bridge), LINGER);
    println!("KiB a waiting request, by kind: bare proxy, component, then both in round {ROUNDS}");
    let columns = [&bare[0], &ours[0], &bare[1], &ours[1]];
    for kind in ours[1].keys() {
        let [a, b, c, d] = columns.map(|kinds| kinds.get(kind).copied().unwrap_or_default());
        println!("| {kind} | {a} | {b} | {c} | {d} |");
    }
    let [a, b, c, d] = columns.map(|kinds| kinds.values().sum::<usize>());
    println!("| all | {a} | {b} | {c} | {d} |");
    assert!(b > 0 && d <= 500, "{ours:?}");
}

/// An answer to a client.
struct Answer {
    begin: Instant,
    took: Duration,
    reply: Reply,
}

/// Sends `rate` requests a second for `length`, none of which waits for another.
fn flood(api: Api, rate: u32, length: Duration) -> Vec<Answer> {
    let (sender, answers) = channel();
    let first = Instant::now();
    for number in 0..rate * length.as_secs() as u32 {
        let due = first + Duration::from_secs(1) * number / rate;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let sender = sender.clone();
        thread::spawn(move || {
            let begin = Instant::now();
            let reply = api.get("/customer/123");
            sender.send(Answer { begin, took: begin.elapsed(), reply }).expect("the test waits for it");
        });
    }
    drop(sender);
    answers.into_iter().collect()
}

/// Three times the usual load. With WASI 0.2 instances share nothing, so each request is held for its deadline, and the pool
/// of 1,000 is full.
#[test]
#[ignore = "takes more than two minutes: make crowd"]
fn a_crowd_without_a_database_for_two_minutes_is_mostly_refused_at_once() {
    const RATE: u32 = 60;
    let recovery = if instance_per_request() { 10 } else { 5 };
    let [length, after, recovery] = [120, 12, recovery].map(Duration::from_secs);
    let stack = Faulty::start(&[]);
    let begin = Instant::now();
    stack.set(&json!({"outages": [{"after_ms": 0, "for_ms": 120_000, "kind": "refuse"}]}));
    let end = Instant::now() + length;
    let answers = flood(stack.api, RATE, length + after);
    let (good, failed): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.reply.status == 200);
    let full = failed.iter().filter(|answer| answer.reply.status == 500).count();
    // The first requests wait as long as they may, because the database might return.
    let known = begin + Duration::from_secs(15);
    let mut late: Vec<_> = failed.iter().filter(|answer| answer.begin > known).map(|answer| answer.took).collect();
    late.sort_unstable();
    let at_once = late.iter().filter(|took| **took < Duration::from_millis(50)).count();
    let last = failed.iter().map(|answer| answer.begin.saturating_duration_since(end)).max().unwrap_or_default();
    let [p50, p90, p99] = [50, 90, 99].map(|percent| late.get(late.len() * percent / 100).copied().unwrap_or_default());
    println!("{} answered, {} refused, {full} of them by a full pool", good.len(), failed.len());
    println!(
        "{} refused from the 16th second on, {at_once} within 50 ms: p50 {p50:?}, p90 {p90:?}, p99 {p99:?}",
        late.len()
    );
    println!("the last refused request came {last:?} after the end");
    assert!(last < recovery && good.iter().all(|answer| answer.begin < end + recovery || answer.took < recovery));
    if !instance_per_request() {
        for answer in failed {
            answer.reply.problem(503);
        }
        assert!(at_once * 2 > late.len());
    }
}
