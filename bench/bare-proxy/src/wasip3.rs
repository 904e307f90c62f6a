//! WASI 0.3, as the SDK's examples do it.

use spin_sdk::http::{Method, Request, Response, send};
use spin_sdk::{http_service, variables};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let (get, path) = crate::call(parts.method.as_str(), target);
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = if get { Method::GET } else { Method::POST };
    *outgoing.uri_mut() = format!("{}{path}", variables::get("dab_url").await?).try_into()?;
    if let Some(kind) = parts.headers.get("content-type") {
        outgoing.headers_mut().insert("content-type", kind.clone());
    }
    Ok(send(outgoing).await?)
}
