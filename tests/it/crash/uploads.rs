//! Multipart uploads in the story of a crash: a completion that was under way is repeated and gives one answer.

use super::{Died, Story};
use crate::support::client::Request;
use crate::support::server::{S3, target};
use std::time::{Duration, Instant};

const BODY: &str = "a body in one part";

/// What is known of an upload.
pub(super) struct Upload {
    key: &'static str,
    id: String,
    /// The entity tag of its part.
    part: String,
    /// Whether it was given up: no, perhaps, yes.
    aborted: Aborted,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Aborted {
    No,
    Perhaps,
    Yes,
}

impl Upload {
    fn complete(&self) -> Request {
        let list = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
            self.part
        );
        Request::new("POST", &format!("{}?uploadId={}", target("crash", self.key), self.id)).body(list)
    }
}

impl Story<'_> {
    /// One upload that is given up, one that becomes an object, one that takes the place of that.
    pub(super) fn uploads(&mut self) -> Result<(), Died> {
        self.upload("parts/given-up")?;
        let Some(last) = self.ledger.uploads.last_mut() else { return Ok(()) };
        last.aborted = Aborted::Perhaps;
        let abort = Request::new("DELETE", &format!("{}?uploadId={}", target("crash", last.key), last.id));
        let reply = self.s3.try_send(abort).map_err(|_| Died)?;
        assert_eq!(reply.status, 204, "{}", reply.text());
        last.aborted = Aborted::Yes;
        for (key, before) in [("parts/whole", None), ("parts", None)] {
            self.upload(key)?;
            let Some(last) = self.ledger.uploads.last() else { return Ok(()) };
            self.ledger.objects.insert(key.to_owned(), vec![before, Some(BODY.to_owned())]);
            let reply = self.s3.try_send(last.complete()).map_err(|_| Died)?;
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.ledger.objects.insert(key.to_owned(), vec![Some(BODY.to_owned())]);
            self.wait_until_plain(if key == "parts" { "parts/%self" } else { key })?;
        }
        Ok(())
    }

    fn upload(&mut self, key: &'static str) -> Result<(), Died> {
        let begin = Request::new("POST", &format!("{}?uploads", target("crash", key)));
        let reply = self.s3.try_send(begin).map_err(|_| Died)?.expect(200);
        let id = element(&reply.text(), "UploadId");
        let part = Request::new("PUT", &format!("{}?partNumber=1&uploadId={id}", target("crash", key))).body(BODY);
        let reply = self.s3.try_send(part).map_err(|_| Died)?.expect(200);
        let part = reply.header("etag").expect("a part has an entity tag").to_owned();
        self.ledger.uploads.push(Upload { key, id, part, aborted: Aborted::No });
        Ok(())
    }

    /// Until the object's file holds its bytes and nothing else.
    fn wait_until_plain(&self, file: &str) -> Result<(), Died> {
        let (path, deadline) = (self.host.path("data/crash").join(file), Instant::now() + Duration::from_secs(30));
        while std::fs::read(&path).ok().as_deref() != Some(BODY.as_bytes()) {
            assert!(Instant::now() < deadline, "{} is not a plain body", path.display());
            self.host.try_admin(Request::new("GET", "/_/ready")).map_err(|_| Died)?;
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// A part that was acknowledged can be made an object, once; what was given up cannot.
pub(super) fn check(uploads: &[Upload], s3: &S3, point: &str) {
    for upload in uploads {
        let replies: Vec<_> = (0..2).map(|_| s3.send(upload.complete())).collect();
        let text = replies[0].text();
        let code = (replies[0].status == 404).then(|| replies[0].s3_code());
        match upload.aborted {
            Aborted::Yes => assert_eq!(code.as_deref(), Some("NoSuchUpload"), "{point}: {text}"),
            Aborted::Perhaps if code.as_deref() == Some("NoSuchUpload") => {}
            _ => {
                assert_eq!(replies[0].status, 200, "{point}: {text}");
                assert_eq!(element(&text, "ETag"), element(&replies[1].text(), "ETag"), "{point}");
                assert_eq!(s3.get("crash", upload.key).expect(200).text(), BODY, "{point}");
                let abort = format!("{}?uploadId={}", target("crash", upload.key), upload.id);
                s3.send(Request::new("DELETE", &abort)).expect(404);
            }
        }
    }
}

fn element(document: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = document.split(&open).nth(1).and_then(|rest| rest.split(&close).next());
    text.unwrap_or_else(|| panic!("no {name} in {document}")).to_owned()
}
