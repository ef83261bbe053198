//! Runs cases against a server and says of each what is not as it should be.

use super::script::{Case, Step, expand};
use super::send::send;
use crate::support::client::{Reply, Request};
use crate::support::server::S3;
use std::collections::BTreeMap;

/// What the tables run against: any server that takes signed requests.
pub struct Subject<'a> {
    /// A client that may do everything.
    pub s3: &'a S3,
    /// Begins the names of the buckets that are made.
    pub prefix: &'a str,
}

impl Subject<'_> {
    /// Runs a case in a bucket of its own; what was wrong.
    pub fn run(&self, number: usize, case: &Case) -> Result<(), String> {
        let bucket = format!("{}-{number}", self.prefix);
        self.s3.make_bucket(&bucket);
        self.steps(&bucket, &case.steps)
    }

    /// Runs the steps of a case that must change nothing, in a bucket that others of its kind use too.
    pub fn run_unchanged(&self, bucket: &str, case: &Case) -> Result<(), String> {
        let before = self.snapshot(bucket);
        let outcome = self.steps(bucket, &case.steps);
        let after = self.snapshot(bucket);
        if before != after {
            return Err(format!("something changed ({outcome:?}):\n{before}\nbecame\n{after}"));
        }
        outcome
    }

    fn steps(&self, bucket: &str, steps: &[Step]) -> Result<(), String> {
        let mut kept = BTreeMap::new();
        for step in steps {
            let request: Vec<String> = step.request.iter().map(|part| expand(part, bucket, &kept)).collect();
            let reply = send(self.s3, &request);
            let told = |what: String| format!("{}\n      {what}\n      answer: {}", step.line, show(&reply));
            always(&request[0], &reply).map_err(told)?;
            check(step, &reply, bucket, &mut kept).map_err(told)?;
        }
        Ok(())
    }

    /// Everything that a request could have changed: the buckets, the objects, and what is kept with the first.
    fn snapshot(&self, bucket: &str) -> String {
        let ask = |method, target: &str| self.s3.send(Request::new(method, target)).expect(200);
        let buckets = ask("GET", "/").text();
        let objects = ask("GET", &format!("/{bucket}?list-type=2")).text();
        let first = ask("HEAD", &format!("/{bucket}/k")).headers;
        let kept =
            |name: &str| !matches!(name.to_ascii_lowercase().as_str(), "date" | "x-amz-request-id" | "x-amz-id-2");
        let mut first: Vec<_> = first.into_iter().filter(|(name, _)| kept(name)).collect();
        first.sort();
        format!("{buckets}\n{objects}\n{first:?}")
    }
}

/// What holds of every answer.
fn always(request: &str, reply: &Reply) -> Result<(), String> {
    let id = reply.header("x-amz-request-id").ok_or("there is no x-amz-request-id")?;
    reply.header("x-amz-id-2").ok_or("there is no x-amz-id-2")?;
    for silent in ["server", "x-powered-by"] {
        if reply.header(silent).is_some() {
            return Err(format!("there is a header {silent}"));
        }
    }
    if reply.status < 400 || request.starts_with("HEAD ") {
        return Ok(());
    }
    let text = reply.text();
    let whole = text.starts_with("<?xml") && text.ends_with("</Error>") && text.contains("<Message>");
    if !whole || !text.contains(&format!("<RequestId>{id}</RequestId>")) || !text.contains("<HostId>") {
        return Err("the error document is not as AWS writes it".to_owned());
    }
    match reply.header("content-type") {
        Some("application/xml") => Ok(()),
        other => Err(format!("the error document is of type {other:?}")),
    }
}

fn check(step: &Step, reply: &Reply, bucket: &str, kept: &mut BTreeMap<String, String>) -> Result<(), String> {
    if step.wanted.is_empty() && !(200..300).contains(&reply.status) {
        return Err("a step that only prepares failed".to_owned());
    }
    for (index, part) in step.wanted.iter().enumerate() {
        let part = expand(part, bucket, kept);
        if index == 0 {
            check_status(&part, reply)?;
        } else if let Some(keep) = part.strip_prefix("keep ") {
            let (name, known) = keep.split_once(" as ").unwrap_or((keep, keep));
            let value = reply.header(name).map(str::to_owned).or_else(|| element(&reply.text(), name));
            kept.insert(known.to_owned(), value.ok_or_else(|| format!("there is no {name} to keep"))?);
        } else {
            check_part(&part, reply)?;
        }
    }
    Ok(())
}

/// `STATUS [CODE]`; several statuses are separated by `/`.
fn check_status(part: &str, reply: &Reply) -> Result<(), String> {
    let (statuses, code) = part.split_once(' ').unwrap_or((part, ""));
    if !statuses.split('/').any(|status| status.parse() == Ok(reply.status)) {
        return Err(format!("the status is not {statuses}"));
    }
    match code.is_empty() || reply.s3_code() == code {
        true => Ok(()),
        false => Err(format!("the code is not {code}")),
    }
}

fn check_part(part: &str, reply: &Reply) -> Result<(), String> {
    let text = reply.text();
    if part == "=" && !text.is_empty() || part.strip_prefix("= ").is_some_and(|body| body != text) {
        return Err(format!("the body is not `{part}`"));
    }
    if part.starts_with('=') || part.starts_with('<') && text.contains(part) {
        return Ok(());
    }
    if part.starts_with('<') {
        return Err(format!("`{part}` is not in the document"));
    }
    match part.strip_prefix('!') {
        Some(absent) if absent.starts_with('<') && text.contains(absent) => {
            Err(format!("`{absent}` is in the document"))
        }
        Some(absent) if !absent.starts_with('<') && reply.header(absent).is_some() => {
            Err(format!("there is a header {absent}"))
        }
        Some(_) => Ok(()),
        None => {
            let (name, value) = part.split_once(':').unwrap_or_else(|| panic!("cannot be expected: `{part}`"));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match reply.header(name) {
                Some(found) if value == "*" || found == value => Ok(()),
                found => Err(format!("{name} is {found:?} and not `{value}`")),
            }
        }
    }
}

fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
}

fn show(reply: &Reply) -> String {
    let text: String = reply.text().chars().take(700).collect();
    format!("{} {:?} {text}", reply.status, reply.headers)
}
