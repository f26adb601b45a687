//! `/livez`: the process runs. `/readyz`: it can serve.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page;
use crate::app::App;

/// The paths of probes, which are answered even where the connections for others are used up.
pub(super) const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// For how long the store's answer to a probe is given to all who ask.
const ANSWER_KEPT: Duration = Duration::from_secs(1);

/// The store's last answer to a probe. A probe writes, and needs no credentials: however many ask,
/// the store is asked once at a time, and at most once a second.
#[derive(Default)]
pub struct Readiness {
    last: Mutex<Option<Answer>>,
}

#[derive(Clone, Copy)]
struct Answer {
    is_ready: bool,
    asked_at: Instant,
}

impl Readiness {
    /// Whether the store is ready, for a caller who asks at `now`. Where the last answer is too old,
    /// `probe` gets another one.
    async fn ask(&self, now: Instant, probe: impl Future<Output = bool>) -> bool {
        let mut last = self.last.lock().await;
        if let Some(answer) = *last
            && now.saturating_duration_since(answer.asked_at) < ANSWER_KEPT
        {
            return answer.is_ready;
        }
        let is_ready = probe.await;
        *last = Some(Answer { is_ready, asked_at: now });
        is_ready
    }
}

async fn probe(app: &App) -> bool {
    let checked = app.store.check().await;
    checked.inspect_err(|error| tracing::warn!(error = error.chain(), "not ready")).is_ok()
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz))
}

/// Ask whether the process runs
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain", description = "It runs"))
)]
async fn livez() -> &'static str {
    "alive\n"
}

/// Ask whether it can serve
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "It can"),
        (status = 503, body = String, content_type = "text/plain", description = "The store does not answer"),
    )
)]
async fn readyz(State(app): State<Arc<App>>) -> Response {
    let now = Instant::now();
    // In a task of its own: a caller who hangs up does not end a probe for the others.
    let asked = tokio::spawn(async move { app.readiness.ask(now, probe(&app)).await });
    if asked.await.unwrap_or(false) {
        "ready\n".into_response()
    } else {
        page::plain_refusal(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Barrier;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn probes_once_a_second_whatever_the_answer() {
        let (readiness, start) = (Readiness::default(), Instant::now());
        let probes = AtomicUsize::new(0);
        let ask = async |after: u64, is_ready: bool| {
            let probe = async {
                probes.fetch_add(1, Ordering::Relaxed);
                is_ready
            };
            let is_ready = readiness.ask(start + Duration::from_millis(after), probe).await;
            (is_ready, probes.load(Ordering::Relaxed))
        };
        assert_eq!(ask(0, false).await, (false, 1));
        assert_eq!(ask(999, true).await, (false, 1));
        assert_eq!(ask(1_000, true).await, (true, 2));
        assert_eq!(ask(1_999, false).await, (true, 2));
        assert_eq!(ask(2_000, false).await, (false, 3));
        // Who asked earlier and was overtaken gets the later answer.
        assert_eq!(ask(1_500, true).await, (false, 3));
    }

    #[tokio::test]
    async fn callers_at_one_time_share_a_probe() {
        let (readiness, now) = (Arc::new(Readiness::default()), Instant::now());
        let (probes, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(50)));
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            let (readiness, probes) = (Arc::clone(&readiness), Arc::clone(&probes));
            let begun = Arc::clone(&begun);
            asking.spawn(async move {
                begun.wait().await;
                let probe = async {
                    tokio::task::yield_now().await;
                    probes.fetch_add(1, Ordering::Relaxed);
                    true
                };
                readiness.ask(now, probe).await
            });
        }
        assert!(asking.join_all().await.into_iter().all(|is_ready| is_ready));
        assert_eq!(probes.load(Ordering::Relaxed), 1);
    }
}
