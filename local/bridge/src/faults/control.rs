//! `/faults`: the plan and what has come of it, for whoever runs the tests.

use std::convert::Infallible;

use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{net::TcpListener, time::sleep};

use super::{Faults, Log, Plan};
use crate::{
    ACCEPT_PAUSE,
    wire::{self, ReplyBody},
};

/// The longest plan accepted, bytes.
const MAX_PLAN: usize = 1 << 20;

/// Serves `/faults` for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, faults: &Faults) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let faults = faults.clone();
                let service = service_fn(move |request| {
                    let faults = faults.clone();
                    async move { Ok::<_, Infallible>(answer(&faults, request).await) }
                });
                // Who goes away early misses the answer, no more.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
            Err(error) => {
                eprintln!("local bridge: cannot accept a connection for /faults: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(faults: &Faults, request: Request<Incoming>) -> Response<ReplyBody> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/faults") => report(faults),
        (&Method::PUT, "/faults") => match read(request.into_body()).await {
            Ok(plan) => {
                faults.replace(plan);
                report(faults)
            }
            Err(error) => text(StatusCode::BAD_REQUEST, &format!("This is not a plan: {error:#}\n")),
        },
        _ => text(StatusCode::NOT_FOUND, "There are only GET and PUT of /faults here.\n"),
    }
}

async fn read(body: Incoming) -> anyhow::Result<Plan> {
    let body = Limited::new(body, MAX_PLAN)
        .collect()
        .await
        .map_err(anyhow::Error::from_boxed)?;
    Plan::parse(&body.to_bytes())
}

fn report(faults: &Faults) -> Response<ReplyBody> {
    #[derive(Serialize)]
    struct Report<'a> {
        plan: &'a Plan,
        log: &'a Log,
    }
    let (plan, log) = faults.snapshot();
    match serde_json::to_string(&Report { plan: &plan, log: &log }) {
        Ok(json) => wire::json(StatusCode::OK, json),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn text(status: StatusCode, text: &str) -> Response<ReplyBody> {
    let mut response = wire::empty(status);
    *response.body_mut() = text.to_owned().into();
    response
}
