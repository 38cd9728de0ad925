//! The session: what the browser holds, what the server says, and what follows.
//!
//! The cookie of the session itself cannot be read; its marker can, and all tabs share both. Where the
//! marker is another than the one this document began with, nothing of before is shown, asked for or
//! kept until the server has said who is signed in.

use miniature_api::{Account, Marker, UserId};
use serde::{Deserialize, Serialize};

use super::{
    Core, Doc, Effect, Farewell, Kind, SessionState, SessionView, flights::Task, pause::Pause,
};
use crate::cache::{clock::Moment, entry::Bytes, layer::LayerError};

/// Names a session of this document. It goes up at every sign-in, sign-out and change of account, in
/// this tab or another: what was asked for in an earlier one changes nothing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(u64);

/// What the browser holds of sessions. All tabs share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account that signed in last and did not sign out.
    pub account: Option<Account>,
    /// Names the session that the browser has.
    pub marker: Option<Marker>,
    /// Names a session whose end the server has not confirmed; empty if it had no marker.
    pub owed: Option<Marker>,
}

/// What is to be kept of it for the next document, and for other tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The signed-in account.
    pub account: Option<Account>,
    /// The session whose end is owed to the server. Its marker is no more.
    pub owed: Option<Marker>,
}

/// The facts.
#[derive(Clone, Debug)]
pub(super) struct Session {
    epoch: Epoch,
    who: Who,
    /// Of the session that `who` follows from; none before the first look.
    marker: Option<Option<Marker>>,
    owed: Option<Marker>,
    /// Whether the server is to be asked who is signed in.
    wanted: bool,
    /// The question who is signed in.
    pub(super) asked: Doc,
    /// The sign-out that is owed.
    pub(super) ending: Doc,
    /// What LocalStorage holds, as far as is known.
    noted: Option<Note>,
    handed: SessionView,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// Only the server knows. If it is nobody, this is why.
    Unknown(Option<Farewell>),
    Nobody(Option<Farewell>),
    /// The marker names them, and the server has not said so yet. Nobody else is known here.
    Expected(UserId),
    Somebody(Account),
}

impl Session {
    pub(super) fn new() -> Self {
        // The keys are not used: no layer keeps these.
        let doc = || Doc::new(super::friends::FIRST);
        let (epoch, who) = (Epoch::default(), Who::Unknown(None));
        Self {
            handed: SessionView { epoch, state: SessionState::Unknown },
            epoch,
            who,
            marker: None,
            owed: None,
            wanted: false,
            asked: doc(),
            ending: doc(),
            noted: None,
        }
    }

    fn account(&self) -> Option<&Account> {
        match &self.who {
            Who::Somebody(account) => Some(account),
            Who::Unknown(_) | Who::Nobody(_) | Who::Expected(_) => None,
        }
    }

    fn user(&self) -> Option<&UserId> {
        match &self.who {
            Who::Somebody(account) => Some(&account.user_id),
            Who::Expected(user) => Some(user),
            Who::Unknown(_) | Who::Nobody(_) => None,
        }
    }

    /// Whether that does not hang on the server's answer.
    fn is_known(&self) -> bool {
        matches!(self.who, Who::Nobody(_) | Who::Somebody(_))
    }

    /// Why nobody is signed in any more, if the server says so.
    fn farewell(&self) -> Option<Farewell> {
        match self.who {
            Who::Somebody(_) => Some(Farewell::Expired),
            Who::Expected(_) => None,
            Who::Unknown(farewell) | Who::Nobody(farewell) => farewell,
        }
    }

    /// Asks the server who is signed in, unless it is being asked.
    pub(super) fn want(&mut self) {
        if !self.wanted {
            self.ask();
        }
    }

    fn ask(&mut self) {
        self.asked.retry(Moment::NEVER);
        self.wanted = true;
    }

    /// While the end of the only session that there was is owed, nothing is asked for it.
    pub(super) fn is_to_be_asked(&self) -> bool {
        let has_marker = self.marker.as_ref().is_none_or(Option::is_some);
        self.wanted && self.asked.under_way.is_none() && (self.owed.is_none() || has_marker)
    }

