//! An upload in parts, as a client makes one.

use super::client::{Reply, Request};
use super::server::{S3, target};
use std::io;

/// An upload that was begun.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Who uploads.
    pub s3: S3,
    /// The path of the object to be.
    pub target: String,
    /// `UploadId`.
    pub id: String,
}

impl Upload {
    /// CreateMultipartUpload.
    #[track_caller]
    pub fn begin(s3: &S3, bucket: &str, key: &str) -> Self {
        Self::try_begin(s3, bucket, key).unwrap_or_else(|e| panic!("an upload of {key} met {e}"))
    }

    /// The same; an error where the connection broke.
    #[track_caller]
    pub fn try_begin(s3: &S3, bucket: &str, key: &str) -> io::Result<Self> {
        let target = target(bucket, key);
        let reply = s3.try_send(Request::new("POST", &format!("{target}?uploads")))?.expect(200);
        let id = element(&reply.text(), "UploadId").expect("an upload has an id");
        Ok(Self { s3: s3.clone(), target, id })
    }

    /// The same upload at a server that was started again.
    pub fn at(&self, s3: &S3) -> Self {
        Self { s3: s3.clone(), ..self.clone() }
    }

    /// UploadPart.
    #[track_caller]
    pub fn part(&self, number: u32, body: impl Into<Vec<u8>>) -> Reply {
        self.s3.send(self.part_request(number).body(body))
    }

    /// The request of UploadPart, without its body.
    pub fn part_request(&self, number: u32) -> Request {
        Request::new("PUT", &format!("{}?partNumber={number}&uploadId={}", self.target, self.id))
    }

    /// CompleteMultipartUpload with parts by number and entity tag.
    #[track_caller]
    pub fn complete(&self, parts: &[(u32, String)]) -> Reply {
        self.s3.send(self.complete_request(parts))
    }

    /// The request of it.
    pub fn complete_request(&self, parts: &[(u32, String)]) -> Request {
        let part = |(number, etag): &(u32, String)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let parts: String = parts.iter().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        Request::new("POST", &format!("{}?uploadId={}", self.target, self.id)).body(body)
    }

    /// AbortMultipartUpload.
    #[track_caller]
    pub fn abort(&self) -> Reply {
        self.s3.send(self.abort_request())
    }

    /// The request of it.
    pub fn abort_request(&self) -> Request {
        Request::new("DELETE", &format!("{}?uploadId={}", self.target, self.id))
    }

    /// ListParts.
    #[track_caller]
    pub fn parts(&self) -> Reply {
        self.s3.send(Request::new("GET", &format!("{}?uploadId={}", self.target, self.id)))
    }

    /// GetObject.
    #[track_caller]
    pub fn object(&self) -> Reply {
        self.s3.send(Request::new("GET", &self.target))
    }
}

/// The entity tag of a part.
#[track_caller]
pub fn etag(reply: &Reply) -> String {
    reply.header("etag").expect("a part has an ETag").trim_matches('"').to_owned()
}

/// The text of the first element of a name.
pub fn element(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
}
