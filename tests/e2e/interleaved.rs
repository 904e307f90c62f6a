//! Many requests at a time, which with WASI 0.3 share instances: each answer belongs to its request, whatever becomes
//! of the others.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::{Api, Asked, serve, up};

/// Requests at a time: enough for several instances with as many as one takes.
const REQUESTS: usize = 60;

/// A bridge that holds every call until it is opened, and answers with what it was asked.
struct Gate {
    url: String,
    state: Arc<watch::Sender<State>>,
}

#[derive(Default)]
struct State {
    arrived: usize,
    open: bool,
}

impl Gate {
    fn start() -> Self {
        let state = Arc::new(watch::Sender::new(State::default()));
        let gate = state.clone();
        let address = serve(move |asked| {
            let gate = gate.clone();
            async move {
                gate.send_modify(|state| state.arrived += 1);
                // Fails only when nobody can open it any more.
                let _ = gate.subscribe().wait_for(|state| state.open).await;
                (200, echo(&asked))
            }
        });
        Self { url: format!("http://{address}"), state }
    }

    /// Waits until so many calls have arrived.
    fn await_calls(&self, number: usize) {
        let mut state = self.state.subscribe();
        let arrived = state.wait_for(|state| state.arrived >= number);
        futures::executor::block_on(arrived).expect("the gate exists");
    }

    fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }
}

/// A row that says what was asked.
fn echo(asked: &Asked) -> String {
    let mut said: Value = serde_json::from_slice(&asked.body).expect("JSON");
    said["CorrelationID"] = asked.headers["x-ms-correlation-id"].to_str().expect("ASCII").into();
    let number: i32 = said["RequestKey"].as_str().expect("text").parse().expect("a number");
    json!({"value": [{"Status": 201, "CustomerID": number, "Json": said.to_string()}]}).to_string()
}

/// A request of its own: the number is in its key, its id and its body, which differs in length as well.
struct Mine {
    key: String,
    correlation_id: String,
    body: String,
}

impl Mine {
    fn new(number: usize) -> Self {
        Self {
            key: number.to_string(),
            correlation_id: format!("00000000-0000-4000-8000-{number:012}"),
            body: json!({"Mine": number.to_string().repeat(1 + 97 * number)}).to_string(),
        }
    }

    /// Sends it and checks the answer.
    fn is_answered(&self, api: &Api) {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", self.key.as_str()),
            ("x-correlation-id", self.correlation_id.as_str()),
        ];
        let reply = api.send(Method::PUT, "/customer", &headers, self.body.as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.header("x-correlation-id"), self.correlation_id);
        assert_eq!(reply.header("location"), format!("customer/{}", self.key));
        let expected = json!({"Json": self.body, "RequestKey": self.key, "CorrelationID": self.correlation_id});
        assert_eq!(reply.json(), expected);
    }

    /// Sends all of it but the end.
    fn begin(&self, api: &Api, missing: usize) -> TcpStream {
        let mut client = TcpStream::connect(api.address).expect("the API listens");
        let request = format!(
            "PUT /customer HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nIdempotency-Key: {}\r\n\
             X-Correlation-ID: {}\r\nContent-Length: {}\r\n\r\n{}",
            api.address,
            self.key,
            self.correlation_id,
            self.body.len(),
            self.body
        );
        let sent = &request.as_bytes()[..request.len() - missing];
        client.write_all(sent).expect("it reads");
        client
    }
}

#[test]
fn every_answer_belongs_to_its_request() {
    let gate = Gate::start();
    let process = up(&["--dab-url", &gate.url]);
    let api = process.api();
    thread::scope(|scope| {
        let mut leaving = Vec::new();
        let mut calls = 0;
        for number in 1..=REQUESTS {
            let mine = Mine::new(number);
            match number % 4 {
                // Leaves while the bridge works for it.
                0 => leaving.push(mine.begin(&api, 0)),
                // Leaves in the middle of its body, which the bridge never hears of.
                1 => leaving.push(mine.begin(&api, mine.body.len() / 2)),
                _ => drop(scope.spawn(move || mine.is_answered(&api))),
            }
            calls += usize::from(number % 4 != 1);
        }
        gate.await_calls(calls);
        drop(leaving);
        gate.open();
    });
    // Whatever was left behind disturbs nobody.
    for number in 1..=REQUESTS {
        Mine::new(number).is_answered(&api);
    }
}
