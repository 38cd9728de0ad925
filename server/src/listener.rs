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

use crate::{
    limits::Limits,
    lingering::{Linger, Lingering},
};

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
        .acceptor(Prepare { unread_for: limits.unread_for, linger: Linger::within(limits) })
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
    linger: Linger,
}

impl<S> Accept<TcpStream, S> for Prepare {
    type Stream = Lingering;
    type Service = S;
    type Future = Ready<io::Result<(Lingering, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(self.unread_for));
        ready(Ok((Lingering::over(stream, self.linger), service)))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream as Client,
    };

    use axum::{http::StatusCode, routing::put};
    use tokio::time::Instant;

    use super::*;

    const BODY: &str = "it is too long, whatever it is";

    /// A client of a server with these routes.
    fn connected(limits: Limits, router: Router) -> (Client, Handle<SocketAddr>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, handle) = (listener.local_addr().unwrap(), Handle::new());
        let stop = handle.clone();
        tokio::spawn(async move { answer(listener, stop, router, &limits).await.unwrap() });
        (Client::connect(address).unwrap(), handle)
    }

    /// Waits until there was one connection and it is ended.
    async fn until_ended(handle: &Handle<SocketAddr>) {
        let ended = async {
            for count in [1, 0] {
                while handle.connection_count() != count {
                    tokio::time::sleep(Duration::from_millis(5)).await; // between two looks
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it is ended");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_head_that_does_not_arrive_is_not_waited_for() {
        let limits =
            Limits { head_arrives_within: Duration::from_millis(300), ..Limits::default() };
        let (mut client, handle) = connected(limits, Router::new());
        client.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
        until_ended(&handle).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_takes_nothing_of_what_it_is_sent_is_not_waited_for() {
        let limits = Limits { unread_for: Duration::from_millis(300), ..Limits::default() };
        let much = async || vec![0_u8; 64 << 20];
        let (mut client, handle) =
            connected(limits, Router::new().route("/", axum::routing::get(much)));
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        until_ended(&handle).await;
    }

    /// A server that refuses every upload by its head, and a client with a request of so many bytes
    /// begun. Returns also how to tell how many connections are open.
    async fn refused(limits: Limits, bytes: usize) -> (Client, Handle<SocketAddr>) {
        let refuse = async || (StatusCode::PAYLOAD_TOO_LARGE, BODY);
        let (mut client, handle) = connected(limits, Router::new().route("/", put(refuse)));
        write!(client, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n").unwrap();
        (client, handle)
    }

    /// Sends until all is sent or the server has had enough, without looking.
    fn send(client: &mut Client, mut bytes: usize) -> io::Result<()> {
        while bytes > 0 {
            let piece = bytes.min(1 << 16);
            client.write_all(&vec![0; piece])?;
            bytes -= piece;
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_sends_64_mib_without_looking_still_reads_that_it_is_too_long() {
        const BYTES: usize = 64 << 20;
        let (mut client, _) = refused(Limits::default(), BYTES).await;
        let answer = tokio::task::spawn_blocking(move || {
            send(&mut client, BYTES)?;
            let mut answer = String::new();
            client.read_to_string(&mut answer).map(|_| answer)
        });
        let answer = answer.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 413") && answer.ends_with(BODY), "{answer}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_never_stops_sending_is_cut_off() {
        let limits = Limits { linger_bytes: 1 << 20, ..Limits::default() };
        let (mut client, _) = refused(limits, usize::MAX).await;
        let sent =
            tokio::task::spawn_blocking(move || send(&mut client, usize::MAX)).await.unwrap();
        assert!(sent.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_silent_but_stays_is_not_waited_for_for_long() {
        let limits =
            Limits { linger_in_silence_for: Duration::from_millis(300), ..Limits::default() };
        let (mut client, handle) = refused(limits, 1_000).await;
        let since = Instant::now();
        let read = tokio::task::spawn_blocking(move || {
            let mut answer = String::new();
            client.read_to_string(&mut answer).map(|_| (client, answer)).unwrap()
        });
        let (_client, answer) = read.await.unwrap();
        assert!(answer.ends_with(BODY), "{answer}");
        while handle.connection_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await; // between two looks
        }
        assert!(since.elapsed() >= Duration::from_millis(300), "{:?}", since.elapsed());
    }
}
