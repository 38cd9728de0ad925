//! A connection that is closed so that the peer reads our last answer.
//!
//! Who is refused while still sending, as with 413, may not look before everything is sent. Were the
//! connection closed with bytes unread, the kernel would reset it, and with that throw away our
//! answer on their side. So we say that nothing follows, and drop what they send until they are done.
//!
//! **Invariant:** this takes no memory but one buffer on the stack, and ends: after some silence,
//! some seconds or some bytes, whichever comes first.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use crate::limits::Limits;

/// How many bytes are dropped at once.
const DROPPED_AT_ONCE: usize = 16 << 10;

/// For how long, and for how many bytes, a peer is listened to that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    time: Duration,
    silence: Duration,
    bytes: usize,
}

impl Linger {
    /// As the limits say.
    pub(crate) fn within(limits: &Limits) -> Self {
        let (time, silence) = (limits.linger_for, limits.linger_in_silence_for);
        Self { time, silence, bytes: limits.linger_bytes }
    }
}

/// A connection that is closed so that the peer reads our last answer.
#[derive(Debug)]
pub(crate) struct Lingering {
    stream: TcpStream,
    linger: Linger,
    closing: Option<Closing>,
}

/// We have said all, and wait for the peer to be done.
#[derive(Debug)]
struct Closing {
    linger: Linger,
    until: Instant,
    /// Until then if nothing more comes.
    next_look: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl Lingering {
    /// Over this connection.
    pub(crate) fn over(stream: TcpStream, linger: Linger) -> Self {
        Self { stream, linger, closing: None }
    }
}

impl Closing {
    fn begin(linger: Linger) -> Self {
        let until = Instant::now() + linger.time;
        let next_look = Box::pin(sleep(linger.silence.min(linger.time)));
        Self { linger, until, next_look, bytes_left: linger.bytes }
    }

    /// Drops what comes until there is no more, or it was enough.
    fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        while self.bytes_left > 0 && self.next_look.as_mut().poll(cx).is_pending() {
            let mut space = [MaybeUninit::uninit(); DROPPED_AT_ONCE];
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.bytes_left = self.bytes_left.saturating_sub(buffer.filled().len());
            let unless_more_comes = Instant::now() + self.linger.silence;
            self.next_look.as_mut().reset(unless_more_comes.min(self.until));
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, linger, closing } = self.get_mut();
        if closing.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let closing = closing.get_or_insert_with(|| Closing::begin(*linger));
        closing.poll(stream, cx).map(Ok)
    }
}
