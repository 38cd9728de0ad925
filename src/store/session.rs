//! Who is signed in. Ends everything of an account at once.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::*;
use miniature_api::{ACCOUNT_COOKIE, Account, Credentials, UserId};
use send_wrapper::SendWrapper;

use super::{
    connection::{Connection, provide_connection},
    friends::LIST_COOKIE,
    picture_store::{self, PictureCache},
};
pub use crate::browser::origin::SignInError;
use crate::{
    browser::{cookies, json, local_storage, origin, schedule, tabs},
    cache::layer::OriginError,
};

/// Who is signed in. Clones share one state.
#[derive(Clone, Debug)]
pub struct Session {
    state: ArcRwSignal<SessionState>,
    connection: Connection,
    cache: SendWrapper<Rc<RefCell<Option<PictureCache>>>>,
}

/// What is known of who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Nobody is known, and the server has not answered yet.
    Unknown,
    /// Nobody is known, and the server cannot be reached.
    Unreachable,
    /// Nobody; and if somebody was, why no more.
    SignedOut(Option<Farewell>),
    /// This account, as far as is known.
    SignedIn(Account),
}

/// Why somebody is not signed in any more who did not sign out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The server does not know the session any more.
    Expired,
    /// Signed out in another tab.
    Elsewhere,
}

/// Puts the session, and the connection that it is about, into the context.
///
/// Whoever was signed in last is taken to be so still, so that their first frame needs no answer;
/// the server is asked in the background. Where no cookie tells of a session, nobody is asked.
pub fn provide_session() -> Session {
    let state = match stored_account() {
        Some(account) => SessionState::SignedIn(account),
        None if cookies::has(ACCOUNT_COOKIE) => SessionState::Unknown,
        None => SessionState::SignedOut(None),
    };
    let session = Session {
        state: ArcRwSignal::new(state),
        connection: provide_connection(),
        cache: SendWrapper::new(Rc::default()),
    };
    if session.state.with_untracked(|state| *state != SessionState::SignedOut(None)) {
        session.verify();
    }
    session.listen();
    provide_context(session.clone());
    session
}

/// The session in the context, or a new one.
pub fn use_session() -> Session {
    use_context().unwrap_or_else(provide_session)
}

impl Session {
    /// Who is signed in. Tracks.
    pub fn state(&self) -> SessionState {
        self.state.get()
    }

    /// The signed-in user's id. Tracks.
    pub fn account(&self) -> Option<UserId> {
        self.state.with(|state| match state {
            SessionState::SignedIn(account) => Some(account.user_id.clone()),
            SessionState::Unknown | SessionState::Unreachable | SessionState::SignedOut(_) => None,
        })
    }

    /// Takes note of the account's picture cache, which ends with the session.
    pub(super) fn attach(&self, cache: &PictureCache) {
        self.cache.replace(Some(cache.clone()));
    }

