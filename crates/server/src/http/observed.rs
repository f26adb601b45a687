//! The service of one connection: passes requests to the router, and notes how far each one is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::Version;
use axum::response::Response;
use bytes::Buf;
use http_body::{Frame, SizeHint};
use tower::Service;

use crate::limits::activity::{Activity, OpenRequest};

/// The largest part of a reply that is handed over at once, in bytes. A reader who takes one part
/// within the time for replies is not cut off.
const PART_BYTES: usize = 16 * 1024;

/// Marks requests on a connection of the reserve, which may only probe.
#[derive(Debug, Clone)]
pub(super) struct Reserved(Arc<Activity>);

impl Reserved {
    /// Ends the connection after its open replies. Over HTTP/2 no header of a reply does so.
    pub(super) fn end_connection(&self) {
        self.0.end();
    }
}

/// The service of one connection.
#[derive(Clone)]
pub(super) struct Observed<S> {
    inner: S,
    activity: Arc<Activity>,
    unsent_limit: usize,
    is_reserved: bool,
}

impl<S> Observed<S> {
    pub(super) const fn new(
        inner: S,
        activity: Arc<Activity>,
        unsent_limit: usize,
        is_reserved: bool,
    ) -> Self {
        Self { inner, activity, unsent_limit, is_reserved }
    }
}

impl<S, B> Service<Request<B>> for Observed<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Reply>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut inner = self.inner.clone();
        let unsent_limit = self.unsent_limit;
        let open = Arc::new(self.activity.begin(request.version() == Version::HTTP_2));
        let mut request = request.map(|body| arriving(body, &open));
        if self.is_reserved {
            request.extensions_mut().insert(Reserved(Arc::clone(&self.activity)));
        }
        Box::pin(async move {
            open.wait_for_earlier(unsent_limit).await;
            let reply = inner.call(request).await?;
            Ok(reply.map(|body| Reply::new(body, open)))
        })
    }
}

fn arriving<B>(body: B, open: &Arc<OpenRequest>) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        open.handle();
        return Body::empty();
    }
    let inner = Body::new(body);
    Body::new(Arriving { inner, open: Arc::clone(open) })
}

/// The body of a request.
struct Arriving {
    inner: Body,
    open: Arc<OpenRequest>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        self.open.receive();
        if frame.is_none() || self.inner.is_end_stream() {
            self.open.handle();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.open.handle();
    }
}

/// The body of a reply, in parts. It counts as unsent until all of them were sent.
pub(super) struct Reply {
    inner: Body,
    /// What is left of the last frame.
    rest: Bytes,
    open: Arc<OpenRequest>,
}

impl Reply {
    fn new(inner: Body, open: Arc<OpenRequest>) -> Self {
        let length = usize::try_from(inner.size_hint().lower()).unwrap_or(usize::MAX);
        open.answer(length);
        Self { inner, rest: Bytes::new(), open }
    }

    fn next_part(&mut self) -> Part {
        let bytes = self.rest.split_to(self.rest.len().min(PART_BYTES));
        Part { bytes, open: Arc::clone(&self.open) }
    }
}

impl HttpBody for Reply {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Part>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => {
                    let trailers = other.into_trailers().unwrap_or_default();
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.next_part()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// A part of a reply; it was sent when this is dropped.
pub(super) struct Part {
    bytes: Bytes,
    open: Arc<OpenRequest>,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.open.send();
    }
}
