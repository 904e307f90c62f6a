//! One call, with the fault that the plan gives it.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::RETRY_AFTER,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    cold,
    plan::{Decision, Fault},
    scene::Scene,
    state::Faults,
};
use crate::{
    bridge::{self, Bridge},
    wire::{self, DabError, ReplyBody},
};

/// Answers a call, or returns the scene that happens on its connection instead.
pub(crate) async fn answer(
    bridge: &Bridge,
    faults: &Faults,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Scene> {
    let decision = faults.next_call();
    let mut client = Client { faults, answered: false };
    let outcome = match decision {
        None if !cold::warm_up(faults).await => Ok(database_error(wire::correlation_id(request.headers()))),
        None => Ok(bridge.answer(request).await),
        Some(decision) => faulted(bridge, faults, decision, request).await,
    };
    client.answered = true;
    outcome
}

/// Notices when the client leaves: the future that owns this value is dropped then.
struct Client<'a> {
    faults: &'a Faults,
    answered: bool,
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        // In an outage, the bridge closes the connection itself.
        if !self.answered && !self.faults.refuses() {
            self.faults.count(|log| log.abandoned += 1);
        }
    }
}

async fn faulted(
    bridge: &Bridge,
    faults: &Faults,
    decision: Decision,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Scene> {
    let fault = decision.fault;
    if matches!(fault, Fault::Refuse | Fault::ResetBeforeRead) {
        return Err(Scene::reset());
    }
    let (parts, body) = request.into_parts();
    // A client may not send the whole body.
    let body = body.collect().await.map_err(|_| Scene::reset())?.to_bytes();
    let request = Request::from_parts(parts, Full::new(body));
    let plan = faults.snapshot().0;
    let mut response = match fault {
        Fault::Refuse | Fault::ResetBeforeRead | Fault::ResetAfterRead => return Err(Scene::reset()),
        Fault::Error429 => gateway_error(StatusCode::TOO_MANY_REQUESTS),
        Fault::Error500 | Fault::LoginRefused | Fault::Silence => {
            let wait = match fault {
                Fault::LoginRefused => plan.login_ms,
                Fault::Silence => plan.silence_ms,
                _ => 0,
            };
            sleep(Duration::from_millis(wait)).await;
            database_error(wire::correlation_id(request.headers()))
        }
        Fault::Error502 => gateway_error(StatusCode::BAD_GATEWAY),
        Fault::Error503 => gateway_error(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Garbage => return Ok(garbage(&request, decision.form)),
        Fault::Delay => {
            let (bridge, delay) = (bridge.clone(), Duration::from_millis(plan.delay_ms));
            let late = tokio::spawn(async move {
                sleep(delay).await;
                bridge.answer(request).await
            });
            return late.await.map_err(|_| Scene::reset());
        }
        Fault::Stall | Fault::Truncate | Fault::LengthTooLong | Fault::LengthTooShort | Fault::CommitThenDrop => {
            let response = execute(bridge, faults, request).await;
            return Err(match fault {
                Fault::Stall => Scene::stall(response, Duration::from_millis(plan.stall_ms)).await,
                Fault::Truncate => Scene::truncate(response).await,
                Fault::LengthTooLong => Scene::mismeasured(response, |length| length * 2 + 1).await,
                Fault::LengthTooShort => Scene::mismeasured(response, |length| length / 2).await,
                _ => Scene::reset(),
            });
        }
    };
    if let Some(seconds) = decision.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// DAB's 500 for a failure of the database.
fn database_error(correlation_id: Uuid) -> Response<ReplyBody> {
    bridge::of_dab(DabError::database(StatusCode::INTERNAL_SERVER_ERROR).into_response(), correlation_id)
}

/// Executes a call whose answer will not arrive unchanged.
async fn execute(bridge: &Bridge, faults: &Faults, request: Request<Full<Bytes>>) -> Response<ReplyBody> {
    let is_write = request.method() == Method::POST;
    let response = bridge.answer(request).await;
    if is_write && response.status().is_success() {
        faults.count(|log| log.unanswered_writes += 1);
    }
    response
}

/// The answer of a proxy or an ingress in front of DAB.
fn gateway_error(status: StatusCode) -> Response<ReplyBody> {
    let page = format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\r\n");
    wire::with_body(status, "text/html", page)
}

/// A success with a false body: another server's page, or meaningless bytes.
fn garbage(request: &Request<Full<Bytes>>, page: bool) -> Response<ReplyBody> {
    let is_write = request.method() == Method::POST;
    let status = if is_write { StatusCode::CREATED } else { StatusCode::OK };
    if page {
        wire::with_body(status, "text/html", "<html><body>Please sign in to the network.</body></html>")
    } else {
        wire::json(status, "{\"value\":[{\"Status\":200,\u{0}\u{fffd}}}]".into())
    }
}
