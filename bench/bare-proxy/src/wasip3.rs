//! WASI 0.3. The write of a body begins together with the sending of its head. Otherwise the body would wait until the other
//! side has acknowledged the head.

use std::future::Future;

use futures::{FutureExt, join};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FromResponse, Request, Response};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields, Method, Scheme, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, StreamReader};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};
use spin_sdk::{http_service, variables};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<types::Response> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let (get, path) = crate::call(parts.method.as_str(), target);
    let url = variables::get("dab_url").await?;
    let (scheme, authority) = url.split_once("://").unwrap_or(("http", &url));
    let body = body.bytes().await?.to_vec();
    let headers = fields(&body)?;
    let (contents, end, write) = writing(body);
    let (outgoing, _) = types::Request::new(headers, Some(contents), end, None);
    let set = |result: Result<(), ()>| result.map_err(|()| anyhow::anyhow!("{url} is no origin"));
    set(outgoing.set_method(if get { &Method::Get } else { &Method::Post }))?;
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    set(outgoing.set_scheme(Some(&scheme)))?;
    set(outgoing.set_authority(Some(authority)))?;
    set(outgoing.set_path_with_query(Some(&path)))?;
    // The order matters: the host begins to read what is written once it has begun to send.
    let (answer, ()) = join!(client::send(outgoing), write);
    let answer = Response::from_response(answer?)?;
    let status = answer.status().as_u16();
    let body = answer.into_body().bytes().await?.to_vec();
    // Other headers are dropped, because Spin refuses hop-by-hop headers.
    let headers = fields(&body)?;
    let (contents, end, write) = writing(body);
    let mut write = Box::pin(write);
    if write.as_mut().now_or_never().is_none() {
        spawn(write);
    }
    let (response, _) = types::Response::new(headers, Some(contents), end);
    // A status that a server answered with is valid.
    let _ = response.set_status_code(status);
    Ok(response)
}

/// The headers of a message with this body.
fn fields(body: &[u8]) -> anyhow::Result<Fields> {
    let length = body.len().to_string().into_bytes();
    let fields = [("content-type".to_owned(), b"application/json".to_vec()), ("content-length".to_owned(), length)];
    Fields::from_list(&fields).map_err(|error| anyhow::anyhow!("{error:?}"))
}

/// How a body ends: perhaps with trailers, or with an error.
type End = Result<Option<Trailers>, ErrorCode>;

/// A body as the host reads it, and the future that writes the body. Nothing is written before the future is polled.
fn writing(body: Vec<u8>) -> (StreamReader<u8>, FutureReader<End>, impl Future<Output = ()>) {
    let (mut contents, contents_read) = wit_stream::new();
    let (end, end_read) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
    let write = async move {
        // Either fails when the other side stops reading, which then says why.
        contents.write_all(body).await;
        drop(contents);
        let _ = end.write(Ok(None)).await;
    };
    (contents_read, end_read, write)
}
