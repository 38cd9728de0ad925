//! Who is signed in.

use leptos::prelude::*;
use miniature_api::{Credentials, UserId};

use super::{driver::driver, identity};
use crate::cache::core::{Core, Event, SessionView};
pub use crate::{
    browser::origin::SignInError,
    cache::core::{Epoch, Farewell, SessionState},
};

/// The session, for the life of the document.
#[derive(Clone, Copy, Debug)]
pub struct Session(());

/// Follows who is signed in, and puts the session into the context.
///
/// The account that was signed in last is taken to be so still, so that its first frame needs no answer;
/// the server is asked in the background. Where no cookie tells of a session, nobody is asked.
pub fn provide_session() -> Session {
    driver().follow_session();
    let session = Session(());
    provide_context(session);
    session
}

/// The session in the context, or a new one.
pub fn use_session() -> Session {
    use_context().unwrap_or_else(provide_session)
}

impl Session {
    /// The session's state and its epoch. Tracks.
    pub fn view(self) -> SessionView {
        driver().signals.session.track();
        driver().read(Core::session)
    }

    /// Who is signed in. Tracks.
    pub fn state(self) -> SessionState {
        self.view().state
    }

    /// The signed-in user's id. Tracks.
    pub fn account(self) -> Option<UserId> {
        match self.state() {
            SessionState::SignedIn(account) => Some(account),
            SessionState::Unknown | SessionState::Unreachable | SessionState::SignedOut(_) => None,
        }
    }

    /// Signs in. An account that was signed in here before is erased.
    ///
    /// # Errors
    ///
    /// [`SignInError`], in words for the person who tries.
    pub async fn sign_in(self, credentials: &Credentials) -> Result<(), SignInError> {
        let driver = driver();
        let (epoch, silence) = driver.read(|core| (core.epoch(), core.policy().silence));
        let account = driver.api.sign_in(credentials, silence).await?;
        // The marker came with the session's own cookie, which cannot be read.
        let marker = identity::marker().ok_or(SignInError::NoCookie)?;
        driver.handle(Event::SignedIn { epoch, account, marker });
        Ok(())
    }

    /// Whether the server has a demo account to look around with.
    pub async fn has_demo(self) -> bool {
        let driver = driver();
        let silence = driver.read(|core| core.policy().silence);
        driver.api.has_demo(silence).await
    }

    /// Signs out: here at once, and at the server as soon as it can be reached.
    pub fn sign_out(self) {
        driver().handle(Event::SignOut);
    }

    /// Asks the server who is signed in, at once.
    pub fn verify(self) {
        driver().handle(Event::AskSession);
    }
}
