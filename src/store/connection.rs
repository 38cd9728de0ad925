//! The API as the page sees it: whether it can be reached, and whether it still knows us.

use std::{rc::Rc, time::Duration};

use leptos::prelude::*;
use miniature_api::{BatchUser, Size};
use send_wrapper::SendWrapper;

use crate::{
    browser::{clock::BrowserClock, online, origin::Api, schedule},
    cache::{
        clock::Clock,
        entry::Rendition,
        layer::{BatchAnswer, Origin, OriginError},
    },
};

/// How long to wait before asking again whether an unreachable server is back, at first and at
/// most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The API, and what its answers say of it. Clones share one state.
#[derive(Clone, Debug)]
pub struct Connection {
    api: SendWrapper<Rc<Api>>,
    reachable: ArcRwSignal<bool>,
    signed_out: ArcRwSignal<bool>,
}

/// Puts a connection into the context, and keeps an eye on the browser's own.
pub fn provide_connection() -> Connection {
    let connection = Connection {
        api: SendWrapper::new(Rc::new(Api::default())),
        reachable: ArcRwSignal::new(true),
        signed_out: ArcRwSignal::new(false),
    };
    let changed = connection.clone();
    let guard = online::on_change(move |is_online| {
        if is_online {
            changed.probe();
        } else {
            changed.lost();
        }
    });
    let guard = SendWrapper::new(guard);
    on_cleanup(move || drop(guard));
    provide_context(connection.clone());
    connection
}

/// The connection in the context, or one of one's own.
pub fn use_connection() -> Connection {
    use_context().unwrap_or_else(provide_connection)
}

/// Whether the last request reached the server.
pub fn use_reachability() -> Signal<bool> {
    let connection = use_connection();
    Signal::derive(move || connection.reachable.get())
}

impl Connection {
    /// The API itself. Pass what it answers through [`Self::note`].
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Whether the last request reached the server. Tracks.
    pub fn is_reachable(&self) -> bool {
        self.reachable.get()
    }

    /// Whether the server has said that nobody is signed in. Tracks.
    pub fn is_signed_out(&self) -> bool {
        self.signed_out.get()
    }

    /// Forgets that the server has said that nobody is signed in: somebody is.
    pub fn signed_in(&self) {
        self.signed_out.set(false);
    }

    /// Learns from the outcome of a request, and passes it on.
    ///
    /// # Errors
    ///
    /// The request's own.
    pub fn note<T>(&self, outcome: Result<T, OriginError>) -> Result<T, OriginError> {
        match outcome.as_ref().err() {
            Some(OriginError::Unreachable) => self.lost(),
            Some(OriginError::SignedOut) => {
                self.found();
                self.signed_out.set(true);
            }
            None | Some(OriginError::Status(_) | OriginError::Malformed) => self.found(),
        }
        outcome
    }

    /// Asks now whether the server is there.
    pub fn probe(&self) {
        let connection = self.clone();
        schedule::spawn(async move {
            let outcome = connection.api.session().await.map(drop);
            // Only whether it answered matters here.
            let _ = connection.note(outcome);
        });
    }

    fn found(&self) {
        if !self.reachable.get_untracked() {
            self.reachable.set(true);
        }
    }

    fn lost(&self) {
        if self.reachable.get_untracked() {
            self.reachable.set(false);
            schedule::spawn(self.clone().wait());
        }
    }

    /// Asks, less and less often, until the server is back.
    async fn wait(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            BrowserClock.sleep(pause).await;
            if self.reachable.get_untracked() {
                return;
            }
            let outcome = self.api.session().await.map(drop);
            if outcome != Err(OriginError::Unreachable) {
                let _ = self.note(outcome);
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Origin for Connection {
    async fn batch(&self, size: Size, users: &[BatchUser]) -> Result<BatchAnswer, OriginError> {
        self.note(self.api.batch(size, users).await)
    }

    async fn decodes(&self, rendition: &Rendition) -> bool {
        self.api.decodes(rendition).await
    }
}