    /// The sign-out that is to be sent to the server.
    pub(super) fn to_end(&self) -> Option<&Marker> {
        self.owed.as_ref().filter(|_| self.ending.under_way.is_none())
    }

    pub(super) fn view(&self) -> SessionView {
        let state = match &self.who {
            Who::Unknown(_) if self.asked.failure.is_some() => SessionState::Unreachable,
            Who::Unknown(_) => SessionState::Unknown,
            Who::Nobody(farewell) => SessionState::SignedOut(*farewell),
            Who::Expected(user) => SessionState::SignedIn(user.clone()),
            Who::Somebody(account) => SessionState::SignedIn(account.user_id.clone()),
        };
        SessionView { epoch: self.epoch, state }
    }

    /// The request that `task` makes.
    pub(super) fn doc_of(&mut self, task: &Task) -> &mut Doc {
        if matches!(task, Task::SignOut) { &mut self.ending } else { &mut self.asked }
    }

    /// The view, if it differs from the one handed out last.
    pub(super) fn hand_out(&mut self) -> bool {
        let view = self.view();
        let changed = view != self.handed;
        self.handed = view;
        changed
    }

    /// What is to be noted, if that differs from what is. While it is not known who is signed in,
    /// nothing is.
    pub(super) fn take_note(&mut self) -> Option<Note> {
        if !self.is_known() {
            return None;
        }
        let noted = self.noted.as_ref().map(|noted| (noted.account.as_ref(), &noted.owed));
        if noted == Some((self.account(), &self.owed)) {
            return None;
        }
        self.noted = Some(Note { account: self.account().cloned(), owed: self.owed.clone() });
        self.noted.clone()
    }
}

impl<B: Bytes> Core<B> {
    /// The epoch, for what is asked of the server without the core.
    pub fn epoch(&self) -> Epoch {
        self.session.epoch
    }

    /// The account that is signed in and has not [begun](super::Event::Session).
    pub fn to_begin(&self) -> Option<&UserId> {
        self.session.user().filter(|user| self.account.as_ref() != Some(user))
    }

    /// Looks at what the browser holds: first, whenever another tab may have changed it, and before
    /// anything is shown again.
    pub(super) fn identify(&mut self, held: Identity) {
        let Identity { account, marker, owed } = held;
        let session = &mut self.session;
        session.noted = Some(Note { account: account.clone(), owed: owed.clone() });
        session.owed = owed.or(session.owed.take());
        let marker = marker.filter(|marker| Some(marker) != session.owed.as_ref());
        let is_first = session.marker.is_none();
        let is_same = session.marker.replace(marker.clone()) == Some(marker.clone());
        // The marker goes before what says why, so that a look may fall in between.
        let ends = marker.is_none() && session.owed.is_some();
        if is_same && (!ends || matches!(session.who, Who::Nobody(_))) {
            return;
        }
        match (marker.and_then(|marker| marker.user()), account) {
            (Some(user), Some(account)) if is_first && account.user_id == user => {
                session.who = Who::Somebody(account);
                session.want();
            }
            (Some(user), None) if is_first => {
                session.who = Who::Expected(user);
                session.want();
            }
            (None, account) if ends || account.is_none() => {
                let farewell = self.session.farewell().map(|_| Farewell::Elsewhere);
                self.end_session(farewell);
            }
            _ => self.suspend(),
        }
    }

    /// Only the server knows who is signed in.
    fn suspend(&mut self) {
        let farewell = self.session.farewell();
        self.drop_account();
        self.session.who = Who::Unknown(farewell);
        self.session.ask();
    }

    /// Nobody is signed in any more: nothing of theirs stays.
    fn end_session(&mut self, farewell: Option<Farewell>) {
        self.session.wanted = false;
        self.replace_account(None);
        self.session.who = Who::Nobody(farewell);
        self.survey();
    }

    /// Another account than before, or none: nothing of the one before stays.
    fn replace_account(&mut self, next: Option<&UserId>) {
        let before = self.session.user().cloned().or_else(|| self.account.clone());
        if next.is_some() && before.as_ref() == next {
            return;
        }
        self.drop_account();
        before.into_iter().for_each(|before| self.erase_account(&before));
    }

