//! Traces: how long each stage of each request took, told to a collector by OTLP where one is
//! configured.
//!
//! A trace names the route, the method and the status; nothing that was sent is in it.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::{Request, Response};
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use patron_store::STAGES;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use ureq::Agent;

use crate::config::Config;

/// What a collector has below its address for traces.
const PATH: &str = "/v1/traces";
/// How long the collector may take for one batch; more spans are dropped meanwhile than fit into
/// the queue.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The traces of the process; what is not told yet is told when they are dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// `None` where no collector is configured.
    pub(super) fn configured(config: &Config) -> anyhow::Result<Option<Self>> {
        if config.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client(agent.new_agent()))
            .with_endpoint(format!("{}{PATH}", config.otlp_endpoint.trim_end_matches('/')))
            .with_timeout(TIMEOUT)
            .build()
            .context("cannot tell traces to `otlp_endpoint`")?;
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name("patron").build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self(provider)))
    }

    /// Makes a span of each stage, and of nothing else.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("patron"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(STAGES, Level::TRACE))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(TIMEOUT) {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

/// Sends what is told, on the thread of whoever tells it.
#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, mut body) = self.0.run(request.map(Vec::from))?.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}
