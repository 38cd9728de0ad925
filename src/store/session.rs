//! Who is signed in. Ends everything of an account at once.

use leptos::prelude::*;
use miniature_api::{ACCOUNT_COOKIE, Account, Credentials, UserId};
use send_wrapper::SendWrapper;

use super::{driver::driver, react::react};
pub use crate::browser::origin::SignInError;
use crate::{
    browser::{cookies, json, local_storage, schedule, tabs},
    cache::core::{Core, Event, SessionView},
};

/// Who is signed in. Clones share one state.
#[derive(Clone, Debug)]
pub struct Session {
    state: ArcRwSignal<SessionState>,
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

/// Puts the session into the context.
///
/// Whoever was signed in last is taken to be so still, so that their first frame needs no answer;
/// the server is asked in the background. Where no cookie tells of a session, nobody is asked.
pub fn provide_session() -> Session {
    let state = match stored_account() {
        Some(account) => SessionState::SignedIn(account),
        None if cookies::has(ACCOUNT_COOKIE) => SessionState::Unknown,
        None => SessionState::SignedOut(None),
    };
    let is_known_to_be_nobody = state == SessionState::SignedOut(None);
    let session = Session { state: ArcRwSignal::new(state) };
    if let Some(account) = session.account_untracked() {
        driver().begin(&account);
    }
    if !is_known_to_be_nobody {
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

    /// Signs in. Whoever was signed in here before is erased.
    ///
    /// # Errors
    ///
    /// [`SignInError`], in words for the person who tries.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<(), SignInError> {
        let driver = driver();
        let silence = driver.read(|core| core.policy().silence);
        let account = driver.api.sign_in(credentials, silence).await?;
        // With it the server has ended the session that was to be ended.
        let _ = local_storage::forget_sign_out();
        self.enter(account);
        Ok(())
    }

    /// Signs out: here at once, and at the server as soon as it can be reached.
    pub async fn sign_out(&self) {
        // Where storage is denied, the server hears of it now or not at all.
        let _ = local_storage::remember_sign_out();
        self.leave(None);
        end_at_server().await;
        if local_storage::owes_sign_out() {
            // An answer will show that the server is back.
            driver().handle(Event::AskSession);
        }
    }

    /// Asks the server who is signed in, until it answers.
    pub fn verify(&self) {
        if !local_storage::owes_sign_out() {
            return driver().handle(Event::AskSession);
        }
        schedule::spawn(async {
            end_at_server().await;
            driver().handle(Event::AskSession);
        });
    }

    fn hear(&self, said: SessionView) {
        match said {
            SessionView::Asking => {}
            SessionView::Answered(_) if local_storage::owes_sign_out() => {
                self.learn(None);
                schedule::spawn(end_at_server());
            }
            SessionView::Answered(account) => self.learn(account),
            SessionView::Failed(_) => {
                if self.state.with_untracked(|state| *state == SessionState::Unknown) {
                    self.state.set(SessionState::Unreachable);
                }
            }
        }
    }

    fn learn(&self, account: Option<Account>) {
        match (account, self.state.get_untracked()) {
            (Some(account), _) => self.enter(account),
            (None, SessionState::SignedIn(_)) => self.leave(Some(Farewell::Expired)),
            (None, SessionState::Unknown | SessionState::Unreachable) => {
                self.state.set(SessionState::SignedOut(None));
            }
            (None, SessionState::SignedOut(_)) => {}
        }
    }

    /// Someone is signed in. If it is someone else than before, those before are erased.
    fn enter(&self, account: Account) {
        if self.state.get_untracked() == SessionState::SignedIn(account.clone()) {
            return;
        }
        let begun = driver().read(|core| core.account().cloned());
        let stored = stored_account().map(|account| account.user_id);
        let stored = stored.filter(|stored| Some(stored) != begun.as_ref());
        for before in begun.into_iter().chain(stored) {
            if before != account.user_id {
                erase(before);
            }
        }
        // Where storage is denied, the next visit asks the server first.
        let _ = local_storage::set_current_account(&account);
        self.state.set(SessionState::SignedIn(account));
    }

    /// Nobody is signed in any more: nothing of theirs stays.
    fn leave(&self, farewell: Option<Farewell>) {
        let account = self.account_untracked();
        // Where storage is denied, nothing is stored.
        let _ = local_storage::forget_current_account();
        cookies::remove(ACCOUNT_COOKIE);
        self.state.set(SessionState::SignedOut(farewell));
        account.into_iter().for_each(erase);
    }

    /// Hears of other tabs, and of what the server says.
    fn listen(&self) {
        let session = self.clone();
        let guard = tabs::on_storage(local_storage::ACCOUNT_KEY, move |change| {
            // The keys of an account called account-7 begin alike. Without a key all is gone.
            if change.key.is_none_or(|key| key == local_storage::ACCOUNT_KEY) {
                session.hear_tab(change.new.as_deref().and_then(json::read));
            }
        });
        let guard = SendWrapper::new(guard);
        on_cleanup(move || drop(guard));

        let session = self.clone();
        react(move || {
            let driver = driver();
            driver.signals.session.track();
            session.hear(driver.read(Core::session));
        });
    }

    fn hear_tab(&self, account: Option<Account>) {
        let known = self.account_untracked();
        match account {
            None if known.is_some() => self.leave(Some(Farewell::Elsewhere)),
            None => {}
            Some(account) if Some(&account.user_id) == known.as_ref() => {}
            Some(account) => self.enter(account),
        }
    }

    fn account_untracked(&self) -> Option<UserId> {
        untrack(|| self.account())
    }
}

/// Erases an account from memory and every storage.
fn erase(account: UserId) {
    let driver = driver();
    if driver.read(|core| core.account() == Some(&account)) {
        driver.end();
    } else {
        driver.handle(Event::Erase(account));
    }
}

/// Ends the session at the server; it stays owed if the server does not answer.
async fn end_at_server() {
    let driver = driver();
    let silence = driver.read(|core| core.policy().silence);
    if driver.api.sign_out(silence).await.is_ok() {
        let _ = local_storage::forget_sign_out();
    }
}

/// Who was signed in last, where the browser lets us know.
fn stored_account() -> Option<Account> {
    local_storage::current_account().ok().flatten()
}
