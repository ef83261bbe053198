//! What goes out on a connection: a peer that takes nothing, or next to nothing, is cut off, and all that its request holds is freed.

use super::line::Line;
use crate::http::body::pace::Pace;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// Where the writing side of a connection stands. Only time in which bytes wait for the peer counts against it.
#[derive(Default)]
pub(super) struct Outflow {
    /// Since when bytes wait, and who wakes us when that is too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    /// How long they waited before, over the life of the connection.
    waited: Duration,
    pace: Option<Pace>,
}

impl Outflow {
    /// Looks at what a write came to; `idle` is how long a peer may take nothing.
    pub(super) fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        line: &Line,
        idle: impl FnOnce() -> Duration,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(count)) => {
                if let Some((since, _)) = self.waiting.take() {
                    self.waited += since.elapsed();
                    line.moves();
                }
                if let Some(pace) = &mut self.pace {
                    pace.moved(self.waited, *count as u64);
                }
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => self.wait(cx, line, idle),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>, line: &Line, idle: impl FnOnce() -> Duration) -> Poll<io::Result<usize>> {
        let (since, alarm) = self.waiting.get_or_insert_with(|| {
            let idle = idle();
            self.pace.get_or_insert_with(|| Pace::new(idle)).moved(self.waited, 0);
            (Instant::now(), Box::pin(tokio::time::sleep(idle)))
        });
        let at = self.waited + since.elapsed();
        if line.waits(cx.waker()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let too_long = alarm.as_mut().poll(cx).is_ready();
        if too_long || self.pace.as_mut().is_some_and(|pace| pace.too_slow(at)) {
            log::info!("a client took its answer too slowly and was cut off");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn a_peer_that_takes_nothing_is_cut_off_and_one_that_takes_some_is_not() {
        actix_web::rt::System::new().block_on(async {
            let (mut outflow, line) = (Outflow::default(), Line::new(false));
            for _ in 0..3 {
                let waits = poll_fn(|cx| {
                    Poll::Ready(outflow.watch(cx, Poll::Pending, &line, || Duration::from_secs(3600)).is_pending())
                });
                assert!(waits.await, "it is given time");
                let moved = poll_fn(|cx| outflow.watch(cx, Poll::Ready(Ok(1)), &line, || Duration::ZERO)).await;
                assert_eq!(moved.unwrap(), 1);
            }
            let cut = poll_fn(|cx| outflow.watch(cx, Poll::Pending, &line, || Duration::from_millis(10))).await;
            assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::TimedOut);
        });
    }
}