    /// Signs in. Whoever was signed in here before is erased first.
    ///
    /// # Errors
    ///
    /// [`SignInError`], in words for the person who tries.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<(), SignInError> {
        let account = self.connection.api().sign_in(credentials).await?;
        self.enter(account).await;
        Ok(())
    }

    /// Signs out: here at once, and at the server as soon as it can be reached.
    pub async fn sign_out(&self) {
        // Where storage is denied, the server hears of it now or not at all.
        let _ = local_storage::remember_sign_out();
        self.leave(None).await;
        self.end_at_server().await;
    }

    /// Asks the server who is signed in.
    pub fn verify(&self) {
        let session = self.clone();
        schedule::spawn(async move {
            session.tell_server().await;
            let api = session.connection.api();
            let answer = match origin::take_boot_session() {
                Some(begun) => api.boot_session(begun).await,
                None => api.session().await,
            };
            session.hear(session.connection.note(answer)).await;
        });
    }

    async fn hear(&self, answer: Result<Option<Account>, OriginError>) {
        match (answer, self.state.get_untracked()) {
            (Ok(Some(account)), _) => self.enter(account).await,
            (Ok(None), SessionState::SignedIn(_)) => self.leave(Some(Farewell::Expired)).await,
            (Ok(None), SessionState::Unknown | SessionState::Unreachable) => {
                self.state.set(SessionState::SignedOut(None));
            }
            (Err(_), SessionState::Unknown) => self.state.set(SessionState::Unreachable),
            (Ok(None), SessionState::SignedOut(_)) | (Err(_), _) => {}
        }
    }

    /// Someone is signed in. If it is someone else than before, those before are erased.
    async fn enter(&self, account: Account) {
        let before = stored_account();
        if self.state.get_untracked() == SessionState::SignedIn(account.clone()) {
            return;
        }
        if let Some(before) = before.filter(|before| before.user_id != account.user_id) {
            self.state.set(SessionState::Unknown);
            self.erase(&before.user_id).await;
        }
        // Where storage is denied, the next visit asks the server first.
        let _ = local_storage::set_current_account(&account);
        self.connection.signed_in();
        self.state.set(SessionState::SignedIn(account));
    }

    /// Nobody is signed in any more: nothing of theirs stays.
    async fn leave(&self, farewell: Option<Farewell>) {
        let account = self.state.with_untracked(|state| match state {
            SessionState::SignedIn(account) => Some(account.user_id.clone()),
            SessionState::Unknown | SessionState::Unreachable | SessionState::SignedOut(_) => None,
        });
        // Where storage is denied, nothing is stored.
        let _ = local_storage::forget_current_account();
        self.state.set(SessionState::SignedOut(farewell));
        if let Some(account) = account {
            self.erase(&account).await;
        }
    }

    async fn erase(&self, account: &UserId) {
        cookies::remove(LIST_COOKIE);
        let cache = self.cache.borrow_mut().take();
        match cache {
            Some(cache) => cache.close().await,
            None => picture_store::erase(account, self.connection.clone()).await,
        }
    }

    /// Ends the session at the server, if a sign-out is still owed to it.
    async fn tell_server(&self) {
        if !local_storage::owes_sign_out() {
            return;
        }
        self.end_at_server().await;
    }

    async fn end_at_server(&self) {
        if self.connection.note(self.connection.api().sign_out().await).is_ok() {
            let _ = local_storage::forget_sign_out();
        }
    }

    /// Hears of other tabs, of a server that is back, and of one that does not know us any more.
    fn listen(&self) {
        let session = self.clone();
        let guard = tabs::on_storage(local_storage::ACCOUNT_KEY, move |change| {
            session.hear_tab(change.value.as_deref().and_then(json::read));
        });
        let guard = SendWrapper::new(guard);
        on_cleanup(move || drop(guard));

        let (session, connection) = (self.clone(), self.connection.clone());
        Effect::new(move |before: Option<(bool, bool)>| {
            let now = (connection.is_reachable(), connection.is_signed_out());
            let returned = now.0 && before.is_some_and(|(reachable, _)| !reachable);
            let expired = now.1 && before.is_some_and(|(_, signed_out)| !signed_out);
            if returned {
                session.verify();
            }
            if expired {
                let session = session.clone();
                schedule::spawn(async move { session.hear(Ok(None)).await });
            }
            now
        });
    }

    fn hear_tab(&self, account: Option<Account>) {
        let session = self.clone();
        let known = self.account_untracked();
        schedule::spawn(async move {
            match account {
                None if known.is_some() => session.leave(Some(Farewell::Elsewhere)).await,
                None => {}
                Some(account) if Some(&account.user_id) == known.as_ref() => {}
                Some(account) => session.enter(account).await,
            }
        });
    }

    fn account_untracked(&self) -> Option<UserId> {
        untrack(|| self.account())
    }
}

/// Who was signed in last, where the browser lets us know.
fn stored_account() -> Option<Account> {
    local_storage::current_account().ok().flatten()
}
