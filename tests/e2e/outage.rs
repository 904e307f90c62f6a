//! The database stops and comes back. `make outage` runs the same with the real times (ten seconds and a minute,
//! the manifest's variables); here they are shorter.

use std::future::pending;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::faulty::Faulty;
use crate::harness::{Process, Reply, environment, host, instance_per_request, local, root, serve};

/// Clients at the same time, besides the loop that only reads.
const CLIENTS: usize = 16;

/// How long a client waits after an answer.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer to a client.
struct Answer {
    begin: Instant,
    end: Instant,
    reply: Reply,
}

impl Answer {
    fn took(&self) -> Duration {
        self.end - self.begin
    }
}

/// All answers to steady load around an outage.
struct Observed {
    begin: Instant,
    /// The bridge is back at this time at the latest.
    end: Instant,
    answers: Vec<Answer>,
}

impl Observed {
    /// The answers to requests that were waiting when the bridge came back.
    fn waiting(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| answer.begin < self.end && answer.end >= self.end)
    }
}

fn ms(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// Puts a plan with an outage of `length` into force under steady load, and goes on with the load for `after`.
fn observe(stack: &Faulty, plan: &Value, length: Duration, after: Duration) -> Observed {
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let ask = |client: usize, turn: usize| {
        // Even turns read; the last client is the loop of curl that only does that.
        if client == CLIENTS || turn.is_multiple_of(2) {
            return stack.api.get("/customer/123");
        }
        let body = json!({"PhoneNumber": turn.to_string()}).to_string();
        stack.api.json(Method::PATCH, &format!("/customer/{}", 801 + client), &body)
    };
    let run = |client: usize| {
        let mut answers = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begin = Instant::now();
            let reply = ask(client, answers.len());
            answers.push(Answer { begin, end: Instant::now(), reply });
            answered.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
        answers
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..=CLIENTS).map(|client| scope.spawn(move || run(client))).collect();
        while answered.load(Ordering::Relaxed) < 2 * CLIENTS {
            thread::sleep(Duration::from_millis(5));
        }
        let begin = Instant::now();
        stack.set(plan);
        let end = Instant::now() + length;
        // Real time has to pass: the outage is one of sockets.
        thread::sleep(length + after);
        stop.store(true, Ordering::Relaxed);
        let answers = clients.into_iter().flat_map(|client| client.join().expect("a client")).collect();
        Observed { begin, end, answers }
    })
}

