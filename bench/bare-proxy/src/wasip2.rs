//! WASI 0.2. A body is written before its head is sent, as far as the host takes the body. Otherwise the body would wait
//! until the other side has acknowledged the head.

use futures::{Sink, SinkExt, join};
use spin_sdk::http::{
    Fields, IncomingResponse, Method, OutgoingRequest, OutgoingResponse, Request, ResponseOutparam, Scheme, send,
};
use spin_sdk::{http_component, variables};

#[http_component]
async fn handle(request: Request, out: ResponseOutparam) {
    match forward(request).await {
        Ok((response, body)) => {
            let sink = response.take_body();
            join!(write(sink, body), async { out.set(response) });
        }
        Err(error) => eprintln!("{error:#}"),
    }
}

async fn forward(request: Request) -> anyhow::Result<(OutgoingResponse, Vec<u8>)> {
    let (get, path) = crate::call(&request.method().to_string(), request.path_and_query().unwrap_or_default());
    let url = variables::get("dab_url")?;
    let (scheme, authority) = url.split_once("://").unwrap_or(("http", &url));
    let body = request.into_body();
    let outgoing = OutgoingRequest::new(fields(&body)?);
    let set = |result: Result<(), ()>| result.map_err(|()| anyhow::anyhow!("{url} is no origin"));
    set(outgoing.set_method(if get { &Method::Get } else { &Method::Post }))?;
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    set(outgoing.set_scheme(Some(&scheme)))?;
    set(outgoing.set_authority(Some(authority)))?;
    set(outgoing.set_path_with_query(Some(&path)))?;
    let sink = outgoing.take_body();
    let ((), answer) = join!(write(sink, body), send::<_, IncomingResponse>(outgoing));
    let answer = answer?;
    let status = answer.status();
    let body = answer.into_body().await?;
    let response = OutgoingResponse::new(fields(&body)?);
    // A status that a server answered with is valid.
    let _ = response.set_status_code(status);
    Ok((response, body))
}

/// The headers of a message with this body.
fn fields(body: &[u8]) -> anyhow::Result<Fields> {
    let length = body.len().to_string().into_bytes();
    let fields = [("content-type".to_owned(), b"application/json".to_vec()), ("content-length".to_owned(), length)];
    Ok(Fields::from_list(&fields)?)
}

/// Writes all of a body, and ends it.
async fn write(sink: impl Sink<Vec<u8>>, body: Vec<u8>) {
    let mut sink = std::pin::pin!(sink);
    // The call fails when the other side stops reading, which then says why.
    let _ = sink.send(body).await;
}
