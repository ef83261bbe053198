//! Buckets made, routed and removed by the admin API while the process dies: each is there as a whole or not at all, and takes writes.

use super::{Died, Story};
use crate::support::client::Request;
use crate::support::server::{Host, S3};
use serde_json::{Value, json};

const API: &str = "/_/api/admin/buckets";
/// The bucket of this part.
const NAME: &str = "placed";

impl Story<'_> {
    /// Makes a bucket with a quota, moves its route there and back, and removes it.
    pub(super) fn buckets(&mut self) -> Result<(), Died> {
        self.place(
            "POST",
            "",
            &json!({"name": NAME, "alias": "place-one", "quota_bytes": 10}),
            Some("place-one"),
            201,
        )?;
        self.place("PUT", NAME, &json!({"alias": "place-two"}), Some("place-two"), 200)?;
        self.place("PUT", NAME, &json!({"alias": "place-one"}), Some("place-one"), 200)?;
        self.place("DELETE", NAME, &Value::Null, None, 204)
    }

    /// One change, and the place that the bucket has afterwards.
    fn place(&mut self, method: &str, name: &str, body: &Value, after: Option<&str>, status: u16) -> Result<(), Died> {
        let before = self.ledger.place.last().cloned().flatten();
        let after = after.map(str::to_owned);
        self.ledger.place = vec![before, after.clone()];
        let path = if name.is_empty() { API.to_owned() } else { format!("{API}/{name}") };
        let request = Request::new(method, &path);
        let request = if body.is_null() { request } else { request.json(body) };
        let reply = self.host.try_admin(request).map_err(|_| Died)?;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        self.ledger.place = vec![after];
        Ok(())
    }
}

/// It is where it may be, with its quota; where there is none, one can be made.
pub(super) fn check(may: &[Option<String>], host: &Host, s3: &S3, point: &str) {
    if may.is_empty() {
        return;
    }
    let reply = host.admin(Request::new("GET", &format!("{API}/{NAME}")));
    let place = (reply.status == 200).then(|| reply.json()["real_name"].as_str().expect("a name is text").to_owned());
    assert!(may.contains(&place), "{point}: it is at {place:?}, may be at {may:?}");
    if place.is_none() {
        let body = json!({"name": NAME, "alias": "place-one", "quota_bytes": 10});
        host.admin(Request::new("POST", API).json(&body)).expect(201);
    }
    let none = host.admin(Request::new("GET", &format!("{API}/place-one")));
    assert_eq!(none.status, 404, "{point}: an empty place was taken in: {}", none.text());
    let put = crate::bucket_api::until("the write", || {
        Some(s3.put(NAME, "a", "0123456789")).filter(|reply| reply.status != 503)
    });
    put.expect(200);
    assert_eq!(s3.put(NAME, "b", "1").status, 403, "{point}: the quota does not hold");
}
