//! Clients that are slow, stop half way or hang up: `make crowd`.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{Process, local, up_with};

/// Clients that misbehave.
const CLIENTS: usize = 200;

/// How long they do, in thirds: the first is for the memory to reach its level, the other two are compared.
const THIRD: Duration = Duration::from_secs(20);

/// A request's deadline, in milliseconds: what a body that stops half way is given up after.
const DEADLINE_MS: &str = "10000";

/// Resident memory of a process and of all that it started, in KiB: Spin is two processes below ours.
fn resident_kib(process: u32) -> usize {
    let read = |file: String| fs::read_to_string(file).unwrap_or_default();
    let mut processes = vec![process.to_string()];
    let mut kib = 0;
    while let Some(process) = processes.pop() {
        let status = read(format!("/proc/{process}/status"));
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        // One that has just ended has none.
        kib += resident.map_or(0, |line| line.trim().trim_end_matches("kB").trim().parse().expect("a number"));
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = read(thread.path().join("children").display().to_string());
            processes.extend(children.split_whitespace().map(str::to_owned));
        }
    }
    kib
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

/// What one client does, again and again, in five ways by its number.
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
fn a_crowd_that_misbehaves_costs_neither_memory_nor_others() {
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
