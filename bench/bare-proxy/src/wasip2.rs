//! WASI 0.2, as the SDK's examples do it.

use spin_sdk::http::{Method, Request, Response, send};
use spin_sdk::{http_component, variables};

#[http_component]
async fn handle(request: Request) -> anyhow::Result<Response> {
    let target = request.path_and_query().unwrap_or_default();
    let (get, path) = crate::call(&request.method().to_string(), target);
    let outgoing = Request::builder()
        .method(if get { Method::Get } else { Method::Post })
        .uri(format!("{}{path}", variables::get("dab_url")?))
        .header("content-type", "application/json")
        .body(request.into_body())
        .build();
    let answer: Response = send(outgoing).await?;
    Ok(Response::builder()
        .status(*answer.status())
        .header("content-type", "application/json")
        .body(answer.into_body())
        .build())
}
