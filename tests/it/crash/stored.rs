//! Stored backups under `kill -9`: what was acknowledged is there whole, and nothing is there in part.

use super::{Died, Story};
use crate::support::client::Request;
use crate::support::server::{Host, restore_request};

/// What a story host is configured with.
pub(super) const CONFIG: &str = "backup: {to: {directory: ./backups}, keep: {last: 1}}\n";

impl Story<'_> {
    /// Stores two backups, of which one is kept, and deletes the other.
    pub(super) fn stored(&mut self) -> Result<(), Died> {
        let call = |method: &str, path: &str| Request::new(method, &format!("/_/api/admin/backups{path}"));
        for _ in 0..2 {
            // The next one lets the last one go before it is acknowledged itself.
            self.ledger.stored.clear();
            let made = self.host.try_admin(call("POST", "")).map_err(|_| Died)?.expect(201).json();
            self.ledger.stored = vec![made["id"].as_str().unwrap_or_default().to_owned()];
        }
        let id = self.ledger.stored.pop().unwrap_or_default();
        self.host.try_admin(call("DELETE", &format!("/{id}?force=true"))).map_err(|_| Died)?.expect(204);
        let made = self.host.try_admin(call("POST", "")).map_err(|_| Died)?.expect(201).json();
        self.ledger.stored.push(made["id"].as_str().unwrap_or_default().to_owned());
        Ok(())
    }
}

/// Every file that has a backup's name is a whole archive, and those that were acknowledged are there.
pub(super) fn check(acknowledged: &[String], host: &Host, point: &str) {
    let names: Vec<String> = std::fs::read_dir(host.path("backups"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    for id in acknowledged {
        assert!(names.contains(id), "{point}: {id} was acknowledged, there are {names:?}");
    }
    for name in names.iter().filter(|name| name.starts_with("dgp-backup-")) {
        let bytes = std::fs::read(host.path("backups").join(name)).expect("it is ours");
        let plan = Request { target: "/_/api/admin/backup?dry_run=true".into(), ..restore_request(&bytes) };
        let reply = host.admin(plan);
        assert_eq!(reply.status, 200, "{point}: {name}: {}", reply.text());
    }
}