    /// A sign-in of `epoch` was answered; the session before it has ended with it.
    pub(super) fn signed_in(&mut self, epoch: Epoch, account: Account, marker: Marker) {
        let is_current = epoch == self.session.epoch;
        self.session.marker = Some(Some(marker));
        if !is_current {
            return self.suspend();
        }
        self.session.owed = None;
        if let Some(id) = self.session.ending.under_way {
            self.cancel(id);
        }
        self.enter(account);
    }

    /// Someone is signed in, says the server.
    fn enter(&mut self, account: Account) {
        self.replace_account(Some(&account.user_id));
        self.session.wanted = false;
        self.session.who = Who::Somebody(account);
        self.survey();
    }

    /// Someone asks to be signed out: here at once, at the server once it can be reached.
    pub(super) fn sign_out(&mut self) {
        let marker = self.session.marker.replace(None).flatten();
        self.session.owed = Some(marker.unwrap_or_else(|| Marker::from(String::new())));
        self.session.ending.retry(Moment::NEVER);
        self.end_session(None);
    }

    /// The server says who is signed in.
    pub(super) fn session_answer(&mut self, account: Option<Account>) {
        self.session.asked.succeed();
        match account {
            Some(account) => self.enter(account),
            None => self.end_session(self.session.farewell()),
        }
    }

    /// The server knows of the sign-out, or does not know the session.
    pub(super) fn session_ended(&mut self) {
        self.session.ending.succeed();
        self.session.owed = None;
    }

    /// Asks now, whatever rests.
    pub(super) fn ask_session(&mut self) {
        let now = self.time.now();
        self.session.ask();
        self.session.ending.retry(now);
        self.server.end_by_hand(now);
        self.kinds[Kind::Session as usize].end_by_hand(now);
    }

    /// Another epoch begins: everything of the account that has begun is forgotten, and what it
    /// waited for.
    pub(super) fn drop_account(&mut self) {
        self.account = None;
        self.session.epoch.0 += 1;
        self.forget_all();
        (self.server, self.kinds) = (Pause::default(), Default::default());
        (self.lineage, self.lineage_seen, self.outdated) = (None, Moment::NEVER, false);
    }

    /// Has the layers looked through for accounts that are not signed in.
    fn survey(&mut self) {
        self.survey = Some(self.time.now());
    }

    /// When to look, once it is known who is signed in and all that looks is loaded.
    pub(super) fn survey_due(&self) -> Option<Moment> {
        self.survey.filter(|_| self.session.is_known() && !self.writes_wait)
    }

    /// Asks the layers whose data they hold.
    pub(super) fn plan_survey(&mut self) {
        let now = self.time.now();
        if self.survey_due().is_some_and(|due| due <= now) {
            self.survey = None;
            let id = self.flights.depart(Task::Accounts, now);
            self.queue.push_back(Effect::ListAccounts { id });
        }
    }

    /// No layer holds anything of an account that is not signed in.
    #[inline(never)]
    pub(super) fn surveyed(&mut self, accounts: Result<Vec<UserId>, LayerError>) {
        let Ok(accounts) = accounts else {
            self.survey = Some(self.time.now() + self.policy.breaker_pause);
            return;
        };
        if !self.session.is_known() {
            return self.survey();
        }
        let own = self.session.user().cloned();
        let is_own = |user: &UserId| [&own, &self.account].iter().any(|o| o.as_ref() == Some(user));
        let others: Vec<UserId> = accounts.into_iter().filter(|account| !is_own(account)).collect();
        if !others.is_empty() {
            self.queue.push_back(Effect::AnnounceList(false));
        }
        for account in others {
            for layer in super::layers::LASTING {
                let under_way = self.erasures.iter().map(|(_, account, layer)| (account, *layer));
                let owed = self.erase_again.iter().map(|(_, account, layer)| (account, *layer));
                if !under_way.chain(owed).any(|leaving| leaving == (&account, layer)) {
                    self.erase(account.clone(), layer);
                }
            }
        }
    }

    /// Hands out who is signed in, and has it noted.
    pub(super) fn settle_session(&mut self) {
        self.queue.extend(self.session.take_note().map(Effect::Note));
        if self.session.hand_out() {
            self.queue.push_back(Effect::Changed(super::Topic::Session));
        }
    }
}
