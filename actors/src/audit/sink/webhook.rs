//! The webhook sink: rows and checkpoints as `POST {instance_id, rows, checkpoint}`; any 2xx takes them.

use super::{checkpoint, row};
use crate::audit::checkpoint::Checkpoint;
use crate::db::runtime::AuditRow;
use crate::domain::endpoint;
use crate::domain::secret::Secret;
use crate::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

const OPERATION: &str = "audit webhook";
/// A peer that takes longer is given up for this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends one batch.
pub(super) fn post(
    url: &str,
    headers: &[(String, Secret)],
    instance_id: &str,
    rows: &[AuditRow],
    made: Option<&Checkpoint>,
) -> Result<()> {
    let refused = |message: String| Error::new(ErrorKind::Unavailable, OPERATION, message);
    endpoint::check(url).map_err(refused)?;
    let body = json!({
        "instance_id": instance_id,
        "rows": rows.iter().map(row).collect::<Vec<Value>>(),
        "checkpoint": made.map(checkpoint),
    });
    let mut request = Request::post(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(name.as_str(), value.expose());
    }
    // What is wrong with a header is not said: its value would be.
    let request =
        request.body(body.to_string()).map_err(|_| refused("a header of the webhook cannot be sent".into()))?;
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        // Where an answer points to was not agreed to.
        .max_redirects(0)
        .proxy(None)
        .user_agent("deltaglider_proxy")
        .build();
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), Guarded(DefaultResolver::default()));
    let answer = agent.run(request).map_err(|error| refused(format!("it does not answer: {error}")))?;
    match answer.status().is_success() {
        true => Ok(()),
        false => Err(refused(format!("it answered {}", answer.status()))),
    }
}

/// Resolves names, and refuses what no name may lead to.
#[derive(Debug)]
struct Guarded(DefaultResolver);

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        match found.iter().find_map(|address| endpoint::refused(address.ip())) {
            Some(why) => Err(ureq::Error::Other(format!("nothing is sent there: {why}").into())),
            None => Ok(found),
        }
    }
}
