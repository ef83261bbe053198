//! `/_/metrics`: what Prometheus reads. Counting a request takes no lock: one pointer load and a few atomic additions.

use crate::app::Edge;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use actors::domain::admission::Block;
use actors::domain::stored::is_stale;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{self, Poll};
use std::time::{Duration, Instant};

/// Upper bounds of the latency histogram, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30_000];
/// So many blocks of admission are told apart; a config that is edited for ever does not fill the memory.
const BLOCKS: usize = 1000;
/// Status codes 100 to 599.
const STATUSES: usize = 500;

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The series by operation. Replaced when an operation is seen for the first time, read without a lock ever after.
    series: ArcSwap<BTreeMap<&'static str, Arc<Series>>>,
    in_flight: AtomicUsize,
    /// What the blocks of admission decided, by name and action; read without a lock as the series are.
    judged: ArcSwap<BTreeMap<(String, &'static str), Arc<AtomicU64>>>,
}

/// One operation's counters.
#[derive(Debug)]
struct Series {
    by_status: Vec<AtomicU64>,
    buckets: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
    count: AtomicU64,
}

/// The name of a request's operation, for its counters.
#[derive(Clone, Copy)]
struct Operation(&'static str);

/// Names the operation of a request; handlers call it as soon as they know.
pub fn name(request: &HttpRequest, operation: &'static str) {
    request.extensions_mut().insert(Operation(operation));
}

impl Metrics {
    /// Requests whose last byte has not been sent.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Counts one answered request.
    pub fn answered(&self, operation: &'static str, status: u16, elapsed: Duration) {
        let known = self.series.load().get(operation).cloned();
        let series = known.unwrap_or_else(|| self.add(operation));
        if let Some(counter) = usize::from(status).checked_sub(100).and_then(|at| series.by_status.get(at)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if let Some(bucket) = BOUNDS.iter().position(|bound| millis <= *bound) {
            series.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        series.micros.fetch_add(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        series.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one request, or one key of a batch, that a block of admission decided about.
    pub fn judged(&self, block: &Block) {
        let label = (block.name.clone(), block.action.word());
        let known = self.judged.load().get(&label).cloned();
        known.unwrap_or_else(|| self.add_block(label)).fetch_add(1, Ordering::Relaxed);
    }

    fn add_block(&self, label: (String, &'static str)) -> Arc<AtomicU64> {
        let new = Arc::new(AtomicU64::new(0));
        let full = self.judged.load().len() >= BLOCKS;
        let label = if full { ("*".to_owned(), label.1) } else { label };
        self.judged.rcu(|old| {
            let mut next = BTreeMap::clone(old);
            next.entry(label.clone()).or_insert_with(|| new.clone());
            next
        });
        self.judged.load().get(&label).cloned().unwrap_or(new)
    }

    fn add(&self, operation: &'static str) -> Arc<Series> {
        let new = Arc::new(Series::default());
        self.series.rcu(|old| {
            let mut next = BTreeMap::clone(old);
            next.entry(operation).or_insert_with(|| new.clone());
            next
        });
        self.series.load().get(operation).cloned().unwrap_or(new)
    }

    /// The requests in Prometheus' text format.
    fn write(&self, out: &mut String) {
        let series = self.series.load();
        line(out, "# TYPE dgp_requests_total counter");
        for (operation, series) in series.iter() {
            for (at, counter) in series.by_status.iter().enumerate() {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    let status = at + 100;
                    line(out, &format!("dgp_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {count}"));
                }
            }
        }
        line(out, "# TYPE dgp_request_duration_seconds histogram");
        for (operation, series) in series.iter() {
            let mut below = 0;
            for (bound, bucket) in BOUNDS.iter().zip(&series.buckets) {
                below += bucket.load(Ordering::Relaxed);
                let le = Duration::from_millis(*bound).as_secs_f64();
                let labels = format!("operation=\"{operation}\",le=\"{le}\"");
                line(out, &format!("dgp_request_duration_seconds_bucket{{{labels}}} {below}"));
            }
            let count = series.count.load(Ordering::Relaxed).max(below);
            let sum = Duration::from_micros(series.micros.load(Ordering::Relaxed)).as_secs_f64();
            let labels = format!("operation=\"{operation}\"");
            line(out, &format!("dgp_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {count}"));
            line(out, &format!("dgp_request_duration_seconds_sum{{{labels}}} {sum}"));
            line(out, &format!("dgp_request_duration_seconds_count{{{labels}}} {count}"));
        }
        gauge(out, "dgp_requests_in_flight", self.in_flight());
        line(out, "# TYPE dgp_admission_total counter");
        for ((name, action), count) in self.judged.load().iter() {
            let (rule, count) = (escaped(name), count.load(Ordering::Relaxed));
            line(out, &format!("dgp_admission_total{{rule=\"{rule}\",action=\"{action}\"}} {count}"));
        }
    }
}

/// A name that somebody chose, as the value of a label is written.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Default for Series {
    fn default() -> Self {
        Self {
            by_status: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
            buckets: Default::default(),
            micros: AtomicU64::new(0),
            count: AtomicU64::new(0),
        }
    }
}

/// Middleware: counts each request, and holds it in flight until its last byte has been sent.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let metrics = request.app_data::<web::Data<Edge>>().map(|edge| edge.metrics.clone()).unwrap_or_default();
    let (flight, begun) = (InFlight::new(metrics.clone()), Instant::now());
    let response = next.call(request).await?;
    let named = response.request().extensions().get::<Operation>().copied();
    metrics.answered(named.map_or("Other", |named| named.0), response.status().as_u16(), begun.elapsed());
    Ok(response.map_body(|_, body| BoxBody::new(Counted { body: body.boxed(), _flight: flight })))
}

/// A request under way, for as long as this lives.
struct InFlight(Arc<Metrics>);

impl InFlight {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.in_flight.fetch_add(1, Ordering::SeqCst);
        Self(metrics)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that knows that its request is still under way.
struct Counted {
    body: BoxBody,
    _flight: InFlight,
}

impl MessageBody for Counted {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

/// `GET /_/metrics`.
#[utoipa::path(
    get, path = "/_/metrics", tag = "about", operation_id = "getMetrics", security(()),
    responses((status = 200, description = "For Prometheus.", body = String, content_type = "text/plain")),
)]
pub(super) async fn get(request: HttpRequest, edge: web::Data<Edge>) -> HttpResponse {
    name(&request, "Metrics");
    let mut out = String::with_capacity(16 << 10);
    edge.metrics.write(&mut out);
    let view = edge.system.view();
    gauge(&mut out, "dgp_config_epoch", view.state.meta.epoch);
    gauge(&mut out, "dgp_config_generation", view.state.meta.generation);
    gauge(&mut out, "dgp_locked", u8::from(view.locked.is_some()));
    gauge(&mut out, "dgp_users", view.state.users.len());
    gauge(&mut out, "dgp_password_queue", edge.passwords.waiting());
    if let Ok(sessions) = edge.session.list().await {
        gauge(&mut out, "dgp_sessions", sessions.len());
    }
    stored_backups(&mut out, &edge);
    line(&mut out, "# TYPE dgp_signature_fallback_total counter");
    for (kind, count) in edge.s3.signature_fallbacks() {
        line(&mut out, &format!("dgp_signature_fallback_total{{kind=\"{kind}\"}} {count}"));
    }
    for (name, store) in view.stores.iter() {
        let (used, size) = store.load();
        let label = format!("backend=\"{name}\"");
        line(&mut out, &format!("dgp_backend_open{{{label}}} {}", u8::from(store.down_reason().is_none())));
        line(&mut out, &format!("dgp_permits_in_use{{{label}}} {used}"));
        line(&mut out, &format!("dgp_permits{{{label}}} {size}"));
    }
    for name in view.state.buckets.keys().filter(|name| view.settings(name).quota_bytes.is_some()) {
        let used = view.route(name).ok().and_then(|route| edge.system.usage(&route));
        let label = format!("bucket=\"{name}\"");
        line(&mut out, &format!("dgp_quota_bytes{{{label}}} {}", view.settings(name).quota_bytes.unwrap_or_default()));
        if let Some(used) = used {
            line(&mut out, &format!("dgp_quota_used_bytes{{{label}}} {}", used.total()));
        }
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(out)
}

/// How the job that stores backups is doing.
fn stored_backups(out: &mut String, edge: &Edge) {
    let (standing, now) = (edge.backup.standing(), edge.clock.now());
    line(
        out,
        &format!("# TYPE dgp_backup_failures_total counter\ndgp_backup_failures_total {}", standing.failed_total),
    );
    gauge(out, "dgp_backup_failures_since_success", standing.failures);
    gauge(out, "dgp_backup_running", u8::from(standing.running));
    let stale = is_stale(edge.system.view().config.backup.schedule.as_ref(), &standing, now);
    gauge(out, "dgp_backup_stale", u8::from(stale));
    if let Some(success) = standing.last_success {
        gauge(out, "dgp_backup_last_success_timestamp_seconds", success.at.secs());
        gauge(out, "dgp_backup_age_seconds", now.since(success.at).as_secs());
        gauge(out, "dgp_backup_last_size_bytes", success.bytes);
        gauge(out, "dgp_backup_last_duration_seconds", success.took.as_secs_f64());
    }
}

fn gauge(out: &mut String, name: &str, value: impl std::fmt::Display) {
    line(out, &format!("# TYPE {name} gauge\n{name} {value}"));
}

fn line(out: &mut String, text: &str) {
    // Writing into a `String` never fails.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use actors::domain::admission::{Action, Match};

    #[test]
    fn requests_are_counted_by_operation_status_and_time() {
        let metrics = Metrics::default();
        metrics.answered("GetObject", 200, Duration::from_millis(3));
        metrics.answered("GetObject", 200, Duration::from_millis(40));
        metrics.answered("GetObject", 404, Duration::from_secs(60));
        let mut out = String::new();
        metrics.write(&mut out);
        for expected in [
            "dgp_requests_total{operation=\"GetObject\",status=\"200\"} 2",
            "dgp_requests_total{operation=\"GetObject\",status=\"404\"} 1",
            "dgp_request_duration_seconds_bucket{operation=\"GetObject\",le=\"0.005\"} 1",
            "dgp_request_duration_seconds_bucket{operation=\"GetObject\",le=\"30\"} 2",
            "dgp_request_duration_seconds_bucket{operation=\"GetObject\",le=\"+Inf\"} 3",
            "dgp_requests_in_flight 0",
        ] {
            assert!(out.lines().any(|line| line == expected), "{expected}\n{out}");
        }
    }

    #[test]
    fn blocks_of_admission_are_counted_by_name_and_action_and_not_without_end() {
        let metrics = Metrics::default();
        let block = |name: &str| Block { name: name.into(), matches: Match::default(), action: Action::Deny };
        for name in ["office", "office", "a \"b\"\\\n"] {
            metrics.judged(&block(name));
        }
        let written = |metrics: &Metrics| {
            let mut out = String::new();
            metrics.write(&mut out);
            out
        };
        let out = written(&metrics);
        for expected in [
            r#"dgp_admission_total{rule="office",action="deny"} 2"#,
            r#"dgp_admission_total{rule="a \"b\"\\\n",action="deny"} 1"#,
        ] {
            assert!(out.lines().any(|line| line == expected), "{expected}\n{out}");
        }
        (0..BLOCKS + 5).for_each(|n| metrics.judged(&block(&n.to_string())));
        let out = written(&metrics);
        assert_eq!(out.matches("dgp_admission_total{").count(), BLOCKS + 1);
        assert!(out.contains(r#"{rule="*",action="deny"} 7"#), "{out}");
    }

    #[test]
    fn a_request_is_in_flight_until_its_body_is_dropped() {
        let metrics = Arc::new(Metrics::default());
        let body = Counted { body: BoxBody::new("text"), _flight: InFlight::new(metrics.clone()) };
        assert_eq!((metrics.in_flight(), body.size()), (1, BodySize::Sized(4)));
        drop(body);
        assert_eq!(metrics.in_flight(), 0);
    }
}
