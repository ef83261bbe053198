//! An object's bytes out to a client: they pass through unbuffered, and a client that takes none is cut off and gives its permit back.

use super::pace::Pace;
use crate::http::server::Line;
use actix_web::body::SizedStream;
use actors::Error;
use actors::storage::ByteStream;
use bytes::Bytes;
use futures_util::Stream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// How often a transfer is looked at.
const ROUND: Duration = Duration::from_secs(1);

/// A body of known length. The store's permit is inside `bytes` and goes back when they are dropped: with the last byte, when the
/// client goes, or when it stalls.
pub fn stream(length: u64, bytes: ByteStream, idle: Duration, line: Option<Line>) -> SizedStream<Watched> {
    let transfer = Arc::new(Mutex::new(Transfer { bytes: Some(bytes), ended: false, pace: Pace::new(idle) }));
    let begun = Instant::now();
    let watched = transfer.clone();
    // The server asks a body for bytes only while the client takes some, so a body cannot notice by itself that nobody does.
    let watch = actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(ROUND).await;
            let mut transfer = lock(&watched);
            if transfer.bytes.is_none() {
                return;
            }
            if transfer.pace.too_slow(begun.elapsed()) {
                transfer.bytes = None;
                drop(transfer);
                if let Some(line) = &line {
                    line.cut();
                }
                log::info!("a client took its answer too slowly and was cut off");
                return;
            }
        }
    });
    SizedStream::new(length, Watched { transfer, begun, watch })
}

struct Transfer {
    bytes: Option<ByteStream>,
    /// All bytes have left.
    ended: bool,
    pace: Pace,
}

/// A body under watch.
pub struct Watched {
    transfer: Arc<Mutex<Transfer>>,
    begun: Instant,
    watch: actix_web::rt::task::JoinHandle<()>,
}

impl Stream for Watched {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let at = self.begun.elapsed();
        let mut transfer = lock(&self.transfer);
        if transfer.ended {
            return Poll::Ready(None);
        }
        let Some(bytes) = transfer.bytes.as_mut() else {
            let error = Error::new(actors::ErrorKind::Timeout, "send", "the client took the answer too slowly");
            return Poll::Ready(Some(Err(error)));
        };
        let polled = bytes.as_mut().poll_next(context);
        // A store that is slow is not the client's fault: asking counts as a sign of life, however much comes.
        let moved = match &polled {
            Poll::Ready(Some(Ok(chunk))) => chunk.len() as u64,
            _ => 0,
        };
        transfer.pace.moved(at, moved);
        if matches!(polled, Poll::Ready(None)) {
            (transfer.ended, transfer.bytes) = (true, None);
        }
        if let Poll::Ready(Some(Err(error))) = &polled {
            log::error!("an object could not be read to its end: {error:?}");
        }
        polled
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn lock(transfer: &Mutex<Transfer>) -> MutexGuard<'_, Transfer> {
    transfer.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use futures_util::stream;

    /// Says when it is dropped, as a permit does.
    struct Permit(Arc<Mutex<bool>>);

    impl Drop for Permit {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }

    fn body(given_back: &Arc<Mutex<bool>>, chunks: usize) -> ByteStream {
        let permit = Permit(given_back.clone());
        stream::iter(vec![Bytes::from_static(b"abc"); chunks])
            .map(move |chunk| {
                let _held = &permit;
                Ok(chunk)
            })
            .boxed()
    }

    #[test]
    fn a_client_that_takes_nothing_is_cut_off_and_gives_its_permit_back() {
        actix_web::rt::System::new().block_on(async {
            let given_back = Arc::new(Mutex::new(false));
            let watched = three_by_two(&given_back);
            tokio::time::sleep(Duration::from_millis(2500)).await;
            assert!(*given_back.lock().unwrap(), "the permit is still held");
            drop(watched);
        });
    }

    fn three_by_two(given_back: &Arc<Mutex<bool>>) -> SizedStream<Watched> {
        super::stream(6, body(given_back, 2), Duration::from_secs(1), None)
    }

    #[test]
    fn the_permit_goes_back_with_the_last_byte() {
        actix_web::rt::System::new().block_on(async {
            let given_back = Arc::new(Mutex::new(false));
            let sent = actix_web::body::to_bytes(three_by_two(&given_back)).await.unwrap();
            assert_eq!(&sent[..], b"abcabc");
            assert!(*given_back.lock().unwrap(), "the permit is still held");
        });
    }
}