/// The ways in which a database is unavailable, and how long each may hold a call that began before the end:
///
/// - the bridge is stopped, too;
/// - DAB answers 500 at once;
/// - DAB answers 500 after its own three attempts to connect, 6 s for an attempt of 10 s;
/// - DAB answers only after all its time-outs, 33 s, when the component has given the attempt up.
fn ways(attempt: Duration) -> [(&'static str, Duration); 4] {
    [
        ("refuse", Duration::ZERO),
        ("error_500", Duration::ZERO),
        ("login_refused", attempt * 6 / 10),
        ("silence", attempt),
    ]
}

/// An outage as long as an attempt, so shorter than the deadline, costs time and nothing else.
fn is_ridden_out(variables: &[(&str, u64)], attempt: Duration, within: Duration) {
    for (kind, held) in ways(attempt) {
        let (stack, within) = (Faulty::start(variables), within + held);
        let plan = json!({
            "outages": [{"after_ms": 0, "for_ms": ms(attempt), "kind": kind}],
            "login_ms": ms(attempt * 6 / 10),
            "silence_ms": ms(attempt * 33 / 10),
        });
        let observed = observe(&stack, &plan, attempt, within);
        for answer in &observed.answers {
            assert!(matches!(answer.reply.status, 200 | 202), "{kind}: {}", answer.reply.text());
        }
        assert!(observed.waiting().count() >= CLIENTS, "{kind}: everyone was waiting for the bridge");
        let latest = observed.waiting().map(|answer| answer.end - observed.end).max().unwrap_or_default();
        assert!(latest <= within, "{kind}: answered {latest:?} after the end");
    }
}

/// An outage that is longer than the deadline ends in problems that say when to come back, in time, and in full service
/// after it.
///
/// With WASI 0.3 a request may be refused until the next probe is answered. This takes `cap` after the bridge is back. On a busy machine it
/// takes longer, and a deadline is soon reached.
fn is_admitted(variables: &[(&str, u64)], deadline: Duration, cap: Duration, length: Duration) {
    const RECOVERY: Duration = Duration::from_secs(3);
    let slack = cap * 4;
    for kind in ["refuse", "error_500"] {
        let stack = Faulty::start(variables);
        let plan = json!({"outages": [{"after_ms": 0, "for_ms": ms(length), "kind": kind}]});
        let observed = observe(&stack, &plan, length, RECOVERY);
        let mut failures = 0;
        for answer in &observed.answers {
            assert!(answer.took() <= deadline + Duration::from_secs(1), "{kind}: {:?}", answer.took());
            if matches!(answer.reply.status, 200 | 202) {
                continue;
            }
            failures += 1;
            assert!(matches!(answer.reply.status, 503 | 504), "{kind}: {}", answer.reply.text());
            answer.reply.problem(answer.reply.status);
            let seconds: u64 = answer.reply.header("retry-after").parse().expect("seconds");
            assert!(seconds >= 1);
            assert!(
                answer.begin >= observed.begin - deadline && answer.begin < observed.end + slack,
                "{kind}: {} {:?} after the outage began: {}",
                answer.reply.status,
                answer.begin.saturating_duration_since(observed.begin),
                answer.reply.text()
            );
        }
        assert!(failures >= CLIENTS, "{kind}: {failures}");
        let since: Vec<_> = observed.answers.iter().filter(|answer| answer.begin >= observed.end).collect();
        assert!(since.len() >= CLIENTS, "{kind}");
        assert!(since.iter().all(|answer| answer.took() <= RECOVERY), "{kind}");
    }
}

#[test]
fn a_short_outage_costs_no_request() {
    // A tenth of the real times.
    let variables = [("retry_cap_ms", 200), ("attempt_timeout_ms", 1000), ("request_deadline_ms", 2500)];
    is_ridden_out(&variables, Duration::from_millis(1000), Duration::from_millis(1000));
}

#[test]
fn a_long_outage_is_admitted_in_time() {
    let variables = [("request_deadline_ms", 2500), ("attempt_timeout_ms", 1000), ("retry_cap_ms", 500)];
    let [deadline, cap, length] = [2500, 500, 5000].map(Duration::from_millis);
    is_admitted(&variables, deadline, cap, length);
}

#[test]
#[ignore = "takes more than a minute; run by make outage"]
fn an_outage_of_ten_seconds_costs_no_request() {
    // With WASI 0.3, the requests that wait for a probe come after it.
    let within = if instance_per_request() { 2500 } else { 4500 };
    is_ridden_out(&[], Duration::from_secs(10), Duration::from_millis(within));
}

#[test]
#[ignore = "takes more than two minutes; run by make outage"]
fn an_outage_of_a_minute_is_admitted_in_time() {
    let [deadline, cap, length] = [25, 2, 60].map(Duration::from_secs);
    is_admitted(&[], deadline, cap, length);
}

/// Eight writers at once meet a database without plans, where a single call compiles for `compile_ms`, and DAB cuts a call off
/// after `command_ms`. All of them succeed, and find the plan in the cache afterwards.
fn is_warmed_up(variables: &[(&str, u64)], compile_ms: u64, command_ms: u64) {
    const WRITERS: usize = 8;
    let stack = Faulty::start(variables);
    stack.set(&json!({"cold": {"compile_ms": compile_ms, "command_ms": command_ms}}));
    let write = |writer: usize, number: &str| {
        let begin = Instant::now();
        let body = json!({"PhoneNumber": number}).to_string();
        let reply = stack.api.json(Method::PATCH, &format!("/customer/{}", 801 + writer), &body);
        (reply.is(202), begin.elapsed())
    };
    let slowest = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer, "1").1)).collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer")).max()
    });
    let (_, warm) = write(0, "2");
    println!("cold: {:?} for the slowest of {WRITERS}; warm: {warm:?}", slowest.unwrap_or_default());
    assert!(slowest >= Some(Duration::from_millis(compile_ms)), "it was cold");
    assert!(warm < Duration::from_millis(compile_ms), "it is warm");
}

#[test]
fn a_cold_database_warms_up() {
    // A tenth of the real times.
    let variables = [("retry_cap_ms", 200), ("attempt_timeout_ms", 1000), ("request_deadline_ms", 2500)];
    is_warmed_up(&variables, 160, 1500);
}

#[test]
#[ignore = "takes fifteen seconds; run by make outage"]
fn an_outage_leaves_a_cold_database_which_warms_up() {
    is_warmed_up(&[], 1600, 15_000);
}

