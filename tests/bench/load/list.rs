//! Whole listings: page after page, each signed when its token is known.

use crate::Run;
use crate::client::Request;
use crate::job::Job;
use crate::signer::encode;
use crate::wire::{Connection, Message};
use std::io;
use std::time::Instant;

/// One connection's listings; each counts as one request, however many pages it takes.
pub async fn client(job: &Job, run: &Run) -> io::Result<()> {
    let mut connection = Connection::open(job.addr).await?;
    let (bucket, prefix) = job.base[1..].split_once('/').unwrap_or((&job.base[1..], ""));
    while run.take(job).is_some() {
        let (begun, mut bytes, mut keys) = (Instant::now(), 0, 0);
        let mut token: Option<String> = None;
        loop {
            let mut target = format!("/{bucket}?");
            if let Some(token) = &token {
                target += &format!("continuation-token={}&", encode(token, false));
            }
            target += &format!("list-type=2&prefix={}", encode(prefix, false));
            let (mut page, signed) = (Vec::new(), job.sign(Request::new("GET", &target)));
            bytes += connection.exchange(&Message::bare(&signed), &[], Some(&mut page)).await?;
            let page = String::from_utf8_lossy(&page);
            keys += page.matches("<Key>").count();
            token = between(&page, "<NextContinuationToken>", "</NextContinuationToken>").map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        if keys != job.keys {
            return Err(io::Error::other(format!("{keys} keys were listed, not {}", job.keys)));
        }
        run.note(begun, bytes);
    }
    Ok(())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
