//! Connections: who may keep one open, and for how long without use.
//!
//! **Invariant:** no peer holds a connection for good by being slow, whichever way the bytes go.

use std::{
    future::{Ready, ready},
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{Handle, accept::Accept};
use hyper_util::rt::TokioTimer;
use socket2::SockRef;
use tokio::net::TcpStream;

use crate::limits::Limits;

/// The most header lines that a request may have.
const MAX_HEADERS: usize = 64;

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 << 10;

/// Answers on a listener until the handle is told to shut down.
///
/// # Errors
///
/// If the listener fails.
pub(crate) async fn answer(
    listener: TcpListener,
    handle: Handle<SocketAddr>,
    router: Router,
    limits: &Limits,
) -> io::Result<()> {
    let mut server = axum_server::from_tcp(listener)?
        .handle(handle)
        .acceptor(Prepare { unread_for: limits.unread_for })
        .http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_arrives_within)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// Sends at once, and leaves it to the kernel to end the connection of a peer that takes nothing: we
/// would wait until it does. A connection on which that cannot be set is as good otherwise.
///
/// # Source
///
/// tcp(7), `TCP_USER_TIMEOUT`: also while the peer's window is closed.
#[derive(Clone, Copy, Debug)]
struct Prepare {
    unread_for: Duration,
}

impl<S> Accept<TcpStream, S> for Prepare {
    type Stream = TcpStream;
    type Service = S;
    type Future = Ready<io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(self.unread_for));
        ready(Ok((stream, service)))
    }
}
