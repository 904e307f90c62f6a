//! One request through one fresh instance of the component.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use wasmtime::Store;
use wasmtime::component::Component;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView};

use crate::engine::MAX_INSTANCES;
use crate::imports::{Application, InstanceState, link};
use crate::outbound::Outbound;
use crate::variables::Variables;

/// What the guest hands to `response-outparam.set`.
type Answer = Result<Response<WasiBody>, ErrorCode>;

/// The component, linked and ready to be instantiated.
pub(crate) struct Guest {
    application: Arc<Application>,
    pre: ProxyPre<InstanceState>,
    free: Semaphore,
}

impl Guest {
    pub fn new(component: &Component, name: String, variables: Variables, outbound: Arc<Outbound>) -> Result<Self> {
        let pre = ProxyPre::new(link(component.engine())?.instantiate_pre(component)?)?;
        let application = Arc::new(Application {
            component: name,
            variables,
            outbound,
        });
        Ok(Self {
            application,
            pre,
            free: Semaphore::new(MAX_INSTANCES as usize),
        })
    }

    pub fn component(&self) -> &str {
        &self.application.component
    }

    /// Starts an instance on a request. It runs in a task of its own, because it may go on after its response has been
    /// sent.
    pub fn start(self: &Arc<Self>, request: Request<WasiBody>) -> Running {
        let progress = Arc::new(Progress::default());
        let (sender, answer) = oneshot::channel();
        let (guest, shared) = (self.clone(), progress.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = guest.run(request, &shared, sender).await {
                eprintln!("built-in host: {} failed: {error:#}", guest.component());
            }
        });
        Running {
            component: self.application.clone(),
            progress,
            answer,
            task: task.abort_handle(),
        }
    }

    async fn run(
        &self,
        request: Request<WasiBody>,
        progress: &Arc<Progress>,
        answer: oneshot::Sender<Answer>,
    ) -> Result<()> {
        let _place = self.free.acquire().await?;
        let mut store = Store::new(self.pre.engine(), InstanceState::new(self.application.clone()));
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let result = self.handle(&mut store, request, progress, answer).await;
        // Before the store is dropped: that ends the body of the response as if it were complete.
        progress.failed.store(result.is_err(), Ordering::Release);
        drop(store);
        result
    }

    async fn handle(
        &self,
        store: &mut Store<InstanceState>,
        request: Request<WasiBody>,
        progress: &Arc<Progress>,
        answer: oneshot::Sender<Answer>,
    ) -> Result<()> {
        let shared = progress.clone();
        let set = move |value: Answer| {
            shared.answered.store(true, Ordering::Release);
            // Nobody waits for it when the client has gone.
            let _ = answer.send(value);
        };
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let outparam = store.data_mut().http().new_response_outparam_from_callback(set)?;
        let proxy = self.pre.instantiate_async(&mut *store).await?;
        proxy
            .wasi_http_incoming_handler()
            .call_handle(&mut *store, request, outparam)
            .await?;
        ensure!(
            progress.answered.load(Ordering::Acquire),
            "the guest returned without setting a response"
        );
        Ok(())
    }
}

/// How far an instance has come; the instance writes, the body of its response reads.
#[derive(Default)]
struct Progress {
    /// The guest has set a response.
    answered: AtomicBool,
    /// The guest has trapped.
    failed: AtomicBool,
}

/// An instance at work on a request.
pub(crate) struct Running {
    component: Arc<Application>,
    progress: Arc<Progress>,
    answer: oneshot::Receiver<Answer>,
    task: AbortHandle,
}

impl Running {
    /// Ends the instance where it stands.
    pub fn abort_handle(&self) -> AbortHandle {
        self.task.clone()
    }

    /// Waits for the head of the response. A guest that fails first is answered for with 500; why is on standard error.
    pub async fn response(self) -> Response<GuestBody> {
        let response = match self.answer.await {
            Ok(Ok(response)) => response,
            Ok(Err(code)) => {
                eprintln!(
                    "built-in host: {} answered with error code {code:?}",
                    self.component.component
                );
                error_response()
            }
            // The instance has ended, and its task has said why.
            Err(_) => error_response(),
        };
        response.map(|body| GuestBody {
            body,
            progress: self.progress,
        })
    }
}

fn error_response() -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(Error::from).boxed_unsync());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// The body of a response. When the guest fails before its end, so does the body: the client sees the connection break
/// off, instead of taking a part for the whole.
pub(crate) struct GuestBody {
    body: WasiBody,
    progress: Arc<Progress>,
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None if self.progress.failed.load(Ordering::Acquire) => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
