//! Stands between the server and PostgreSQL, and breaks off when it is told to.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// What PostgreSQL says when a statement is done. It comes together with what says that the
/// transaction has ended.
///
/// # Source
///
/// PostgreSQL, frontend/backend protocol, `CommandComplete`.
#[derive(Clone, Copy)]
pub(crate) enum Done {
    /// One row was read.
    Select,
    /// A transaction was kept.
    Commit,
}

impl Done {
    fn is_said_in(self, said: &[u8]) -> bool {
        let tag: &[u8] = match self {
            Self::Select => b"SELECT 1\0",
            Self::Commit => b"COMMIT\0",
        };
        said.windows(tag.len()).any(|part| part == tag)
    }
}

/// Where the next connection is to be lost, if at all.
type Cut = Arc<Mutex<Option<Done>>>;

/// A way to a PostgreSQL server.
pub(crate) struct Line {
    pub(crate) url: String,
    cut: Cut,
    _passing: JoinSet<()>,
}

impl Line {
    /// The way to the server at this URL.
    pub(crate) async fn to(url: &str) -> Self {
        let mut url = url.parse::<url::Url>().unwrap();
        let upstream = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (cut, mut passing) = (Cut::default(), JoinSet::new());
        let armed = Arc::clone(&cut);
        passing.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(upstream.clone()).await.unwrap();
                open.spawn(pass(client, server, Arc::clone(&armed)));
            }
        });
        Self { url: url.to_string(), cut, _passing: passing }
    }

    /// Once the next of these is done, its connection is lost before anybody is told.
    pub(crate) fn cut_after_the_next(&self, done: Done) {
        *self.cut.lock().unwrap() = Some(done);
    }

    /// Takes that back; whether it has happened.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.lock().unwrap().take().is_none()
    }
}

/// Both ways end when one does.
async fn pass(client: TcpStream, server: TcpStream, cut: Cut) {
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        () = copy(from_client, to_server, |_| false) => {}
        () = copy(from_server, to_client, |said| {
            cut.lock().unwrap().take_if(|done| done.is_said_in(said)).is_some()
        }) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, ends_at: impl Fn(&[u8]) -> bool) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        if ends_at(&chunk[..length]) || to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
