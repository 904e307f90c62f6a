//! One call, with the fault that the plan has for it.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use tokio::time::sleep;

use super::{Decision, Fault, Faults, OutageKind, Turn, scene::Scene};
use crate::{
    bridge::{self, Bridge},
    wire::{self, DabError, ReplyBody},
};

/// Answers a call, or says what is to happen on its connection instead.
pub(super) async fn answer(
    bridge: &Bridge,
    faults: &Faults,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Scene> {
    let turn = faults.next_call();
    let mut client = Client {
        faults,
        answered: false,
    };
    let outcome = match turn {
        Turn::Proper => Ok(bridge.answer(request).await),
        Turn::Outage(OutageKind::Error500) => whole(request).await.map(|request| database_error(&request, None)),
        Turn::Outage(OutageKind::Refuse) => Err(Scene::reset()),
        Turn::Fault(decision) => faulted(bridge, faults, decision, request).await,
    };
    client.answered = true;
    outcome
}

/// Notices when the client leaves: the future that has this is dropped then.
struct Client<'a> {
    faults: &'a Faults,
    answered: bool,
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        // In an outage it is the bridge that leaves.
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
    let (request, plan) = (whole(request).await?, faults.plan());
    let gateway = |status| Ok(gateway_error(status, decision.retry_after_s));
    match fault {
        Fault::Refuse | Fault::ResetBeforeRead | Fault::ResetAfterRead => Err(Scene::reset()),
        Fault::Error429 => gateway(StatusCode::TOO_MANY_REQUESTS),
        Fault::Error500 => Ok(database_error(&request, decision.retry_after_s)),
        Fault::Error502 => gateway(StatusCode::BAD_GATEWAY),
        Fault::Error503 => gateway(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Garbage => Ok(garbage(&request, decision.form)),
        Fault::Delay => {
            let (bridge, delay) = (bridge.clone(), Duration::from_millis(plan.delay_ms));
            let late = tokio::spawn(async move {
                sleep(delay).await;
                bridge.answer(request).await
            });
            late.await.map_err(|_| Scene::reset())
        }
        Fault::Stall | Fault::Truncate | Fault::LengthTooLong | Fault::LengthTooShort | Fault::CommitThenDrop => {
            let response = execute(bridge, faults, request).await;
            Err(match fault {
                Fault::Stall => Scene::stall(response, Duration::from_millis(plan.stall_ms)).await,
                Fault::Truncate => Scene::truncate(response).await,
                Fault::LengthTooLong => Scene::mismeasured(response, |length| length * 2 + 1).await,
                Fault::LengthTooShort => Scene::mismeasured(response, |length| length / 2).await,
                _ => Scene::reset(),
            })
        }
    }
}

/// The request with its body, or the end of a client that did not send it all.
async fn whole(request: Request<Incoming>) -> Result<Request<Full<Bytes>>, Scene> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Scene::reset())?.to_bytes();
    Ok(Request::from_parts(parts, Full::new(body)))
}

/// Executes a call whose answer will not arrive as it is.
async fn execute(bridge: &Bridge, faults: &Faults, request: Request<Full<Bytes>>) -> Response<ReplyBody> {
    let is_write = request.method() == Method::POST;
    let response = bridge.answer(request).await;
    if is_write && response.status().is_success() {
        faults.count(|log| log.unanswered_writes += 1);
    }
    response
}

/// What DAB answers for a deadlock, a failover or a database that is away.
fn database_error(request: &Request<Full<Bytes>>, retry_after_s: Option<u64>) -> Response<ReplyBody> {
    let error = DabError::database(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    let response = bridge::of_dab(error, wire::correlation_id(request.headers()));
    with_retry_after(response, retry_after_s)
}

/// What a proxy or an ingress in front of DAB answers.
fn gateway_error(status: StatusCode, retry_after_s: Option<u64>) -> Response<ReplyBody> {
    let title = status.to_string();
    let page = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\r\n");
    with_retry_after(html(status, page), retry_after_s)
}

/// A success that is none: a page of somebody else, or bytes that are nothing at all.
fn garbage(request: &Request<Full<Bytes>>, page: bool) -> Response<ReplyBody> {
    let status = if request.method() == Method::POST {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    if page {
        return html(
            status,
            "<html><body>Please sign in to the network.</body></html>".to_owned(),
        );
    }
    let mut response = wire::json(status, String::from("{\"value\":[{\"Status\":200,\u{0}\u{fffd}}}]"));
    response.headers_mut().insert(CONTENT_TYPE, wire::JSON);
    response
}

fn html(status: StatusCode, page: String) -> Response<ReplyBody> {
    let mut response = wire::json(status, page);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

fn with_retry_after(mut response: Response<ReplyBody>, seconds: Option<u64>) -> Response<ReplyBody> {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
