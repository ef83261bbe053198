//! Backends added and opened anew while the process dies: afterwards one is there as a whole or not at all.

use super::{Died, Story};
use crate::support::client::Request;
use crate::support::server::Host;
use serde_json::json;

const API: &str = "/_/api/admin/backends";

impl Story<'_> {
    /// Adds a backend, makes it read-only, and opens it anew.
    pub(super) fn backends(&mut self) -> Result<(), Died> {
        let body = json!({"name": "cold", "type": "filesystem", "path": self.host.path("cold")});
        self.ledger.backend = vec![false, true];
        let add = Request::new("POST", API).json(&body);
        let reply = self.host.try_admin(add).map_err(|_| Died)?;
        assert_eq!(reply.status, 201, "{}", reply.text());
        self.ledger.backend = vec![true];
        let adopt = Request::new("POST", &format!("{API}/cold/adopt"));
        let reply = self.host.try_admin(adopt).map_err(|_| Died)?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        Ok(())
    }
}

/// What was acknowledged is configured and open.
pub(super) fn check(may: &[bool], host: &Host, point: &str) {
    if may.is_empty() {
        return;
    }
    let listed = host.admin(Request::new("GET", API)).expect(200).json();
    let cold = listed.as_array().expect("backends are an array").iter().find(|one| one["name"] == "cold");
    assert!(may.contains(&cold.is_some()), "{point}: {listed}");
    assert!(cold.is_none_or(|cold| cold["health"]["up"] == true), "{point}: {listed}");
}