#[test]
#[ignore = "takes a minute; run by make outage, which draws docs/pictures/outage.svg from it"]
fn an_outage_of_ten_seconds_as_a_timeline() {
    const SECONDS: usize = 60;
    let (from, length) = (Duration::from_secs(20), Duration::from_secs(10));
    let stack = Faulty::start(&[]);
    let plan = json!({"outages": [{"after_ms": ms(from), "for_ms": ms(length), "kind": "refuse"}]});
    let observed = observe(&stack, &plan, Duration::from_secs(SECONDS as u64), Duration::ZERO);
    let mut csv = "second,answers,failures,p99_ms\n".to_owned();
    for second in 0..SECONDS {
        let begin = observed.begin + Duration::from_secs(second as u64);
        let answers = observed.answers.iter();
        let answers = answers.filter(|answer| answer.end >= begin && answer.end < begin + Duration::from_secs(1));
        let answers: Vec<_> = answers.collect();
        let failures = answers.iter().filter(|answer| answer.reply.status >= 400).count();
        assert_eq!(failures, 0, "in second {second}");
        let mut took: Vec<_> = answers.iter().map(|answer| answer.took()).collect();
        took.sort_unstable();
        let p99 = took.get((took.len() * 99).div_ceil(100).saturating_sub(1));
        let p99 = p99.map_or(String::new(), |took| format!("{:.1}", took.as_secs_f64() * 1000.0));
        csv += &format!("{second},{},{failures},{p99}\n", answers.len());
    }
    std::fs::write(root().join("docs/pictures/outage.csv"), csv).expect("docs/pictures");
}

/// The number of instances that the host has in the tests below.
const POOL: usize = 2;

/// Starts `up` with a small pool of instances and a bridge that never answers, and has `requests` wait for it. The answers of
/// `others` to more requests, each with its time.
fn full(settings: &[(&str, &str)], requests: usize, others: usize) -> Vec<(Reply, Duration)> {
    let arrived = Arc::new(AtomicUsize::new(0));
    let count = arrived.clone();
    let bridge = serve(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        pending()
    });
    let url = format!("http://{bridge}");
    let mut command = local(&["up", "--host", host(), "--listen", "127.0.0.1:0", "--dab-url", &url]);
    command.env("SPIN_MAX_INSTANCE_COUNT", POOL.to_string()).envs(environment(settings));
    let process = Process::start(&mut command);
    let api = process.api();
    // One after another: several at once would each begin an instance.
    let mut waiting = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    while waiting.len() < requests {
        let mut stream = TcpStream::connect(api.address).expect("the API listens");
        stream.write_all(b"GET /customer/123 HTTP/1.1\r\nhost: a\r\n\r\n").expect("sent");
        waiting.push(stream);
        while arrived.load(Ordering::Relaxed) < waiting.len() {
            assert!(Instant::now() < deadline, "{} of {requests} wait", arrived.load(Ordering::Relaxed));
            thread::sleep(Duration::from_millis(1));
        }
    }
    let answers = (0..others).map(|_| {
        let begin = Instant::now();
        (api.get("/customer/123"), begin.elapsed())
    });
    let answers = answers.collect();
    drop(waiting);
    answers
}

#[test]
fn a_full_pool_answers_500_at_once_and_without_a_body() {
    let requests = if instance_per_request() { POOL } else { POOL * 16 };
    for (reply, took) in full(&[], requests, 3) {
        assert_eq!((reply.status, reply.body.len()), (500, 0));
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn requests_above_the_limit_of_an_instance_get_a_problem_at_once() {
    // With WASI 0.2 an instance has one request, so that there is no limit to reach.
    if instance_per_request() {
        return;
    }
    let answers = full(&[("max_in_flight", "4")], 4, 100);
    let mut took: Vec<_> = answers.iter().map(|(_, took)| *took).collect();
    took.sort_unstable();
    println!("refused in {:?} at the median, {:?} at the 99th percentile", took[50], took[98]);
    for (reply, _) in &answers {
        reply.problem(503);
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert!(took[50] < Duration::from_millis(50), "{took:?}");
}

#[test]
fn a_slow_bridge_does_not_outlast_the_deadline() {
    let stack = Faulty::start(&[("request_deadline_ms", 1200), ("attempt_timeout_ms", 500)]);
    for kind in ["delay", "stall"] {
        stack.set(&json!({"rates": {kind: 1.0}, "delay_ms": 20_000, "stall_ms": 20_000}));
        let begin = Instant::now();
        let reply = stack.api.get("/customer/123");
        let took = begin.elapsed();
        reply.problem(504);
        assert!(reply.header("retry-after").parse::<u64>().is_ok());
        assert!(took <= Duration::from_millis(2200), "{kind}: {took:?}");
        assert!(stack.log()["calls"].as_u64().unwrap() >= 2, "{kind}: it tried again");
        // A stalled call has its response's head already, and the log leaves it out.
        stack.await_log(|log| kind == "stall" || log["abandoned"] == log["calls"]);
    }
}
