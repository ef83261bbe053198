//! An object's bytes out to a client: they pass through unbuffered. The connection watches that the client takes them, and drops
//! them with the store's permit where it does not.

use super::readers::Reading;
use actix_web::body::SizedStream;
use actors::Error;
use actors::storage::ByteStream;
use bytes::Bytes;
use futures_util::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body of known length. The permit is inside `bytes` and goes back with the last byte, or when the body is dropped; so does the
/// place among the downloads under way.
pub fn stream(length: u64, bytes: ByteStream, reading: Option<Reading>) -> SizedStream<Outbound> {
    SizedStream::new(length, Outbound(Some((bytes, reading))))
}

/// A body on its way out.
pub struct Outbound(Option<(ByteStream, Option<Reading>)>);

impl Stream for Outbound {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some((bytes, _)) = &mut self.0 else { return Poll::Ready(None) };
        let polled = bytes.as_mut().poll_next(context);
        if let Poll::Ready(Some(Err(error))) = &polled {
            log::error!("an object could not be read to its end: {error:?}");
        }
        if matches!(polled, Poll::Ready(None)) {
            self.0 = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt, stream};
    use std::sync::{Arc, Mutex};

    /// Says when it is dropped, as a permit does.
    struct Permit(Arc<Mutex<bool>>);

    impl Drop for Permit {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }

    #[test]
    fn the_permit_goes_back_with_the_last_byte() {
        let given_back = Arc::new(Mutex::new(false));
        let permit = Permit(given_back.clone());
        let bytes = stream::iter(vec![Bytes::from_static(b"abc"); 2]).map(move |chunk| {
            let _held = &permit;
            Ok(chunk)
        });
        let mut body = Outbound(Some((bytes.boxed(), None)));
        let mut next = || body.next().now_or_never().expect("the bytes are there").map(|chunk| chunk.unwrap());
        assert_eq!((next().as_deref(), next().as_deref()), (Some(b"abc".as_slice()), Some(b"abc".as_slice())));
        assert_eq!(next(), None);
        assert!(*given_back.lock().unwrap(), "the permit is still held");
    }
}
