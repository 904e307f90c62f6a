//! `/faults`: the plan and its effects so far, for the person or program that runs the tests.

use std::convert::Infallible;

use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

use super::{plan::Plan, state::Faults};
use crate::{
    listener::accept,
    wire::{self, ReplyBody},
};

/// The longest plan accepted, bytes.
const MAX_PLAN: usize = 1 << 20;

/// Serves `/faults` for as long as it is polled.
pub(crate) async fn serve_control(listener: TcpListener, faults: &Faults) -> Infallible {
    loop {
        let stream = accept(&listener).await;
        let faults = faults.clone();
        let service = service_fn(move |request| {
            let faults = faults.clone();
            async move { Ok::<_, Infallible>(answer(&faults, request).await) }
        });
        // A client that disconnects early only misses the answer.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(faults: &Faults, request: Request<Incoming>) -> Response<ReplyBody> {
    let text = |status, text: String| wire::with_body(status, "text/plain", text);
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/faults") => {}
        (&Method::PUT, "/faults") => match read(request.into_body()).await {
            Ok(plan) => faults.replace(plan),
            Err(error) => return text(StatusCode::BAD_REQUEST, format!("This is not a plan: {error:#}\n")),
        },
        _ => {
            return text(StatusCode::NOT_FOUND, "There are only GET and PUT of /faults here.\n".into());
        }
    }
    let (plan, log) = faults.snapshot();
    wire::json(StatusCode::OK, json!({"plan": *plan, "log": log}).to_string())
}

async fn read(body: Incoming) -> anyhow::Result<Plan> {
    let body = Limited::new(body, MAX_PLAN).collect().await;
    Plan::parse(&body.map_err(anyhow::Error::from_boxed)?.to_bytes())
}
