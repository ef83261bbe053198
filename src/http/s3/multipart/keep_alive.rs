//! An answer that takes long: 200 and blanks before the document, so that nothing on the way takes the connection for dead.
//!
//! AWS does the same for CompleteMultipartUpload: what fails after that is an `<Error>` inside the 200.

use crate::http::reply;
use crate::http::s3::error::S3Error;
use crate::http::s3::xml::write::DECLARATION;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::stream;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// When an answer that takes long gives up its status, and how often it is heard of then.
#[derive(Clone, Copy, Debug)]
struct Pace {
    patience: Duration,
    every: Duration,
}

const PACE: Pace = Pace { patience: Duration::from_secs(5), every: Duration::from_secs(5) };

/// Work that ends in a document.
type Work = Pin<Box<dyn Future<Output = Result<String, S3Error>>>>;
/// Writes the document of an error.
type Explain = Box<dyn Fn(&S3Error) -> String>;

/// Answers with the document that `work` ends in, or with blanks until it does. The work itself must not depend on being awaited:
/// a client that goes away drops it.
pub(super) async fn answer(
    work: impl Future<Output = Result<String, S3Error>> + 'static,
    explain: impl Fn(&S3Error) -> String + 'static,
) -> Result<HttpResponse, S3Error> {
    answer_at(PACE, Box::pin(work), Box::new(explain)).await
}

async fn answer_at(pace: Pace, mut work: Work, explain: Explain) -> Result<HttpResponse, S3Error> {
    match timeout(pace.patience, &mut work).await {
        Ok(outcome) => outcome.map(|document| reply::xml(StatusCode::OK, document)),
        Err(_) => {
            let mut response = HttpResponse::Ok();
            response.insert_header((header::CONTENT_TYPE, "application/xml"));
            Ok(response.streaming(stream::unfold(State::Begun(pace, work, explain), next)))
        }
    }
}

enum State {
    /// Nothing was sent.
    Begun(Pace, Work, Explain),
    /// The declaration was, and blanks.
    Waiting(Pace, Work, Explain),
    Ended,
}

async fn next(state: State) -> Option<(Result<Bytes, Infallible>, State)> {
    match state {
        State::Begun(pace, work, explain) => {
            Some((Ok(Bytes::from_static(DECLARATION.as_bytes())), State::Waiting(pace, work, explain)))
        }
        State::Waiting(pace, mut work, explain) => match timeout(pace.every, &mut work).await {
            Err(_) => Some((Ok(Bytes::from_static(b" ")), State::Waiting(pace, work, explain))),
            Ok(outcome) => {
                let document = outcome.unwrap_or_else(|error| explain(&error));
                let rest = document.strip_prefix(DECLARATION).unwrap_or(&document).to_owned();
                Some((Ok(Bytes::from(rest)), State::Ended))
            }
        },
        State::Ended => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::s3::xml::write::Document;
    use actix_web::body::MessageBody;
    use std::future::poll_fn;
    use tokio::sync::oneshot;

    fn explain() -> Explain {
        Box::new(|error| Document::plain("Error").text("Code", error.code()).finish())
    }

    fn done() -> String {
        Document::plain("Done").finish()
    }

    #[test]
    fn what_ends_soon_has_a_status_of_its_own() {
        actix_web::rt::System::new().block_on(async {
            let good = answer_at(PACE, Box::pin(async { Ok(done()) }), explain()).await.unwrap();
            assert_eq!(good.status(), StatusCode::OK);
            let bad = answer_at(PACE, Box::pin(async { Err(S3Error::access_denied()) }), explain()).await;
            assert_eq!(bad.unwrap_err().status(), StatusCode::FORBIDDEN);
        });
    }

    #[test]
    fn what_takes_long_sends_blanks_and_then_the_document_or_the_error() {
        actix_web::rt::System::new().block_on(async {
            for (outcome, end) in [
                (Ok(done()), "<Done></Done>"),
                (Err(S3Error::access_denied()), "<Error><Code>AccessDenied</Code></Error>"),
            ] {
                let (end_it, ended) = oneshot::channel();
                let work = async move { ended.await.unwrap() };
                let pace = Pace { patience: Duration::ZERO, every: Duration::from_millis(1) };
                let response = answer_at(pace, Box::pin(work), explain()).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                let mut body = Box::pin(response.into_body());
                let mut read = async || poll_fn(|context| body.as_mut().poll_next(context)).await.map(Result::unwrap);
                assert_eq!(read().await.as_deref(), Some(DECLARATION.as_bytes()));
                assert_eq!(read().await.as_deref(), Some(&b" "[..]));
                assert_eq!(read().await.as_deref(), Some(&b" "[..]));
                end_it.send(outcome).unwrap();
                assert_eq!(read().await.as_deref(), Some(end.as_bytes()));
                assert_eq!(read().await, None);
            }
        });
    }
}
