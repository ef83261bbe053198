//! The body of a form as it comes: fields, then the file, with the pace and the length that every body has.

use super::declared::Declared;
use super::incoming::Incoming;
use super::multipart_form::{BEFORE_FILE, Broken, Event, Parser};
use crate::auth::sigv4::PayloadHash;
use crate::http::s3::error::S3Error;
use crate::http::s3::operation::SignedBody;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web;
use std::time::Duration;

/// A form on its way in.
pub struct FormBody<'a> {
    incoming: Incoming<'a>,
    parser: Parser,
}

impl<'a> FormBody<'a> {
    /// Of a request whose `Content-Type` has this boundary.
    pub fn new(
        payload: &'a mut web::Payload,
        headers: &HeaderMap,
        boundary: &str,
        idle: Duration,
    ) -> Result<Self, S3Error> {
        let declared = Declared::new(headers, &PayloadHash::Unsigned, &SignedBody::default())?;
        Ok(Self { incoming: Incoming::new(payload, &declared, idle), parser: Parser::new(boundary) })
    }

    /// What comes next.
    pub async fn next(&mut self) -> Result<Event, S3Error> {
        loop {
            if let Some(event) = self.parser.poll()? {
                return Ok(event);
            }
            match self.incoming.next().await? {
                Some(bytes) => self.parser.push(&bytes),
                None => return Err(Broken::Grammar.into()),
            }
        }
    }

    /// Reads what comes after the file away: it does not count, and there is little of it.
    pub async fn finish(mut self) -> Result<(), S3Error> {
        let mut read = self.parser.came_after();
        while read <= BEFORE_FILE {
            match self.incoming.next().await? {
                Some(bytes) => read += bytes.len(),
                None => return self.incoming.finish().map(drop),
            }
        }
        Err(Broken::Grammar.into())
    }
}

impl From<Broken> for S3Error {
    fn from(broken: Broken) -> Self {
        let (code, message) = match broken {
            Broken::Grammar => {
                ("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
            }
            Broken::TooMuch => {
                ("MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.")
            }
            Broken::Encoding => {
                return Self::not_implemented("parts of a form in another Content-Transfer-Encoding than binary");
            }
        };
        Self::new(code, StatusCode::BAD_REQUEST, message)
    }
}
